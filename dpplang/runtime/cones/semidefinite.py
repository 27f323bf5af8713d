"""The cone of positive semidefinite matrices, as svec (:mod:`dpplang.asa.cones`), its own dual.

With V = Q diag(λ) Qᵀ, Π(V) = Q diag(λ₊) Qᵀ, and DΠ(V) acts on Qᵀ dV Q entry by entry: it keeps (i, j) where λᵢ, λⱼ > 0,
drops it where both are ≤ 0, and scales it by λ₊/(λ₊ + λ₋) where the signs differ
(Malick, Sendov 2006, "Clarke generalized Jacobian of the projection onto the cone of positive semidefinite matrices").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dpplang.asa.cones import svec, svec_indices, unsvec
from dpplang.runtime.cones.cone import Array, Spectrum


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


def _pairs(vectors: Array, i: np.ndarray, j: np.ndarray) -> Array:
    """Columns svec(½(qᵢqⱼᵀ + qⱼqᵢᵀ)) scaled to unit length: an orthonormal ``[..., k, k]``, k = order(order + 1)/2."""
    left, right = vectors[..., :, i], vectors[..., :, j]
    rows = left[..., i, :] * right[..., j, :] + left[..., j, :] * right[..., i, :]
    # Factor √2 for off-diagonal svec rows, 1/√2 for pairs of different vectors, ½ of the symmetrization.
    off = np.sqrt(2.0)
    return 0.5 * rows * np.where(i == j, 1.0, off)[:, None] * np.where(i == j, 1.0, off)[None, :]
