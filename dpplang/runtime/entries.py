"""Products with a batch of sparse matrices of one pattern, given by their entries in CSC order."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.solvers.protocol import Pattern

_DENSE = 1 << 14  # entries of an incidence matrix up to which a dense product costs less than the call of a sparse one


class _Sums:
    """Sums of the entries ``[B, nnz]`` that have the same target, ``[B, size]``."""

    def __init__(self, targets: NDArray[np.intp], size: int) -> None:
        at = np.arange(targets.size)
        self._sparse = sp.csr_array((np.ones(targets.size), (targets, at)), shape=(size, targets.size))
        self._dense = self._sparse.toarray().T.copy() if size * targets.size <= _DENSE else None

    def __call__(self, products: Array) -> Array:
        if self._dense is not None:
            return products @ self._dense
        return (self._sparse @ products.T).T


class Entries:
    """Prepared for one pattern; entries are ``[1 or B, nnz]``, vectors ``[B, …]``."""

    def __init__(self, pattern: Pattern) -> None:
        self._rows, self._columns = pattern.indices.astype(np.intp), pattern.columns
        self._to_rows = _Sums(self._rows, pattern.shape[0])
        self._to_columns = _Sums(self._columns, pattern.shape[1])
        self._strict = (self._rows != self._columns).astype(np.float64)

        self._shape = pattern.shape
        self._known: tuple[Array, Array] | None = None
        self._symmetric: tuple[Array, Array] | None = None

    def times(self, entries: Array, vector: Array) -> Array:
        """M vector, ``[B, rows]``."""
        if not self._rows.size:
            return np.zeros((vector.shape[0], self._shape[0]))
        if (dense := self._dense(entries)) is not None:
            return vector @ dense.T
        return self._to_rows(entries * vector[:, self._columns])

    def transposed_times(self, entries: Array, vector: Array, strict: bool = False) -> Array:
        """Mᵀ vector, ``[B, columns]``; with ``strict`` without M's diagonal."""
        if not self._rows.size:
            return np.zeros((vector.shape[0], self._shape[1]))
        if not strict and (dense := self._dense(entries)) is not None:
            return vector @ dense
        products = entries * vector[:, self._rows]
        return self._to_columns(products * self._strict if strict else products)

    def symmetric_times(self, entries: Array, vector: Array) -> Array:
        """(M + strict upper triangle of M, transposed) vector, for a symmetric matrix given by its upper triangle M."""
        if not self._rows.size:
            return np.zeros((vector.shape[0], self._shape[0]))
        if (upper := self._dense(entries)) is not None:
            known = self._symmetric
            if known is None or known[0] is not upper:
                known = self._symmetric = upper, upper + np.triu(upper, 1).T
            return vector @ known[1]
        return self.times(entries, vector) + self.transposed_times(entries, vector, strict=True)

    def _dense(self, entries: Array) -> Array | None:
        """A small matrix that the batch shares, made once for all products with the same array, which nobody changes;
        None for others."""
        known = self._known
        if known is not None and known[0] is entries:
            return known[1]
        rows, columns = self._shape
        if entries.shape[0] != 1 or rows * columns > _DENSE:
            return None
        matrix = np.zeros(self._shape)
        matrix[self._rows, self._columns] = entries[0]
        self._known = entries, matrix
        return matrix
