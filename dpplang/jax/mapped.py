"""How operands are laid out when ``vmap`` adds a dim: in front of the batch dims, which are aligned behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from dpplang.jax.call import Call, Shape

Dims = Sequence[int | None]


def map_values(call: Call, values: Sequence[Any], dims: Dims, moving: Sequence[int]) -> tuple[list[Any], int]:
    """Values with the mapped dim in front of their batch dims, and the number of those without it.

    Args:
        moving: places of values that get a mapped dim even if they are the same in each call.
    """
    count = count_of(values, dims)
    rank = len(call.batch([own_shape(v, d) for v, d in zip(values, dims, strict=True)]))
    mapped = [
        v if d is None and k not in moving else padded(with_dim(v, d, 0, count), 0, rank + len(call.own(k)))
        for k, (v, d) in enumerate(zip(values, dims, strict=True))
    ]
    return mapped, rank


def count_of(operands: Sequence[Any], dims: Dims) -> int:
    """The size of the mapped dim."""
    return next(o.shape[d] for o, d in zip(operands, dims, strict=True) if d is not None)


def own_shape(value: Any, dim: int | None) -> Shape:
    """The shape without the mapped dim."""
    shape = tuple(value.shape)
    return shape if dim is None else (*shape[:dim], *shape[dim + 1 :])


def with_dim(array: Any, dim: int | None, place: int, count: int) -> Any:
    """The mapped dim moved to a place, made there if there is none."""
    if dim is not None:
        return jnp.moveaxis(array, dim, place)
    shape = array.shape
    return jnp.broadcast_to(jnp.expand_dims(array, place), (*shape[:place], count, *shape[place:]))


def padded(array: Any, place: int, rank: int) -> Any:
    """Dims of 1 behind the one at ``place``, so that ``rank`` follow it."""
    shape = array.shape
    return array.reshape((*shape[: place + 1], *(1,) * (rank + place + 1 - len(shape)), *shape[place + 1 :]))
