"""Strictly convex quadratic programs by their own method, against the conic solver and the general derivative."""

from __future__ import annotations

import numpy as np
import pytest

import dpplang
from dpplang.runtime.engine import Engine, Solved
from dpplang.runtime.options import Options
from dpplang.runtime.quadratic import method
from dpplang.runtime.quadratic.pivoting import solve
from dpplang.runtime.quadratic.triangular import invert_lower
from dpplang.runtime.status import Status

GENERAL = """
dim n, m, p, k
param S[k, n], q[n], A[p, n], b[p], G[m, n], h[m]
param Q[n, n] psd
var x[n]
minimize 0.5 * sum_squares(S @ x - q[0] * ones(k)) + 0.5 * quad_form(x, Q) + q' @ x
subject to
  eq: A @ x == b
  ineq: G @ x <= h
return x, dual eq, dual ineq
"""
FACTOR = """
dim n, m, k
param S[k, n], q[n], G[m, n], h[m]
var x[n]
minimize 0.5 * sum_squares(S @ x) + q' @ x
subject to
  ineq: G @ x <= h
"""
FIXED = """
dim n, m, p
data Q[n, n] psd, G[m, n], A[p, n]
param q[n], h[m], b[p]
var x[n]
minimize 0.5 * quad_form(x, Q) + q' @ x
subject to
  eq: A @ x == b
  ineq: G @ x <= h
"""
RELU = "dim n\nparam x[n]\nvar y[n]\nminimize sum_squares(y - x)\nsubject to\n  floor: y >= 0\n"
BOX = """
dim n
data w[n] pos
param c[n], lo[n], hi[n]
var x[n]
minimize sum(w[i] * (x[i] - c[i])^2 for i in n)
subject to
  box: lo <= x <= hi
"""


def draw(rng: np.random.Generator, batch: int, n: int, m: int, p: int, k: int) -> dict[str, np.ndarray]:
    S, Q = rng.normal(size=(batch, k, n)), rng.normal(size=(batch, n, n))
    A, G, x = rng.normal(size=(batch, p, n)), rng.normal(size=(batch, m, n)), rng.normal(size=(batch, n, 1))
    return {
        "S": S,
        "q": rng.normal(size=(batch, n)),
        "A": A,
        "b": (A @ x)[..., 0],
        "G": G,
        "h": (G @ x)[..., 0] + rng.uniform(size=(batch, m)),
        "Q": Q @ np.swapaxes(Q, 1, 2) / n + 0.1 * np.eye(n),
    }


def engines(
    text: str, values: dict[str, np.ndarray], shared: dict[str, np.ndarray]
) -> tuple[list[Engine], list[np.ndarray]]:
    """The same program by the method and by the conic solver, and its θ."""
    problem = dpplang.parse(text)
    shapes = {name: v.shape for name, v in values.items() if name in problem.parameters}
    program = problem.compile(data=shared, shapes=shapes)
    theta = [values[p.name].reshape(len(values[p.name]), -1) for p in program.parameters]
    return [Engine(program, Options(solver=solver, refine=3)) for solver in ("auto", "clarabel")], theta


def compare(text: str, values: dict[str, np.ndarray], shared: dict[str, np.ndarray] | None = None) -> Solved:
    (ours, reference), theta = engines(text, values, shared or {})
    a, b = ours.solve(theta), reference.solve(theta)
    assert sum(part.elements.size for part in a.founds) == a.batch
    assert not b.founds
    for name in ("x", "y", "s", "value"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-6, atol=1e-6)
    rng = np.random.default_rng(5)
    dx, dy, dvalue = rng.normal(size=a.x.shape), rng.normal(size=a.y.shape), rng.normal(size=a.value.shape)
    wanted = [True] * len(theta)
    for left, right in zip(
        ours.adjoint(a, dx, dy, dvalue, wanted), reference.adjoint(b, dx, dy, dvalue, wanted), strict=True
    ):
        assert left is not None and right is not None
        np.testing.assert_allclose(left, right, rtol=1e-6, atol=1e-6 * np.abs(right).max())
    dtheta = [rng.normal(size=t.shape) for t in theta]
    for left, right in zip(ours.tangent(a, dtheta), reference.tangent(b, dtheta), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-6, atol=1e-6)
    return a


@pytest.mark.parametrize("batch", [1, 5, 40])
@pytest.mark.parametrize(("n", "m", "p", "k"), [(4, 6, 1, 4), (12, 20, 3, 5), (30, 24, 10, 40)])
def test_against_the_conic_solver(batch: int, n: int, m: int, p: int, k: int) -> None:
    compare(GENERAL, draw(np.random.default_rng(batch + n), batch, n, m, p, k))


def test_squares_of_a_product_are_condensed() -> None:
    solved = compare(FACTOR, draw(np.random.default_rng(1), 7, 9, 12, 1, 14))
    assert solved.batch == 7


def test_shared_matrices_are_factorized_once() -> None:
    rng = np.random.default_rng(2)
    values = draw(rng, 1, 10, 15, 3, 1)
    shared = {name: values[name][0] for name in ("Q", "G", "A")}
    x = rng.normal(size=(20, 10))
    moving = {
        "q": rng.normal(size=(20, 10)),
        "h": x @ shared["G"].T + rng.uniform(size=(20, 15)),
        "b": x @ shared["A"].T,
    }
    compare(FIXED, moving, shared)


def test_what_is_composed_is_what_its_steps_give(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, equalities and inequalities of a small fixed program: by products, and step by step."""
    text = """
    dim n, m, p
    data S[m, n], G[m, n], A[p, n]
    param c[m], q[n], h[m], b[p]
    var x[n]
    minimize sum_squares(S @ x - c) + q' @ x
    subject to
      eq: A @ x == b
      ineq: G @ x <= h
    """
    rng = np.random.default_rng(7)
    shared = {name: rng.normal(size=(k, 6)) for name, k in (("S", 9), ("G", 9), ("A", 2))}
    x = rng.normal(size=(30, 6))
    values = {
        "c": rng.normal(size=(30, 9)),
        "q": rng.normal(size=(1, 6)),
        "h": x @ shared["G"].T + 0.3 * rng.uniform(size=(30, 9)),
        "b": x @ shared["A"].T,
    }
    one = compare(text, values, shared)
    monkeypatch.setattr(method, "LARGEST", 0)
    other = compare(text, values, shared)
    assert one.founds[0].sensitivity.__class__ is not other.founds[0].sensitivity.__class__
    for name in ("x", "y", "s", "value"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-10, atol=1e-10)


def test_separable_programs() -> None:
    rng = np.random.default_rng(3)
    c = rng.normal(size=(6, 8))
    bounds = {"lo": np.full((1, 8), -0.4), "hi": np.full((6, 8), 0.3)}
    compare(BOX, {"c": c, **bounds}, {"w": rng.uniform(0.5, 2, size=8)})


def test_a_kink_counts_as_active() -> None:
    (ours, _), theta = engines(RELU, {"x": np.array([[1.0, 0.0, -1.0]])}, {})
    solved = ours.solve(theta)
    assert solved.founds[0].weak.all()
    (dx,) = ours.adjoint(
        solved, np.concatenate((np.ones((1, 3)), np.zeros((1, solved.x.shape[1] - 3))), axis=1), None, None, [True]
    )
    assert dx is not None
    np.testing.assert_allclose(dx, [[1.0, 0.0, 0.0]], atol=1e-12)


def test_what_has_no_solution_is_left_to_the_conic_solver() -> None:
    values = draw(np.random.default_rng(4), 6, 5, 8, 1, 5)
    values["G"][2, 0], values["G"][2, 1] = 1.0, -1.0
    values["h"][2, :2] = -1.0
    values["S"][4] = 0.0
    (ours, _), theta = engines(FACTOR, values, {})
    solved = ours.solve(theta)
    assert solved.status[2] is Status.INFEASIBLE
    assert solved.status[4] in (Status.SOLVED, Status.UNBOUNDED)
    assert sorted(i for part in solved.founds for i in part.elements) == [0, 1, 3, 5]


def test_elements_do_not_depend_on_their_neighbours() -> None:
    values = draw(np.random.default_rng(6), 33, 20, 30, 2, 20)
    (ours, _), theta = engines(GENERAL, values, {})
    whole = ours.solve(theta)
    for i in (0, 17, 32):
        alone = ours.solve([t[i : i + 1] for t in theta])
        np.testing.assert_allclose(alone.x[0], whole.x[i], rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("m", [1, 6, 40])
def test_pivoting_solves_complementarity(m: int) -> None:
    rng = np.random.default_rng(m)
    W = rng.normal(size=(50, m, m + 2))
    K, d = W @ np.swapaxes(W, 1, 2), rng.normal(size=(50, m))
    F, done = solve(K, d, Options())
    assert done.all()
    for element in range(50):
        t = np.zeros(m)
        on = F[element]
        t[on] = np.linalg.solve(K[element][np.ix_(on, on)], -d[element][on])
        assert t.min() >= 0 and (K[element] @ t + d[element]).min() >= -1e-9 * np.abs(t).max(initial=1.0)


@pytest.mark.parametrize("n", [1, 7, 16, 17, 50])
def test_triangular_inverse(n: int) -> None:
    rng = np.random.default_rng(n)
    L = np.tril(rng.normal(size=(3, n, n))) + 4 * np.eye(n)
    np.testing.assert_allclose(invert_lower(L) @ L, np.broadcast_to(np.eye(n), L.shape), atol=1e-9)


LASSO = """
dim n, m
param A[m, n], b[m], lam pos
var x[n]
minimize 0.5 * sum_squares(A @ x - b) + lam * norm1(x)
"""
LINEAR = """
dim n, m
param c[n], G[m, n], h[m]
var x[n]
minimize c' @ x
subject to
  ineq: G @ x <= h
  box: -1 <= x <= 1
"""
WEIGHTED = """
dim n
param w, c[n], lam pos
var x[n], y
minimize w * square(y) + lam * norm1(x) - c' @ x + y
subject to
  -1 <= x <= 1
  y == x[0]
"""


@pytest.mark.parametrize("batch", [1, 9])
def test_lasso_and_linear_programs_by_active_sets(batch: int) -> None:
    rng = np.random.default_rng(batch)
    A, b = rng.normal(size=(batch, 15, 6)), rng.normal(size=(batch, 15))
    compare(LASSO, {"A": A, "b": b, "lam": rng.uniform(1, 3, size=(batch, 1))})
    G, h = rng.normal(size=(batch, 10, 5)), rng.uniform(0.1, 1, size=(batch, 10))
    compare(LINEAR, {"c": rng.normal(size=(batch, 5)), "G": G, "h": h})


def test_an_indefinite_objective_is_refused_whatever_the_method() -> None:
    values = {"w": np.array([[1.0], [-1.0], [0.5]]), "c": np.full((3, 4), 0.3), "lam": np.ones((3, 1))}
    problem = dpplang.parse(WEIGHTED.replace("w,", "w nonneg,"))
    program = problem.compile(shapes={"c": (4,)})
    engine = Engine(program, Options())
    solved = engine.solve([values[p.name] for p in program.parameters])
    assert [s is Status.NONCONVEX for s in solved.status] == [False, True, False]
    assert sorted(i for part in solved.founds for i in part.elements) == [0, 2]


def test_what_a_linear_program_lacks_is_certified() -> None:
    values = {"c": np.ones((3, 2)), "G": np.zeros((3, 2, 2)), "h": np.array([[1.0, 1.0], [-1.0, 1.0], [1.0, 2.0]])}
    problem = dpplang.parse(LINEAR)
    program = problem.compile(shapes={"c": (2,), "G": (2, 2)})
    engine = Engine(program, Options())
    solved = engine.solve([values[p.name].reshape(3, -1) for p in program.parameters])
    assert [s.value for s in solved.status] == ["solved", "infeasible", "solved"]
    assert solved.details[1].certificate is not None
