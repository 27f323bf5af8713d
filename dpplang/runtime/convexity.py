"""Is the quadratic part of an objective convex at these parameters? Solvers answer garbage, silently, if it is not."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.solvers.protocol import Pattern
from dpplang.runtime.threads import split

ROUNDING = 1e-6
"""An eigenvalue above −ROUNDING · max|P| counts as rounding: a Gram matrix of single-precision data can have one."""

_DENSE = 600


class ConvexityTest:
    """Prepared for the pattern of P (upper triangle); rows without entries are left out."""

    def __init__(self, pattern: Pattern) -> None:
        rows, columns = pattern.indices, pattern.columns
        used = np.unique(np.concatenate((rows, columns)))
        self._rows, self._columns = np.searchsorted(used, rows), np.searchsorted(used, columns)
        self._order = used.size
        self._diagonal = bool(np.array_equal(rows, columns))

    def negative(self, values: Array) -> dict[int, float]:
        """Elements of a batch ``[B, nnz]`` whose P is indefinite, with (an upper bound of) its smallest eigenvalue."""
        if values.size == 0:
            return {}
        floor = -ROUNDING * np.abs(values).max(axis=1)
        if self._diagonal:
            least = values.min(axis=1)
            return {int(i): float(least[i]) for i in np.flatnonzero(least < floor)}
        if self._order > _DENSE:
            return {
                i: e
                for i, (v, f) in enumerate(zip(values, floor, strict=True))
                if (e := self._sparse(v, f)) is not None
            }
        matrices = self._dense(values)
        shifted = matrices - floor[:, None, None] * np.eye(self._order)
        try:
            split(lambda part: np.linalg.cholesky(shifted[part]), len(shifted), self._order**3 / 3)
            return {}
        except np.linalg.LinAlgError:
            least = np.linalg.eigvalsh(matrices)[:, 0]
            return {int(i): float(least[i]) for i in np.flatnonzero(least < floor)}

    def _dense(self, values: Array) -> Array:
        matrices = np.zeros((values.shape[0], self._order, self._order))
        matrices[:, self._rows, self._columns] = values
        matrices[:, self._columns, self._rows] = values
        return matrices

    def _sparse(self, values: Array, floor: float) -> float | None:
        """Pivots of P + shift·I, eliminated along the diagonal, have the signs of its eigenvalues (Sylvester)."""
        shape = (self._order, self._order)
        upper = sp.csc_matrix((values, (self._rows, self._columns)), shape=shape)
        shifted = sp.csc_matrix(upper + sp.triu(upper, 1).T - floor * sp.eye_array(self._order))
        try:
            factors = spla.splu(
                shifted, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
            )
        except RuntimeError:  # a pivot that is exactly zero
            return floor
        least = float(factors.U.diagonal().min())
        on_diagonal = np.array_equal(factors.perm_r, factors.perm_c)
        return None if on_diagonal and least > 0 else min(least, floor)
