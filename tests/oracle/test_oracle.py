"""Every case against CVXPY (optimal value, solution, duals) and against central differences (gradients)."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import pytest

import dpplang
from tests.oracle.cases import CASES, Case

SEEDS = (0, 1)
EXACT = {"refine": 4}
"""Central differences need solutions far better than an interior point's, whose error is the square root of its gap."""


@pytest.mark.parametrize("name", CASES)
def test_default_solution_is_good_to_1e_8(name: str) -> None:
    """One refinement step is the default; four do not move the solution any further."""
    case = CASES[name]
    values = case.draw(np.random.default_rng(3))
    problem = dpplang.parse(case.text, case.name)
    ours, exact = problem.solve(values), problem.solve(values, options=EXACT)
    for variable in problem.model.variables:
        np.testing.assert_allclose(ours[variable.name], exact[variable.name], rtol=1e-8, atol=1e-8)


def solved(case: Case, values: dict):
    return dpplang.parse(case.text, case.name).solve(values, dims=case.dims or None)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", CASES)
def test_solution_and_duals_agree_with_cvxpy(name: str, seed: int) -> None:
    case = CASES[name]
    values = case.draw(np.random.default_rng(seed))
    ours = solved(case, values)
    problem, variables, constraints = case.build(values)
    problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
    assert np.asarray(ours.value) == pytest.approx(problem.value, rel=1e-6, abs=1e-6)
    for key, variable in variables.items():
        # CVXPY's solution is an interior point's; ours is refined.
        np.testing.assert_allclose(ours[key], variable.value, rtol=1e-5, atol=2e-5, err_msg=key)
    if case.duals:
        for key, constraint in constraints.items():
            theirs = np.asarray(constraint.dual_value)
            np.testing.assert_allclose(ours[f"dual.{key}"], theirs, rtol=1e-4, atol=1e-4, err_msg=key)


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.differentiable])
def test_gradient_agrees_with_central_differences(name: str) -> None:
    """d/dθ ⟨w, variables⟩ along random directions, symmetric parameters moved symmetrically."""
    case = CASES[name]
    rng = np.random.default_rng(7)
    values = case.draw(rng)
    problem = dpplang.parse(case.text, case.name)
    parameters = {p.name: p for p in problem.model.params}

    def weighted(at: dict) -> float:
        solution = problem.solve(at, options=EXACT)
        return float(sum(np.sum(w * solution[k]) for k, w in weights.items()))

    base = problem.solve(values, options=EXACT)
    weights = {v.name: rng.standard_normal(np.shape(base[v.name])) for v in problem.model.variables}
    gradients = base.backward(weights)
    assert set(gradients) == set(parameters)
    for key, symbol in parameters.items():
        direction = rng.standard_normal(np.shape(values[key]))
        if symbol.has("psd") or symbol.has("symmetric"):
            direction = direction + direction.T
        step = 1e-3 * direction
        up, down, up2, down2 = (weighted({**values, key: values[key] + k * step}) for k in (1, -1, 2, -2))
        numeric = (8 * (up - down) - (up2 - down2)) / 12e-3
        assert np.sum(gradients[key] * direction) == pytest.approx(numeric, rel=1e-4, abs=1e-4), key
