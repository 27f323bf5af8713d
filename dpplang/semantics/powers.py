"""Readings of products and powers that name an atom: ``x^p``, ``2^x``, ``x' @ P @ x``."""

from __future__ import annotations

import math

from dpplang.core.source import Span
from dpplang.lattice.dims import show_shape
from dpplang.semantics.arguments import Called
from dpplang.semantics.arithmetic import combine, declaration_labels
from dpplang.semantics.atom_constants import number
from dpplang.semantics.atom_definite import is_nsd, is_psd, same
from dpplang.semantics.build import constant
from dpplang.semantics.calls import Site, call_atom
from dpplang.semantics.numeric_functions import power as numeric_power
from dpplang.semantics.report import Mistake, mistake
from dpplang.semantics.scope import Scope
from dpplang.semantics.tree import Apply, Expr, Ref
from dpplang.syntax import ast


def atom(name: str, args: tuple[Expr, ...], site: Site, scope: Scope) -> Expr:
    """An atom of the library applied.

    Raises:
        Mistake: the arguments do not fit.
    """
    called = call_atom(scope.file.library.lookup(name), args, (), site)
    if called.expr is None:
        raise Mistake(*called.diagnostics)
    return called.expr


def power(base: Expr, exponent: Expr, node: ast.Binary, scope: Scope) -> Expr:
    """``base ^ exponent``: elementwise, with a constant exponent, or of a positive constant base.

    Raises:
        Mistake: both depend on variables, or the base of an exponential is not a positive number.
    """
    if scope.numeric or (base.facts.is_constant and exponent.facts.is_constant):
        return numeric_power(base, exponent, Called("^", (base, exponent), (), node.span, node.op_span))
    if exponent.facts.is_constant:
        if exponent.shape:
            raise mistake(
                "SHP501",
                f"an exponent must be a scalar, not shape {show_shape(exponent.shape)}",
                exponent.span,
                secondary=declaration_labels(exponent),
            )
        return atom("power", (base, exponent), Site("^", node.span, node.op_span, scope.file.requires), scope)
    value = number(base)
    if value is not None and value > 0:
        scaled = combine("*", constant(math.log(value), base.span), exponent, node.span, node.op_span)
        return atom("exp", (scaled,), Site("^", node.span, node.op_span, scope.file.requires), scope)
    if not base.facts.variables and not exponent.facts.variables:
        raise mistake(
            "DPP303",
            "a power whose exponent depends on parameters must be computed before the problem is solved",
            node.span,
            help=(f"`derived p = {node.span.text}`, and use `p` here",),
        )
    raise mistake(
        "DCP211",
        "a power needs a constant exponent, or a positive number as its base",
        node.op_span,
        help=("`x^2`, `x^p` with `p` a number, `2^x`; with a parameter `p`, `derived` computes what it can",),
    )


def quadratic_reading(left: Expr, right: Expr, span: Span, scope: Scope) -> Expr | None:
    """``x' @ P @ x`` as ``quad_form(x, P)`` where x depends on variables and P does not; None if it is nothing
    of the kind.

    Raises:
        Mistake: P is not known to be semidefinite.
    """
    match left, right:
        case Apply(op="matmul", args=(row, matrix)), column if _sandwiched(row, matrix, column):
            pass
        case row, Apply(op="matmul", args=(matrix, column)) if _sandwiched(row, matrix, column):
            pass
        case _:
            return None
    if not (is_psd(matrix) or is_nsd(matrix)):
        named = isinstance(matrix, Ref)
        raise mistake(
            "DCP209",
            f"the quadratic form `{span.text}` is neither known to be convex nor concave",
            matrix.span,
            "not known to be semidefinite",
            secondary=declaration_labels(matrix),
            help=(
                f"declare `{matrix.span.text}` psd (or nsd): that is checked when values are bound"
                if named
                else "give the matrix a name declared `psd`, or write it as `L @ L'`",
            ),
        )
    return atom("quad_form", (column, matrix), Site("@", span, span, scope.file.requires), scope)


def _sandwiched(row: Expr, matrix: Expr, column: Expr) -> bool:
    return (
        len(row.shape) == 1
        and len(matrix.shape) == 2
        and bool(column.facts.variables)
        and not matrix.facts.variables
        and same(row, column)
    )
