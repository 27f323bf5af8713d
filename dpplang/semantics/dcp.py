"""Blame for what is not DCP: the smallest subexpressions that break a rule, and which rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix, Label
from dpplang.core.source import Span
from dpplang.lattice.curvature import Curvature, Monotonicity
from dpplang.semantics.arithmetic import declaration_labels
from dpplang.semantics.atom_definite import same
from dpplang.semantics.demand import MAX_BLAMED, PRODUCTS, atom_parts, parts, satisfies, slope_of
from dpplang.semantics.report import diagnose, replacement
from dpplang.semantics.tree import Apply, AtomCall, Expr, Reduce
from dpplang.semantics.walk import Inlined
from dpplang.syntax.grouping import bare


@dataclass(frozen=True, slots=True)
class Demand:
    """A curvature that a context asks for: under which code, in which words, and labels that show the context."""

    wanted: Curvature
    code: str
    because: str
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()

    def but(self, wanted: Curvature) -> Demand:
        return Demand(wanted, self.code, self.because, self.labels, self.notes)


class DcpBlame:
    """Walks down from an expression that does not satisfy a demand. A culprit is reported once, however often
    it is used."""

    def __init__(self, inlined: dict[int, Inlined]) -> None:
        self._inlined = inlined
        self._visited: set[tuple[int, Curvature]] = set()
        self._said = False
        self._depth = 0

    def blame(self, expr: Expr, demand: Demand) -> Iterator[Diagnostic]:
        """Diagnostics, at least one unless an earlier call gave them; empty if the demand is satisfied."""
        key = (id(expr), demand.wanted)
        if satisfies(expr.facts.curvature, demand.wanted) or key in self._visited:
            return
        self._visited.add(key)
        call = self._inlined.get(id(expr))
        if call is not None:
            labels = (*demand.labels, Label(call.span, f"in this call of `{call.name}`"))
            demand = Demand(demand.wanted, demand.code, demand.because, labels, demand.notes)
        self._depth += 1
        found = list(self._descend(expr, demand) if self._depth <= MAX_BLAMED else ())
        self._depth -= 1
        # Where every part was blamed before there is nothing to add; a refusal without any reason would be a lie.
        yield from found or ([] if self._said else [_leaf(expr, demand)])
        self._said = True

    def _descend(self, expr: Expr, demand: Demand) -> Iterator[Diagnostic]:
        match expr:
            case Apply(op=op, args=(left, right)) if op in PRODUCTS:
                yield from self._product(expr, left, right, demand)
            case Apply(op="div", args=(left, right)):
                yield from self._quotient(expr, left, right, demand)
            case AtomCall():
                yield from self._atom(expr, demand)
            case Reduce(op="max" | "min" as op):
                curvature = Curvature.CONVEX if op == "max" else Curvature.CONCAVE
                if satisfies(expr.body.facts.curvature, curvature):
                    yield _leaf(expr, demand)
                else:
                    yield from self.blame(expr.body, _inside(expr, op, Monotonicity.INCREASING, curvature))
            case _:
                failing = [(p, w) for p, w in parts(expr, demand.wanted) if not satisfies(p.facts.curvature, w)]
                if not failing:
                    yield _leaf(expr, demand)
                for part, wanted in failing:
                    yield from self.blame(part, demand.but(wanted))

    def _product(self, expr: Apply, left: Expr, right: Expr, demand: Demand) -> Iterator[Diagnostic]:
        if left.facts.variables and right.facts.variables:
            yield _product_of_variables(expr, left, right, demand)
            return
        scale, other = (right, left) if left.facts.variables else (left, right)
        wanted = demand.wanted
        slope = slope_of(scale.facts.sign)
        if slope is Monotonicity.UNKNOWN:
            if (
                not satisfies(other.facts.curvature, Curvature.AFFINE)
                and other.facts.curvature is not Curvature.UNKNOWN
            ):
                yield _unknown_sign(scale, other, demand)
                return
            wanted = Curvature.AFFINE
        elif slope is Monotonicity.DECREASING:
            wanted = -wanted
        yield from self.blame(other, demand.but(wanted))

    def _quotient(self, expr: Apply, left: Expr, right: Expr, demand: Demand) -> Iterator[Diagnostic]:
        if right.facts.variables:
            yield _division_by_variable(expr, left, right, demand)
            return
        slope = slope_of(right.facts.sign)
        if slope is Monotonicity.UNKNOWN and left.facts.curvature in (Curvature.CONVEX, Curvature.CONCAVE):
            yield _unknown_sign(right, left, demand)
            return
        flip = slope is Monotonicity.DECREASING
        wanted = Curvature.AFFINE if slope is Monotonicity.UNKNOWN else -demand.wanted if flip else demand.wanted
        yield from self.blame(left, demand.but(wanted))

    def _atom(self, call: AtomCall, demand: Demand) -> Iterator[Diagnostic]:
        if not satisfies(call.atom.curvature, demand.wanted):
            broken = [p for p in atom_parts(call) if not satisfies(p[1].facts.curvature, p[3])]
            if call.facts.curvature is not Curvature.UNKNOWN or not broken:
                yield _leaf(call, demand)
                return
        for formal, arg, slope, wanted in atom_parts(call):
            wanted = -wanted if call.atom.curvature.is_affine and demand.wanted is Curvature.CONCAVE else wanted
            if not satisfies(arg.facts.curvature, wanted):
                yield from self.blame(arg, _inside(call, call.atom.name, slope, wanted, formal))


def _inside(whole: Expr, name: str, slope: Monotonicity, wanted: Curvature, formal: str = "") -> Demand:
    """The demand on an argument of a function."""
    curvature = whole.atom.curvature if isinstance(whole, AtomCall) else wanted
    where = f" in `{formal}`" if formal and isinstance(whole, AtomCall) and len(whole.atom.formals) > 1 else ""
    monotone = f"not known to be monotone{where} here" if slope is Monotonicity.UNKNOWN else f"{slope.value}{where}"
    because = f"`{name}` is {curvature.value} and {monotone}, so its argument must be {wanted.value}"
    label = Label(whole.span, f"{curvature.value}, {monotone}")
    return Demand(wanted, "DCP202", because, (label,))


def _leaf(expr: Expr, demand: Demand) -> Diagnostic:
    have = words(expr.facts.curvature)
    rule = (f"{expr.reason.rule}",) if expr.reason.rule else ()
    return diagnose(
        demand.code,
        f"this is {have}: {demand.because}",
        expr.span,
        have,
        secondary=distinct(expr.span, demand.labels),
        notes=(*rule, *demand.notes),
    )


def _product_of_variables(expr: Apply, left: Expr, right: Expr, demand: Demand) -> Diagnostic:
    labels = (Label(left.span, _depends(left)), Label(right.span, _depends(right)))
    fixes: tuple[Fix, ...] = ()
    help_text: tuple[str, ...] = ("one factor must be constant; a product of two variables is not convex",)
    if same(left, right) and expr.op in ("mul", "matmul"):
        atom = "square" if expr.op == "mul" or not left.shape else "sum_squares"
        text = f"{atom}({bare(right.span.text)})"
        fixes = (replacement(f"write `{text}`: a square is an atom", expr.span, text, Applicability.SAFE),)
        help_text = ()
    return diagnose(
        "DCP201",
        "product of two expressions that both depend on variables",
        expr.span,
        secondary=distinct(expr.span, (*labels, *demand.labels)),
        help=help_text,
        fixes=fixes,
    )


def _division_by_variable(expr: Apply, left: Expr, right: Expr, demand: Demand) -> Diagnostic:
    denominator = bare(right.span.text)
    fixes: tuple[Fix, ...] = ()
    help_text: tuple[str, ...] = ("divide by constants only; `quad_over_lin(x, y)` is Σx²/y",)
    if not left.facts.variables:
        text = f"inv_pos({denominator})"
        whole = text if left.span.text == "1" else f"{left.span.text} * {text}"
        help_text = (f"for a positive denominator, `{text}` is convex",)
        if expr.span.text.startswith(left.span.text) and expr.span.text.endswith(right.span.text):
            title = f"write `{whole}`, which is convex (assumes that `{denominator}` is positive)"
            fixes, help_text = (Fix(title, (Edit(expr.span, whole),), Applicability.UNSAFE),), ()
    return diagnose(
        "DCP208",
        "division by an expression that depends on variables",
        right.span,
        _depends(right),
        secondary=distinct(right.span, demand.labels),
        help=help_text,
        fixes=fixes,
    )


def _unknown_sign(scale: Expr, other: Expr, demand: Demand) -> Diagnostic:
    have = other.facts.curvature.value
    return diagnose(
        "DCP207",
        f"a {have} expression is scaled by a constant of unknown sign",
        scale.span,
        "may be negative",
        secondary=distinct(scale.span, (Label(other.span, have), *declaration_labels(scale), *demand.labels)),
        notes=(
            (
                f"the product is {have} if the factor is nonnegative, and {words(-other.facts.curvature)} if it "
                "is nonpositive"
            ),
        ),
        help=(
            f"declare the sign: `{scale.span.text} nonneg`"
            if scale.span.text.isidentifier()
            else "make the factor's sign known: `abs`, `nonneg`",
        ),
    )


def _depends(expr: Expr) -> str:
    names = ", ".join(f"`{s.name}`" for s in sorted(expr.facts.variables, key=lambda s: s.name)[:3])
    return f"depends on {names}"


def words(curvature: Curvature) -> str:
    return "of unknown curvature" if curvature is Curvature.UNKNOWN else curvature.value


def distinct(primary: Span, labels: tuple[Label, ...]) -> tuple[Label, ...]:
    """Labels at other places than the primary, each once."""
    kept: dict[tuple[str, int, int], Label] = {}
    for label in labels:
        place = (label.span.source.name, label.span.start, label.span.end)
        if place != (primary.source.name, primary.start, primary.end):
            kept.setdefault(place, label)
    return tuple(kept.values())
