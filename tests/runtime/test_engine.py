"""Solving: solvers against each other, statuses, batches, and everything that must not fail silently."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse as sp

from dpplang.asa.cones import Cones
from dpplang.core.errors import InternalError
from dpplang.runtime.engine import Engine
from dpplang.runtime.options import Options
from dpplang.runtime.solvers.scs import scs_order
from dpplang.runtime.status import Status
from dpplang.runtime.warn import SolveWarning
from tests.runtime.programs import CONES, build, random_program, relu


def bounded(carried=(), P=None, **options) -> Engine:
    """One variable, minimize ½p x² + q x subject to −x ≤ b₀, x ≤ b₁ (b = 1 by default): parameters as ``carried`` says."""
    A = np.array([[-1.0], [1.0]])
    return Engine(
        build(np.zeros((1, 1)) if P is None else P, np.zeros(1), A, np.ones(2), Cones(nonneg=2), carried),
        Options(**options),
    )


def identity(part: str, size: int, scale: float = 1.0):
    return (part, part, sp.csr_array(scale * sp.eye_array(size)))


@pytest.mark.parametrize("quadratic", [True, False], ids=["quadratic", "linear"])
@pytest.mark.parametrize("name", CONES)
def test_solvers_agree_and_satisfy_the_optimality_conditions(name: str, quadratic: bool) -> None:
    program, theta = random_program(CONES[name], quadratic=quadratic, seed=1)
    exact = Engine(program, Options(refine=3)).solve(theta)
    A = program.A.at(np.concatenate([t[0] for t in theta])).toarray()
    b = program.b(np.concatenate([t[0] for t in theta]))
    np.testing.assert_allclose(A @ exact.x[0] + exact.s[0], b, atol=1e-10)
    for solver in ("clarabel", "scs"):
        solved = Engine(program, Options(solver=solver, tolerance=1e-9)).solve(theta)
        assert solved.status[0] is Status.SOLVED
        size = 1 + np.abs(exact.y).max()
        np.testing.assert_allclose(solved.x, exact.x, atol=3e-6 * size)
        np.testing.assert_allclose(solved.y, exact.y, atol=3e-6 * size)
        np.testing.assert_allclose(solved.s, exact.s, atol=3e-6 * size)
        np.testing.assert_allclose(solved.value, exact.value, atol=1e-6 * size)


def test_value_of_a_maximization_is_negated_back() -> None:
    program, theta = random_program(CONES["nonneg"])
    other, _ = random_program(CONES["nonneg"], sense="maximize")
    assert Engine(other).solve(theta).value == pytest.approx(-Engine(program).solve(theta).value)


def test_scs_order_is_the_lower_triangle_by_columns() -> None:
    """Ours: a00 a01 a11 a02 a12 a22; SCS's: a00 a10 a20 a11 a21 a22."""
    np.testing.assert_array_equal(scs_order(Cones(zero=1, psd=(3,), exp=1)), [0, 1, 2, 4, 3, 5, 6, 7, 8, 9])


def test_a_batch_is_its_elements_solved_alone() -> None:
    program, theta = random_program(CONES["all"])
    rng = np.random.default_rng(0)
    many = (theta[0], theta[1] + 1e-2 * rng.normal(size=(6, 4)))
    engine = Engine(program)
    together = engine.solve(many)
    for i in range(6):
        alone = engine.solve((many[0], many[1][i : i + 1]))
        for a, b in ((together.x[i], alone.x[0]), (together.y[i], alone.y[0]), (together.value[i], alone.value[0])):
            np.testing.assert_allclose(a, b, atol=1e-13)


def test_threads_change_nothing() -> None:
    n = 40
    rng = np.random.default_rng(0)
    G = rng.normal(size=(n, n))
    program = build(np.eye(n), np.zeros(n), G, np.ones(n), Cones(nonneg=n), [identity("q", n)])
    q = rng.normal(size=(12, n))
    one, two = (Engine(program, Options(threads=k)).solve((q,)) for k in (1, 2))
    np.testing.assert_array_equal(one.x, two.x)
    np.testing.assert_array_equal(one.y, two.y)


def test_empty_batch() -> None:
    engine = Engine(relu(3))
    solved = engine.solve((np.empty((0, 3)),))
    assert solved.x.shape == (0, 3) and solved.value.shape == (0,)
    (gradient,) = engine.adjoint(solved, np.empty((0, 3)), None, np.empty(0), (True,))
    assert gradient.shape == (0, 3)
    assert [a.shape for a in engine.tangent(solved, (np.empty((0, 3)),))] == [(0, 3), (0, 3), (0,)]


@pytest.mark.parametrize("solver", ["clarabel", "scs"])
def test_statuses_per_element(solver: str) -> None:
    """minimize q x − 1 ≤ x ≤ b: infeasible for b < −1; the neighbours are untouched."""
    engine = bounded([("b", "b", sp.csr_array([[0.0], [1.0]])), identity("q", 1)], solver=solver)
    solved = engine.solve((np.array([[0.0], [-3.0], [1.0]]), np.array([[1.0], [1.0], [-1.0]])))
    assert [s.value for s in solved.status] == ["solved", "infeasible", "solved"]
    np.testing.assert_allclose(solved.x[[0, 2], 0], [-1.0, 2.0], atol=1e-6)
    assert np.isnan(solved.x[1]).all() and np.isnan(solved.y[1]).all() and np.isnan(solved.value[1])
    gradients = engine.adjoint(solved, np.ones((3, 1)), None, np.ones(3), (True, True))
    np.testing.assert_allclose(gradients[0][:, 0], [0.0, 0.0, 0.0 + 1.0 - 1.0], atol=1e-6)
    assert gradients[1][1, 0] == 0


@pytest.mark.parametrize("solver", ["clarabel", "scs"])
def test_unbounded(solver: str) -> None:
    program = build(
        np.zeros((2, 2)), np.zeros(2), np.array([[1.0, 0.0]]), np.ones(1), Cones(nonneg=1), [identity("q", 2)]
    )
    solved = Engine(program, Options(solver=solver)).solve((np.array([[-1.0, 0.0], [1.0, 0.0]]),))
    assert [s.value for s in solved.status] == ["solved", "unbounded"]


@pytest.mark.parametrize("solver", ["clarabel", "scs"])
def test_indefinite_objective_is_refused(solver: str) -> None:
    engine = bounded([("p", "P", sp.csr_array([[1.0]]))], P=np.ones((1, 1)) * 1e-300, solver=solver)
    solved = engine.solve((np.array([[1.0], [-1.0], [0.0]]),))
    assert [s.value for s in solved.status] == ["solved", "not convex", "solved"]
    assert "eigenvalue -1" in solved.details[1].note


@pytest.mark.parametrize("order", [3, 700])
def test_indefinite_matrices_dense_and_sparse(order: int) -> None:
    """A constant tridiagonal P, once definite and once just not."""
    for diagonal, expected in ((2.1, Status.SOLVED), (1.2, Status.NONCONVEX)):
        P = np.diag(np.full(order, diagonal)) + np.diag(np.ones(order - 1), 1) + np.diag(np.ones(order - 1), -1)
        program = build(P, np.ones(order), np.eye(order), np.ones(order), Cones(nonneg=order), [identity("q", order)])
        assert Engine(program).solve((np.zeros((1, order)),)).status[0] is expected


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_never_reach_a_solver(bad: float) -> None:
    engine = bounded([identity("b", 2)], P=np.ones((1, 1)))
    solved = engine.solve((np.array([[1.0, 1.0], [bad, 1.0]]),))
    assert [s.value for s in solved.status] == ["solved", "invalid data"]
    shared = engine.solve((np.array([[bad, 1.0]]),))
    assert shared.status[0] is Status.INVALID
    (gradient,) = engine.adjoint(solved, np.full((2, 1), np.nan), None, np.ones(2), (True,))
    assert np.isfinite(gradient[1]).all()


def test_nan_in_a_shared_quadratic() -> None:
    engine = bounded([("p", "P", sp.csr_array([[1.0]])), identity("q", 1)], P=np.ones((1, 1)))
    solved = engine.solve((np.array([[np.nan]]), np.ones((3, 1))))
    assert [s.value for s in solved.status] == ["invalid data"] * 3


@pytest.mark.parametrize("solver", ["clarabel", "scs"])
def test_iteration_limit_is_no_solution(solver: str) -> None:
    program, theta = random_program(CONES["all"])
    solved = Engine(program, Options(solver=solver, max_iterations=2)).solve(theta)
    assert solved.status[0] is Status.ITERATION_LIMIT
    assert np.isnan(solved.x).all()
    assert solved.details[0].iterations == 2 and solved.details[0].residuals.worst > 1e-6


def test_short_of_tolerance_is_accepted_aloud() -> None:
    program, theta = random_program(CONES["all"])
    with pytest.warns(SolveWarning, match="SOL813"):
        solved = Engine(
            program, Options(solver="scs", tolerance=1e-12, max_iterations=50, accept_inaccurate=0.5)
        ).solve(theta)
    assert solved.status[0] is Status.INACCURATE and solved.ok.all()
    strict = Engine(program, Options(solver="scs", tolerance=1e-12, max_iterations=50, accept_inaccurate=0)).solve(
        theta
    )
    assert strict.status[0] is Status.ITERATION_LIMIT


def test_time_limit() -> None:
    program, theta = random_program(CONES["all"])
    assert Engine(program, Options(time_limit=1e-9)).solve(theta).status[0] is Status.TIME_LIMIT


def test_without_rows() -> None:
    P = np.array([[2.0, 0.0], [0.0, 0.0]])
    program = build(P, np.zeros(2), np.zeros((0, 2)), np.zeros(0), Cones(), [identity("q", 2)], d=1.0)
    engine = Engine(program)
    solved = engine.solve((np.array([[-2.0, 0.0], [0.0, 1.0]]),))
    assert [s.value for s in solved.status] == ["solved", "unbounded"]
    np.testing.assert_allclose(solved.x[0], [1.0, 0.0])
    assert solved.value[0] == pytest.approx(0.0)
    with pytest.warns(match="DIF601"):
        (gradient,) = engine.adjoint(solved, np.ones((2, 2)), np.empty((2, 0)), None, (True,))
    np.testing.assert_allclose(gradient, [[-0.5, 0.0], [0.0, 0.0]])


def test_find_has_no_objective() -> None:
    program = build(
        np.zeros((2, 2)), np.zeros(2), np.eye(2), np.zeros(2), Cones(zero=2), [identity("b", 2)], sense="find"
    )
    engine = Engine(program)
    solved = engine.solve((np.array([[3.0, 4.0]]),))
    np.testing.assert_allclose(solved.x, [[3.0, 4.0]])
    assert solved.value == pytest.approx(0.0)
    (gradient,) = engine.adjoint(solved, np.array([[1.0, 2.0]]), None, None, (True,))
    np.testing.assert_allclose(gradient, [[1.0, 2.0]], atol=1e-9)


def test_without_parameters() -> None:
    solved = bounded(P=np.ones((1, 1))).solve(())
    np.testing.assert_allclose(solved.x, [[0.0]], atol=1e-8)


def test_refinement_reaches_rounding_error() -> None:
    program, theta = random_program(CONES["all"])
    rough, fine = (Engine(program, Options(refine=k)).solve(theta) for k in (0, 4))
    exact = random_program(CONES["all"])[0]
    A, theta_ = exact.A.at(np.concatenate([t[0] for t in theta])), np.concatenate([t[0] for t in theta])
    for solved, bound in ((rough, 1e-5), (fine, 1e-12)):
        P = exact.P.at(theta_).toarray()
        P = P + np.triu(P, 1).T
        stationarity = P @ solved.x[0] + A.T @ solved.y[0] + exact.q(theta_)
        assert np.abs(stationarity).max() < bound
        assert abs(solved.s[0] @ solved.y[0]) < bound
    np.testing.assert_allclose(fine.value, rough.value, atol=1e-6)


def test_copies_and_pickles() -> None:
    engine = Engine(relu(3), Options(tolerance=1e-8))
    x = np.array([[1.0, -1.0, 2.0]])
    for twin in (copy.deepcopy(engine), pickle.loads(pickle.dumps(engine))):
        assert twin.options == engine.options
        np.testing.assert_array_equal(twin.solve((x,)).x, engine.solve((x,)).x)


def test_ill_shaped_theta_is_our_fault() -> None:
    engine = Engine(relu(3))
    for theta in ((), (np.ones((2, 4)),), (np.ones(3),)):
        with pytest.raises(InternalError):
            engine.solve(theta)


def test_refinement_of_a_sparse_program_with_free_auxiliaries() -> None:
    """A slack epigraph leaves the optimality system singular; refinement must reach rounding error all the same."""
    import dpplang

    text = """
dim n
param c[n], tau nonneg
var x[n]
minimize sum_squares(x - c)
subject to
  slack: norm1(x) <= tau
"""
    problem = dpplang.parse(text)
    c = np.random.default_rng(0).standard_normal(150)
    once = problem.solve(c=c, tau=1e3)
    assert problem.solve(c=c, tau=1e3, refine=0).status.ok
    np.testing.assert_allclose(once.x, c, rtol=0, atol=1e-13)
