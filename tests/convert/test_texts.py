"""How programs read: names, sizes, loops, shared expressions; and that they stay small whatever the graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import dpplang
from dpplang.torch import Layer
from tests.convert.helpers import agrees, converted, cp
from tests.convert.test_problems import mpc
from tests.syntax.helpers import ROOT


def test_control_reads_as_it_would_be_written() -> None:
    problem, names = mpc()
    made = agrees(problem, names=names, dims={"T": 6, "n": 3, "k": 2})
    shown = (ROOT / "docs" / "from-cvxpylayers.md").read_text(encoding="utf-8")
    assert f"```text\n{made.text}```" in shown, made.text
    longer = made.problem.solve({"x0": np.full(3, 0.1), **made.data}, dims={"T": 9})
    assert longer.u.shape == (9, 2) and np.allclose(longer.x[9], 0)


def test_names_come_from_cvxpy_or_the_caller_and_are_given_once() -> None:
    a, b, c = cp.Variable(2, name="x"), cp.Variable(2, name="x"), cp.Variable((2, 2))
    odd, word = cp.Parameter(2, name="my price (€)"), cp.Parameter(name="in")
    made = converted(
        cp.Problem(cp.Minimize(cp.sum_squares(a - odd) + cp.norm(b) + cp.norm(c) + word), [c[0] >= b, b >= 1])
    )
    assert set(made.things) == {"x", "x2", "X", "my_price", "in_"}
    assert made.things["x2"] is b
    mine = converted(
        cp.Problem(cp.Minimize(cp.sum_squares(a - odd)), [a <= odd]), names={"price": odd, "held": a, "z": 3}
    )
    assert set(mine.things) == {"price", "held"}


def test_constants_are_data_once() -> None:
    A, x = np.random.default_rng(0).normal(size=(5, 5)), cp.Variable(5, name="x")
    problem = cp.Problem(
        cp.Minimize(cp.sum_squares(A @ x - 1) + cp.norm1(A.T @ x) + cp.norm((-A) @ x) + cp.norm_inf(A.copy() @ x)),
        [x <= np.arange(5) + 1, x[:2] >= np.array([0.25, -3]), np.zeros(5) <= x],
    )
    made = agrees(problem)
    assert list(made.data) == ["C"]
    for part in ("C @ x - 1", "C' @ x", "norm2(-C @ x)", "x <= [1, 2, 3, 4, 5]", "x[:2] >= [0.25, -3]", "x >= 0"):
        assert part in made.text, made.text


def test_arrays_are_called_what_the_caller_calls_them() -> None:
    weights, x = np.array([1.0, 2.0]), cp.Variable(2, name="x")
    made = converted(cp.Problem(cp.Minimize(weights @ x), [x >= weights]), names={"weights": weights})
    assert list(made.data) == ["weights"] and "weights' @ x" in made.text


def test_loops_over_other_ranges_steps_and_bodies() -> None:
    x, y = cp.Variable(12, name="x"), cp.Variable((5, 2), name="y")
    cost = sum(cp.square(x[2 * i + 1] - x[i]) for i in range(5)) + cp.sum_squares(y - 1)
    cons = [x[i] >= x[11 - i] + 1 for i in range(1, 5)]
    for t in range(1, 5):
        cons += [y[t, 0] <= y[t - 1, 1], y[t] >= -1]
    made = agrees(cp.Problem(cp.Minimize(cost + 0.1 * cp.sum_squares(x)), cons))
    for part in ("for t in 5)", "[t in 1:5]: x[11-t] + 1 <= x[t]", "[t in 4]:", "y[t+1, 0] <= y[t, 1]"):
        assert part in made.text, made.text


def test_sums_of_thousands_of_terms_are_one_line_or_grouped() -> None:
    x = cp.Variable(3000, name="x")
    cost = 0
    for i in range(3000):
        cost += cp.square(x[i] - 1)
    made = converted(cp.Problem(cp.Minimize(cost)))
    assert "minimize sum((x[t]-1)^2 for t in 3000)" in made.text
    numbers = np.random.default_rng(0).normal(size=800)
    uneven = converted(cp.Problem(cp.Minimize(sum(cp.square(x[i] - v) for i, v in enumerate(numbers)))))
    value = uneven.problem.solve(uneven.data).value
    assert value == pytest.approx(0, abs=1e-6)


def test_shared_graphs_stay_small() -> None:
    """A graph of 12 levels, each used twice, is a tree of 2^12 leaves; CVXPY itself takes it as that tree."""
    x = cp.Variable(3, name="x")
    e = x
    for _ in range(12):
        e = cp.multiply(0.5, e) + cp.multiply(0.49, e[::-1])
    made = converted(cp.Problem(cp.Minimize(cp.sum_squares(e - 1) + cp.sum_squares(x))))
    assert len(made.text) < 1500
    step = 0.5 * np.eye(3) + 0.49 * np.eye(3)[::-1]
    M = np.linalg.matrix_power(step, 12)
    np.testing.assert_allclose(
        made.problem.solve().x, np.linalg.solve(M.T @ M + np.eye(3), M.T @ np.ones(3)), atol=1e-7
    )


def test_deep_chains_are_cut() -> None:
    """A simulation of 60 steps in one expression, about as deep as CVXPY can take it."""
    x, b = cp.Variable(2, name="x"), cp.Parameter(2, name="b", value=np.ones(2))
    e = x
    for _ in range(60):
        e = 0.999 * cp.reshape(e, (2,), order="C") + 0.001 * cp.multiply(b, np.array([1.0, 2.0]))
    made = dpplang.from_cvxpy(cp.Problem(cp.Minimize(cp.sum_squares(x - 1)), [e >= 1]))
    assert not [d for d in made.diagnostics if d.is_error]
    solution = made.problem.solve({"b": np.ones(2), **made.data})
    assert solution.status.value == "solved"


def test_a_problem_that_is_not_dpp_is_mended() -> None:
    x, p, q = (
        cp.Variable(3, name="x"),
        cp.Parameter(pos=True, name="p", value=2.0),
        cp.Parameter(3, name="q", value=np.ones(3)),
    )
    problem = cp.Problem(cp.Minimize(p * cp.sum_squares(cp.multiply(q, x) - 1) + p * (q @ x)), [x >= -1])
    assert not problem.is_dpp()
    made = dpplang.from_cvxpy(problem)
    assert {d.code for d in made.diagnostics if d.is_error} == {"DPP301"}
    with pytest.raises(dpplang.DiagnosticsError, match="product of two parametrized"):
        _ = made.problem
    mended = agrees(problem, fix=True)
    assert mended.fixes and "derived" in mended.text


def test_files_are_read_back(tmp_path: Path) -> None:
    A, x, b = np.random.default_rng(0).normal(size=(4, 3)), cp.Variable(3, name="x"), cp.Parameter(4, name="b")
    made = dpplang.from_cvxpy(cp.Problem(cp.Minimize(cp.sum_squares(A @ x - b))), names={"A": A})
    path = made.save(tmp_path / "fit.dpp")
    layer = Layer(path, data=np.load(tmp_path / "fit.npz"))
    direct = Layer(made.problem, data=made.data)
    values = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.allclose(layer(b=values).x, direct(values).x)
    direct(values).x.sum().backward()
    assert values.grad is not None and values.grad.abs().sum() > 0


def test_products_with_the_identity_are_left_out() -> None:
    x = cp.Variable(3, name="x")
    made = converted(cp.Problem(cp.Minimize(cp.sum_squares(np.eye(3) @ x - 1) + cp.norm1(x @ (2 * np.eye(3))))))
    assert "minimize sum_squares(x - 1) + norm1(2 * x)" in made.text


def test_feasibility_has_no_objective() -> None:
    x = cp.Variable(2, name="x")
    made = converted(cp.Problem(cp.Minimize(0), [x >= 1, cp.sum(x) == 3]))
    assert made.text.splitlines()[2] == "find"


def test_lists_of_variables_and_parameters_are_arrays() -> None:
    """As in control with one variable per step; the last of a loop, ``x``, is another name of a member."""
    T = 5
    xs = [cp.Variable(2) for _ in range(T)]
    us = [cp.Variable(1) for _ in range(T - 1)]
    x0 = cp.Parameter(2, value=[1.0, -1.0])
    drift = [cp.Parameter(2, value=[0.1 * t, 0.0]) for t in range(T - 1)]
    A, B = np.array([[1, 0.1], [0, 1]]), np.array([[0], [0.1]])
    cons, cost = [xs[0] == x0], 0
    for t in range(T - 1):
        cons += [xs[t + 1] == A @ xs[t] + B @ us[t] + drift[t], cp.abs(us[t]) <= 1]
        cost += cp.sum_squares(xs[t + 1]) + 0.1 * cp.sum_squares(us[t])
    x = xs[-1]
    problem = cp.Problem(cp.Minimize(cost), cons)
    made = converted(problem, names=locals(), returns=[x, us[0]])
    assert "var   xs[5, 2], us[4, 1]" in made.text
    assert "minimize sum(sum_squares(xs[t+1]) + 0.1 * sum_squares(us[t]) for t in 4)" in made.text
    assert "c[t in 4]:  xs[t+1] == A @ xs[t] + B @ us[t] + drift[t]" in made.text
    assert "return xs[4], us[0]" in made.text
    assert made.things["us"][1] is us[1]
    problem.solve(solver=cp.CLARABEL)
    ours = made.problem.solve({"x0": x0.value, "drift": np.array([d.value for d in drift]), **made.data})
    np.testing.assert_allclose(ours.xs, [v.value for v in xs], atol=1e-6)
    assert ours.value == pytest.approx(problem.value, abs=1e-6)


def test_lists_that_are_no_arrays_are_named_one_by_one() -> None:
    xs = [cp.Variable(2), cp.Variable(3)]
    made = converted(cp.Problem(cp.Minimize(cp.norm(xs[0] - 1) + cp.norm(xs[1]))), names={"xs": xs})
    assert "var x[2], x2[3]" in made.text


def test_what_always_holds_is_left_out() -> None:
    x = cp.Variable(2, name="x")
    assert "subject to\n  x >= 1\n" in converted(cp.Problem(cp.Minimize(cp.sum(x)), [True, x >= 1])).text
