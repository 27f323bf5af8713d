"""Constraints that say nothing, cannot hold, or say what another says."""

from __future__ import annotations

from collections.abc import Iterator

from dpplang.core.diagnostics import Diagnostic, Label, Severity
from dpplang.core.source import Span
from dpplang.lattice.sign import Sign
from dpplang.semantics.atom_constants import number
from dpplang.semantics.lints.keys import Key, fingerprint, key_of
from dpplang.semantics.lints.memory import Memory
from dpplang.semantics.report import diagnose
from dpplang.semantics.tree import Apply, Constraint, Expr, Kind, Model, Ref


def trivial(constraint: Constraint) -> Iterator[Diagnostic]:
    """LNT103 (always true), LNT104 (never true), LNT105 (about no variable)."""
    span = _span(constraint)
    shown = " ".join(span.text.split())
    parts = constraint.parts
    never = _never(constraint)
    if never:
        yield _warning("LNT104", f"`{shown}` never holds: the problem has no feasible point", span, never, parts)
    elif not any(p.facts.variables for p in parts):
        if not _always(constraint):
            message = f"`{shown}` is about no variable: it holds or the problem is infeasible, whatever is solved for"
            help_ = ("declare what is known of a parameter (`nonneg`, `psd`): that is checked when it is bound",)
            yield diagnose("LNT105", message, span, help=help_, severity=Severity.WARNING)
        else:
            yield _warning("LNT103", f"`{shown}` always holds", span, "it says nothing", ())
    elif _always(constraint):
        note = "it says nothing, and leaves its multiplier undetermined: derivatives may not be unique"
        yield _warning("LNT103", f"`{shown}` always holds", span, note, parts)


def _warning(code: str, message: str, span: Span, note: str, parts: tuple[Expr, ...]) -> Diagnostic:
    secondary = tuple(
        Label(p.span, p.facts.sign.value) for p in parts if number(p) is None and p.facts.sign is not Sign.UNKNOWN
    )
    return diagnose(code, message, span, secondary=secondary, notes=(note,), severity=Severity.WARNING)


def _span(constraint: Constraint) -> Span:
    """The relation itself, of a chain the link alone."""
    spans = [p.span for p in constraint.parts if p.span.source is constraint.span.source]
    inside = [s for s in spans if constraint.span.start <= s.start and s.end <= constraint.span.end]
    if constraint.kind is Kind.CONE or len(inside) < len(constraint.parts) or not constraint.chained:
        return constraint.span
    return inside[0].to(inside[-1])


def _always(constraint: Constraint) -> bool:
    match constraint.kind, constraint.parts:
        case Kind.LE, (small, large):
            a, b = number(small), number(large)
            if a is not None and b is not None:
                return a <= b
            return small.facts.sign.is_nonpos and large.facts.sign.is_nonneg
        case Kind.ZERO, (left, right):
            a, b = number(left), number(right)
            return a is not None and a == b
        case Kind.PSD, (left, right):
            return _is_zero(right) and isinstance(left, Ref) and left.symbol.has("psd")
        case Kind.CONE, (part,):
            sign = part.facts.sign
            declared = isinstance(part, Ref) and part.symbol.has(constraint.cone)
            return (
                (constraint.cone == "nonneg" and sign.is_nonneg)
                or (constraint.cone == "nonpos" and sign.is_nonpos)
                or declared
            )
        case _:
            return False


def _never(constraint: Constraint) -> str:
    """Why a relation never holds; empty if it can."""
    match constraint.kind, constraint.parts:
        case Kind.LE, (small, large):
            a, b = number(small), number(large)
            if a is not None and b is not None:
                return f"{a:g} is larger than {b:g}" if a > b else ""
            if b is not None and b < 0 and small.facts.sign.is_nonneg:
                return f"what is never negative cannot be at most {b:g}"
            if a is not None and a > 0 and large.facts.sign.is_nonpos:
                return f"what is never positive cannot be at least {a:g}"
        case Kind.ZERO, (left, right):
            for value, other in ((number(left), right), (number(right), left)):
                if value is None:
                    continue
                known = number(other)
                if known is not None:
                    return f"{known:g} is not {value:g}" if known != value else ""
                if value < 0 and other.facts.sign.is_nonneg:
                    return f"what is never negative cannot be {value:g}"
                if value > 0 and other.facts.sign.is_nonpos:
                    return f"what is never positive cannot be {value:g}"
        case _:
            pass
    return ""


def _is_zero(expr: Expr) -> bool:
    return number(expr) == 0 or (isinstance(expr, Apply) and expr.op == "full" and expr.option("value") == 0)


def pinned(constraint: Constraint) -> Iterator[Diagnostic]:
    """LNT108: a vector or matrix set equal to one number, entry by entry."""
    if constraint.kind is not Kind.ZERO or constraint.binders:
        return
    for variable, other in (constraint.parts, constraint.parts[::-1]):
        value = number(other)
        if isinstance(variable, Ref) and variable.facts.variables and variable.shape and value is not None and value:
            name = variable.symbol.name
            yield diagnose(
                "LNT108",
                f"every entry of `{name}` is set to {value:g}: nothing of it is left to solve for",
                _span(constraint),
                help=(f"a sum is bounded by `sum({name}) == {value:g}`, one entry by `{name}[0] == {value:g}`",),
                severity=Severity.WARNING,
            )


def duplicates(model: Model, memory: Memory) -> Iterator[Diagnostic]:
    """LNT107: the same relation over the same members, stated twice."""
    often = {p for p, times in memory.times(model.constraints, _print).items() if times > 1}
    if not often:
        return
    first: dict[Key, Constraint] = {}
    numbers: dict[Key, int] = {}
    for constraint in model.constraints:
        if fingerprint(constraint) not in often:
            continue
        key = key_of(constraint, numbers)
        earlier = first.setdefault(key, constraint)
        if earlier is not constraint:
            yield diagnose(
                "LNT107",
                "this constraint is stated twice",
                _span(constraint),
                secondary=(Label(_span(earlier), "first here"),),
                notes=("their multipliers are not determined one by one, so derivatives may not be unique",),
                severity=Severity.WARNING,
            )


def _print(constraint: Constraint) -> tuple[int]:
    return (fingerprint(constraint),)
