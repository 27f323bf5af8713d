"""Positions in flat arrays, as what they often are: a run, or a grid with two strides. Reading and writing those is a
strided copy, or none at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Positions: TypeAlias = NDArray[np.intp]
Index: TypeAlias = "slice | NDArray[np.intp]"


@dataclass(frozen=True, slots=True)
class Grid:
    """Positions ``start + i·outer + j·inner``, i < count, j < length, in row-major order."""

    start: int
    outer: int
    inner: int
    count: int
    length: int

    @property
    def size(self) -> int:
        return self.count * self.length

    def view(self, values: Array) -> Array:
        """``[B, count, length]``, a view of values ``[B, size]``."""
        ahead, step = values.strides
        inside = values[:, self.start :]
        shape, strides = (values.shape[0], self.count, self.length), (ahead, self.outer * step, self.inner * step)
        return as_strided(inside, shape, strides)

    @property
    def is_run(self) -> bool:
        """Whether it is 0, 1, 2 …"""
        return self.start == 0 and self.inner == 1 and (self.count == 1 or self.outer == self.length)

    @staticmethod
    def together(*lists: Positions) -> tuple[Grid, ...] | None:
        """Lists of positions, equally long, as grids of the same extents, None if they are none."""
        length = min(map(_run, lists))
        if not length or lists[0].size % length:
            return None
        grids = [grid for positions in lists if (grid := _grid(positions, length)) is not None]
        return tuple(grids) if len(grids) == len(lists) else None


def _grid(positions: Positions, length: int) -> Grid | None:
    table = positions.reshape(-1, length)
    start, count = int(table[0, 0]), table.shape[0]
    inner = int(table[0, 1]) - start if length > 1 else 1
    outer = int(table[1, 0]) - start if count > 1 else 1
    expected = start + outer * np.arange(count)[:, None] + inner * np.arange(length)
    return Grid(start, outer, inner, count, length) if np.array_equal(table, expected) else None


def _run(positions: Positions) -> int:
    """How many from the first on have equal distances."""
    if positions.size < 3:
        return positions.size
    steps = positions[1:] - positions[:-1]
    breaks = np.flatnonzero(steps != steps[0])
    return int(breaks[0]) + 1 if breaks.size else positions.size


def positions(index: Index) -> Positions:
    return np.arange(index.start, index.stop) if isinstance(index, slice) else index


def compact(index: Positions) -> Index:
    """A slice where the index is a run, so that reading through it copies nothing."""
    if index.size:
        first, last = int(index[0]), int(index[-1])
        if last - first == index.size - 1 and np.array_equal(index, np.arange(first, last + 1)):
            return slice(first, last + 1)
    return index.astype(np.intp, copy=False)


def take(values: Array, index: Index) -> Array:
    """``[B, len]``: the entries at these positions, a view where they are a run."""
    return values[:, index] if isinstance(index, slice) else values.take(index, axis=1, mode="clip")
