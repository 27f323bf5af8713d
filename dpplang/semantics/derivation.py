"""The derivation of a verdict as data: every subexpression, what is proved of it, by which rule, and where one breaks.

A :class:`Derivation` follows the typed tree, with what the reader wrote put back: a ``let`` and a ``func`` call under
their own names, a ``derived`` parameter with the expression that computes it, an argument of an atom with what the
composition rule asks of it. :func:`derive` makes one of any typed expression, :func:`objective_claim` and
:func:`constraint_claim` of what stands in the program. Nothing here is worded for a terminal: ``why.py`` is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from dpplang.core.source import Span
from dpplang.lattice.curvature import Curvature, Monotonicity
from dpplang.semantics.demand import PRODUCTS, atom_parts, parts, satisfies, slope_of, through
from dpplang.semantics.facts import factors_are_dpp
from dpplang.semantics.tree import Apply, AtomCall, Constraint, Expr, Facts, Reduce, Ref, Symbol
from dpplang.semantics.typed import Typed, parts_of
from dpplang.semantics.verdicts import constraint_demands, objective_demand
from dpplang.semantics.walk import Inlined


class Verdict(Enum):
    """``NOT_DCP``: the curvature is unknown, or not the one that is needed."""

    DPP = "DPP"
    NOT_DPP = "not DPP"
    NOT_DCP = "not DCP"


@dataclass(frozen=True, slots=True)
class Dependence:
    """A parameter that an expression depends on; ``through`` are the ``derived`` ones by which it is reached."""

    name: str
    through: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"`{self.name}`" + (f" through {_listed(self.through)}" if self.through else "")


@dataclass(frozen=True, slots=True)
class Derivation:
    """One expression of a derivation.

    Attributes:
        expr: the typed expression. text: its source, in one line.
        name: the ``let`` it is, or the ``func`` call it stands for; empty for what is written out.
        verdict: whether it has a curvature, and still has one with parameters counted as affine.
        dependence: parameters it depends on, in order of declaration.
        rule: why it has its curvature, in words; empty for what is computed.
        fault: why it has none, if a rule breaks here and not in a part; else empty.
        parts: what the rule was applied to. Parts that occur twice are one object.
        computed: evaluated before the problem is solved (``derived``): any function of parameters is right there.
    """

    expr: Expr
    text: str
    name: str
    verdict: Verdict
    dependence: tuple[Dependence, ...]
    rule: str
    fault: str
    parts: tuple[Part, ...]
    computed: bool

    @property
    def facts(self) -> Facts:
        return self.expr.facts

    @property
    def span(self) -> Span:
        return self.expr.span

    @property
    def shown(self) -> str:
        """The name, or the text where there is none."""
        return self.name or self.text


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a derivation: its ``role`` in the whole (``argument `x`, increasing``; may be empty), and the curvature
    that the rule asks of it, if it asks for one."""

    derivation: Derivation
    role: str = ""
    wanted: Curvature | None = None

    @property
    def broken(self) -> Verdict:
        """Which reading of the demand is not met; ``DPP`` if both are."""
        facts = self.derivation.facts
        if self.wanted is None:
            return Verdict.DPP
        if not satisfies(facts.curvature, self.wanted):
            return Verdict.NOT_DCP
        return Verdict.DPP if satisfies(facts.dpp, self.wanted) else Verdict.NOT_DPP

    @property
    def verdict(self) -> Verdict:
        """Of the expression where it stands."""
        return worst((self.broken, self.derivation.verdict))

    @property
    def complaint(self) -> str:
        """What is wrong at this place, in words, if it is wrong here and not further down; else empty."""
        if self.derivation.fault or self.wanted is None or self.broken is Verdict.DPP:
            return self.derivation.fault
        if any(p.verdict is not Verdict.DPP for p in self.derivation.parts):
            return ""
        facts = self.derivation.facts
        if self.broken is Verdict.NOT_DCP:
            return f"{_word(facts.curvature)}, where it must be {self.wanted.value}"
        return f"{_word(facts.dpp)} with parameters counted as affine, where it must be {self.wanted.value}"


@dataclass(frozen=True, slots=True)
class Claim:
    """What an objective or a constraint asks of its sides, each a part with a demand.

    Attributes:
        title: ``minimize``, or the constraint's name. span: of the whole relation, or of the objective's expression.
        rule: the demands in words. verdict: whether all are met.
    """

    title: str
    span: Span
    rule: str
    parts: tuple[Part, ...]

    @property
    def verdict(self) -> Verdict:
        return worst(part.verdict for part in self.parts)


def derive(expr: Expr, program: Typed, wanted: Curvature | None = None, *, computed: bool = False) -> Part:
    """The derivation of an expression of the program, or of one that was typed in it.

    Args:
        wanted: the curvature that is asked of it, if one is. computed: it is evaluated before the problem is solved, as
            the expression of a ``derived`` is.
    """
    return _Deriver(program).part(expr, "", wanted, computed)


def objective_claim(program: Typed) -> Claim | None:
    """What the objective asks of its expression; None for ``find``, or if it could not be typed."""
    model = program.model
    if model.objective is None:
        return None
    demand = objective_demand(model.sense)
    part = _Deriver(program).part(model.objective, "objective", demand.wanted)
    return Claim(model.sense, model.objective.span, demand.because, (part,))


def constraint_claim(constraint: Constraint, program: Typed) -> Claim:
    """What a relation asks of its sides; a chain is as many constraints as it has relations."""
    deriver = _Deriver(program)
    demands = list(constraint_demands(constraint))
    sides = [
        deriver.part(expr, _side(constraint, position), demand.wanted)
        for position, (expr, demand) in enumerate(demands)
    ]
    # In the order of the text: `>=` holds its sides swapped.
    ordered = tuple(reversed(sides)) if constraint.swapped else tuple(sides)
    rule = "; ".join(dict.fromkeys(demand.because for _, demand in demands))
    return Claim(constraint.name, constraint.span, rule, ordered)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on a whole from those on its parts."""
    found = set(verdicts)
    return next((v for v in (Verdict.NOT_DCP, Verdict.NOT_DPP) if v in found), Verdict.DPP)


def verdict_of(facts: Facts) -> Verdict:
    """Whether an expression has a curvature, in the variables and with the parameters counted as affine."""
    if facts.curvature is Curvature.UNKNOWN:
        return Verdict.NOT_DCP
    return Verdict.NOT_DPP if facts.dpp is Curvature.UNKNOWN else Verdict.DPP


def one_line(span: Span) -> str:
    return " ".join(span.text.split())


_Key: TypeAlias = tuple[int, "Curvature | None", bool]


@dataclass(slots=True)
class _Deriver:
    """Derives each expression once for each demand on it, however often it occurs."""

    program: Typed
    _derived: Mapping[Symbol, Expr] = field(init=False)
    _names: dict[int, str] = field(init=False)
    _done: dict[_Key, Derivation] = field(default_factory=dict[_Key, Derivation])
    _open: set[Symbol] = field(default_factory=set[Symbol])

    def __post_init__(self) -> None:
        self._derived = {d.symbol: d.value for d in self.program.model.derived}
        named = ((name, b) for name, b in self.program.scope.names.items() if isinstance(b, Expr))
        self._names = {id(b): name for name, b in named if not isinstance(b, Ref) and parts_of(b)}

    def part(self, expr: Expr, role: str = "", wanted: Curvature | None = None, computed: bool = False) -> Part:
        key = (id(expr), wanted, computed)
        if key not in self._done:
            self._done[key] = self._derive(expr, wanted, computed)
        return Part(self._done[key], role, wanted)

    def _derive(self, expr: Expr, wanted: Curvature | None, computed: bool) -> Derivation:
        verdict = Verdict.DPP if computed else verdict_of(expr.facts)
        below = tuple(self._computed(expr) if computed else self._parts(expr, wanted))
        inherited = any(p.derivation.verdict is verdict or p.broken is verdict for p in below)
        return Derivation(
            expr,
            one_line(expr.span),
            self._name(expr),
            verdict,
            self._dependence(expr),
            "" if computed and below else expr.reason.rule,
            _fault(expr, below) if verdict is not Verdict.DPP and not inherited else "",
            below,
            computed,
        )

    def _name(self, expr: Expr) -> str:
        call: Inlined | None = self.program.inlined.get(id(expr))
        return one_line(call.span) if call is not None else self._names.get(id(expr), "")

    def _computed(self, expr: Expr) -> list[Part]:
        """Parts of what ``derived`` computes: any function of parameters is right, so nothing is asked of them."""
        if isinstance(expr, Ref) and expr.symbol in self._derived:
            return self._behind(expr.symbol)
        return [self.part(p, computed=True) for p in parts_of(expr)]

    def _parts(self, expr: Expr, wanted: Curvature | None) -> list[Part]:
        match expr:
            case Ref(symbol=symbol) if symbol in self._derived:
                return self._behind(symbol)
            case AtomCall():
                return self._arguments(expr, wanted)
            case Reduce(op="max" | "min" as op, body=body):
                return [self.part(body, "member", Curvature.CONVEX if op == "max" else Curvature.CONCAVE)]
            case Reduce(body=body):
                return [self.part(body, "member", wanted)]
            case Apply(op="div", args=(left, right)):
                asked = None if wanted is None else through(wanted, slope_of(right.facts.sign))
                return [self.part(left, "dividend", asked), self.part(right, "divisor")]
            case Apply(op=op, args=(left, right)) if op in PRODUCTS:
                return [self._factor(left, right, wanted), self._factor(right, left, wanted)]
            case _:
                asked_of = {} if wanted is None else {id(p): w for p, w in parts(expr, wanted)}
                return [self.part(p, "", asked_of.get(id(p))) for p in parts_of(expr)]

    def _factor(self, factor: Expr, other: Expr, wanted: Curvature | None) -> Part:
        """Of a factor that holds all the variables, what is wanted of the product is asked, by the other's sign."""
        scaled = wanted is not None and factor.facts.variables and not other.facts.variables
        return self.part(factor, "factor", through(wanted, slope_of(other.facts.sign)) if wanted and scaled else None)

    def _behind(self, symbol: Symbol) -> list[Part]:
        """The expression that a ``derived`` is computed by."""
        if symbol in self._open:
            return []
        self._open.add(symbol)
        part = self.part(self._derived[symbol], "computed as", None, computed=True)
        self._open.discard(symbol)
        return [part]

    def _arguments(self, call: AtomCall, wanted: Curvature | None) -> list[Part]:
        slopes = {formal: (slope, asked) for formal, _, slope, asked in atom_parts(call)}
        made: list[Part] = []
        for formal, arg in zip(call.atom.formals, call.args, strict=True):
            name = formal.symbol.name
            role = f"`{name}`" if len(call.args) > 1 else "argument"
            if name not in slopes:
                word = {"param": "a parameter", "const": "a constant"}[formal.mode]
                made.append(self.part(arg, f"{role}, {word}", Curvature.AFFINE if formal.mode == "param" else None))
                continue
            slope, asked = slopes[name]
            if call.atom.curvature.is_affine:
                asked = None if wanted is None else through(wanted, slope)
            word = "not monotone" if slope is Monotonicity.UNKNOWN else slope.value
            made.append(self.part(arg, f"{role}, {word}", asked))
        return made

    def _dependence(self, expr: Expr) -> tuple[Dependence, ...]:
        through: dict[Symbol, list[Symbol]] = {}
        for symbol in expr.facts.params:
            for root in self._roots(symbol):
                through.setdefault(root, []).extend(() if root is symbol else (symbol,))
        return tuple(
            Dependence(root.name, tuple(s.name for s in sorted(via, key=_declared)))
            for root, via in sorted(through.items(), key=lambda pair: _declared(pair[0]))
        )

    def _roots(self, symbol: Symbol) -> set[Symbol]:
        """The declared parameters behind a symbol: itself, unless it is derived from others."""
        found, pending, seen = set[Symbol](), [symbol], set[Symbol]()
        while pending:
            current = pending.pop()
            if current in seen:
                continue
            seen.add(current)
            value = self._derived.get(current)
            if value is None or not value.facts.params:
                found.add(current)
            else:
                pending.extend(value.facts.params)
        return found


def _declared(symbol: Symbol) -> tuple[str, int, str]:
    return (symbol.span.source.name, symbol.span.start, symbol.name)


def _side(constraint: Constraint, position: int) -> str:
    if constraint.cone:
        return f"part {position + 1}" if len(constraint.parts) > 1 else "element"
    return "left" if (position == 0) != constraint.swapped else "right"


def _fault(expr: Expr, below: tuple[Part, ...]) -> str:
    """Why a rule gives no curvature where nothing is wrong with any part."""
    match expr:
        case Apply(op=op, args=(left, right)) if op in PRODUCTS:
            return _product_fault(left, right)
        case Apply(op="div", args=(left, right)):
            return _quotient_fault(left, right)
        case AtomCall():
            return (
                f"`{expr.atom.name}` multiplies two arguments that depend on parameters: DPP asks that one be free "
                "of them"
            )
        case _ if expr.facts.curvature is Curvature.UNKNOWN:
            kinds = dict.fromkeys(_word(p.derivation.facts.curvature) for p in below)
            return f"a part is {' and another '.join(kinds)}"
        case Apply(op=op) if len(below) == 1 or not below:
            return f"`{op}` of parameters must be computed before the problem is solved, by a `derived`"
        case _:
            kinds = dict.fromkeys(_word(p.derivation.facts.dpp) for p in below)
            return f"with parameters counted as affine a part is {' and another '.join(kinds)}"


def _product_fault(left: Expr, right: Expr) -> str:
    a, b = left.facts, right.facts
    if a.variables and b.variables:
        return "both factors depend on variables"
    if a.params and b.params and not factors_are_dpp(a, b):
        return "both factors depend on parameters: DPP asks that one be free of them"
    if not factors_are_dpp(a, b):
        return "a factor that depends on parameters must be affine in them"
    scale, other = (b, a) if a.variables else (a, b)
    kind = other.curvature if other.curvature is not Curvature.UNKNOWN else other.dpp
    return f"the sign of a factor of a {kind.value} expression is {scale.sign.value}: it may turn it around"


def _quotient_fault(left: Expr, right: Expr) -> str:
    if right.facts.variables:
        return "the divisor depends on variables"
    if right.facts.params:
        return "the divisor depends on parameters: DPP takes products by parameters, not quotients"
    return f"the sign of the divisor of a {left.facts.curvature.value} expression is {right.facts.sign.value}"


def _word(curvature: Curvature) -> str:
    return "of unknown curvature" if curvature is Curvature.UNKNOWN else curvature.value


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
