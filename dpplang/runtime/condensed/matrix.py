"""Sparse matrices of one pattern, batch-last: one that the batch shares, or one per element."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from dpplang.runtime.condensed.layout import Layout
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.solvers.protocol import Pattern

Ints = NDArray[np.intp]


class Matrix:
    """Matrices of one pattern: one that the batch shares, or one per element."""

    def __init__(self, pattern: Pattern, values: Array, layout: Layout | None = None) -> None:
        """``values`` ``[1 or B, nnz]``. ``layout``: where rows go; without one the pattern is the upper triangle of a
        symmetric matrix."""
        row, column, shape = pattern.indices.astype(np.intp), pattern.columns, pattern.shape
        values = values.T
        if layout is not None:
            row, shape = layout.at[row], (layout.rows, shape[1])
        else:
            off = row != column
            row, column = np.concatenate((row, column[off])), np.concatenate((column, row[off]))
            values = np.concatenate((values, values[off]))
        self._row, self._column, self._values, self._shape = row, column, values, shape
        self._shared = values.shape[1] == 1
        flat = values[:, 0] if self._shared else np.ones(row.size)
        at = np.arange(row.size)
        if self._shared:
            self._forward = sp.csr_array((flat, (row, column)), shape=shape)
            self._backward = sp.csr_array((flat, (column, row)), shape=shape[::-1])
        else:
            self._forward = sp.csr_array((flat, (row, at)), shape=(shape[0], row.size))
            self._backward = sp.csr_array((flat, (column, at)), shape=(shape[1], row.size))

    def times(self, x: Array) -> Array:
        if not self._row.size:
            return np.zeros((self._shape[0], x.shape[1]))
        return self._forward @ (x if self._shared else self._values * x[self._column])

    def transposed_times(self, y: Array) -> Array:
        if not self._row.size:
            return np.zeros((self._shape[1], y.shape[1]))
        return self._backward @ (y if self._shared else self._values * y[self._row])

    def largest_in_rows(self) -> Array:
        """Over the batch, ``[rows]``."""
        out = np.zeros(self._shape[0])
        np.maximum.at(out, self._row, np.abs(self._values).max(axis=1))
        return out

    def select(self, elements: Ints) -> Matrix:
        if self._shared:
            return self
        some = object.__new__(Matrix)
        some.__dict__.update(self.__dict__)
        some._values = np.ascontiguousarray(self._values[:, elements])
        return some


def largest(v: Array) -> Array:
    """Of each element, ``[k, B]`` → ``[B]``."""
    return np.abs(v).max(axis=0, initial=0.0)
