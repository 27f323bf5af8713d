"""Certificates: what proves infeasibility or unboundedness and what only looks like it."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import dpplang
from dpplang import SolveError
from dpplang.asa.cones import Cones
from dpplang.runtime.cones import Product
from dpplang.runtime.proof import proves_infeasible, proves_unbounded
from dpplang.runtime.status import Status

ORTHANT = Product.of(Cones(nonneg=2))
ROWS = sp.csc_matrix(np.array([[1.0], [-1.0]]))  # x ≤ b₀, −x ≤ b₁


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_a_proof_is_one_at_any_scale(scale: float) -> None:
    b = np.array([0.0, -1.0])
    assert proves_infeasible(scale * np.ones(2), ROWS, b, ORTHANT)
    assert proves_infeasible(
        np.array([1.0, 1.0 / scale]), sp.csc_matrix(sp.diags_array([1.0, scale]) @ ROWS), b * [1, scale], ORTHANT
    )
    assert proves_infeasible(np.ones(2), sp.csc_matrix(scale * ROWS), b, ORTHANT)


@pytest.mark.parametrize(
    "y",
    [
        [-1.0, -1.0],  # outside the dual cone
        [0.0, 0.0],
        [np.nan, 1.0],
    ],
)
def test_what_is_no_proof(y: list[float]) -> None:
    assert not proves_infeasible(np.array(y), ROWS, np.array([0.0, -1.0]), ORTHANT)


def test_noise_on_a_proof_is_taken_off() -> None:
    """What a solver gives after few steps is near a proof: the nearest y with Aᵀy = 0 is one, or there is none."""
    for b, expected in (([0.0, -1.0], True), ([0.0, 1.0], False)):
        assert proves_infeasible(np.array([1.0, 1.001]), ROWS, np.array(b), ORTHANT) is expected


def test_feasible_rows_have_no_proof() -> None:
    for b in ([1.0, -1.0], [1.0, 0.0], [1.0, -1.0 + 1e-12]):
        assert not proves_infeasible(np.ones(2), ROWS, np.array(b), ORTHANT)


def test_noise_on_rows_that_have_no_part_in_the_conflict() -> None:
    """An interior-point method leaves 1e-9 on them; their columns are all noise."""
    A = sp.csc_matrix(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]))
    assert proves_infeasible(
        np.array([1.0, 1.0, 1e-9, 1e-9]), A, np.array([0.0, -1.0, 5.0, 5.0]), Product.of(Cones(nonneg=4))
    )


@pytest.mark.parametrize(
    ("x", "P", "expected"),
    [
        ([1.0, 0.0], [0.0, 0.0], True),
        ([1.0, 0.0], [1.0, 0.0], False),
        ([-1.0, 0.0], [0.0, 0.0], False),
        ([0.0, 1.0], [0.0, 0.0], False),
    ],
)
def test_directions(x: list[float], P: list[float], expected: bool) -> None:
    """minimize −x₀ + ½P₀x₀² subject to x ≥ 0, x₁ ≤ 1."""
    A = sp.csc_matrix(np.array([[-1.0, 0.0], [0.0, -1.0], [0.0, 1.0]]))
    found = proves_unbounded(
        np.array(x), sp.csc_matrix(np.diag(P)), np.array([-1.0, 0.0]), A, Product.of(Cones(nonneg=3))
    )
    assert found is expected


FAR = "dim n, m\nparam G[m, n], h[m], q[n]\nvar x[n]\nminimize norm2(x) + q' @ x\nsubject to\n  ineq: G @ x <= h\n"


@pytest.mark.parametrize("solver", ["clarabel", "scs"])
@pytest.mark.parametrize("scale", [1e-6, 1e4, 1e6, 1e7])
def test_solutions_that_are_naturally_large_or_small_are_found(scale: float, solver: str) -> None:
    """Solvers take their first steps towards a distant solution for a proof that there is none."""
    rng = np.random.default_rng(0)
    for _ in range(4):
        G, x0 = rng.normal(size=(18, 12)), rng.normal(size=12)
        h = scale * (G @ x0 + rng.uniform(size=18))
        try:
            solution = dpplang.parse(FAR).solve(G=G, h=h, q=0.1 * rng.normal(size=12), solver=solver)
        except SolveError as error:  # honest trouble is allowed to a first-order method; a false verdict is not
            assert solver == "scs" and "infeasible" not in str(error).split("takes it for")[0], error
        else:
            assert (G @ solution.x <= h + 1e-6 * scale + 1e-9).all()  # the tolerance is relative to 1 + the sizes


@pytest.mark.parametrize("solver", ["auto", "clarabel", "scs"])
@pytest.mark.parametrize("scale", [1e-5, 1.0, 1e5])
def test_infeasible_at_any_scale(scale: float, solver: str) -> None:
    text = "param lo, hi\nvar x[3]\nminimize sum_squares(x)\nsubject to\n  floor: x >= lo\n  top: sum(x) <= hi\n"
    with pytest.raises(SolveError, match=r"infeasible; these cannot hold together: .*`floor`|`top`"):
        dpplang.parse(text).solve(lo=scale, hi=2.0 * scale, solver=solver)


@pytest.mark.parametrize("solver", ["auto", "clarabel", "scs"])
@pytest.mark.parametrize(
    "rest",
    [
        "",
        "subject to\n  x >= 0\n",
        "subject to\n  norm2(x) <= 1\n  t >= x[0]\n",
        "subject to\n  sum(exp(x)) <= 5\n",
        "subject to\n  x[0] <= t + x[1] <= 3 + t\n",
    ],
)
def test_what_falls_forever_beside_what_is_curved_is_unbounded(rest: str, solver: str) -> None:
    """The entries of x must not move at all; what the solver leaves in them is noise beside t, and taken off."""
    problem = dpplang.parse(f"dim n\nparam c[n]\nvar x[n], t\nminimize sum_squares(x - c) - t\n{rest}")
    c = np.random.default_rng(0).normal(size=(3, 4))
    assert problem.solve(c=c, on_failure="nan", options={"solver": solver}).status.tolist() == [Status.UNBOUNDED] * 3
    bounded = problem.compilation.source.text.replace("- t\n", "- t + 0.01 * square(t)\n", 1)
    assert (dpplang.parse(bounded).solve(c=c, options={"solver": solver}).status == Status.SOLVED).all()
