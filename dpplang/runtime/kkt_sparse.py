"""One sparse symmetric system Kz = g, K = [P Aᵀ; A −D] with P, D ⪰ 0: factorized or, where singular, least squares."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.kkt_factor import SINGULAR, Factor, probe_of
from dpplang.runtime.warn import warn_stopped_short

_NUDGE = 1e-13  # of every diagonal entry, relative to the largest entry of its row: the least that keeps pivots from 0
_DELTA = 1e-8  # of the regularization of a singular system, relative to its largest entry
_ENOUGH, _REFINEMENTS = 1e-9, 4  # a step of refinement so small, relative to the solution, is the last
_LSMR, _LSMR_LIMIT = 1e-13, 20  # tolerance of least squares by iteration, and iterations per unknown


def factorize_sparse(matrix: sp.csc_matrix, positive: int, any_solution: bool = False) -> Factor:
    """Factorize one sparse matrix.

    Args:
        positive: the order of P. any_solution: where any solution of a consistent system will do, a singular matrix is
            regularized, which costs a fraction of its least-norm solution.
    """
    order = matrix.indptr.size - 1
    magnitude = abs(matrix)
    sizes = magnitude.max(axis=1).toarray().reshape(-1)
    try:
        factors = _quasidefinite(matrix, positive, _NUDGE * np.where(sizes > 0, sizes, 1.0))
    except RuntimeError:  # not finite
        return _SparseLeastSquares(matrix)
    # Two steps of inverse iteration from a vector without structure: its growth is 1/σ of the smallest singular value.
    first = factors.solve(probe_of(order))
    second = factors.solve(first / np.abs(first).max(initial=1e-300))
    growth = np.abs(second).max(initial=0.0)
    if np.isfinite(growth) and growth * magnitude.sum(axis=0).max() * SINGULAR < 1:
        return _SparseTriangular(matrix, factors)
    return _regularized(matrix, positive) if any_solution else _SparseLeastSquares(matrix)


def _quasidefinite(matrix: sp.csc_matrix, positive: int, shift: Array) -> spla.SuperLU:
    """LU of K + diag(δ, −δ), which is quasidefinite and hence regular in any order of pivots (Vanderbei 1995).

    SuperLU must never meet a pivot that is exactly zero: it goes on behind it and writes where it should not, which
    ends some of the time in a crash of the process.
    """
    signed = shift.copy()
    signed[positive:] *= -1
    return spla.splu(sp.csc_matrix(matrix + sp.diags_array(signed)), permc_spec="COLAMD")


def _regularized(matrix: sp.csc_matrix, positive: int) -> Factor:
    """The refinement step that follows every solve, against K itself, takes δ out of the part that K determines."""
    delta = _DELTA * max(abs(matrix).max(), 1.0)
    try:
        factors = _quasidefinite(matrix, positive, np.full(matrix.indptr.size - 1, delta))
    except RuntimeError:  # K itself is so badly scaled that δ drowns
        return _SparseLeastSquares(matrix, aloud=False)
    return _SparseTriangular(matrix, factors)


class _SparseTriangular:
    """Sparse LU factors of nearly the matrix; refinement against the matrix itself makes up for what they leave out."""

    singular = np.zeros(1, dtype=bool)

    def __init__(self, matrix: sp.csc_matrix, factors: spla.SuperLU) -> None:
        self._matrix, self._factors = matrix, factors

    def times(self, vector: Array) -> Array:
        return np.zeros_like(vector)

    def solve(self, rhs: Array) -> Array:
        z = self._factors.solve(rhs[0])
        for _ in range(_REFINEMENTS):
            step = self._factors.solve(rhs[0] - self._matrix @ z)
            z += step
            if not np.abs(step).max(initial=0.0) > _ENOUGH * np.abs(z).max(initial=0.0):
                break
        return z[None]


class _SparseLeastSquares:
    """The solution of least norm by LSMR (Fong, Saunders 2011)."""

    singular = np.ones(1, dtype=bool)

    def __init__(self, matrix: sp.csc_matrix, aloud: bool = True) -> None:
        """``aloud``: whether a solve that stops short is worth a warning; where it is only a try, it is not."""
        self._matrix, self._aloud = matrix, aloud

    def times(self, vector: Array) -> Array:
        return (self._matrix @ vector[0])[None]

    def solve(self, rhs: Array) -> Array:
        size = np.abs(rhs[0]).max(initial=0.0)
        if size == 0:
            return np.zeros_like(rhs)
        limit = _LSMR_LIMIT * rhs.shape[1]
        z, _, iterations, _, normal, *_ = spla.lsmr(
            self._matrix, rhs[0] / size, atol=_LSMR, btol=_LSMR, conlim=0, maxiter=limit
        )
        if iterations >= limit and self._aloud:
            left = rhs[0] / size - self._matrix @ z
            scale = abs(self._matrix).sum(axis=0).max() * np.linalg.norm(left)
            if normal > 1e3 * _LSMR * scale and np.linalg.norm(left) > 1e3 * _LSMR:
                warn_stopped_short(iterations, float(normal / scale))
        return size * z[None]
