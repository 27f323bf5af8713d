"""Derivatives of projections onto three-dimensional cones whose curved boundary is a family of rays.

Let ρ number the rays a(ρ) of the boundary, and n(ρ) be the outward normal there, so that ⟨a, n⟩ = ⟨a′, n⟩ = ⟨a, n′⟩ =
0. A point v = α·a(ρ) + β·n(ρ) with α, β > 0 projects onto α·a(ρ). With c = a × n normalized, differentiating both
along c gives

    DΠ(v) = â âᵀ + λ c cᵀ,    λ = α⟨c, a′⟩ / (α⟨c, a′⟩ + β⟨c, n′⟩),

which does not depend on how a and n are scaled at each ρ.
"""

from __future__ import annotations

import numpy as np

from dpplang.runtime.cones.cone import Array


def ray_spectrum(point: Array, ray: Array, ray_slope: Array, normal: Array, normal_slope: Array) -> tuple[Array, Array]:
    """Eigenvalues ``[N, 3]`` (1, 0, λ) and orthonormal eigenvectors ``[N, 3, 3]`` (a, n, c in columns) of DΠ.

    Args:
        point: v. ray, normal: a(ρ) and n(ρ) at the ray that v projects onto. ray_slope, normal_slope: their derivatives
            in ρ, in the same scaling up to multiples of a and n. All ``[N, 3]``.
    """
    a = ray / np.linalg.norm(ray, axis=-1, keepdims=True)
    n = normal / np.linalg.norm(normal, axis=-1, keepdims=True)
    c = np.cross(a, n)
    alpha = np.sum(point * a, axis=-1) / np.linalg.norm(ray, axis=-1)
    beta = np.sum(point * n, axis=-1) / np.linalg.norm(normal, axis=-1)
    along = np.abs(alpha * np.sum(c * ray_slope, axis=-1))
    across = np.abs(beta * np.sum(c * normal_slope, axis=-1))
    total = along + across
    values = np.zeros((*point.shape[:-1], 3))
    values[..., 0] = 1.0
    values[..., 2] = np.where(total > 0, along / np.where(total > 0, total, 1.0), 0.0)
    return values, np.stack((a, n, c), axis=-1)
