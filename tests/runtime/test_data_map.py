"""θ ↦ data: against the plain affine map, its transpose, its tangent, and what the batch shares."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from dpplang.asa.cones import Cones
from dpplang.runtime.data_map import PARTS, DataMap
from dpplang.runtime.derivative import Derivative, Point
from dpplang.runtime.solvers.protocol import Structure
from tests.runtime.programs import build


def program():
    """Four parameters: copies with holes, copies of one entry many times, scaled copies, sums with another parameter, none."""
    rng = np.random.default_rng(0)
    m, n = 5, 4

    def pick(size: int, rows, columns, width: int, values=None):
        values = np.ones(len(rows)) if values is None else values
        return sp.csr_array((values, (rows, columns)), shape=(size, width))

    carried = [
        ("copy", "A", pick(m * n, range(3, 15), range(12), 13)),
        ("spread", "q", pick(n, range(n), [1] * n, 2)),
        ("spread", "A", pick(m * n, [16, 17], [0, 0], 2, [2.0, -3.0])),
        ("spread", "P", pick(10, [0, 2, 9], [0, 1, 1], 2)),
        ("mixed", "A", sp.csr_array(sp.random_array((m * n, 6), density=0.2, rng=rng))),
        ("mixed", "b", sp.csr_array(sp.random_array((m, 6), density=0.6, rng=rng))),
        ("mixed", "d", sp.csr_array(sp.random_array((1, 6), density=1.0, rng=rng))),
        ("unused", "b", sp.csr_array((m, 3))),
    ]
    return build(
        rng.normal(size=(n, n)),
        rng.normal(size=n),
        rng.normal(size=(m, n)),
        rng.normal(size=m),
        Cones(nonneg=m),
        carried,
        pattern=False,
    )


def theta_for(extents: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(1)
    return tuple(rng.normal(size=(b, p.size)) for b, p in zip(extents, program().parameters, strict=True))


@pytest.mark.parametrize(
    "extents", [(1, 1, 1, 1), (3, 3, 3, 3), (3, 1, 1, 1), (1, 3, 1, 1), (1, 1, 3, 3), (1, 1, 1, 3)]
)
def test_data_equal_the_plain_map(extents: tuple[int, ...]) -> None:
    made, theta = program(), theta_for(extents)
    data = DataMap.of(made).at(theta)
    batch = max(extents)
    whole = np.concatenate([np.broadcast_to(t, (batch, t.shape[1])) for t in theta], axis=1)
    touching = {"P": (1,), "q": (1,), "A": (0, 1, 2), "b": (2,), "d": (2,)}
    for name, map_ in zip(PARTS, (made.P.values, made.q, made.A.values, made.b, made.d), strict=True):
        values = getattr(data, name)
        assert values.shape[0] == max(extents[k] for k in touching[name])
        np.testing.assert_allclose(np.broadcast_to(values, (batch, map_.size)), map_(whole), atol=1e-14)


@pytest.mark.parametrize("extents", [(1, 1, 1, 1), (3, 3, 3, 3), (3, 1, 1, 3), (1, 3, 3, 1)])
def test_derivative_of_the_lagrangian(extents: tuple[int, ...]) -> None:
    """With S = 0 the adjoint of the value is the gradient of ½xᵀPx + qᵀx + d + yᵀ(Ax − b), here by its own affine map."""
    made, theta = program(), theta_for(extents)
    batch = max(extents)
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(batch, 4)), rng.normal(size=(batch, 5))
    derivative = Derivative(DataMap.of(made), Structure.of(made))

    def lagrangian(theta_: tuple[np.ndarray, ...]) -> np.ndarray:
        out = np.empty(batch)
        for i in range(batch):
            one = np.concatenate([t[i if len(t) > 1 else 0] for t in theta_])
            P = made.P.at(one).toarray()
            P = P + np.triu(P, 1).T
            out[i] = (
                0.5 * x[i] @ P @ x[i]
                + made.q(one) @ x[i]
                + made.d(one)[0]
                + y[i] @ (made.A.at(one) @ x[i] - made.b(one))
            )
        return out

    point = Point(x, y, 1.0, extents)
    weight = rng.normal(size=batch)
    gradients = derivative.pull(point, np.zeros_like(x), np.zeros_like(y), weight, (True,) * 4)
    assert [g.shape for g in gradients] == [t.shape for t in theta]
    direction = tuple(rng.normal(size=t.shape) for t in theta)
    ahead = lagrangian(tuple(t + d for t, d in zip(theta, direction, strict=True)))
    change = ahead - lagrangian(theta)  # affine in θ: exact
    _, _, dvalue = derivative.push(point, direction)
    np.testing.assert_allclose(dvalue, change, atol=1e-12)
    assert sum(np.sum(g * d) for g, d in zip(gradients, direction, strict=True)) == pytest.approx(weight @ change)


def test_tangent_of_some_parameters() -> None:
    made, theta = program(), theta_for((3, 1, 3, 1))
    map_ = DataMap.of(made)
    moved = map_.along((None, None, theta[2], None))
    assert moved["P"] is None and moved["q"] is None
    np.testing.assert_allclose(moved["b"], theta[2] @ made.b.matrix.toarray()[:, 15:21].T, atol=1e-14)


def matrices():
    """Whole matrices as parameters: G in A, which is stored by columns, a multiple of another below it, and the sum of both
    triangles of Q in P."""
    n = 40
    row, column = np.divmod(np.arange(n * n), n)
    i, j = np.array([(i, j) for j in range(n) for i in range(j + 1)]).T
    ones = np.ones(n * n)
    halves = np.full(i.size, 0.5)
    carried = [
        (
            "Q",
            "P",
            sp.csr_array(
                (
                    np.concatenate((halves, halves)),
                    (np.tile(np.arange(i.size), 2), np.concatenate((i * n + j, j * n + i))),
                )
            ),
        ),
        ("G", "A", sp.csr_array((ones, (column * 2 * n + row, np.arange(n * n))), shape=(2 * n * n, n * n))),
        ("H", "A", sp.csr_array((-3 * ones, (column * 2 * n + n + row, np.arange(n * n))), shape=(2 * n * n, n * n))),
    ]
    rng = np.random.default_rng(3)
    return build(
        rng.normal(size=(n, n)),
        rng.normal(size=n),
        np.zeros((2 * n, n)),
        np.zeros(2 * n),
        Cones(nonneg=2 * n),
        carried,
        pattern=False,
    )


@pytest.mark.parametrize("extents", [(1, 1, 1), (70, 70, 70), (70, 1, 70), (1, 70, 1)])
def test_whole_matrices(extents: tuple[int, ...]) -> None:
    made, rng, batch = matrices(), np.random.default_rng(4), max(extents)
    theta = tuple(rng.normal(size=(b, p.size)) for b, p in zip(extents, made.parameters, strict=True))
    map_ = DataMap.of(made)
    data = map_.at(theta)
    whole = np.concatenate([np.broadcast_to(t, (batch, t.shape[1])) for t in theta], axis=1)
    for name, plain in (("P", made.P.values), ("A", made.A.values)):
        values = getattr(data, name)
        np.testing.assert_allclose(np.broadcast_to(values, (batch, plain.size)), plain(whole), atol=1e-14)
    x, y = rng.normal(size=(batch, 40)), rng.normal(size=(batch, 80))
    weight = rng.normal(size=batch)
    derivative = Derivative(map_, Structure.of(made))
    point = Point(x, y, 1.0, extents)
    found = derivative.pull(point, np.zeros_like(x), np.zeros_like(y), weight, (True,) * 3)
    squares, products = (np.einsum("b,bi,bj->bij", weight, v, x) for v in (x, y))
    for gradient, expected in zip(found, (0.5 * squares, products[:, :40], -3 * products[:, 40:]), strict=True):
        flat = expected.reshape(batch, -1)
        np.testing.assert_allclose(
            gradient, flat if len(gradient) == batch else flat.sum(axis=0, keepdims=True), atol=1e-11
        )


def test_a_triangle_of_A_is_no_symmetric_matrix() -> None:
    """Entries of A above its diagonal that are means of two of K: only they see K, unlike those of P."""
    n = 40
    i, j = np.array([(i, j) for j in range(n) for i in range(j + 1)]).T
    where = np.tile(j * n + i, 2), np.concatenate((i * n + j, j * n + i))
    halves = sp.csr_array((np.full(2 * i.size, 0.5), where), shape=(n * n, n * n))
    rng = np.random.default_rng(5)
    made = build(
        np.eye(n), np.zeros(n), np.zeros((n, n)), np.zeros(n), Cones(nonneg=n), [("K", "A", halves)], pattern=False
    )
    x, y, weight = rng.normal(size=(3, n)), rng.normal(size=(3, n)), rng.normal(size=3)
    derivative = Derivative(DataMap.of(made), Structure.of(made))
    (found,) = derivative.pull(Point(x, y, 1.0, (3,)), np.zeros_like(x), np.zeros_like(y), weight, (True,))
    upper = np.triu(np.einsum("b,bi,bj->bij", weight, y, x))
    np.testing.assert_allclose(found, 0.5 * (upper + upper.swapaxes(1, 2)).reshape(3, -1), atol=1e-13)
