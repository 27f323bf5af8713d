"""The optimality system of a strictly convex quadratic program, reduced to its inequalities.

With P = LLᵀ, V = L⁻¹A_eᵀ for the equalities and W = L⁻¹A_iᵀ for the inequalities, and V = QR (by Cholesky of VᵀV),

    P r + A_eᵀ t_e + A_iᵀ t = g,      A_e r = h_e

is solved, for any t, by r = L⁻ᵀ(ρ − W̃t) with W̃ = (I − QQᵀ)W and ρ = (I − QQᵀ)L⁻¹g + QR⁻ᵀh_e, so that

    A_i r = Wᵀρ − K t,    K = W̃ᵀW̃.

The problem itself is the same system with g = −q, h = b: its slacks s = b_i − A_i u are d + K t with d = b_i − Wᵀρ, and
optimality is the complementarity t ≥ 0, s ≥ 0, tᵀs = 0: t are the multipliers of  minimize ½‖v‖² subject to W̃ᵀv ≤ d
(Goldfarb, Idnani 1983).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.batched import times, transposed_times
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.quadratic.triangular import invert_lower

_SINGULAR = 1e-13  # share of the largest pivot² below which a Cholesky factor counts as singular


@dataclass(frozen=True, eq=False)
class RangeSpace:
    """Factors, each with leading extent 1 where the batch shares P and A, else B.

    Attributes:
        inverse: L⁻¹ ``[1|B, n, n]``, or its diagonal ``[1|B, n]`` where P is diagonal.
        basis: Q ``[1|B, n, p]``; R⁻¹ ``[1|B, p, p]``; both None without equalities.
        rows, projected: Wᵀ and W̃ᵀ ``[1|B, m, n]``.
    """

    inverse: Array
    basis: Array | None
    R_inverse: Array | None
    rows: Array
    projected: Array

    @cached_property
    def K(self) -> Array:
        """``[1|B, m, m]``"""
        return self.projected @ np.swapaxes(self.projected, 1, 2)

    @cached_property
    def separable(self) -> Array | None:
        """The diagonal ``[m]`` of a shared K with nothing beside it (bounds with a diagonal P), or None."""
        shared = self.projected[0]
        if self.projected.shape[0] > 1 or (np.count_nonzero(shared, axis=0) > 1).any():
            return None
        diagonal = np.sum(shared * shared, axis=1)
        return diagonal if (diagonal > 0).all() else None

    def __getitem__(self, kept: NDArray[np.intp]) -> RangeSpace:
        """The factors of some elements of the batch; shared ones stay."""
        arrays = self.inverse, self.basis, self.R_inverse, self.rows, self.projected
        inverse, basis, R_inverse, rows, projected = (a if a is None or a.shape[0] == 1 else a[kept] for a in arrays)
        assert inverse is not None and rows is not None and projected is not None
        return RangeSpace(inverse, basis, R_inverse, rows, projected)

    def start(self, g: Array, h_e: Array) -> tuple[Array, Array, Array | None]:
        """(L⁻¹g, ρ ``[B, n]``, R⁻ᵀh_e) for the right-hand side of the system."""
        alpha = self.inverse * g if self.inverse.ndim == 2 else times(self.inverse, g)
        if self.basis is None or self.R_inverse is None:
            return alpha, alpha, None
        c = transposed_times(self.R_inverse, h_e)
        return alpha, alpha + times(self.basis, c - transposed_times(self.basis, alpha)), c

    def finish(self, alpha: Array, rho: Array, c: Array | None, t: Array) -> tuple[Array, Array | None]:
        """(r ``[B, n]``, t_e ``[B, p]``) once t ``[B, m]`` is known."""
        rest = rho - transposed_times(self.projected, t)
        r = self.inverse * rest if self.inverse.ndim == 2 else transposed_times(self.inverse, rest)
        if self.basis is None or self.R_inverse is None or c is None:
            return r, None
        along = transposed_times(self.basis, alpha - transposed_times(self.rows, t)) - c
        return r, times(self.R_inverse, along)


def factorize(P: Array, At: Array, equalities: int) -> RangeSpace | None:
    """Factors of a batch.

    Args:
        P: ``[b, n, n]``, or its diagonal ``[b, n]``. At: Aᵀ ``[b', n, rows]``, the equalities first; b, b' in {1, B}.

    Returns:
        None if some P is not positive definite, or some equalities depend on each other, to working precision.
    """
    with np.errstate(all="ignore"):
        inverse = _inverse_factor(P)
        if inverse is None:
            return None
        A = np.swapaxes(At, 1, 2)
        whole = A * inverse[:, None, :] if inverse.ndim == 2 else A @ np.swapaxes(inverse, 1, 2)
        if not equalities:
            return RangeSpace(inverse, None, None, whole, whole)
        V, rows = whole[:, :equalities], whole[:, equalities:]
        R_inverse = _inverse_factor(V @ np.swapaxes(V, 1, 2))
        if R_inverse is None:
            return None
        orthonormal = R_inverse @ V
        basis, R_inverse = np.swapaxes(orthonormal, 1, 2), np.swapaxes(R_inverse, 1, 2)
        projected = rows - (rows @ basis) @ orthonormal
        # Once more: what is left of the basis in it is then rounding error, whatever cancelled.
        projected -= (projected @ basis) @ orthonormal
        return RangeSpace(inverse, basis, R_inverse, rows, projected)


def _inverse_factor(matrices: Array) -> Array | None:
    """L⁻¹ of positive definite ``[b, n, n]`` (or diagonals ``[b, n]``), None if any is not."""
    if matrices.ndim == 2:
        largest = matrices.max(axis=1, initial=0.0)
        if not (matrices > _SINGULAR * largest[:, None]).all():
            return None
        return 1 / np.sqrt(matrices)
    try:
        factors: Array = np.asarray(np.linalg.cholesky(matrices), np.float64)
    except np.linalg.LinAlgError:
        return None
    pivots = np.diagonal(factors, axis1=1, axis2=2) ** 2
    if not (pivots > _SINGULAR * pivots.max(axis=1, initial=0.0)[:, None]).all():
        return None
    return invert_lower(factors)
