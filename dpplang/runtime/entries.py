"""Products with a batch of sparse matrices of one pattern, given by their entries in CSC order."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.solvers.protocol import Pattern


class Entries:
    """Prepared for one pattern; entries are ``[1 or B, nnz]``, vectors ``[B, …]``."""

    def __init__(self, pattern: Pattern) -> None:
        self._rows, self._columns = pattern.indices.astype(np.intp), pattern.columns
        entries = np.arange(self._rows.size)
        one = np.ones(self._rows.size)
        self._to_rows = sp.csr_array((one, (self._rows, entries)), shape=(pattern.shape[0], entries.size))
        self._to_columns = sp.csr_array((one, (self._columns, entries)), shape=(pattern.shape[1], entries.size))
        self._strict = (self._rows != self._columns).astype(np.float64)

    def times(self, entries: Array, vector: Array) -> Array:
        """M vector, ``[B, rows]``."""
        return (self._to_rows @ (entries * vector[:, self._columns]).T).T

    def transposed_times(self, entries: Array, vector: Array, strict: bool = False) -> Array:
        """Mᵀ vector, ``[B, columns]``; with ``strict`` without M's diagonal."""
        products = entries * vector[:, self._rows]
        return (self._to_columns @ (products * self._strict if strict else products).T).T

    def symmetric_times(self, entries: Array, vector: Array) -> Array:
        """(M + strict upper triangle of M, transposed) vector, for a symmetric matrix given by its upper triangle M."""
        return self.times(entries, vector) + self.transposed_times(entries, vector, strict=True)
