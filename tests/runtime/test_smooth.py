"""The smooth form against the conic way: solutions, multipliers, and both directions of the derivative."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

import dpplang
from dpplang.core.errors import SolveError
from dpplang.runtime.bind import bind
from dpplang.runtime.engine import Engine, Solved
from dpplang.runtime.found import Found
from dpplang.runtime.options import Options
from dpplang.runtime.smooth.method import SmoothMethod

Draw = Callable[[np.random.Generator], Mapping[str, NDArray[np.float64]]]
B = 3


@dataclass(frozen=True)
class Case:
    """``kept`` is how many variables the smooth form shall have."""

    text: str
    draw: Draw
    kept: int


LOGISTIC = """
dim N, n
param X[N, n], lam pos
var beta[n]
minimize sum(logistic(X @ beta)) + lam * sum_squares(beta)
"""

CASES = {
    "logistic": Case(LOGISTIC, lambda r: {"X": r.normal(size=(B, 12, 3)), "lam": 0.1 + r.random(B)}, 3),
    "poisson": Case(
        """
dim N, n
param X[N, n], w[n], lam pos
var beta[n]
minimize sum(exp(X @ beta)) - w' @ beta + lam * sum_squares(beta)
""",
        lambda r: {"X": r.normal(size=(B, 8, 3)), "w": r.normal(size=(B, 3)), "lam": 0.1 + r.random(B)},
        3,
    ),
    "entropy on the simplex": Case(
        """
dim n
param c[n]
var x[n]
minimize c' @ x - sum(entr(x))
subject to
  unit: sum(x) == 1
""",
        lambda r: {"c": 3 * r.normal(size=(B, 5))},
        5,
    ),
    "Kelly": Case(
        """
dim S, n
param R[S, n] pos
var x[n]
maximize sum(log(R @ x)) / 10
subject to
  unit: sum(x) == 1
  long: x >= 0
""",
        lambda r: {"R": np.exp(0.3 * r.normal(size=(B, 10, 4)))},
        4,
    ),
    "logistic with l1": Case(
        """
dim N, n
param X[N, n], lam pos
var beta[n]
minimize sum(logistic(X @ beta)) + lam * norm1(beta)
""",
        lambda r: {"X": r.normal(size=(B, 15, 4)), "lam": 1 + r.random(B)},
        8,
    ),
    "softmax regression": Case(
        """
dim N, d, K
param X[N, d], C[d, K], lam pos
var W[d, K]
minimize sum(log_sum_exp(X[i]' @ W) for i in N) - sum(C * W) + lam * sum_squares(W)
""",
        lambda r: {"X": r.normal(size=(B, 6, 2)), "C": r.normal(size=(B, 2, 3)), "lam": 0.5 + r.random(B)},
        6,
    ),
    "relative entropy, jointly": Case(
        """
dim n
param c[n] pos
var x[n], y[n]
minimize sum(rel_entr(x, y)) + sum((x - 1)^2) + sum((y - c)^2)
subject to
  total: sum(x) + sum(y) == 3
""",
        lambda r: {"c": 1.5 + r.random((B, 3))},
        6,
    ),
    "divergence under a cap": Case(
        """
dim n
param c[n] pos
var x[n]
minimize sum(kl_div(x, c))
subject to
  unit: sum(x) == 1
  cap: x <= 0.35
""",
        lambda r: {"c": np.array([[0.9, 0.3, 0.2, 0.25]]) + 0.1 * r.random((B, 4))},
        4,
    ),
    "powers": Case(
        """
dim n
param c[n] pos
var x[n]
minimize sum((x - c)^4) + sum(x^3) + sum(x^-2) - sum(x^0.3) + sum(3^x)
""",
        lambda r: {"c": 0.2 + r.random((B, 3))},
        3,
    ),
    "weights that are parameters": Case(
        """
dim n
param c[n], w[n] pos
var x[n]
minimize sum(w * exp(x)) - c' @ x + sum(w) * logistic(sum(x))
""",
        lambda r: {"c": 0.2 + r.random((B, 3)), "w": 0.3 + r.random((B, 3))},
        3,
    ),
    "log-sum-exp with constant members": Case(
        """
dim n
param A[4, n], a[2]
var x[n]
minimize log_sum_exp(hstack(A @ x, a)) + sum(x^2)
""",
        lambda r: {"A": r.normal(size=(B, 4, 3)), "a": r.normal(size=(B, 2))},
        3,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_smooth_form_gives_what_the_conic_one_gives(name: str) -> None:
    case, random = CASES[name], np.random.default_rng(0)
    values = case.draw(random)
    program = dpplang.parse(case.text).runner({}, {}, {k: v.shape for k, v in values.items()}).program
    engine = Engine(program, Options(solver="clarabel", refine=3))
    theta = bind(program, values).theta
    conic = engine.solve(theta)
    method = SmoothMethod.of(program, Options())
    assert method is not None and method.order == case.kept
    (found,) = method.solve_together(conic.data, np.arange(B))
    assert found.elements.size == B and not found.weak.any()
    for ours, theirs in ((found.x, conic.x), (found.y, conic.y), (found.s, conic.s)):
        np.testing.assert_allclose(ours, theirs, atol=1e-9)
    sign = -1 if program.sense == "maximize" else 1
    np.testing.assert_allclose(sign * (found.objective + conic.data.d[:, 0]), conic.value, rtol=1e-9)
    _same_derivative(conic, found, random)


def _same_derivative(conic: Solved, found: Found, random: np.random.Generator) -> None:
    """S in every direction, those of the eliminated variables and of the graphs' rows too."""
    g, h = random.normal(size=conic.x.shape), random.normal(size=conic.y.shape)
    for ours, theirs in zip(found.sensitivity(g, h), conic.sensitivity(g, h), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-9 * np.abs(theirs).max())


def _prepared(text: str, values: Mapping[str, NDArray[np.float64]]) -> tuple[SmoothMethod, Solved]:
    """The method for a program, and the conic solver's answers."""
    program = dpplang.parse(text).runner({}, {}, {k: v.shape for k, v in values.items()}).program
    conic = Engine(program, Options(solver="clarabel")).solve(bind(program, values).theta)
    method = SmoothMethod.of(program, Options())
    assert method is not None
    return method, conic


def test_weights_and_data_of_any_size_with_bounds() -> None:
    """Multipliers far from where they start: a corrector that overshoots must not stop the method."""
    random = np.random.default_rng(0)
    X = random.normal(size=(40, 12, 3)) * 10 ** random.uniform(-2, 2, size=(40, 1, 1))
    method, conic = _prepared(CASES["logistic with l1"].text, {"X": X, "lam": 10 ** random.uniform(-2, 2, size=40)})
    (found,) = method.solve_together(conic.data, np.arange(40))
    assert found.elements.size == 40
    np.testing.assert_allclose(found.objective, conic.value, rtol=1e-7)


def test_every_term_finds_its_own_argument() -> None:
    """Where costs differ by many orders of magnitude the small ones count as well."""
    random = np.random.default_rng(0)
    c, w = 10 ** random.uniform(-4, 4, size=(2, 20, 3))
    text = "dim n\nparam c[n] pos, w[n] pos\nvar x[n]\nminimize c' @ x - sum(w * log(x))\n"
    method, conic = _prepared(text, {"c": c, "w": w})
    (found,) = method.solve_together(conic.data, np.arange(20))
    assert found.elements.size == 20
    np.testing.assert_allclose(found.x[:, :3], w / c, rtol=1e-7)


def test_a_term_that_does_not_vary_is_left_alone() -> None:
    text = "dim n\nparam b[n]\nvar x[n], y\nminimize sum_squares(x - b) + y^2 + sum(logistic(x - x))\n"
    solution = dpplang.parse(text).solve(b=np.ones(3))
    np.testing.assert_allclose(solution.x, 1.0, atol=1e-8)
    np.testing.assert_allclose(solution.value, 3 * np.log(2), atol=1e-8)


def test_a_point_outside_the_domain_is_no_solution() -> None:
    text = "var u, x, t\nminimize t\nsubject to\n  x == -1\n  u >= 1\n  (u, x, t) in exp_cone\n"
    with pytest.raises(SolveError, match="infeasible"):
        dpplang.parse(text).solve()


@pytest.mark.parametrize("scale", [1.0, 1e2, 1e3])
def test_steps_that_leave_a_domain_are_no_news(scale: float) -> None:
    """Newton steps of a polish may end where exp(u) overflows or log(u) has no value; what is found is a minimum."""
    problem = dpplang.parse(OVERFLOWING)
    rng = np.random.default_rng(0)
    q, c = scale * np.abs(rng.normal(size=40)), scale * rng.normal(size=(40, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        u = problem.solve(q=q, c=c).u
    # No curvature is below 0.6, so a slope s at u leaves at most |s| / 0.6 to the minimum over u >= 0.
    left = np.abs(u - np.maximum(u - slope(u, q, c), 0)) / 0.6
    assert (left <= 1e-5 * scale).all()


OVERFLOWING = "dim n\nparam q pos, c[n]\nvar u[n] pos\nminimize 0.3 * sum_squares(u - c) + q * sum(xexp(0.2 * u))\n"


def slope(u: NDArray[np.float64], q: NDArray[np.float64], c: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.6 * (u - c) + 0.2 * q[:, None] * (1 + 0.2 * u) * np.exp(0.2 * u)
