"""Methods for whole batches of programs with second-order cones, against Clarabel and the dense systems."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

import dpplang
from dpplang.asa.cones import Cones
from dpplang.runtime import conic
from dpplang.runtime.condensed.elimination import Elimination, Factors
from dpplang.runtime.condensed.linearized import Linearized
from dpplang.runtime.condensed.systems import Systems
from dpplang.runtime.cones import Product
from dpplang.runtime.engine import Engine
from dpplang.runtime.kkt import KktPlan
from dpplang.runtime.kkt_alone import Alone, AlonePlan
from dpplang.runtime.options import Options
from dpplang.runtime.solvers.protocol import Structure
from tests.runtime.programs import build, random_program

BALL = """
dim n
param c[n], lam nonneg, r
var x[n]
minimize norm2(x - c) + lam * norm1(x)
subject to
  ball: norm2(x) <= r
  far: sum(x) >= -3
"""

CONES = [
    Cones(soc=(4, 3, 4)),
    Cones(zero=2, nonneg=5, soc=(6, 1, 2, 5)),
    Cones(nonneg=3, soc=(8,)),
]


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of any size go to the interior-point method for batches."""
    monkeypatch.setattr(conic, "interior_pays", lambda *_: True)


def batch_of(cones: Cones, seed: int, batch: int, quadratic: bool, scale: float = 0.05):
    program, theta = random_program(cones, seed, quadratic)
    rng = np.random.default_rng(seed)
    return program, tuple(t + scale * rng.normal(size=(batch, t.shape[1])) for t in theta)


def statuses(solved) -> list[str]:
    return [s.value for s in solved.status]


def close(a: np.ndarray, b: np.ndarray, tolerance: float) -> None:
    np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * (1 + np.abs(b).max(initial=0.0)))


@pytest.mark.parametrize("seed", range(3))
def test_elimination(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size, batch = 40, 7
    pattern = rng.random((size, size)) < 0.04
    pattern[:, -3:] = pattern[-3:] = True
    pattern = np.tril(pattern | pattern.T)
    np.fill_diagonal(pattern, True)
    i, j = np.nonzero(pattern)
    values = rng.normal(size=(i.size, batch))
    values[i == j] += np.where(i[i == j] < 25, 30.0, -30.0)[:, None]
    plan = Elimination(size, i, j)
    assert plan.rounds and plan.tail < size
    entries = np.zeros((plan.slots, batch))
    entries[plan.slot(i, j)] = values
    dense = np.zeros((batch, size, size))
    dense[:, i, j] = dense[:, j, i] = values.T
    rhs = rng.normal(size=(size, batch))
    z = Factors(plan, entries).solve(rhs)
    np.testing.assert_allclose(np.einsum("bij,jb->ib", dense, z), rhs, atol=1e-12)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("cones", CONES, ids=str)
def test_system(cones: Cones, shared: bool) -> None:
    """S by the condensed system is S by the dense one, also where v is in a cone, in its polar, or just beside."""
    rng = np.random.default_rng(0)
    batch, n = 12, 9
    program, theta = random_program(cones, 1, n=n)
    structure = Structure.of(program)
    m, product = program.m, Product.of(program.cones)
    count = 1 if shared else batch
    root = rng.normal(size=(count, n, n))
    P = (root @ root.swapaxes(1, 2) + np.eye(n))[:, structure.P.indices, structure.P.columns]
    A = rng.normal(size=(count, structure.A.indices.size))
    v = rng.normal(size=(batch, m))
    for group in product.groups:
        if group.rows.shape[1] > 1:
            heads, tails = group.rows[:, 0], group.rows[:, 1:]
            size = np.linalg.norm(v[:, tails], axis=-1)
            for k, factor in enumerate((2.0, -2.0, 0.999, -0.99)):
                v[k, heads] = factor * size[k]
    dense = KktPlan(structure, product)._linearize(P, A, v)
    asked: list[np.ndarray] = []

    def exactly(elements: np.ndarray):
        asked.append(elements)
        mine = P if P.shape[0] == 1 else P[elements], A if A.shape[0] == 1 else A[elements]
        return KktPlan(structure, product)._linearize(mine[0], mine[1], v[elements])

    quick = Linearized(Systems(structure).at(P, A), v, exactly)
    g, h = rng.normal(size=(batch, n)), rng.normal(size=(batch, m))
    np.testing.assert_array_equal(quick.singular, dense.singular)
    for mine, theirs in zip(quick.solve(g, h), dense.solve(g, h), strict=True):
        for k in range(batch):
            close(mine[k], theirs[k], 1e-8)
    assert sum(e.size for e in asked) < batch / 2
    assert theta


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("cones", CONES, ids=str)
def test_system_of_one(cones: Cones, seed: int) -> None:
    """One element alone, and its S, which is symmetric, is the dense one."""
    program, theta = random_program(cones, seed)
    engine = Engine(program)
    solved = engine.solve(theta)
    structure, product = Structure.of(program), Product.of(program.cones)
    plan = AlonePlan.of(structure)
    assert plan is not None
    P, A, v = solved.data.P, solved.data.A, solved.s - solved.y
    alone, dense = Alone(plan, P, A, v), KktPlan(structure, product)._linearize(P, A, v)
    if not alone.fits:
        assert dense.singular[0] or ((dense.spectrum.values > 0) & (dense.spectrum.values < 0.02)).any()
        return
    rng = np.random.default_rng(seed)
    g, h = rng.normal(size=(1, program.n)), rng.normal(size=(1, program.m))
    for mine, theirs in zip(alone.solve(g, h), dense.solve(g, h), strict=True):
        close(mine, theirs, 1e-9)
    for mine, theirs in zip(
        alone.newton(g, h, lambda d: d @ structure.A.matrix(A[0]).T.toarray()),
        dense.newton(g, h, lambda d: d @ structure.A.matrix(A[0]).T.toarray()),
        strict=True,
    ):
        close(mine, theirs, 1e-9)


@pytest.mark.usefixtures("together")
@pytest.mark.parametrize("quadratic", [True, False])
@pytest.mark.parametrize("cones", CONES, ids=str)
def test_solutions_and_gradients(cones: Cones, quadratic: bool) -> None:
    program, theta = batch_of(cones, 3, 40, quadratic)
    ours, theirs = Engine(program), Engine(program, Options(solver="clarabel"))
    mine, other = ours.solve(theta), theirs.solve(theta)
    assert statuses(mine) == statuses(other)
    good = mine.ok
    assert good.sum() > 20
    close(mine.value[good], other.value[good], 1e-8)
    close(mine.x[good], other.x[good], 1e-5)
    rng = np.random.default_rng(0)
    dx, dy = rng.normal(size=mine.x.shape), rng.normal(size=mine.y.shape)
    for a, b in zip(
        ours.adjoint(mine, dx, dy, None, (True, True)), theirs.adjoint(other, dx, dy, None, (True, True)), strict=True
    ):
        assert a is not None and b is not None
        for k in np.flatnonzero(good):
            close(a[k], b[k], 1e-3)


@pytest.mark.usefixtures("together")
def test_alone_and_together() -> None:
    program, theta = batch_of(CONES[1], 5, 40, True)
    engine = Engine(program)
    whole = engine.solve(theta)
    for k in range(0, 40, 7):
        one = engine.solve(tuple(t[k : k + 1] for t in theta))
        assert statuses(one)[0] == statuses(whole)[k]
        if one.ok[0]:
            close(one.x[0], whole.x[k], 1e-7)
            close(one.y[0], whole.y[k], 1e-6)


def ball(batch: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    c, lam = 2 * rng.normal(size=(batch, 6)), 0.1 + 0.3 * rng.random(batch)
    return dpplang.parse(BALL, "ball"), {"c": c, "lam": lam, "r": 0.5 + rng.random(batch)}


@pytest.mark.usefixtures("together")
def test_apex_and_kinks() -> None:
    """x = c where λ is small and c in the ball: the solution is the apex of the cone of ‖x − c‖."""
    problem, values = ball(60)
    values["c"][::3] *= 0.1
    values["r"][::3] = 5.0
    found = problem.solve(values)
    assert np.abs(found.x[::3] - values["c"][::3]).max() < 1e-9
    x = found.x
    size = np.linalg.norm(x, axis=1)
    assert (size <= values["r"] + 1e-9).all()
    assert (np.abs(found.dual["ball"]) >= -1e-9).all()


@pytest.mark.usefixtures("together")
def test_infeasible_elements() -> None:
    problem, values = ball(40)
    bad = np.zeros(40, bool)
    bad[[3, 17, 39]] = True
    values["r"][bad] = -1.0
    found = problem.solve(values, on_failure="nan")
    assert [s.value for s in found.status] == ["infeasible" if b else "solved" for b in bad]
    good = {name: value[~bad] for name, value in values.items()}
    close(found.x[~bad], problem.solve(good).x, 1e-9)


@pytest.mark.usefixtures("together")
def test_no_interior() -> None:
    """‖x‖ ≤ 0 has no strict interior: the method for batches leaves it, and the answer is right."""
    problem, values = ball(40)
    values["r"][5] = 0.0
    found = problem.solve(values)
    assert np.abs(found.x[5]).max() < 1e-6


@pytest.mark.usefixtures("together")
def test_redundant_rows() -> None:
    """Twice the same equation, and a cone that is there twice."""
    rng = np.random.default_rng(0)
    n, batch = 5, 30
    row = rng.normal(size=(1, n))
    cone = np.vstack((np.zeros((1, n)), -np.eye(n)))
    A = np.vstack((row, row, cone, cone))
    b = np.concatenate(([0.3, 0.3], [1.0], np.zeros(n), [1.0], np.zeros(n)))
    carried = [("q", "q", sp.csr_array(sp.eye_array(n)))]
    program = build(np.eye(n), np.zeros(n), A, b, Cones(zero=2, soc=(n + 1, n + 1)), carried)
    theta = (3 * rng.normal(size=(batch, n)),)
    mine, other = Engine(program).solve(theta), Engine(program, Options(solver="clarabel")).solve(theta)
    assert statuses(mine) == statuses(other)
    close(mine.x, other.x, 1e-6)


@pytest.mark.usefixtures("together")
def test_gradients_are_differences() -> None:
    program, theta = batch_of(CONES[1], 7, 16, True, 0.02)
    engine = Engine(program)
    solved = engine.solve(theta)
    rng = np.random.default_rng(1)
    dx = rng.normal(size=solved.x.shape) * solved.ok[:, None]
    gradients = engine.adjoint(solved, dx, None, None, (True, True))
    direction = tuple(rng.normal(size=t.shape) for t in theta)
    h = 1e-5
    ahead, behind = (
        engine.solve(tuple(t + sign * h * d for t, d in zip(theta, direction, strict=True))) for sign in (1, -1)
    )
    numeric = np.sum(dx * (ahead.x - behind.x), axis=1) / (2 * h)
    parts = [np.sum(g * d, axis=1) for g, d in zip(gradients, direction, strict=True) if g is not None]
    exact = np.sum(parts, axis=0)
    close(exact, numeric, 1e-5)


@pytest.mark.usefixtures("together")
def test_options(capsys: pytest.CaptureFixture[str]) -> None:
    program, theta = batch_of(CONES[0], 3, 20, True)
    engine = Engine(program, replace(Options(), max_iterations=2))
    assert set(statuses(engine.solve(theta))) == {"iteration limit"}
    verbose = Engine(program, Options(verbose=True)).solve(theta)
    assert "Interior has answers for" in capsys.readouterr().out
    single = Engine(program, Options(threads=1)).solve(theta)
    close(single.x, verbose.x, 1e-12)
    Engine(program, Options(solver="clarabel", verbose=True)).solve(theta)
    assert "Interior" not in capsys.readouterr().out


@pytest.mark.usefixtures("together")
def test_no_variables() -> None:
    """Whether constants lie in a cone is a program, too."""
    b = sp.csr_array(sp.eye_array(3))
    program = build(np.zeros((0, 0)), np.zeros(0), np.zeros((3, 0)), np.zeros(3), Cones(soc=(3,)), [("b", "b", b)])
    solved = Engine(program).solve((np.array([[2.0, 1.0, 1.0], [1.0, 1.0, 1.0]]),))
    assert statuses(solved) == ["solved", "infeasible"]
