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

    def times(self, entries: Array, vector: Array) -> Array:
        """M vector, ``[B, rows]``."""
        return self._to_rows(entries * vector[:, self._columns])

    def transposed_times(self, entries: Array, vector: Array, strict: bool = False) -> Array:
        """Mᵀ vector, ``[B, columns]``; with ``strict`` without M's diagonal."""
        products = entries * vector[:, self._rows]
        return self._to_columns(products * self._strict if strict else products)

    def symmetric_times(self, entries: Array, vector: Array) -> Array:
        """(M + strict upper triangle of M, transposed) vector, for a symmetric matrix given by its upper triangle M."""
        return self.times(entries, vector) + self.transposed_times(entries, vector, strict=True)
