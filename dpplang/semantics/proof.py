"""The contract of an atom, proved: its graph is checked as a problem, and what the record declares is held against
it.

If the graph is a DCP problem with the convex arguments as variables, it is jointly convex in arguments and graph
variables, and minimizing a jointly convex function over some of its variables leaves a convex function of the
others (Boyd and Vandenberghe, "Convex Optimization", §3.2.5). The same check with ``param`` arguments as
parameters is the DPP check. What structure does not decide of sign and monotonicity is sampled.
"""

from __future__ import annotations

from collections.abc import Iterator

from dpplang.core.diagnostics import Diagnostic, Label
from dpplang.lattice.curvature import Curvature
from dpplang.lattice.sign import Sign
from dpplang.semantics.atom_monotone import is_proved
from dpplang.semantics.atom_quadratic import is_quadratic_form
from dpplang.semantics.atom_sample import on_trust, refute, sample_wide
from dpplang.semantics.atom_scalar import Unsupported
from dpplang.semantics.atom_value import belied, loose
from dpplang.semantics.tree import Atom, AtomGraph, Constraint, Expr, Kind


def prove(atom: Atom) -> tuple[Diagnostic, ...]:
    """What part of the contract fails. Empty if it holds."""
    findings = [*_quadratic(atom)]
    if atom.graph is not None:
        broken = [*_dcp(atom, atom.graph)]
        findings += broken or [*_dpp(atom, atom.graph)]
        findings += _sense(atom, atom.graph)
        findings += _sign(atom, atom.graph)
        findings += loose(atom)
    if not findings and atom.value is not None:
        undecided = [c for c in atom.monotone if not is_proved(atom, c)]
        try:
            points = tuple(sample_wide(atom))
        except Unsupported as reason:
            return tuple(on_trust(atom, undecided, reason))
        findings += refute(atom, undecided, points)
        findings += [] if findings else belied(atom, points)
    return tuple(findings)


def _dcp(atom: Atom, graph: AtomGraph) -> Iterator[Diagnostic]:
    for part, wanted in _parts(graph):
        if not _is(part.facts.curvature, wanted):
            yield Diagnostic(
                "ATM420",
                f"the graph of `{atom.name}` is not DCP: this must be {wanted.value}",
                Label(part.span, _words(part.facts.curvature)),
                notes=(part.reason.rule,) if part.reason.rule else (),
            )


def _dpp(atom: Atom, graph: AtomGraph) -> Iterator[Diagnostic]:
    for part, wanted in _parts(graph):
        if not _is(part.facts.dpp, wanted):
            names = ", ".join(f"`{s.name}`" for s in sorted(part.facts.params, key=lambda s: s.name))
            yield Diagnostic(
                "ATM422",
                f"the graph of `{atom.name}` is not affine in {names}, declared `param`",
                Label(part.span),
                tuple(Label(s.span, "declared `param`") for s in sorted(part.facts.params, key=lambda s: s.name)),
                help=("declare the argument `const` if it is never a parameter",),
            )


def _parts(graph: AtomGraph) -> Iterator[tuple[Expr, Curvature]]:
    """Every side of the graph and the curvature it must have."""
    yield graph.objective, Curvature.CONVEX if graph.sense == "minimize" else Curvature.CONCAVE
    for constraint in graph.constraints:
        yield from zip(constraint.parts, _wanted(constraint), strict=True)


def _wanted(constraint: Constraint) -> tuple[Curvature, ...]:
    match constraint.kind:
        case Kind.LE:
            return Curvature.CONVEX, Curvature.CONCAVE
        case Kind.ZERO | Kind.PSD | Kind.CONE:
            return (Curvature.AFFINE,) * len(constraint.parts)


def _is(curvature: Curvature, wanted: Curvature) -> bool:
    match wanted:
        case Curvature.CONVEX:
            return curvature.is_convex
        case Curvature.CONCAVE:
            return curvature.is_concave
        case _:
            return curvature.is_affine


def _words(curvature: Curvature) -> str:
    return "of unknown curvature" if curvature is Curvature.UNKNOWN else curvature.value


def _sense(atom: Atom, graph: AtomGraph) -> Iterator[Diagnostic]:
    if atom.curvature.is_affine:
        if graph.variables or graph.constraints or not graph.objective.facts.curvature.is_affine:
            message = f"`{atom.name}` is declared affine, so its graph must be an affine objective and nothing else"
            yield Diagnostic("ATM421", message, Label(graph.objective.span))
        return
    proved = Curvature.CONVEX if graph.sense == "minimize" else Curvature.CONCAVE
    if atom.curvature is not proved:
        yield Diagnostic(
            "ATM421",
            f"`{atom.name}` is declared {atom.curvature.value}, but a graph to {graph.sense} is {proved.value}",
            Label(graph.objective.span, f"`{graph.sense}`"),
        )


def _sign(atom: Atom, graph: AtomGraph) -> Iterator[Diagnostic]:
    """An unconditional sign that the objective's own contradicts."""
    have = graph.objective.facts.sign
    for clause in atom.sign:
        if isinstance(clause.word, Sign) and not clause.where and _contradicts(clause.word, have):
            message = f"`{atom.name}` is declared {clause.word.value}, but its graph's objective is {have.value}"
            yield Diagnostic("ATM424", message, Label(graph.objective.span, have.value))


def _contradicts(declared: Sign, have: Sign) -> bool:
    opposite = {declared, have} == {Sign.NONNEG, Sign.NONPOS}
    return opposite or (declared is Sign.ZERO and have in (Sign.NONNEG, Sign.NONPOS))


def _quadratic(atom: Atom) -> Iterator[Diagnostic]:
    if atom.quadratic is not None and not is_quadratic_form(atom.quadratic, _convex(atom)):
        yield Diagnostic(
            "ATM425",
            f"the `quadratic:` entry of `{atom.name}` is not a quadratic form",
            Label(atom.quadratic.span),
            help=("write `x * x`, `x' @ x` or `x' @ P @ x`, or one of these times or over a constant",),
        )


def _convex(atom: Atom) -> frozenset[str]:
    return frozenset(f.symbol.name for f in atom.formals if not f.mode)
