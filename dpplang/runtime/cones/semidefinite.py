"""The cone of positive semidefinite matrices, as svec (:mod:`dpplang.asa.cones`), its own dual.

With V = Q diag(λ) Qᵀ, Π(V) = Q diag(λ₊) Qᵀ, and DΠ(V) acts on Qᵀ dV Q entry by entry: it keeps (i, j) where λᵢ, λⱼ > 0,
drops it where both are ≤ 0, and scales it by λ₊/(λ₊ + λ₋) where the signs differ
(Malick, Sendov 2006, "Clarke generalized Jacobian of the projection onto the cone of positive semidefinite matrices").
D²Π(V)[A, B] is Σₖ f[λᵢ, λₖ, λⱼ] (AᵢₖBₖⱼ + BᵢₖAₖⱼ) in that basis, with second divided differences f of λ₊
(Bhatia 1997, "Matrix Analysis", V.3). They are zero where the three signs agree and else products of two of
1/(λᵢ − λₖ), λᵢ > 0 ≥ λₖ, and an eigenvalue, so that every block is a sum of matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dpplang.asa.cones import svec, svec_indices, unsvec
from dpplang.runtime.cones.cone import Array, Spectrum

_KINK = 1e-10  # eigenvalues of both signs that differ by less than this share of the largest count as 0


@dataclass(frozen=True, slots=True)
class Semidefinite:
    order: int

    def project(self, point: Array) -> Array:
        values, vectors = np.linalg.eigh(unsvec(point))
        return svec((vectors * np.maximum(values, 0.0)[..., None, :]) @ np.swapaxes(vectors, -1, -2))

    def spectrum(self, point: Array) -> Spectrum:
        values, vectors = np.linalg.eigh(unsvec(point))
        i, j = svec_indices(self.order)
        positive = np.maximum(values, 0.0)
        kept = positive[..., i] + positive[..., j]
        total = np.abs(values[..., i]) + np.abs(values[..., j])
        ratio = np.where(total > 0, kept / np.where(total > 0, total, 1.0), 0.0)
        return Spectrum(ratio, _pairs(vectors, i, j))

    def second(self, point: Array, one: Array, other: Array) -> Array:
        values, Q = np.linalg.eigh(unsvec(point))
        Qt = np.swapaxes(Q, -1, -2)
        A, B = Qt @ unsvec(one) @ Q, Qt @ unsvec(other) @ Q
        up, down = np.maximum(values, 0.0)[..., None, :], np.minimum(values, 0.0)[..., None, :]
        above = (values > 0)[..., :, None]
        below = np.swapaxes(~above, -1, -2)
        gap = values[..., :, None] - values[..., None, :]
        mixed = above & below & (gap > _KINK * np.abs(values).max(axis=-1, initial=0.0)[..., None, None])
        U = np.where(mixed, 1 / np.where(mixed, gap, 1.0), 0.0)
        UA, UB = U * A, U * B

        def both(left: Array, right: Array) -> Array:
            product = left @ right
            return product + np.swapaxes(product, -1, -2)

        positive = both(UA * -down, np.swapaxes(UB, -1, -2))
        negative = both(np.swapaxes(UA, -1, -2) * up, UB)
        same = above & np.swapaxes(above, -1, -2), below & np.swapaxes(below, -1, -2)
        from_above = np.where(same[0], A, 0.0) @ UB + np.where(same[0], B, 0.0) @ UA
        from_below = UA @ np.where(same[1], B, 0.0) + UB @ np.where(same[1], A, 0.0)
        across = U * (np.swapaxes(up, -1, -2) * from_below - from_above * down)
        return svec(Q @ (positive + negative + across + np.swapaxes(across, -1, -2)) @ Qt)


def _pairs(vectors: Array, i: np.ndarray, j: np.ndarray) -> Array:
    """Columns svec(½(qᵢqⱼᵀ + qⱼqᵢᵀ)) scaled to unit length: an orthonormal ``[..., k, k]``, k = order(order + 1)/2."""
    left, right = vectors[..., :, i], vectors[..., :, j]
    rows = left[..., i, :] * right[..., j, :] + left[..., j, :] * right[..., i, :]
    # Factor √2 for off-diagonal svec rows, 1/√2 for pairs of different vectors, ½ of the symmetrization.
    off = np.sqrt(2.0)
    return 0.5 * rows * np.where(i == j, 1.0, off)[:, None] * np.where(i == j, 1.0, off)[None, :]
