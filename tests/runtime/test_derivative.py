"""Adjoint and tangent: transposes of each other, against central differences, against diffcp, over cones, batches and engines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from dpplang.asa.cones import Cones
from dpplang.runtime import kkt
from dpplang.runtime.engine import Engine
from dpplang.runtime.options import Options
from dpplang.runtime.warn import DerivativeWarning
from tests.runtime.programs import CONES, build, random_program, relu

EXACT = Options(refine=4)
PATHS = {"dense": (10**6, 10**6), "sparse": (0, 0)}


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Force the dense or the sparse factorization, whatever the size."""
    small, large = PATHS[request.param]
    monkeypatch.setattr(kkt, "_SMALL", small)
    monkeypatch.setattr(kkt, "_LARGE", large)
    return request.param


def batched(theta: tuple[np.ndarray, ...], batch: int, shared: bool, seed: int = 3) -> tuple[np.ndarray, ...]:
    """θ for a batch near a given one: the first parameter shared or not, the second always batched."""
    rng = np.random.default_rng(seed)
    first = theta[0] if shared else theta[0] + 1e-3 * rng.normal(size=(batch, theta[0].shape[1]))
    return first, theta[1] + 1e-3 * rng.normal(size=(batch, theta[1].shape[1]))


def step(theta, dtheta, h):
    return tuple(t + h * d for t, d in zip(theta, dtheta, strict=True))


@pytest.mark.parametrize("sense", ["minimize", "maximize"])
@pytest.mark.parametrize("quadratic", [True, False], ids=["quadratic", "linear"])
@pytest.mark.parametrize("name", CONES)
def test_tangent_against_central_differences(name: str, quadratic: bool, sense: str, path: str) -> None:
    program, theta = random_program(CONES[name], quadratic=quadratic, sense=sense)
    engine = Engine(program, EXACT)
    theta = batched(theta, 3, shared=False)
    solved = engine.solve(theta)
    assert solved.ok.all()
    rng, h = np.random.default_rng(1), 1e-6
    dtheta = tuple(rng.normal(size=t.shape) for t in theta)
    ahead, behind = engine.solve(step(theta, dtheta, h)), engine.solve(step(theta, dtheta, -h))
    for got, a, b in zip(
        engine.tangent(solved, dtheta), (ahead.x, ahead.y, ahead.value), (behind.x, behind.y, behind.value), strict=True
    ):
        numeric = (a - b) / (2 * h)
        assert np.abs(got - numeric).max() <= 1e-5 * (1 + np.abs(numeric).max())


@pytest.mark.parametrize("shared", [True, False], ids=["shared", "batched"])
@pytest.mark.parametrize("name", CONES)
def test_adjoint_is_the_transpose_of_the_tangent(name: str, shared: bool, path: str) -> None:
    """⟨Jv, w⟩ = ⟨v, Jᵀw⟩; gradients of what the batch shares are summed."""
    program, theta = random_program(CONES[name])
    engine = Engine(program)
    solved = engine.solve(theta := batched(theta, 4, shared))
    rng = np.random.default_rng(2)
    dtheta = tuple(rng.normal(size=t.shape) for t in theta)
    upstream = [rng.normal(size=a.shape) for a in (solved.x, solved.y, solved.value)]
    pushed = sum(np.sum(a * b) for a, b in zip(engine.tangent(solved, dtheta), upstream, strict=True))
    gradients = engine.adjoint(solved, *upstream, (True, True))
    assert [g.shape for g in gradients] == [t.shape for t in theta]
    pulled = sum(np.sum(a * b) for a, b in zip(gradients, dtheta, strict=True))
    assert abs(pushed - pulled) <= 1e-8 * (1 + abs(pushed))


@pytest.mark.parametrize("quadratic", [True, False], ids=["quadratic", "linear"])
@pytest.mark.parametrize("name", [n for n in CONES if n not in ("pow", "all")] + ["most"])
def test_exact_agrees_with_diffcp(name: str, quadratic: bool) -> None:
    cones = CONES.get(name) or replace(CONES["all"], pow=())
    program, theta = random_program(cones, quadratic=quadratic)
    ours = Engine(program, EXACT)
    theirs = Engine(program, Options(derivative="diffcp"))
    solved, again = ours.solve(theta), theirs.solve(theta)
    rng = np.random.default_rng(5)
    dx, dy = rng.normal(size=solved.x.shape), rng.normal(size=solved.y.shape)
    mine = ours.adjoint(solved, dx, dy, None, (True, True))
    reference = theirs.adjoint(again, dx, dy, None, (True, True))
    for a, b in zip(mine, reference, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5 * (1 + np.abs(b).max()))


def test_value_alone_needs_no_linear_solve() -> None:
    program, theta = random_program(CONES["all"], sense="maximize")
    engine = Engine(program, EXACT)
    solved = engine.solve(theta)
    (first, second) = engine.adjoint(solved, None, None, np.ones(1), (True, True))
    assert "sensitivity" not in vars(solved)
    for k, gradient in enumerate((first, second)):
        for j in range(0, gradient.shape[1], 7):
            direction = [np.zeros_like(t) for t in theta]
            direction[k][0, j] = 1.0
            ahead, behind = (engine.solve(step(theta, direction, h)).value[0] for h in (1e-5, -1e-5))
            assert gradient[0, j] == pytest.approx((ahead - behind) / 2e-5, rel=1e-5, abs=1e-6)


def test_unwanted_gradients_are_not_formed() -> None:
    program, theta = random_program(CONES["nonneg"])
    engine = Engine(program)
    solved = engine.solve(theta)
    dx = np.ones_like(solved.x)
    first, none = engine.adjoint(solved, dx, None, None, (True, False))
    assert none is None
    none, second = engine.adjoint(solved, dx, None, None, (False, True))
    assert none is None
    both = engine.adjoint(solved, dx, None, None, (True, True))
    np.testing.assert_array_equal(first, both[0])
    np.testing.assert_array_equal(second, both[1])


@pytest.mark.parametrize("derivative", ["exact", "diffcp"])
@pytest.mark.parametrize("size", [1e-9, 1e-30, 1e9])
def test_gradients_are_linear_in_tiny_and_huge_upstream_gradients(derivative: str, size: float) -> None:
    engine = Engine(relu(4), Options(derivative=derivative))
    solved = engine.solve((np.array([[1.0, -1.0, 0.5, -0.2]]),))
    (gradient,) = engine.adjoint(solved, np.full((1, 4), size), None, None, (True,))
    np.testing.assert_allclose(gradient / size, [[1.0, 0.0, 1.0, 0.0]], atol=1e-6)


def test_relu_batch_gradient_is_summed_over_what_is_shared() -> None:
    engine = Engine(relu(3))
    x = np.array([[1.0, -1.0, 0.5]])
    single = engine.solve((x,))
    (gradient,) = engine.adjoint(single, np.ones((1, 3)), None, None, (True,))
    np.testing.assert_allclose(gradient, [[1.0, 0.0, 1.0]], atol=1e-9)
    many = engine.solve((np.repeat(x, 5, axis=0),))
    (gradient,) = engine.adjoint(many, np.ones((5, 3)), None, None, (True,))
    np.testing.assert_allclose(gradient, np.repeat([[1.0, 0.0, 1.0]], 5, axis=0), atol=1e-9)


def test_quadratic_matrix_parameter_gets_both_halves(path: str) -> None:
    """minimize ½xᵀQx + qᵀx with Q's upper triangle as the parameter: dx = −Q⁻¹ dQ x."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(4, 4))
    Q, q = root @ root.T + np.eye(4), rng.normal(size=4)
    carried = [("Q", "P", sp.csr_array(sp.eye_array(10)))]
    rows = Cones(nonneg=1)
    program = build(np.zeros((4, 4)), q, np.zeros((1, 4)), np.ones(1), rows, carried, pattern=False)
    columns, lines = np.nonzero(np.triu(np.ones((4, 4))).T)
    engine = Engine(program, EXACT)
    solved = engine.solve((Q[lines, columns][None],))
    x = np.linalg.solve(Q, -q)
    np.testing.assert_allclose(solved.x[0], x, atol=1e-9)
    w = rng.normal(size=4)
    (gradient,) = engine.adjoint(solved, w[None], None, None, (True,))
    full = -np.outer(np.linalg.solve(Q, w), x)
    expected = np.where(lines == columns, full[lines, columns], full[lines, columns] + full[columns, lines])
    np.testing.assert_allclose(gradient[0], expected, atol=1e-9)


def test_singular_system_warns_and_takes_the_least_norm(path: str) -> None:
    """The same equality twice: x is unique, its multipliers are not; each copy gets half of the gradient."""
    carried = [("b", "b", sp.csr_array(sp.eye_array(2)))]
    program = build(np.eye(2), np.zeros(2), np.ones((2, 2)), np.zeros(2), Cones(zero=2), carried)
    engine = Engine(program)
    solved = engine.solve((np.ones((1, 2)),))
    np.testing.assert_allclose(solved.x, [[0.5, 0.5]], atol=1e-7)
    with pytest.warns(DerivativeWarning, match="no unique derivative with respect to `b`"):
        (gradient,) = engine.adjoint(solved, np.array([[1.0, 0.0]]), None, None, (True,))
    np.testing.assert_allclose(gradient, [[0.25, 0.25]], atol=1e-8)


def test_large_systems_take_the_triangular_path() -> None:
    """Beyond the order at which systems are inverted: a redundant equality leaves its multiplier undetermined."""
    rng = np.random.default_rng(0)
    n = 60
    A = np.vstack([rng.normal(size=(5, n)), np.eye(n)])
    A[4] = A[3]
    b = np.concatenate((A[:5] @ np.full(n, 0.3), np.ones(n)))
    carried = [("q", "q", sp.csr_array(sp.eye_array(n)))]
    program = build(np.eye(n), np.zeros(n), A, b, Cones(zero=5, nonneg=n), carried)
    engine = Engine(program)
    q = rng.normal(size=(2, n))
    solved = engine.solve((q,))
    dx, _, _ = engine.tangent(solved, (q,))
    ahead, behind = engine.solve((q * (1 + 1e-5),)), engine.solve((q * (1 - 1e-5),))
    np.testing.assert_allclose(dx, (ahead.x - behind.x) / 2e-5, atol=2e-3)
    (gradient,) = engine.adjoint(solved, q, None, None, (True,))
    assert np.sum(gradient * q) == pytest.approx(np.sum(dx * q), rel=1e-10)


def test_undetermined_multipliers_that_no_parameter_moves_are_no_news(
    path: str, recwarn: pytest.WarningsRecorder
) -> None:
    """The same equality twice, with a parameter in the objective only: the derivative is unique, and nothing is said."""
    carried = [("q", "q", sp.csr_array(sp.eye_array(2)))]
    program = build(np.eye(2), np.zeros(2), np.ones((2, 2)), np.ones(2), Cones(zero=2), carried)
    engine = Engine(program)
    solved = engine.solve((np.array([[0.3, 0.1]]),))
    (gradient,) = engine.adjoint(solved, np.array([[1.0, 0.0]]), None, None, (True,))
    np.testing.assert_allclose(gradient, [[-0.5, 0.5]], atol=1e-8)
    dx, _, _ = engine.tangent(solved, (np.array([[1.0, 0.0]]),))
    np.testing.assert_allclose(dx, [[-0.5, 0.5]], atol=1e-8)
    assert not [w for w in recwarn if issubclass(w.category, DerivativeWarning)]


def test_solution_that_is_not_unique_warns_if_the_upstream_gradient_sees_it(
    path: str, recwarn: pytest.WarningsRecorder
) -> None:
    """x₁ is free of the objective and of constraints: a gradient of x₀ alone is exact, one of x₁ is not."""
    carried = [("q", "q", sp.csr_array([[1.0], [0.0]]))]
    program = build(
        np.diag([1.0, 0.0]), np.zeros(2), np.array([[0.0, 1.0], [0.0, -1.0]]), np.ones(2), Cones(nonneg=2), carried
    )
    engine = Engine(program)
    solved = engine.solve((np.array([[0.3]]),))
    (gradient,) = engine.adjoint(solved, np.array([[1.0, 0.0]]), None, None, (True,))
    np.testing.assert_allclose(gradient, [[-1.0]], atol=1e-8)
    assert not [w for w in recwarn if issubclass(w.category, DerivativeWarning)]
    with pytest.warns(DerivativeWarning):
        engine.adjoint(solved, np.array([[0.0, 1.0]]), None, None, (True,))
