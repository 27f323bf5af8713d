"""Dense blocks of sparse matrices: some of their rows and columns, filled from the entries of a batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.data_map import Index, compact
from dpplang.runtime.solvers.protocol import Pattern

Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Prepared for one pattern.

    Attributes:
        shape: of the block. entries: positions among the matrix's entries.
        places: flat positions in the block; None if the block is full and they are in order.
        sign: what entries are multiplied by.
    """

    shape: tuple[int, int]
    entries: Index
    places: Ints | None
    sign: float

    @staticmethod
    def of(shape: tuple[int, int], entries: Ints, rows: Ints, columns: Ints, sign: float = 1.0) -> Block:
        places = rows * shape[1] + columns
        full = places.size == shape[0] * shape[1]
        if full and not np.array_equal(places, np.arange(places.size)):
            order = np.argsort(places, kind="stable")
            entries, places = entries[order], places[order]
        return Block(shape, compact(entries), None if full else places, sign)

    @property
    def some(self) -> bool:
        """Whether any entry stands in it."""
        return self.places is None or self.places.size > 0

    def fill(self, values: Array) -> Array:
        """``[b, nnz]`` → ``[b, *shape]``; a view of the values where they fill it as they stand."""
        batch = values.shape[0]
        taken = values[:, self.entries] if isinstance(self.entries, slice) else values.take(self.entries, axis=1)
        if self.sign != 1:
            taken = self.sign * taken
        if self.places is None:
            return taken.reshape(batch, *self.shape)
        out = np.zeros((batch, self.shape[0] * self.shape[1]))
        out[:, self.places] = taken
        return out.reshape(batch, *self.shape)


def block(matrix: Pattern, rows: Ints, columns: Ints, transposed: bool = False, sign: float = 1.0) -> Block:
    """The block of these rows and columns, or its transpose."""
    i, j = _places(rows, matrix.shape[0])[matrix.indices], _places(columns, matrix.shape[1])[matrix.columns]
    inside = np.flatnonzero((i >= 0) & (j >= 0))
    i, j, shape = i[inside], j[inside], (rows.size, columns.size)
    if transposed:
        i, j, shape = j, i, (shape[1], shape[0])
    return Block.of(shape, inside, i, j, sign)


def symmetric_block(upper: Pattern, kept: Ints) -> Block:
    """The block of a symmetric matrix, both triangles, from its upper triangle."""
    place = _places(kept, upper.shape[0])
    i, j = place[upper.indices], place[upper.columns]
    inside = np.flatnonzero((i >= 0) & (j >= 0))
    i, j = i[inside], j[inside]
    off = i != j
    entries = np.concatenate((inside, inside[off]))
    return Block.of((kept.size, kept.size), entries, np.concatenate((i, j[off])), np.concatenate((j, i[off])))


def _places(kept: Ints, size: int) -> Ints:
    """Position among ``kept``, −1 where absent."""
    out = np.full(size, -1)
    out[kept] = np.arange(kept.size)
    return out
