"""Programs without rows: minimize ½ xᵀPx + qᵀx is one linear solve, Px = −q, or unbounded if that has no solution."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.kkt_sparse import factorize_sparse
from dpplang.runtime.solvers.protocol import Answer, Structure
from dpplang.runtime.status import Status

_DENSE = 500


class Unconstrained:
    """Takes the solution of least norm. Solutions are exact to rounding: there is nothing to set."""

    def __init__(self, structure: Structure) -> None:
        self._P = structure.P

    def solve(self, P: Array, q: Array, A: Array, b: Array) -> Answer:
        upper = self._P.matrix(P)
        matrix = sp.csc_matrix(upper + sp.triu(upper, 1).T)
        x = _least_squares(matrix, -q)
        residual = matrix @ x + q
        none = np.empty(0)
        if np.abs(residual).max(initial=0.0) > 1e-9 * np.abs(q).max(initial=0.0):
            # What least squares leaves of −q lies in the null space of P: a direction in which the objective falls
            # forever.
            return Answer(Status.UNBOUNDED, -residual, none, none, -np.inf)
        return Answer(Status.SOLVED, x, none, none, float(0.5 * q @ x))


def _least_squares(matrix: sp.csc_matrix, rhs: Array) -> Array:
    if not np.any(rhs):
        return np.zeros_like(rhs)
    if rhs.size <= _DENSE:
        return np.linalg.lstsq(matrix.toarray(), rhs, rcond=1e-12)[0]
    return factorize_sparse(matrix, rhs.size).solve(rhs[None])[0]
