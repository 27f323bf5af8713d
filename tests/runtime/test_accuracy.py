"""Solutions are good to 1e-8 by our own residuals over a zoo of problems that solvers find hard, and better where it can be."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse as sp

import dpplang
from dpplang.asa.cones import Cones
from dpplang.asa.program import Program
from dpplang.runtime.cones import Product
from dpplang.runtime.engine import Engine, Solved
from dpplang.runtime.options import Options
from dpplang.runtime.residuals import residuals
from dpplang.runtime.warn import SolveWarning
from tests.lowering import test_random_gradients as random_gradients
from tests.runtime.programs import CONES, build, random_program


def worst(program: Program, solved: Solved) -> float:
    """The largest relative residual of any element, cone membership and gap included."""
    cone, found = Product.of(program.cones), 0.0
    for i in range(solved.batch):
        P, q, A, b = (
            e[i if e.shape[0] > 1 else 0] for e in (solved.data.P, solved.data.q, solved.data.A, solved.data.b)
        )
        upper = sp.csc_matrix((P, program.P.indices, program.P.indptr), shape=program.P.shape)
        rows = sp.csc_matrix((A, program.A.indices, program.A.indptr), shape=program.A.shape)
        found = max(found, residuals(upper, q, rows, b, cone, solved.x[i], solved.y[i], solved.s[i]).worst)
    return found


@pytest.fixture(params=["auto", "clarabel"])
def solve(request: pytest.FixtureRequest) -> Callable[..., tuple[Program, Solved, object]]:
    """By the method that is made for the problem's kind, and by the conic solver."""

    def run(text: str, **values: object) -> tuple[Program, Solved, object]:
        solution = dpplang.parse(text).solve(values, solver=request.param)
        return solution._engine.program, solution._solved, solution

    return run


QP = """
dim n, m
param Q[n, n] psd, q[n], G[m, n], h[m]
var x[n]
minimize 0.5 * quad_form(x, Q) + q' @ x
subject to
  ineq: G @ x <= h
return x, dual ineq
"""

LP = """
dim n, m
param c[n], G[m, n], h[m]
var x[n]
minimize c' @ x
subject to
  ineq: G @ x <= h
return x, dual ineq
"""


def qp(rng: np.random.Generator, n: int, m: int, batch: int = 1) -> dict[str, np.ndarray]:
    root = rng.normal(size=(batch, n, n))
    G, x0 = rng.normal(size=(batch, m, n)), rng.normal(size=(batch, n))
    h = np.einsum("bmn,bn->bm", G, x0) + rng.uniform(size=(batch, m))
    return {"Q": root @ root.swapaxes(1, 2) / n + 0.1 * np.eye(n), "q": rng.normal(size=(batch, n)), "G": G, "h": h}


@pytest.mark.parametrize("name", CONES)
def test_every_cone(name: str) -> None:
    program, theta = random_program(CONES[name])
    assert worst(program, Engine(program).solve(theta)) < 1e-9
    assert worst(program, Engine(program, Options(refine=3)).solve(theta)) < 1e-13


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize("part", ["Q", "q", "G and h", "h", "all"])
def test_badly_scaled(part: str, scale: float, solve) -> None:
    values = qp(np.random.default_rng(0), 12, 18)
    for name in values if part == "all" else part.split(" and "):
        values[name] = scale * values[name]
    if part == "h" and scale < 1:
        values["h"] = np.abs(values["h"]) + 1e-9  # so that 0 is feasible
    program, solved, _ = solve(QP, **values)
    assert worst(program, solved) < 1e-9


@pytest.mark.parametrize("spread", [3.0, 6.0])
def test_rows_and_columns_of_sizes_far_apart(spread: float, solve) -> None:
    rng = np.random.default_rng(1)
    values = qp(rng, 10, 15)
    columns, rows = (10 ** rng.uniform(-spread / 2, spread / 2, size=k) for k in (10, 15))
    values |= {"Q": values["Q"] * columns[:, None] * columns, "q": values["q"] * columns}
    values |= {"G": values["G"] * rows[:, None] * columns, "h": values["h"] * rows}
    program, solved, _ = solve(QP, **values)
    assert worst(program, solved) < 1e-8


@pytest.mark.parametrize("condition", [1e4, 1e8, 1e12])
def test_ill_conditioned_objective(condition: float, solve) -> None:
    rng = np.random.default_rng(2)
    values = qp(rng, 10, 12)
    basis = np.linalg.qr(rng.normal(size=(10, 10)))[0]
    values["Q"] = (basis * np.geomspace(1, 1 / condition, 10)) @ basis.T
    values["Q"] = (values["Q"] + values["Q"].T) / 2
    values["G"], values["h"] = np.vstack((np.eye(10), -np.eye(10))), np.ones(20)
    program, solved, _ = solve(QP, **values)
    assert worst(program, solved) < 1e-8


def test_weakly_active_constraints_have_the_right_side() -> None:
    """Slacks and multipliers of 1e-5 beside each other: a gap of 1e-9 tells them apart only at its square root."""
    rng = np.random.default_rng(3)
    n, m, batch = 8, 12, 40
    values = qp(rng, n, m, batch)
    x, y, s = rng.normal(size=(batch, n)), np.zeros((batch, m)), rng.uniform(0.5, 1, size=(batch, m))
    for i in range(batch):
        y[i, :3], s[i, :3] = rng.uniform(0.5, 1, size=3), 0
        y[i, 3], s[i, 3] = 10 ** rng.uniform(-7, -4), 0
        s[i, 4] = 10 ** rng.uniform(-7, -4)
    values["h"] = np.einsum("bmn,bn->bm", values["G"], x) + s
    values["q"] = -np.einsum("bij,bj->bi", values["Q"], x) - np.einsum("bmn,bm->bn", values["G"], y)
    for options in ({}, {"solver": "clarabel"}):
        solution = dpplang.parse(QP).solve(values, options=options)
        np.testing.assert_allclose(solution.x, x, atol=1e-11)
        np.testing.assert_allclose(solution.dual.ineq, y, atol=1e-10)


def test_degenerate_vertex(solve) -> None:
    """Six constraints meet in a vertex of the plane: the multipliers are not unique, the vertex is."""
    angles = np.linspace(0.1, 1.4, 6)
    G = np.stack((np.cos(angles), np.sin(angles)), axis=1)
    vertex = np.array([2.0, -1.0])
    program, solved, solution = solve(LP, c=np.array([-1.0, -1.0]), G=G, h=G @ vertex)
    assert worst(program, solved) < 1e-10
    np.testing.assert_allclose(solution.x, vertex, atol=1e-9)


@pytest.mark.parametrize("times", [2, 5])
def test_redundant_constraints(times: int, solve) -> None:
    values = qp(np.random.default_rng(4), 8, 10)
    values["G"], values["h"] = np.tile(values["G"], (1, times, 1)), np.tile(values["h"], (1, times))
    program, solved, solution = solve(QP, **values)
    alone = dpplang.parse(QP).solve({k: v[:, :10] if k in "Gh" else v for k, v in values.items()})
    assert worst(program, solved) < 1e-10
    np.testing.assert_allclose(solution.x, alone.x, atol=1e-9)
    np.testing.assert_allclose(solution.dual.ineq.reshape(times, 10).sum(axis=0), alone.dual.ineq[0], atol=1e-8)


def test_redundant_equalities(solve) -> None:
    text = "dim n, p\nparam A[p, n], b[p], c[n]\nvar x[n]\nminimize sum_squares(x - c)\nsubject to\n  eq: A @ x == b\n"
    rng = np.random.default_rng(5)
    A, c = rng.normal(size=(3, 6)), rng.normal(size=6)
    A = np.vstack((A, A[0] + A[1], 2 * A[2]))
    b = A @ rng.normal(size=6)
    program, solved, solution = solve(text, A=A, b=b, c=c)
    assert worst(program, solved) < 1e-10
    np.testing.assert_allclose(solution.x, c + np.linalg.pinv(A) @ (b - A @ c), atol=1e-10)


def test_no_interior(solve) -> None:
    """x is pinned between equal bounds, in a ball that touches it in one point."""
    text = "param c[2]\nvar x[2]\nminimize c' @ x\nsubject to\n  ball: norm2(x) <= 1\n  touch: x[0] >= 1\n"
    program, solved, solution = solve(text, c=np.array([0.3, 0.2]))
    # the multipliers run off to infinity: the square root of the tolerance is what x has
    assert worst(program, solved) < 1e-8
    np.testing.assert_allclose(solution.x, [1.0, 0.0], atol=2e-4)


def test_solutions_without_multipliers_are_not_solved_silently() -> None:
    """minimize x subject to x² ≤ 0 has a solution and no multipliers: whatever is said, it is within the tolerance."""
    solution = dpplang.parse("param c\nvar x\nminimize c * x\nsubject to\n  point: square(x) <= 0\n").solve(
        c=1.0, on_failure="nan"
    )
    if solution.status.ok:
        assert abs(float(solution.x)) < 1e-4
        assert worst(solution._engine.program, solution._solved) < 1e-6


@pytest.mark.parametrize("solver", ["clarabel", "scs"])
def test_refinement_never_makes_it_worse(solver: str) -> None:
    """Rank-deficient, degenerate, with and without a quadratic: residuals after refinement are those before, or smaller."""
    rng = np.random.default_rng(6)
    for _ in range(8):
        n, m = 6, 9
        root = rng.normal(size=(rng.integers(0, 3), n))
        G = rng.integers(-2, 3, size=(m, n)).astype(float)
        x0 = rng.integers(-2, 3, size=n).astype(float)
        h = G @ x0 + rng.integers(0, 2, size=m)
        y0 = rng.integers(0, 2, size=m) * (h - G @ x0 == 0)
        P = root.T @ root
        program = build(P, -P @ x0 - G.T @ y0, G, h, Cones(nonneg=m))
        before, after = (worst(program, Engine(program, Options(solver=solver, refine=k)).solve(())) for k in (0, 1))
        assert after <= max(1.01 * before, 1e-14)
        assert after < 1e-8


def test_iterates_that_stay_at_the_boundary_of_a_cone_start_anew() -> None:
    """Clarabel ends at its limit of iterations with these numbers, and in ten where a digit of them is changed."""
    rng = np.random.default_rng(271)
    theta = {name: value[2] for name, value in random_gradients.values(rng).items()}
    text = random_gradients.HEAD + "minimize " + " + ".join(random_gradients.STRONGLY_CONVEX)
    text += " + q * sum(maximum(x, 0.3, -1))\nsubject to\n  x <= 3\n  tr_inv(S + Q + 3 * eye(n)) <= 20\n"
    problem = dpplang.parse(text)
    data = {"C": rng.standard_normal((4, 4)), "d": rng.standard_normal(4)}
    ours, other = (problem.solve(theta, data=data, options={"solver": s}).value for s in ("clarabel", "scs"))
    assert ours == pytest.approx(other, abs=1e-7)


def test_small_residuals_beside_large_terms_are_not_the_end() -> None:
    """The epigraph variables of q exp(u/5) reach thousands, and residuals are relative to them: after a long Newton
    step comes another, so that u is good to its last digits nearly everywhere."""
    problem = dpplang.parse(
        "dim n\nparam q pos, c[n]\nvar u[n] pos\nminimize 0.3 * sum_squares(u - c) + q * sum(xexp(0.2 * u))\n"
    )
    rng = np.random.default_rng(0)
    q, c = 30 * np.abs(rng.normal(size=200)), 30 * rng.normal(size=(200, 4))
    u, exact = (problem.solve(q=q, c=c, options={"solver": "clarabel", "refine": r}).u for r in (1, 6))
    error = np.abs(u - exact).max(axis=1) / (1 + np.abs(exact).max(axis=1))
    assert np.quantile(error, 0.95) < 1e-8  # 4e-6 with one step


def test_what_the_solver_loses_in_its_last_steps_is_recovered() -> None:
    """Beside second-order cones Clarabel loses its primal feasibility again on the way from 1e-8 to 1e-9."""
    text = "dim n, m\nparam q[n], G[m, n], h[m]\nvar x[n]\nminimize sum_squares(x) + q' @ x + norm2(G @ x - h)\nsubject to\n  ball: norm2(x) <= 1\n"
    rng = np.random.default_rng(2)
    G, x = rng.normal(size=(60, 7, 5)), rng.normal(size=(60, 5))
    h = np.einsum("bmn,bn->bm", G, x) + 0.5 * rng.uniform(size=(60, 7))
    solution = dpplang.parse(text).solve(q=rng.normal(size=(60, 5)), G=G, h=h)
    assert worst(solution._engine.program, solution._solved) < 1e-9


@pytest.mark.parametrize(("error", "expected"), [(1e-3, "numerical trouble"), (1e-6, "inaccurate"), (1e-12, "solved")])
def test_what_a_solver_calls_solved_is_verified(error: float, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from dpplang.runtime.solvers.clarabel import Clarabel

    honest = Clarabel.solve

    def lying(self, P, q, A, b):
        answer = honest(self, P, q, A, b)
        return dataclasses.replace(answer, x=answer.x + error)

    monkeypatch.setattr(Clarabel, "solve", lying)
    program, theta = random_program(CONES["all"])
    options = Options(refine=0, accept_inaccurate=1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SolveWarning)
        solved = Engine(program, options).solve(theta)
    assert solved.status[0].value == expected
    assert solved.ok[0] == (expected != "numerical trouble")
