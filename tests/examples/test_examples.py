"""Every example: its solution against CVXPY, its gradient against central differences, and its script from start to end."""

from __future__ import annotations

from pathlib import Path

import cvxpy as cp
import numpy as np
import pytest

import dpplang
from dpplang.cli.gradcheck import TOLERANCE, compare
from tests.examples.twins import HAS_JAX, script, twins

TREND = pytest.param(
    "trend", marks=pytest.mark.skipif(not HAS_JAX, reason="JAX is missing: `pip install dpplang[jax]`")
)
NAMES = ("relu", "qp", "portfolio", "logistic_regression", "mpc", TREND)
TIGHT = {"tolerance": TOLERANCE}


@pytest.mark.parametrize("name", NAMES)
def test_solution_agrees_with_cvxpy(name: str) -> None:
    twin = twins()[name]
    problem, outputs = twin.build(twin.values)
    problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)
    solution = dpplang.load(twin.program).solve(twin.values, dims=dict(twin.dims), options=TIGHT)
    theirs = outputs()
    assert set(solution.names) == set(theirs)
    assert float(solution.value) == pytest.approx(problem.value, rel=1e-6, abs=1e-8)
    for key, value in theirs.items():
        np.testing.assert_allclose(solution[key], value, rtol=1e-6, atol=1e-6, err_msg=key)


@pytest.mark.parametrize("name", NAMES)
def test_gradient_agrees_with_central_differences(name: str) -> None:
    twin = twins()[name]
    problem = dpplang.load(twin.program)
    data = {k: twin.values[k] for k in twin.data}
    values = {k: v for k, v in twin.values.items() if k not in data}

    found = compare(
        problem,
        lambda at: problem.solve(at, dims=dict(twin.dims), data=data, options=TIGHT),
        values,
        np.random.default_rng(3),
    )
    assert [c.parameter for c in found] == list(problem.parameters)
    assert any(abs(c.adjoint) > 0.01 * c.scale for c in found)
    for c in found:
        assert c.error <= 1e-4, c


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("relu", {}, "2012/07"),
        ("qp", {"steps": 10}, "tracking error"),
        ("logistic_regression", {"steps": 5}, "validation loss"),
        ("mpc", {"days": 10, "steps": 2}, "winter 2013"),
        pytest.param("trend", {"steps": 1}, "a bend costs", marks=TREND.marks),
    ],
)
def test_script_runs(name: str, arguments: dict[str, int], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    script(name).main(**arguments)
    assert expected in capsys.readouterr().out


@pytest.mark.slow
def test_tuning_the_portfolio_raises_its_sharpe_ratio_and_draws(tmp_path: Path) -> None:
    portfolio = script("portfolio")
    policy = portfolio.Policy(portfolio.load_market())
    months = policy.market.between("2011-01", "2011-12")
    path = portfolio.tune(policy, months, 4, lambda gamma, ratio: None)
    assert path[-1][1] > path[0][1] + 0.01
    portfolio.main(tmp_path / "plot.png", steps=1)
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(not HAS_JAX, reason="JAX is missing: `pip install dpplang[jax]`")
def test_learning_the_price_of_bends_lowers_the_held_out_error() -> None:
    trend = script("trend")
    import jax
    import jax.numpy as jnp

    layer, y = trend.Layer(trend.PROGRAM), jnp.asarray(trend.weeks())
    step = jax.jit(jax.value_and_grad(lambda c: trend.held_out_error(layer, y, c)))
    coefficients = jnp.asarray(trend.START)
    first, gradient = step(coefficients)
    for _ in range(3):
        coefficients = coefficients - 0.5 * gradient
        error, gradient = step(coefficients)
    assert error < 0.99 * first
