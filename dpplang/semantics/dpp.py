"""Blame for what is DCP but not DPP: which factor depends on which parameter, and what to do about it.

Source: Agrawal et al. 2019, §4.1 and its rewrites: p₁p₂ → a derived parameter, e/p → e·(1/p), f(p) → a derived
parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from dpplang.core.diagnostics import Diagnostic, Fix, Label
from dpplang.core.source import Span
from dpplang.lattice.curvature import Curvature
from dpplang.semantics.dcp import distinct
from dpplang.semantics.demand import MAX_BLAMED, PRODUCTS, atom_parts, parts, satisfies, slope_of, through
from dpplang.semantics.facts import factors_are_dpp
from dpplang.semantics.fixes.parametric import derived_fix, entangled_fix, product_fix, quotient_fix
from dpplang.semantics.fixes.program import Around, most_fixes
from dpplang.semantics.fixes.syntax import parts as syntax_parts
from dpplang.semantics.report import diagnose
from dpplang.semantics.tree import Apply, AtomCall, Expr, Ref, Role, Symbol
from dpplang.semantics.walk import Inlined
from dpplang.syntax import ast


class DppBlame:
    """Walks down from an expression that satisfies its demand in the variables but not with parameters counted
    as affine."""

    def __init__(self, program: Around, inlined: Mapping[int, Inlined]) -> None:
        self._program = program
        self._inlined = inlined
        self._visited: set[tuple[int, Curvature]] = set()
        self._said = False
        self._depth = 0
        self._left = most_fixes(program.file)

    def _affordable(self, make: Callable[[], tuple[Fix, ...]]) -> tuple[Fix, ...]:
        self._left -= 1
        return make() if self._left >= 0 else ()

    def blame(self, expr: Expr, wanted: Curvature, calls: tuple[Label, ...] = ()) -> Iterator[Diagnostic]:
        """Diagnostics, at least one unless an earlier call gave them; empty if the expression is DPP."""
        key = (id(expr), wanted)
        if satisfies(expr.facts.dpp, wanted) or key in self._visited:
            return
        self._visited.add(key)
        call = self._inlined.get(id(expr))
        if call is not None:
            calls = (*calls, Label(call.span, f"in this call of `{call.name}`"))
        self._depth += 1
        found = list(self._descend(expr, wanted, calls) if self._depth <= MAX_BLAMED else ())
        self._depth -= 1
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
            yield self._division(expr, right, calls)
            if left.facts.dpp is Curvature.UNKNOWN:
                yield from self.blame(left, left.facts.curvature, calls)
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
        free = not expr.facts.variables
        fixes = self._affordable(lambda: derived_fix(self._program, expr) if free else product_fix(self._program, expr))
        text = _short(expr.span.text)
        if free:
            help_text = f"compute it before the problem is solved: `derived pq = {text}`, and use `pq` here"
        else:
            help_text = (
                "name the part with the variables by a new variable (`var z`, `z == …`) and multiply that, or fold one "
                "factor into the other with a `derived` parameter"
            )
        return diagnose(
            "DPP301",
            "product of two parametrized expressions",
            self._operator(expr, left, right),
            secondary=distinct(
                expr.span, (*self._factors(expr, (left, right)), *self._declarations((left, right)), *calls)
            ),
            notes=("it is DCP; DPP needs one factor that is free of parameters",),
            help=() if fixes else (help_text,),
            fixes=fixes,
        )

    def _division(self, expr: Apply, right: Expr, calls: tuple[Label, ...]) -> Diagnostic:
        divided = quotient_fix if expr.facts.variables else derived_fix
        fixes = self._affordable(lambda: divided(self._program, expr))
        below = _short(right.span.text)
        return diagnose(
            "DPP302",
            "division by an expression that depends on parameters",
            right.span,
            self._factor_words(right, named=True),
            secondary=distinct(right.span, (*self._declarations((right,)), *calls)),
            notes=("it is DCP; DPP takes products by parameters, not quotients",),
            help=() if fixes else (f"`derived inv = 1 / ({below})`, and multiply by `inv`",),
            fixes=fixes,
        )

    def _not_affine(
        self, expr: Expr, wanted: Curvature, calls: tuple[Label, ...], *, in_product: bool = False
    ) -> Diagnostic:
        have = expr.facts.dpp.value if expr.facts.dpp is not Curvature.UNKNOWN else "not affine"
        what = "a factor" if in_product else "this"
        fixes = () if expr.facts.variables else self._affordable(lambda: derived_fix(self._program, expr))
        help_text = f"compute it before the problem is solved: `derived d = {_short(expr.span.text)}`, and use `d` here"
        return diagnose(
            "DPP303",
            f"{what} is {have} in the parameters; DPP needs it {wanted.value}",
            expr.span,
            self._factor_words(expr, curvature=False),
            secondary=distinct(expr.span, (*self._declarations((expr,)), *calls)),
            help=() if fixes else (help_text,),
            fixes=fixes,
        )

    def _entangled(self, call: AtomCall, calls: tuple[Label, ...]) -> Diagnostic:
        touched = [a for a in call.args if a.facts.params]
        labels = [Label(a.span, self._factor_words(a)) for a in touched]
        fixes = self._affordable(lambda: entangled_fix(self._program, call))
        return diagnose(
            "DPP304",
            f"`{call.atom.name}` multiplies two of its arguments that depend on parameters",
            call.span,
            secondary=distinct(call.span, (*labels, *self._declarations(touched), *calls)),
            help=() if fixes else ("name one of them by a new variable: `var z`, `z == …`, and use `z` instead",),
            fixes=fixes,
        )

    def _operator(self, expr: Apply, left: Expr, right: Expr) -> Span:
        """The operator between two factors; the whole product where it is a call."""
        place = self._program.place(expr)
        if place is not None and isinstance(place.node, ast.Binary):
            return place.node.op_span
        return _between(expr.span, left.span, right.span)

    def _factors(self, expr: Apply, factors: tuple[Expr, ...]) -> list[Label]:
        """Each factor where it stands, and, through a ``let`` or an argument, the expression that it is."""
        place = self._program.place(expr)
        below = [] if place is None else syntax_parts(place, self._program.definitions)
        nodes = {id(p.expr): p.node for p in below}
        labels: list[Label] = []
        for one in factors:
            words, node = self._factor_words(one), nodes.get(id(one))
            labels.append(Label(one.span if node is None else node.span, words))
            if node is not None and not node.span.covers(one.span):  # `v'` is the expression `v`, read as a row
                labels.append(Label(one.span, f"what `{_short(node.span.text)}` stands for"))
        return labels

    # --- words ---------------------------------------------------------------------------------------------------

    def _factor_words(self, expr: Expr, *, curvature: bool = True, named: bool = False) -> str:
        """``convex; depends on the parameter `Omega` through `R```; empty for a parameter itself, labelled
        where declared, unless ``named``."""
        if curvature and not named and isinstance(expr, Ref) and expr.symbol.role is Role.PARAM:
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
            value = self._program.derived.get(current)
            if value is None:
                found.add(current)
            else:
                pending.extend(value.facts.params)
        return found

    def _declarations(self, exprs: tuple[Expr, ...] | list[Expr]) -> list[Label]:
        labels: list[Label] = []
        for expr in exprs:
            for symbol in sorted(expr.facts.params, key=lambda s: (s.span.start, s.name)):
                roots = sorted({f"`{r.name}`" for r in self._roots(symbol)})
                origin = f"derived from {', '.join(roots[:3])}" if roots else "derived"
                labels.append(Label(symbol.span, origin if symbol.role is Role.DERIVED else "a parameter"))
                labels += [
                    Label(r.span, "a parameter")
                    for r in sorted(self._roots(symbol), key=lambda s: s.span.start)
                    if r is not symbol
                ]
        return labels


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


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
