"""Parameters and data that the solution does not depend on, although something uses them."""

from __future__ import annotations

from collections.abc import Iterator, Set

from dpplang.core.diagnostics import Diagnostic, Severity
from dpplang.semantics.atom_walk import children, walk
from dpplang.semantics.lints.terms import terms
from dpplang.semantics.report import diagnose
from dpplang.semantics.tree import Expr, Model, OptimalValue, Ref, Symbol


def without_influence(model: Model, used: Set[str]) -> Iterator[Diagnostic]:
    """LNT102: only what is not used reaches them, or they only shift the optimal value."""
    whole = _reached(model, _roots(model, shifts=True))
    moving = _reached(model, _roots(model, shifts=False))
    of_value = any(isinstance(e, OptimalValue) for o in model.outputs for e in walk(o.value))
    for symbol in (*model.params, *model.data):
        if symbol.name not in used or symbol in moving or (symbol in whole and of_value):
            continue
        if symbol in whole:
            message = f"the solution does not depend on `{symbol.name}`: it only shifts the optimal value"
            notes = ("a term without variables is the same wherever the optimum is",)
        else:
            message = f"`{symbol.name}` never reaches the solution"
            notes = ("it is used by names alone that nothing uses",)
        yield diagnose("LNT102", message, symbol.span, notes=notes, severity=Severity.WARNING)


def _roots(model: Model, *, shifts: bool) -> Iterator[Expr]:
    """Every expression that the solution depends on; ``shifts``: also terms of the objective without variables."""
    if model.objective is not None:
        yield from (t for t in terms(model.objective) if shifts or t.facts.variables)
    for constraint in model.constraints:
        yield from (*constraint.parts, *constraint.cone_args)
    yield from (o.value for o in model.outputs)
    yield from (a for v in model.variables for attribute in v.attributes for a in attribute.arguments)


def _reached(model: Model, roots: Iterator[Expr]) -> set[Symbol]:
    values = {d.symbol: d.value for d in model.derived}
    reached, seen = set[Symbol](), set[int]()
    pending = list(roots)
    while pending:
        expr = pending.pop()
        if id(expr) in seen:
            continue
        seen.add(id(expr))
        pending.extend(children(expr))
        if isinstance(expr, Ref) and expr.symbol not in reached:
            reached.add(expr.symbol)
            pending.extend(a for attribute in expr.symbol.attributes for a in attribute.arguments)
            if expr.symbol in values:
                pending.append(values[expr.symbol])
    return reached
