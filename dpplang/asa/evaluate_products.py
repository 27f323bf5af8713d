"""Products of vectors and matrices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.evaluate_rule import Array, Floats, Namespace, Rule, batch_of, constant, swap
from dpplang.asa.numeric import Numeric


def _as_matrices(xp: Namespace, node: Numeric, args: Sequence[Array]) -> tuple[Array, Array]:
    """A vector on the left as a row, on the right as a column."""
    left, right = args
    if len(node.args[0].shape) == 1:
        left = xp.expand_dims(left, axis=-2)
    if len(node.args[1].shape) == 1:
        right = xp.expand_dims(right, axis=-1)
    return left, right


def _matmul(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    left, right = _as_matrices(xp, node, args)
    product = xp.matmul(left, right)
    return xp.reshape(product, (*product.shape[:-2], *node.shape))


def _matmul_vjp(node: Numeric, args: Sequence[Floats], out: Floats, g: Floats) -> list[Floats]:
    left, right = _as_matrices(np, node, args)
    batch = batch_of(g, len(node.shape))
    g = g.reshape(*batch, left.shape[-2], right.shape[-1])
    grads = (g @ swap(np, right), swap(np, left) @ g)
    return [grad.reshape(*batch, *n.shape) for grad, n in zip(grads, node.args, strict=True)]


def _outer(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    return xp.expand_dims(args[0], axis=-1) * xp.expand_dims(args[1], axis=-2)


def _kron_pair(xp: Namespace, node: Numeric, args: Sequence[Array]) -> tuple[Array, Array]:
    """Operands [a₁, 1, a₂, 1 …] and [1, b₁, 1, b₂ …]: their product, reshaped, is the Kronecker product."""
    rank = len(node.shape)
    pair: list[Array] = []
    for i, (x, n) in enumerate(zip(args, node.args, strict=True)):
        batch = batch_of(x, len(n.shape))
        own = (*(1,) * (rank - len(n.shape)), *n.shape)
        woven = [size for axis in own for size in ((axis, 1) if i == 0 else (1, axis))]
        pair.append(xp.reshape(x, (*batch, *woven)))
    return pair[0], pair[1]


def _kron(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    left, right = _kron_pair(xp, node, args)
    product = left * right
    return xp.reshape(product, (*batch_of(product, 2 * len(node.shape)), *node.shape))


def _kron_vjp(node: Numeric, args: Sequence[Floats], out: Floats, g: Floats) -> list[Floats]:
    left, right = _kron_pair(np, node, args)
    rank, batch = len(node.shape), batch_of(g, len(node.shape))
    core = np.broadcast_shapes(left.shape[left.ndim - 2 * rank :], right.shape[right.ndim - 2 * rank :])
    g = g.reshape(*batch, *core)
    grads = (
        (g * right).sum(axis=tuple(range(-2 * rank + 1, 0, 2))),
        (g * left).sum(axis=tuple(range(-2 * rank, 0, 2))),
    )
    return [grad.reshape(*batch, *n.shape) for grad, n in zip(grads, node.args, strict=True)]


def _shifts(rows: int, columns: int, size: int) -> tuple[NDArray[np.intp], Floats]:
    """Where x[i − j] is, for i < rows and j < columns, and whether it is within [0, size)."""
    index = np.arange(rows)[:, None] - np.arange(columns)[None, :]
    inside = (index >= 0) & (index < size)
    return np.where(inside, index, 0).reshape(-1), inside.astype(float)


def _toeplitz(xp: Namespace, x: Array, columns: int) -> Array:
    """The matrix T of the convolution with ``x``: T @ y = x * y for y of size ``columns``."""
    rows = x.shape[-1] + columns - 1
    index, inside = _shifts(rows, columns, x.shape[-1])
    entries = xp.take(x, xp.asarray(index, device=x.device), axis=-1)
    return xp.reshape(entries, (*x.shape[:-1], rows, columns)) * constant(xp, inside, x)


def _convolve(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    product = xp.matmul(_toeplitz(xp, args[0], args[1].shape[-1]), xp.expand_dims(args[1], axis=-1))
    return xp.reshape(product, product.shape[:-1])


def _convolve_vjp(node: Numeric, args: Sequence[Floats], out: Floats, g: Floats) -> list[Floats]:
    others = (args[1], args[0])
    return [
        np.matmul(swap(np, _toeplitz(np, other, n.shape[0])), g[..., None])[..., 0]
        for other, n in zip(others, node.args, strict=True)
    ]


def _outer_vjp(node: Numeric, args: Sequence[Floats], out: Floats, g: Floats) -> list[Floats]:
    return [(g * args[1][..., None, :]).sum(axis=-1), (g * args[0][..., None]).sum(axis=-2)]


PRODUCTS: dict[str, Rule] = {
    "matmul": Rule(_matmul, _matmul_vjp, (2, 2)),
    "outer": Rule(_outer, _outer_vjp, (2, 2)),
    "kron": Rule(_kron, _kron_vjp, (2, 2)),
    "convolve": Rule(_convolve, _convolve_vjp, (2, 2)),
}
