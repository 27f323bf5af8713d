"""The rules of the whole program: objective and constraints are DCP, then DPP, and quadratic forms stand where
they may."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache, cached_property
from itertools import chain, repeat
from typing import TYPE_CHECKING

from dpplang.core.diagnostics import Diagnostic, Fix, Label
from dpplang.core.source import Span
from dpplang.lattice.curvature import Curvature
from dpplang.lattice.sign import Sign
from dpplang.semantics.atom_walk import walk
from dpplang.semantics.dcp import DcpBlame, Demand
from dpplang.semantics.demand import satisfies
from dpplang.semantics.report import Report, diagnose
from dpplang.semantics.tree import Apply, AtomCall, Constraint, Expr, Kind, Reduce, Take
from dpplang.semantics.walk import Inlined

if TYPE_CHECKING:
    from dpplang.semantics.dpp import DppBlame
    from dpplang.semantics.fixes.program import Around
    from dpplang.semantics.memo import Memo

CONVEX, CONCAVE, AFFINE = Curvature.CONVEX, Curvature.CONCAVE, Curvature.AFFINE


def judge(
    sense: str,
    objective: Expr | None,
    at: Span | None,
    constraints: Sequence[Constraint],
    inlined: dict[int, Inlined],
    program: Callable[[], Around],
    report: Report,
    memo: Memo | None = None,
) -> None:
    """Report every subexpression that breaks a rule.

    Args:
        at: where the objective's expression stands.
        inlined: ``func`` calls by ``id`` of what they stand for. program: what fixes need; asked for if there are any.
        memo: of the last version, if there is one.
    """
    dcp = DcpBlame(inlined)
    rewrites = _Rewrites(program, inlined)
    allowed: set[int] | None = None
    seen: set[int] = set()
    asked: list[tuple[object, Constraint | None]] = [] if objective is None else [(objective, None)]
    asked += [(constraint.parts, constraint) for constraint in constraints]
    open_ = None if memo is None else memo.not_sound([whole for whole, _ in asked], sense)
    for whole, asking in asked:
        if open_ is not None and id(whole) not in open_:
            continue
        if allowed is None:
            allowed = set() if objective is None else {id(c) for c in _quadratic_positions(objective)}
        sound = True
        for expr, demand in _demands(sense, objective, asking):
            if not satisfies(expr.facts.curvature, demand.wanted):
                sound, found = False, dcp.blame(expr, demand)
            elif not satisfies(expr.facts.dpp, demand.wanted):
                sound, found = False, rewrites.blame(expr, demand.wanted)
            else:
                found = list(_misplaced(expr, allowed, seen, rewrites))
                sound = sound and not _has_quadratic_forms(expr)
            report.add(*(_asked_for(d, _place(asking, at)) for d in found))
        if memo is not None and sound:
            memo.note_sound(whole)


def _place(asking: Constraint | None, at: Span | None) -> Label | None:
    """What asks: a constraint, or else the objective."""
    if asking is not None:
        return Label(asking.span, "used in this constraint")
    return None if at is None else Label(at, "used in this objective")


def _asked_for(diagnostic: Diagnostic, place: Label | None) -> Diagnostic:
    """The finding with the place that asks for what is not there, where it blames a ``let`` or a ``func`` elsewhere."""
    labels = [diagnostic.primary, *diagnostic.secondary]
    if place is None or any(label is not None and place.span.covers(label.span) for label in labels):
        return diagnostic
    return replace(diagnostic, secondary=(*diagnostic.secondary, place))


class _Rewrites:
    """Blame for what is not DPP, with its fixes. Both are loaded when there is something to blame: a program that is
    right should not wait for them."""

    def __init__(self, program: Callable[[], Around], inlined: dict[int, Inlined]) -> None:
        self._program = program
        self._inlined = inlined

    @cached_property
    def _dpp(self) -> DppBlame:
        from dpplang.semantics.dpp import DppBlame

        return DppBlame(self._around, self._inlined)

    @cached_property
    def _around(self) -> Around:
        return self._program()

    def blame(self, expr: Expr, wanted: Curvature) -> Iterator[Diagnostic]:
        return self._dpp.blame(expr, wanted)

    def factored(self, call: AtomCall) -> tuple[Fix, ...]:
        from dpplang.semantics.fixes.parametric import factored_fix

        return factored_fix(self._around, call)


def _demands(sense: str, objective: Expr | None, asking: Constraint | None) -> Iterable[tuple[Expr, Demand]]:
    """Expressions, and what a constraint, or without one the objective, asks of each."""
    if asking is not None:
        return constraint_demands(asking)
    return () if objective is None else ((objective, objective_demand(sense)),)


def objective_demand(sense: str) -> Demand:
    """What ``minimize`` or ``maximize`` asks of its expression."""
    wanted = CONVEX if sense == "minimize" else CONCAVE
    return Demand(wanted, "DCP204", f"`{sense}` needs a {wanted.value} objective")


def constraint_demands(constraint: Constraint) -> Iterator[tuple[Expr, Demand]]:
    """What a relation asks of each of its parts, in their order."""
    first, rest = _asked(constraint.kind, constraint.swapped, constraint.cone)
    return zip(constraint.parts, chain((first,), repeat(rest)))  # noqa: B905


@cache
def _asked(kind: Kind, swapped: bool, cone: str) -> tuple[Demand, Demand]:
    """What a relation asks of its first part, and of every other."""
    match kind:
        case Kind.ZERO:
            both = Demand(AFFINE, "DCP205", "both sides of `==` must be affine")
        case Kind.LE:
            op, (first, second) = (">=", ("right", "left")) if swapped else ("<=", ("left", "right"))
            small = Demand(CONVEX, "DCP206", f"the {first} side of `{op}` must be convex")
            return small, Demand(CONCAVE, "DCP206", f"the {second} side of `{op}` must be concave")
        case Kind.PSD:
            both = Demand(AFFINE, "DCP205", f"both sides of `{'<<' if swapped else '>>'}` must be affine")
        case Kind.CONE:
            both = Demand(AFFINE, "DCP212", f"what is `in {cone}` must be affine")
    return both, both


def _quadratic_positions(objective: Expr) -> Iterator[AtomCall]:
    """Atoms that are added up in the objective, with nonnegative factors: those a quadratic objective can take."""
    pending, seen = [objective], set[int]()
    while pending:
        expr = pending.pop()
        if id(expr) in seen:
            continue  # a `let` used twice: without this, a chain of them takes time exponential in its length
        seen.add(id(expr))
        match expr:
            case AtomCall():
                yield expr
            case Apply(op="add" | "sum" | "neg" | "sub" | "reshape" | "spread", args=args):
                pending.extend(args)
            case Apply(op="mul", args=(left, right)):
                scale, other = (right, left) if left.facts.variables else (left, right)
                if scale.facts.sign is not Sign.UNKNOWN and not scale.facts.params:
                    pending.append(other)
            case Apply(op="div", args=(left, right)) if right.facts.sign is not Sign.UNKNOWN:
                pending.append(left)
            case Reduce(op="sum", body=body) | Take(operand=body):
                pending.append(body)
            case _:
                pass


def _misplaced(root: Expr, allowed: set[int], seen: set[int], rewrites: _Rewrites) -> Iterator[Diagnostic]:
    """Atoms without a graph outside a quadratic objective."""
    pending: list[Expr] = [root]
    while pending:
        expr = pending.pop()
        if id(expr) in seen:
            continue
        seen.add(id(expr))
        match expr:
            case AtomCall():
                if expr.atom.graph is None and expr.facts.variables and id(expr) not in allowed:
                    yield _needs_objective(expr, rewrites)
                pending.extend(expr.args)
            case Apply():
                pending.extend(expr.args)
            case Reduce():
                pending.append(expr.body)
            case Take():
                pending.append(expr.operand)
            case _:
                pass


def _has_quadratic_forms(root: Expr) -> bool:
    """Whether an atom without a graph occurs in an expression."""
    return any(isinstance(e, AtomCall) and e.atom.graph is None for e in walk(root))


def _needs_objective(call: AtomCall, rewrites: _Rewrites) -> Diagnostic:
    fixes = rewrites.factored(call)
    params = sorted({s for a in call.args for s in a.facts.params}, key=lambda s: s.span.start)
    name = params[0].name if params else "P"
    return diagnose(
        "DPP305",
        f"`{call.atom.name}` with a parameter as its matrix stands only in an objective, added up with "
        "nonnegative constants",
        call.span,
        secondary=tuple(Label(s.span, "a parameter") for s in params),
        help=() if fixes else (f"elsewhere, use a factor: `derived S = chol({name})'`, and `sum_squares(S @ x)`",),
        fixes=fixes,
    )
