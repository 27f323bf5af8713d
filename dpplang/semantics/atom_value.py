"""Whether an atom's ``value:`` is what its graph says, as far as plain Python decides it at sampled points.

A graph without variables is evaluated. One of a single scalar t that is the objective is decided by feasibility:
t = value must be feasible, and a better t must not be. What has more variables needs a solver, which the checker may
not load.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from dpplang.core.diagnostics import Diagnostic, Label
from dpplang.semantics.atom_feasible import feasible
from dpplang.semantics.atom_sample import MAX_NODES, Point, draws, inside, show_numbers, show_point, sizes_at, value_at
from dpplang.semantics.atom_scalar import Unsupported, evaluate, is_undefined
from dpplang.semantics.atom_tensor import scalar
from dpplang.semantics.atom_walk import walk
from dpplang.semantics.tree import Atom, AtomCall, AtomGraph, Expr, Ref, Symbol

TOLERANCE = 1e-6
MARGIN = 1e-2
"""How much better than the value, relative to it, nothing may be."""
FAR = 1e6
LARGE = 1e6


def belied(atom: Atom, points: Sequence[Point]) -> Iterator[Diagnostic]:
    """Where the value is not defined (ATM427), and where the graph is not the value (ATM426); at most one."""
    if atom.value is None or sum(1 for side in _sides(atom.graph) for _ in walk(side)) > MAX_NODES:
        return
    try:
        for point in points:
            found = _undefined(atom, point) or _differs(atom, point)
            if found is not None:
                yield found
                return
        yield from islice(_beyond(atom), 1)
    except Unsupported:
        return


def _beyond(atom: Atom) -> Iterator[Diagnostic]:
    """Where a graph of one scalar has room outside the domain: what is declared of the atom need not hold there."""
    graph = atom.graph
    if graph is None or not atom.domain or not graph.constraints or _calls_with_domain(graph):
        return
    symbol = _lone(graph)
    for point in draws(atom) if symbol is not None else ():
        if symbol is None or inside(atom, point):
            continue
        for t in (0.0, -1.0, 1.0, -FAR, FAR):
            values, sizes = {**point, symbol.name: scalar(t)}, sizes_at(atom, point)
            if all(feasible(c, values, sizes, 0.0) for c in graph.constraints):
                message = f"the graph of `{atom.name}` allows {show_point(point)}, which is outside the domain"
                entry = (Label(atom.domain[0].span, "the domain"),)
                help = ("state the domain among the constraints of the graph",)
                yield Diagnostic("ATM426", message, Label(graph.objective.span), entry, help=help)


def _calls_with_domain(graph: AtomGraph) -> bool:
    """Whether the graph uses atoms that restrict their arguments themselves."""
    return any(isinstance(e, AtomCall) and e.atom.domain for side in _sides(graph) for e in walk(side))


def _sides(graph: AtomGraph | None) -> tuple[Expr, ...]:
    if graph is None:
        return ()
    return (graph.objective, *(part for constraint in graph.constraints for part in constraint.parts))


def _lone(graph: AtomGraph) -> Symbol | None:
    """The scalar that is all of the graph's variables and its objective."""
    match graph.variables, graph.objective:
        case (symbol,), Ref(symbol=objective) if objective is symbol and not symbol.shape and not symbol.attributes:
            return symbol
        case _:
            return None


def loose(atom: Atom) -> Iterator[Diagnostic]:
    """A graph variable of an affine objective that no constraint holds: the graph is unbounded (ATM426)."""
    graph = atom.graph
    if graph is None or not graph.objective.facts.curvature.is_affine:
        return
    held = {s for constraint in graph.constraints for part in constraint.parts for s in _symbols(part)}
    for symbol in graph.variables:
        if symbol in _symbols(graph.objective) and symbol not in held and not symbol.attributes:
            message = f"the graph of `{atom.name}` is unbounded: no constraint holds `{symbol.name}`"
            yield Diagnostic("ATM426", message, Label(graph.objective.span), (Label(symbol.span, "declared here"),))


def _symbols(expr: Expr) -> set[Symbol]:
    return {e.symbol for e in walk(expr) if isinstance(e, Ref)}


def _undefined(atom: Atom, point: Point) -> Diagnostic | None:
    """At the boundary of the domain, where whole numbers are drawn, a value need not be."""
    assert atom.value is not None
    moving = [v for f in atom.formals if not f.mode for v in point[f.symbol.name].entries]
    if not moving or any(v == round(v) for v in moving):
        return None
    if not is_undefined(atom.value, point, sizes_at(atom, point)):
        return None
    return Diagnostic(
        "ATM427",
        f"the `value:` of `{atom.name}` is not a number at {show_point(point)}",
        Label(atom.value.span, "not defined there"),
        help=("`domain:` says where the atom is defined, as `domain: x >= 0` does",),
    )


def _differs(atom: Atom, point: Point) -> Diagnostic | None:
    graph, value = atom.graph, value_at(atom, point)
    if graph is None or value is None or any(abs(v) > LARGE for v in value):
        return None
    if not graph.variables:
        return _objective_differs(atom, graph, point, value) or _infeasible(atom, graph, point, value)
    symbol = _lone(graph)
    if symbol is None:
        return None
    at_value = {**point, symbol.name: scalar(value[0])}
    return _infeasible(atom, graph, at_value, value) or _better(atom, graph, symbol, point, value[0])


def _objective_differs(atom: Atom, graph: AtomGraph, point: Point, value: tuple[float, ...]) -> Diagnostic | None:
    found = evaluate(graph.objective, point, sizes_at(atom, point))
    if found is None or all(
        abs(a - b) <= TOLERANCE * (1 + abs(a) + abs(b)) for a, b in zip(found.entries, value, strict=True)
    ):
        return None
    message = (
        f"the graph of `{atom.name}` is not its `value:`: at {show_point(point)} the graph is "
        f"{show_numbers(found.entries)}, the value {show_numbers(value)}"
    )
    return _apart(atom, message, Label(graph.objective.span, show_numbers(found.entries)), value)


def _infeasible(atom: Atom, graph: AtomGraph, point: Point, value: tuple[float, ...]) -> Diagnostic | None:
    broken = next((c for c in graph.constraints if not feasible(c, point, sizes_at(atom, point), TOLERANCE)), None)
    if broken is None:
        return None
    where = f"{show_numbers(value)} at {show_point(_given(atom, point))}"
    message = f"the graph of `{atom.name}` does not allow its `value:`, {where}"
    return _apart(atom, message, Label(broken.span, "does not hold there"), value)


def _better(atom: Atom, graph: AtomGraph, symbol: Symbol, point: Point, value: float) -> Diagnostic | None:
    sizes, down = sizes_at(atom, point), -1.0 if graph.sense == "minimize" else 1.0

    def allows(t: float) -> bool:
        return all(feasible(c, {**point, symbol.name: scalar(t)}, sizes, 0.0) for c in graph.constraints)

    if not allows(value + down * MARGIN * (1 + abs(value))):
        return None
    unbounded = allows(value + down * FAR * (1 + abs(value)))
    what = "is unbounded" if unbounded else f"goes {'below' if down < 0 else 'above'} its `value:`"
    message = f"the graph of `{atom.name}` {what} at {show_point(point)}, where the value is {value:.4g}"
    return _apart(atom, message, Label(graph.objective.span, f"`{graph.sense}`"), (value,))


def _given(atom: Atom, point: Point) -> Point:
    return {f.symbol.name: point[f.symbol.name] for f in atom.formals}


def _apart(atom: Atom, message: str, blamed: Label, value: tuple[float, ...]) -> Diagnostic:
    assert atom.value is not None
    return Diagnostic("ATM426", message, blamed, (Label(atom.value.span, f"here {show_numbers(value)}"),))
