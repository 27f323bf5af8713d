"""Parameters and data that the solution does not depend on, although something uses them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set

from dpplang.core.diagnostics import Diagnostic, Severity
from dpplang.semantics.atom_walk import walk
from dpplang.semantics.lints.memory import Memory
from dpplang.semantics.lints.terms import terms
from dpplang.semantics.report import diagnose
from dpplang.semantics.tree import Expr, Model, OptimalValue, Symbol


def without_influence(model: Model, used: Set[str], memory: Memory) -> Iterator[Diagnostic]:
    """LNT102: only what is not used reaches them, or they only shift the optimal value."""
    values = {d.symbol: d.value for d in model.derived}
    parts = () if model.objective is None else tuple(terms(model.objective))
    moving = _reached(values, (*_roots(model), *(t for t in parts if t.facts.variables)), memory)
    whole = moving | _reached(values, [t for t in parts if not t.facts.variables], memory)
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


def _roots(model: Model) -> Iterator[Expr]:
    """Every expression that the solution depends on, the objective left aside."""
    for constraint in model.constraints:
        yield from (*constraint.parts, *constraint.cone_args)
    yield from (o.value for o in model.outputs)
    yield from (a for v in model.variables for attribute in v.attributes for a in attribute.arguments)


def _reached(values: Mapping[Symbol, Expr], roots: Iterable[Expr], memory: Memory) -> set[Symbol]:
    """Symbols that stand in the roots, in what derived ones among them are, or in their attributes."""
    reached = set[Symbol]().union(*map(memory.symbols, roots))
    pending = list(reached)
    while pending:
        symbol = pending.pop()
        behind = [a for attribute in symbol.attributes for a in attribute.arguments]
        if symbol in values:
            behind.append(values[symbol])
        for expr in behind:
            new = memory.symbols(expr) - reached
            reached |= new
            pending.extend(new)
    return reached
