"""From an atom's record as it is written to the typed :class:`~dpplang.semantics.tree.Atom`.

The record's entries are typed by the same inference as a program's: in ``graph`` the convex formals count as
variables and ``param`` formals as parameters; in ``value``, ``quadratic`` and ``domain`` all formals are constants.
"""

from __future__ import annotations

from dataclasses import dataclass

from dpplang.core.diagnostics import Diagnostic
from dpplang.lattice.curvature import Curvature
from dpplang.lattice.dims import Shape, show_shape
from dpplang.semantics.atom_clauses import read_curvature, read_monotone, read_sign
from dpplang.semantics.atom_entangled import entangled
from dpplang.semantics.atom_graph import RecordReader
from dpplang.semantics.atom_signature import Signature, read_signature
from dpplang.semantics.report import Mistake, Report, diagnose, mistake
from dpplang.semantics.scope import Library
from dpplang.semantics.tree import Atom, AtomGraph, Expr
from dpplang.syntax import ast


@dataclass(frozen=True, slots=True)
class Built:
    """``atom`` is None iff there is an error among the diagnostics."""

    atom: Atom | None
    diagnostics: tuple[Diagnostic, ...]


def build(item: ast.AtomItem, library: Library) -> Built:
    """Type a record. Its contract is not proved here (see :mod:`dpplang.semantics.proof`).

    Args:
        item: the record.
        library: the atoms that its graph may use.
    """
    report = Report()
    try:
        atom = _atom(item, library, report)
    except Mistake as found:
        report.add(*found.diagnostics)
        atom = None
    return Built(None if report.has_errors else atom, report.diagnostics)


def _atom(item: ast.AtomItem, library: Library, report: Report) -> Atom:
    signature = read_signature(item)
    if item.kind == "set":
        return _set(item, signature, RecordReader(item, signature, library, report))
    curvature = _curvature(item)
    sign = tuple(read_sign(clause, signature) for clause in item.sign)
    monotone = tuple(read_monotone(clause, signature) for clause in item.monotone)
    reader = RecordReader(item, signature, library, report)
    value = None if item.value is None else reader.expression(item.value)
    quadratic = None if item.quadratic is None else reader.expression(item.quadratic)
    graph = None if item.graph is None else reader.graph(item.graph)
    for entry, expr in (("value", value), ("quadratic", quadratic), ("graph", graph)):
        _check_shape(entry, expr, signature.shape, report)
    return Atom(
        name=item.name.name,
        formals=signature.formals,
        dims=signature.dims,
        kind=item.kind,
        variadic=item.variadic,
        shape=signature.shape,
        curvature=curvature,
        sign=sign,
        monotone=monotone,
        domain=reader.domain(),
        value=value,
        quadratic=quadratic,
        graph=graph,
        span=item.name.span,
        doc=item.doc,
        requires=item.requires,
        entangled=entangled(signature.formals, graph),
    )


def _set(item: ast.AtomItem, signature: Signature, reader: RecordReader) -> Atom:
    """The indicator of a set: zero where the constraints of the graph hold."""
    facts = (item.curvature, *item.sign, *item.monotone, *item.domain, item.value, item.quadratic)
    told = [node for node in (*facts, *item.shape) if node is not None]
    if told:
        help_ = ("its constraints say all there is to know; what they are equal to is no set but a function",)
        raise mistake("ATM416", "a set has no entries but `requires:`, `graph` and `test`", told[0].span, help=help_)
    if item.graph is None:
        raise mistake("ATM410", f"set `{item.name.name}` lacks `graph {{ … }}`", item.name.span)
    graph = reader.constraints(item.graph)
    return Atom(
        name=item.name.name,
        formals=signature.formals,
        dims=signature.dims,
        kind="plain" if any(f.symbol.shape for f in signature.formals) else "elementwise",
        variadic=False,
        shape=(),
        curvature=Curvature.CONVEX,
        sign=(),
        monotone=(),
        domain=(),
        value=None,
        quadratic=None,
        graph=graph,
        span=item.name.span,
        doc=item.doc,
        requires=item.requires,
        entangled=entangled(signature.formals, graph),
        is_set=True,
    )


def _curvature(item: ast.AtomItem) -> Curvature:
    missing = [
        entry
        for entry, given in (
            ("curvature: …", item.curvature),
            ("value: …", item.value),
            ("graph { … }", item.graph or item.quadratic),
        )
        if given is None
    ]
    if missing or item.curvature is None:
        lacks = " and ".join(f"`{entry}`" for entry in missing)
        raise mistake("ATM410", f"atom `{item.name.name}` lacks {lacks}", item.name.span)
    return read_curvature(item.curvature)


def _check_shape(entry: str, found: Expr | AtomGraph | None, shape: Shape, report: Report) -> None:
    expr = found.objective if isinstance(found, AtomGraph) else found
    if expr is not None and expr.shape != shape:
        declared = show_shape(shape)
        report.add(
            diagnose(
                "ATM415",
                f"the `{entry}` of this atom has shape {show_shape(expr.shape)}, the record says {declared}",
                expr.span,
                show_shape(expr.shape),
                help=("`shape: [n]` says what shape the result has; without it, it is a scalar",),
            )
        )
