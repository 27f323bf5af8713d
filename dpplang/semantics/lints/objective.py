"""Variables that nothing bounds."""

from __future__ import annotations

from collections.abc import Iterator

from dpplang.core.diagnostics import Diagnostic, Label, Severity
from dpplang.semantics.lints.memory import Memory
from dpplang.semantics.report import diagnose
from dpplang.semantics.tree import Apply, Constraint, Expr, Model, Symbol


def unbounded(model: Model, memory: Memory) -> Iterator[Diagnostic]:
    """LNT106: a variable that stands in linear terms of the objective and nowhere else, so that it goes to infinity."""
    if model.objective is None:
        return
    held = set(memory.times(model.constraints, _variables))
    held |= {v for v in model.variables if any(a.name not in ("symmetric", "diagonal", "sparse") for a in v.attributes)}
    linear: dict[Symbol, Expr] = {}
    for term in memory.terms(model.objective).terms:
        for symbol in term.facts.variables:
            linear.setdefault(symbol, term)
        if not term.facts.curvature.is_affine or _vanishes(term):
            held |= term.facts.variables
    free = [v for v in model.variables if v in linear and v not in held]
    if not free:
        return
    first = free[0]
    names = ", ".join(f"`{v.name}`" for v in free)
    where = linear[first].span
    yield diagnose(
        "LNT106",
        f"nothing bounds {names}: the objective {'falls' if model.sense == 'minimize' else 'grows'} without end",
        where,
        "linear",
        secondary=tuple(Label(v.span, "without bounds and constraints") for v in free),
        help=("bound it in a constraint or where it is declared, or add a term that grows with it",),
        severity=Severity.WARNING,
    )


def _variables(constraint: Constraint) -> Iterator[Symbol]:
    return (symbol for part in constraint.parts for symbol in part.facts.variables)


def _vanishes(term: Expr) -> bool:
    """Whether a factor of a linear term can be zero for all that is known of it."""
    match term:
        case Apply(op="mul", args=args):
            return any(a.facts.params and not a.facts.variables and not a.shape for a in args)
        case _:
            return False
