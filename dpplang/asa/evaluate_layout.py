"""Operations that only move entries, and the sums over diagonals.

Each entry of a placement's result is a copy of one operand entry or zero, so its reverse pass needs no rule of its own:
applied to the numbers 1, 2, 3 … of the operands' entries, it says where each entry of the result came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from dpplang.asa.evaluate_rule import (
    Array,
    Floats,
    Forward,
    Namespace,
    Rule,
    batch_of,
    constant,
    integer,
    lift,
    swap,
)
from dpplang.asa.numeric import Numeric


def _placement(forward: Forward, arity: tuple[int, int | None] = (1, 1)) -> Rule:
    def vjp(node: Numeric, args: Sequence[Floats], out: Floats, g: Floats) -> list[Floats]:
        sizes = [prod(a.shape) for a in node.args]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        labels: list[Floats] = [
            (start + 1.0 + np.arange(size)).reshape(a.shape)
            for a, start, size in zip(node.args, starts, sizes, strict=False)
        ]
        source = np.asarray(forward(np, node, labels)).astype(np.intp).reshape(-1)
        batch = batch_of(g, len(node.shape))
        total = np.zeros((starts[-1] + 1, prod(batch)))
        np.add.at(total, source, g.reshape(prod(batch), prod(node.shape)).T)
        return [
            total[start + 1 : start + size + 1].T.reshape((*batch, *a.shape))
            for a, start, size in zip(node.args, starts, sizes, strict=False)
        ]

    return Rule(forward, vjp, arity)


def _with_batch(xp: Namespace, node: Numeric, args: Sequence[Array], rank: int) -> list[Array]:
    """Operands with at least ``rank`` axes (new ones of size 1 in front) and one common batch."""
    ranks = [len(n.shape) for n in node.args]
    batch = np.broadcast_shapes(*(batch_of(a, r) for a, r in zip(args, ranks, strict=True)))
    raised = [lift(xp, a, r, max(r, rank), front=True) for a, r in zip(args, ranks, strict=True)]
    return [xp.broadcast_to(a, (*batch, *a.shape[a.ndim - max(r, rank) :])) for a, r in zip(raised, ranks, strict=True)]


def _hstack(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    parts = _with_batch(xp, node, args, 1)
    rank = max(len(node.shape), 1)
    return xp.concat(parts, axis=-1 if rank == 1 else 1 - rank)


def _vstack(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    return xp.concat(_with_batch(xp, node, args, 2), axis=-max(len(node.shape), 2))


def _stack(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    return xp.stack(_with_batch(xp, node, args, 0), axis=-len(node.shape))


def _reshape(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    return xp.reshape(args[0], (*batch_of(args[0], len(node.args[0].shape)), *node.shape))


def _spread(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    rank = len(node.args[0].shape)
    raised = lift(xp, args[0], rank, len(node.shape))
    return xp.broadcast_to(raised, (*batch_of(args[0], rank), *node.shape))


def _transpose(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    rank = len(node.shape)
    if rank < 2:
        return args[0]
    if rank == 2:
        return swap(xp, args[0])
    ahead = args[0].ndim - rank
    return xp.permute_dims(args[0], (*range(ahead), *reversed(range(ahead, args[0].ndim))))


def _diag(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    x = args[0]
    if len(node.args[0].shape) == 2:
        return xp.linalg.diagonal(x)
    return xp.expand_dims(x, axis=-2) * constant(xp, np.eye(x.shape[-1]), x)


def _upper_tri(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    order, columns = node.args[0].shape
    row, column = np.triu_indices(order, 1, columns)
    flat = xp.reshape(args[0], (*batch_of(args[0], 2), order * columns))
    where = xp.asarray(row * columns + column, device=flat.device)
    return xp.take(flat, where, axis=-1)


def _take(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    items = node.option("items", ())
    assert isinstance(items, tuple)
    index = [slice(int(i[0]), int(i[1])) if isinstance(i, tuple) else int(i) for i in items]  # type: ignore[arg-type]
    rest = len(node.args[0].shape) - len(index)
    return args[0][(..., *index, *(slice(None),) * rest)]


def _blocks(node: Numeric) -> tuple[tuple[int, int, int], int]:
    """Sizes (before, of, behind) the factor a partial operation is about, and the static rank of its operand."""
    dims = node.option("dims", ())
    assert isinstance(dims, tuple)
    sizes = [int(d) for d in dims]  # type: ignore[arg-type]
    axis = integer(node, "axis")
    return (prod(sizes[:axis]), sizes[axis], prod(sizes[axis + 1 :])), len(node.args[0].shape)


def _partial_transpose(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    sizes, rank = _blocks(node)
    batch = batch_of(args[0], rank)
    x = xp.reshape(args[0], (*batch, *sizes, *sizes))
    k = len(batch)
    x = xp.permute_dims(x, (*range(k), k, k + 4, k + 2, k + 3, k + 1, k + 5))
    return xp.reshape(x, (*batch, *node.shape))


def _partial_trace(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    sizes, rank = _blocks(node)
    batch = batch_of(args[0], rank)
    x = xp.reshape(args[0], (*batch, *sizes, *sizes))
    k = len(batch)
    x = xp.permute_dims(x, (*range(k), k, k + 2, k + 3, k + 5, k + 1, k + 4))
    return xp.reshape(xp.linalg.trace(x), (*batch, *node.shape))


def _partial_trace_vjp(node: Numeric, args: Sequence[Floats], out: Floats, g: Floats) -> list[Floats]:
    (before, own, behind), rank = _blocks(node)
    batch = batch_of(g, len(node.shape))
    blocks = g.reshape(*batch, before, 1, behind, before, 1, behind)
    grad = blocks * np.eye(own)[:, None, None, :, None]
    return [grad.reshape(*batch, *node.args[0].shape[-rank:])]


LAYOUT: dict[str, Rule] = {
    "transpose": _placement(_transpose),
    "diag": _placement(_diag),
    "trace": Rule(
        lambda xp, node, args: xp.linalg.trace(args[0]),
        lambda node, args, out, g: [g[..., None, None] * np.eye(node.args[0].shape[-1])],
    ),
    "hstack": _placement(_hstack, (1, None)),
    "vstack": _placement(_vstack, (1, None)),
    "stack": _placement(_stack, (1, None)),
    "reshape": _placement(_reshape),
    "spread": _placement(_spread),
    "upper_tri": _placement(_upper_tri),
    "take": _placement(_take),
    "partial_transpose": _placement(_partial_transpose),
    "partial_trace": Rule(_partial_trace, _partial_trace_vjp),
}
