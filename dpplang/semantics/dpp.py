"""Blame for what is DCP but not DPP: which factor depends on which parameter, and what to do about it.

Source: Agrawal et al. 2019, §4.1 and its rewrites: p₁p₂ → a derived parameter, e/p → e·(1/p), f(p) → a derived
parameter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix, Label
from dpplang.core.source import Span
from dpplang.lattice.curvature import Curvature
from dpplang.semantics.dcp import distinct
from dpplang.semantics.demand import PRODUCTS, atom_parts, parts, satisfies, slope_of, through
from dpplang.semantics.facts import factors_are_dpp
from dpplang.semantics.report import diagnose
from dpplang.semantics.tree import Apply, AtomCall, Expr, Ref, Role, Symbol
from dpplang.semantics.walk import Inlined


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What blame needs of the program.

    Attributes:
        derived: the expression of every ``derived``. inlined: ``func`` calls by ``id`` of what they stand for.
        insert_at: an empty span where a new item may be put (the start of the objective's line); None if there is none.
        taken: names that are in use.
    """

    derived: Mapping[Symbol, Expr]
    inlined: Mapping[int, Inlined]
    insert_at: Span | None
    taken: frozenset[str]


class DppBlame:
    """Walks down from an expression that satisfies its demand in the variables but not with parameters counted
    as affine."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._visited: set[tuple[int, Curvature]] = set()
        self._said = False

    def blame(self, expr: Expr, wanted: Curvature, calls: tuple[Label, ...] = ()) -> Iterator[Diagnostic]:
        """Diagnostics, at least one unless an earlier call gave them; empty if the expression is DPP."""
        key = (id(expr), wanted)
        if satisfies(expr.facts.dpp, wanted) or key in self._visited:
            return
        self._visited.add(key)
        call = self._around.inlined.get(id(expr))
        if call is not None:
            calls = (*calls, Label(call.span, f"in this call of `{call.name}`"))
        found = list(self._descend(expr, wanted, calls))
        # Where every part was blamed before there is nothing to add; a refusal without any reason would be a lie.
        yield from found or ([] if self._said else [self._not_affine(expr, wanted, calls)])
        self._said = True

    def _descend(self, expr: Expr, wanted: Curvature, calls: tuple[Label, ...]) -> Iterator[Diagnostic]:
        match expr:
            case Apply(op=op, args=(left, right)) if op in PRODUCTS:
                yield from self._product(expr, left, right, wanted, calls)
            case Apply(op="div", args=(left, right)):
                yield from self._quotient(expr, left, right, wanted, calls)
            case AtomCall():
                yield from self._atom(expr, wanted, calls)
            case _:
                failing = [(p, w) for p, w in parts(expr, wanted) if not satisfies(p.facts.dpp, w)]
                if not failing:
                    yield self._not_affine(expr, wanted, calls)
                for part, part_wanted in failing:
                    yield from self.blame(part, part_wanted, calls)

    def _product(
        self, expr: Apply, left: Expr, right: Expr, wanted: Curvature, calls: tuple[Label, ...]
    ) -> Iterator[Diagnostic]:
        broken = [f for f in (left, right) if f.facts.dpp is Curvature.UNKNOWN]
        if broken:
            for factor in broken:
                yield from self.blame(factor, factor.facts.curvature, calls)
            return
        if factors_are_dpp(left.facts, right.facts):
            free = [f for f in (left, right) if f.facts.is_constant] or [
                f for f in (left, right) if not f.facts.variables
            ]
            scale, other = (right, left) if free[0] is right else (left, right)
            yield from self.blame(other, through(wanted, slope_of(scale.facts.sign)), calls)
            return
        if left.facts.params and right.facts.params:
            yield self._two_factors(expr, left, right, calls)
            return
        factor = left if left.facts.params else right
        yield self._not_affine(factor, Curvature.AFFINE, calls, in_product=True)

    def _quotient(
        self, expr: Apply, left: Expr, right: Expr, wanted: Curvature, calls: tuple[Label, ...]
    ) -> Iterator[Diagnostic]:
        if right.facts.params:
            yield self._division(expr, left, right, calls)
            return
        yield from self.blame(left, through(wanted, slope_of(right.facts.sign)), calls)

    def _atom(self, call: AtomCall, wanted: Curvature, calls: tuple[Label, ...]) -> Iterator[Diagnostic]:
        failing = [(arg, want) for _, arg, _, want in atom_parts(call) if not satisfies(arg.facts.dpp, want)]
        if failing and call.facts.variables:
            for arg, want in failing:
                yield from self.blame(arg, want, calls)
            return
        if call.facts.variables:
            yield self._entangled(call, calls)
            return
        yield self._not_affine(call, wanted, calls)

    # --- messages ------------------------------------------------------------------------------------------------

    def _two_factors(self, expr: Apply, left: Expr, right: Expr, calls: tuple[Label, ...]) -> Diagnostic:
        labels = [Label(f.span, self._factor_words(f)) for f in (left, right)]
        free = not expr.facts.variables
        text = expr.span.text
        if free:
            help_text = (f"compute it before the problem is solved: `derived pq = {text}`, and use `pq` here",)
        elif left.facts.variables and right.facts.variables:
            help_text = ()
        else:
            scale, other = (right, left) if left.facts.variables else (left, right)
            help_text = (
                (
                    f"fold `{scale.span.text}` into a derived parameter inside `{_short(other.span.text)}`, or "
                    "name the part with the "
                    f"variables by a new variable: `var z`, `z == …`, and multiply that"
                ),
            )
        return diagnose(
            "DPP301",
            "product of two parametrized expressions",
            _between(expr.span, left.span, right.span),
            secondary=distinct(expr.span, (*labels, *self._declarations((left, right)), *calls)),
            notes=("it is DCP; DPP needs one factor that is free of parameters",),
            help=help_text,
            fixes=self._derived_fix(expr, "pq") if free else (),
        )

    def _division(self, expr: Apply, left: Expr, right: Expr, calls: tuple[Label, ...]) -> Diagnostic:
        below = right.span.text
        name = self._fresh(f"{below}_inv" if below.isidentifier() else "inv")
        return diagnose(
            "DPP302",
            "division by an expression that depends on parameters",
            right.span,
            self._factor_words(right),
            secondary=distinct(right.span, (*self._declarations((right,)), *calls)),
            notes=("it is DCP; DPP takes products by parameters, not quotients",),
            help=(f"`derived {name} = 1 / {_grouped(below)}`, and multiply by `{name}`",),
            fixes=self._inverse_fix(expr, left, right, name),
        )

    def _not_affine(
        self, expr: Expr, wanted: Curvature, calls: tuple[Label, ...], *, in_product: bool = False
    ) -> Diagnostic:
        have = expr.facts.dpp.value if expr.facts.dpp is not Curvature.UNKNOWN else "not affine"
        what = "a factor" if in_product else "this"
        return diagnose(
            "DPP303",
            f"{what} is {have} in the parameters; DPP needs it {wanted.value}",
            expr.span,
            self._factor_words(expr, curvature=False),
            secondary=distinct(expr.span, (*self._declarations((expr,)), *calls)),
            help=(
                f"compute it before the problem is solved: `derived d = {_short(expr.span.text)}`, and use `d` here",
            ),
            fixes=self._derived_fix(expr, "d") if not expr.facts.variables else (),
        )

    def _entangled(self, call: AtomCall, calls: tuple[Label, ...]) -> Diagnostic:
        touched = [a for a in call.args if a.facts.params]
        labels = [Label(a.span, self._factor_words(a)) for a in touched]
        return diagnose(
            "DPP304",
            f"`{call.atom.name}` multiplies two of its arguments that depend on parameters",
            call.span,
            secondary=distinct(call.span, (*labels, *self._declarations(touched), *calls)),
            help=("name one of them by a new variable: `var z`, `z == …`, and use `z` as the argument",),
        )

    # --- words ---------------------------------------------------------------------------------------------------

    def _factor_words(self, expr: Expr, *, curvature: bool = True) -> str:
        """``convex; depends on the parameter `Omega` through `R```; empty for a parameter itself, labelled
        where declared."""
        if curvature and isinstance(expr, Ref) and expr.symbol.role is Role.PARAM:
            return ""
        reached = sorted(expr.facts.params, key=lambda s: (s.span.start, s.name))
        said = [self._through(symbol) for symbol in reached[:3]]
        more = f" and {len(reached) - 3} more" if len(reached) > 3 else ""
        head = f"{expr.facts.curvature.value}; " if curvature and expr.facts.variables else ""
        plural = "s" if len(said) > 1 else ""
        return f"{head}depends on the parameter{plural} {', '.join(said)}{more}"

    def _through(self, symbol: Symbol) -> str:
        roots = sorted({s.name for s in self._roots(symbol)})
        if symbol.role is not Role.DERIVED or not roots:
            return f"`{symbol.name}`"
        return f"{', '.join(f'`{r}`' for r in roots[:3])} through `{symbol.name}`"

    def _roots(self, symbol: Symbol) -> set[Symbol]:
        """Declared parameters behind a derived one."""
        found: set[Symbol] = set()
        seen: set[Symbol] = set()
        pending = [symbol]
        while pending:
            current = pending.pop()
            if current in seen:
                continue
            seen.add(current)
            value = self._around.derived.get(current)
            if value is None:
                found.add(current)
            else:
                pending.extend(value.facts.params)
        return found

    def _declarations(self, exprs: tuple[Expr, ...] | list[Expr]) -> list[Label]:
        labels: list[Label] = []
        for expr in exprs:
            for symbol in sorted(expr.facts.params, key=lambda s: (s.span.start, s.name)):
                words = "derived" if symbol.role is Role.DERIVED else "a parameter"
                labels.append(Label(symbol.span, words))
                labels += [
                    Label(r.span, "a parameter")
                    for r in sorted(self._roots(symbol), key=lambda s: s.span.start)
                    if r is not symbol
                ]
        return labels

    # --- fixes ---------------------------------------------------------------------------------------------------

    def _derived_fix(self, expr: Expr, name: str) -> tuple[Fix, ...]:
        """``derived d = expr`` above the objective, and ``d`` in its place: the same function of the same
        parameters."""
        return self._fix(name, expr.span.text, (Edit(expr.span, self._fresh(name)),), expr.span)

    def _inverse_fix(self, expr: Apply, left: Expr, right: Expr, name: str) -> tuple[Fix, ...]:
        text, above, below = expr.span.text, left.span.text, right.span.text
        plain = text.startswith(above) and text.endswith(below) and text[len(above) : -len(below)].strip() == "/"
        if not plain:
            return ()
        return self._fix(name, f"1 / {_grouped(below)}", (Edit(expr.span, f"{above} * {name}"),), expr.span)

    def _fix(self, name: str, value: str, edits: tuple[Edit, ...], at: Span) -> tuple[Fix, ...]:
        insert = self._around.insert_at
        if insert is None or insert.source is not at.source or at.start < insert.start or "\n" in value:
            return ()
        if any(
            at.start <= c.span.start < at.end or c.span.source is not at.source for c in self._around.inlined.values()
        ):
            return ()
        fresh = self._fresh(name)
        item = Edit(insert, f"derived {fresh} = {value}\n")
        return (Fix(f"derived {fresh} = {value}", (item, *edits), Applicability.SAFE),)

    def _fresh(self, name: str) -> str:
        fresh, count = name, 1
        while fresh in self._around.taken:
            count += 1
            fresh = f"{name}{count}"
        return fresh


def _between(whole: Span, left: Span, right: Span) -> Span:
    """The operator between two factors, if they stand beside each other; else the whole product."""
    if left.source is not right.source or not whole.start <= left.end <= right.start <= whole.end:
        return whole
    gap = whole.source.text[left.end : right.start]
    operator = gap.strip(" ()\n")
    if operator not in ("*", "@"):
        return whole
    start = left.end + gap.index(operator)
    return Span(whole.source, start, start + 1)


def _grouped(text: str) -> str:
    return text if text.isidentifier() else f"({text})"


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
