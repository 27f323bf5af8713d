"""Calls of atoms built without a program: typed symbols in, a typed call or its diagnostics out."""

from __future__ import annotations

from dpplang.core.source import Source, Span
from dpplang.lattice.dims import Poly
from dpplang.semantics.arithmetic import combine
from dpplang.semantics.build import constant, negated, reference
from dpplang.semantics.calls import Called, Site, call_atom
from dpplang.semantics.library import standard_library
from dpplang.semantics.tree import Atom, Expr, Role, Symbol, TypedAttribute
from dpplang.syntax import ast

SPAN = Span(Source("<test>", "test"), 0, 4)
LIBRARY = standard_library()


def tensor(name: str, role: Role, shape: tuple[int, ...], *attributes: str) -> Expr:
    """A declared tensor, whole."""
    sizes = tuple(Poly.const(s) for s in shape)
    return reference(Symbol(name, role, sizes, SPAN, tuple(TypedAttribute(a) for a in attributes)))


def number(value: float) -> Expr:
    return negated(constant(-value, SPAN), SPAN) if value < 0 else constant(value, SPAN)


def infix(op: str, left: Expr, right: Expr) -> Expr:
    return combine(op, left, right, SPAN, SPAN)


def attempt(name: str, *args: Expr, **keywords: Expr) -> Called:
    """The call, right or wrong."""
    return call_atom(LIBRARY.lookup(name), args, _named(keywords), Site(name, SPAN, SPAN))


def _named(keywords: dict[str, Expr]) -> tuple[tuple[ast.Ident, Expr], ...]:
    return tuple((ast.Ident(k, span=SPAN), v) for k, v in keywords.items())


def call(name: str, *args: Expr, **keywords: Expr) -> Expr:
    """A call that must be right."""
    called = attempt(name, *args, **keywords)
    assert called.expr is not None, called.diagnostics
    return called.expr


def apply(atom: Atom, *args: Expr, **keywords: Expr) -> Expr:
    """A call of one record, which must fit it."""
    called = call_atom((atom,), args, _named(keywords), Site(atom.name, SPAN, SPAN))
    assert called.expr is not None, called.diagnostics
    return called.expr
