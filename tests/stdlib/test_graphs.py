"""The graph of every record, solved: its optimal value is the record's ``value:``, in every region of signs."""

from __future__ import annotations

import numpy as np
import pytest

from dpplang.semantics.tree import Atom
from tests.stdlib.build import LIBRARY
from tests.stdlib.graphs import solve_graph
from tests.stdlib.values import value_of

RECORDS = [
    pytest.param(atom, id=f"{name}-{position}")
    for name in LIBRARY.names()
    for position, atom in enumerate(LIBRARY.lookup(name))
    if atom.graph is not None
]
POWERS = (0.0, 1.0, 2.0, 0.5, -1.0, 4.0, 3.0, 0.25, -2.0)
"""An exponent for each record of ``power``, in order."""
CONSTANTS = {"sum_largest": 2.0, "sum_smallest": 2.0}
POSITIVE = frozenset({"sqrt", "inv_pos", "log", "log1p", "entr", "rel_entr", "kl_div", "geo_mean"})


def arguments(atom: Atom, low: float, high: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Arguments that fit the signature: whole matrices where it says so, the record's own exponent."""
    sizes = {dim: 2 + position for position, dim in enumerate(atom.dims)}
    found: list[np.ndarray] = []
    for formal in atom.formals:
        symbol = formal.symbol
        drawn = rng.uniform(low, high, [p.evaluate(sizes) for p in symbol.shape])
        if symbol.has("psd") or atom.name == "log_det":
            drawn = drawn @ drawn.T + 0.1 * np.eye(len(drawn))
        elif symbol.has("nsd"):
            drawn = -drawn @ drawn.T
        elif atom.name.startswith("lambda"):
            drawn = drawn + drawn.T
        elif any(symbol.has(a) for a in ("nonneg", "pos")) or (atom.name == "quad_over_lin" and symbol.name == "y"):
            drawn = np.abs(drawn) + 0.1
        if atom.name == "power" and formal.mode:
            drawn = np.array(POWERS[list(LIBRARY.lookup("power")).index(atom)])
        if atom.name in CONSTANTS and formal.mode:
            drawn = np.array(CONSTANTS[atom.name])
        found.append(drawn)
    return found


@pytest.mark.parametrize("atom", RECORDS)
def test_optimal_value_of_the_graph_is_the_value(atom: Atom) -> None:
    positive = atom.name in POSITIVE or (atom.name == "power" and any("x >= 0" in r.span.text for r in atom.domain))
    rng = np.random.default_rng(7)
    for low, high in [(0.2, 3.0)] if positive else [(-3.0, 3.0), (-3.0, -0.1), (0.1, 3.0)]:
        point = arguments(atom, low, high, rng)
        optimum, status = solve_graph(atom, point)
        assert status == "optimal", point
        assert optimum == pytest.approx(float(value_of(atom, point)), rel=2e-5, abs=2e-5), point


@pytest.mark.parametrize("name", ["sqrt", "inv_pos", "log", "entr", "rel_entr", "kl_div", "geo_mean", "quad_over_lin"])
def test_the_graph_implies_the_domain(name: str) -> None:
    """Outside its domain the graph has no feasible point, or an objective without value (−∞ of a concave atom)."""
    atom = LIBRARY.lookup(name)[-1 if name == "quad_over_lin" else 0]
    shapes = [tuple(2 for _ in f.symbol.shape) for f in atom.formals]
    outside = [np.full(shape, -1.0) for shape in shapes]
    _, status = solve_graph(atom, outside)
    assert status in ("infeasible", "infeasible_inaccurate")
