"""Parameters and data that the solution does not depend on, although something uses them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from dpplang.core.diagnostics import Diagnostic, Severity
from dpplang.semantics.atom_walk import walk
from dpplang.semantics.lints.memory import Memory, symbols_in
from dpplang.semantics.lints.unused import names_used
from dpplang.semantics.report import diagnose
from dpplang.semantics.tree import Constraint, Expr, Model, OptimalValue, Symbol
from dpplang.syntax import ast


def without_influence(file: ast.File, model: Model, memory: Memory) -> Iterator[Diagnostic]:
    """LNT102: only what is not used reaches them, or they only shift the optimal value."""
    behind = _behind(model)
    roots = set(memory.times(model.constraints, _symbols)) | memory.symbols("outputs", [o.value for o in model.outputs])
    roots |= memory.symbols("attributes", [a for v in model.variables for t in v.attributes for a in t.arguments])
    fixed: frozenset[Symbol] = frozenset()
    if model.objective is not None:
        parts = memory.terms(model.objective)
        roots |= parts.moving
        fixed = parts.fixed
    moving = _reached(behind, roots)
    left = [symbol for symbol in (*model.params, *model.data) if symbol not in moving]
    if not left:
        return
    used = memory.names(file.items, names_used)
    whole = moving | _reached(behind, fixed)
    of_value = any(isinstance(e, OptimalValue) for o in model.outputs for e in walk(o.value))
    for symbol in left:
        if symbol.name not in used or (symbol in whole and of_value):
            continue
        if symbol in whole:
            message = f"the solution does not depend on `{symbol.name}`: it only shifts the optimal value"
            notes = ("a term without variables is the same wherever the optimum is",)
        else:
            message = f"`{symbol.name}` never reaches the solution"
            notes = ("it is used by names alone that nothing uses",)
        yield diagnose("LNT102", message, symbol.span, notes=notes, severity=Severity.WARNING)


def _symbols(constraint: Constraint) -> Iterator[Symbol]:
    return (symbol for expr in (*constraint.parts, *constraint.cone_args) for symbol in symbols_in(expr))


def _behind(model: Model) -> dict[Symbol, tuple[Expr, ...]]:
    """What stands behind symbols: in their attributes, and what derived ones are."""
    behind: dict[Symbol, tuple[Expr, ...]] = {d.symbol: (d.value, *_arguments(d.symbol)) for d in model.derived}
    others = (s for s in (*model.data, *model.params, *model.variables) if s.attributes)
    behind.update((symbol, found) for symbol in others if (found := _arguments(symbol)))
    return behind


def _arguments(symbol: Symbol) -> tuple[Expr, ...]:
    return tuple(argument for attribute in symbol.attributes for argument in attribute.arguments)


def _reached(behind: Mapping[Symbol, tuple[Expr, ...]], roots: Set[Symbol]) -> Set[Symbol]:
    """The roots, and the symbols that stand behind them."""
    reached = set(roots)
    pending = list(behind.keys() & reached)
    while pending:
        new = {s for expr in behind[pending.pop()] for s in symbols_in(expr)} - reached
        reached |= new
        pending.extend(behind.keys() & new)
    return reached
