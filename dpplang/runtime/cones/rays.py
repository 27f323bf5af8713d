"""Derivatives of projections onto three-dimensional cones whose curved boundary is a family of rays.

Let ρ number the rays a(ρ) of the boundary, and n(ρ) be the outward normal there, so that ⟨a, n⟩ = ⟨a′, n⟩ = ⟨a, n′⟩ =
0. A point v = α·a(ρ) + β·n(ρ) with α, β > 0 projects onto α·a(ρ). With c = a × n normalized, differentiating both
along c gives

    DΠ(v) = â âᵀ + λ c cᵀ,    λ = α⟨c, a′⟩ / (α⟨c, a′⟩ + β⟨c, n′⟩),

which does not depend on how a and n are scaled at each ρ. The frame (â, c, n̂) turns by ω₁ = ⟨c, a′⟩/‖a‖ from c to â and
by ω₂ = ⟨c, n′⟩/‖n‖ from c to n̂. With A = ⟨v, â⟩, B = ⟨v, n̂⟩ and κ = Aω₁ + Bω₂, ρ moves by ⟨c, dv⟩/κ, and

    D²Π(v) = ω₁ω₂/κ² · (B·sym(â, c, c) − A·sym(n̂, c, c) + AB/κ · (log ω₁/ω₂)′ · c ⊗ c ⊗ c),

where sym(a, c, c) is the sum of the three products in which a stands in one place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dpplang.runtime.cones.cone import Array


@dataclass(frozen=True, slots=True, eq=False)
class Rays:
    """Boundary rays and normals at some points, each with its first and second derivative in ρ: all ``[N, 3]``.

    Scaled as one likes, each triple alike; derivatives are right up to what scaling by a function of ρ adds to them.
    """

    ray: Array
    ray_slope: Array
    ray_bend: Array
    normal: Array
    normal_slope: Array
    normal_bend: Array

    def frame(self) -> tuple[Array, Array, Array]:
        """â, n̂, c: orthonormal."""
        a, n = _unit(self.ray), _unit(self.normal)
        return a, n, np.cross(a, n)

    def turning(self) -> Array:
        """(log ω₁/ω₂)′ ``[N]``. ω₁ is det(a′, a, n) / ‖a‖²‖n‖, and ω₂ likewise with n′ and ‖a‖‖n‖²."""
        across = np.cross(self.ray, self.normal)
        first, second = _dot(self.ray_slope, across), _dot(self.normal_slope, across)
        both = _dot(self.ray_slope, np.cross(self.ray, self.normal_slope))
        other = _dot(self.normal_slope, np.cross(self.ray_slope, self.normal))
        grown = _dot(self.normal, self.normal_slope) / _dot(self.normal, self.normal)
        stretched = _dot(self.ray, self.ray_slope) / _dot(self.ray, self.ray)
        with np.errstate(all="ignore"):
            one = (_dot(self.ray_bend, across) + both) / first
            two = (_dot(self.normal_bend, across) + other) / second
        return one - two + grown - stretched


def ray_spectrum(point: Array, rays: Rays) -> tuple[Array, Array]:
    """Eigenvalues ``[N, 3]`` (1, 0, λ) and orthonormal eigenvectors ``[N, 3, 3]`` (a, n, c in columns) of DΠ at v."""
    a, n, c = rays.frame()
    along, across = _turns(point, rays, a, n, c)
    along, across = np.abs(along), np.abs(across)
    total = along + across
    values = np.zeros((*point.shape[:-1], 3))
    values[..., 0] = 1.0
    values[..., 2] = np.where(total > 0, along / np.where(total > 0, total, 1.0), 0.0)
    return values, np.stack((a, n, c), axis=-1)


def ray_second(point: Array, rays: Rays, one: Array, other: Array) -> Array:
    """D²Π(v)[one, other], ``[N, 3]``; 0 where v lies on the cone or on its polar to rounding."""
    a, n, c = rays.frame()
    along, across = _turns(point, rays, a, n, c)  # Aω₁, Bω₂
    A, B = _dot(point, a), _dot(point, n)
    kappa = along + across
    with np.errstate(all="ignore"):
        # Ω·B, Ω·A and Ω·AB·(log ω₁/ω₂)′/κ, with Ω = ω₁ω₂/κ²
        by_a, by_n = along * across / (kappa * kappa * A), along * across / (kappa * kappa * B)
        by_c = along * across * rays.turning() / kappa**3
    one_a, one_n, one_c = _dot(one, a), _dot(one, n), _dot(one, c)
    other_a, other_n, other_c = _dot(other, a), _dot(other, n), _dot(other, c)
    both = one_c * other_c
    in_c = by_a * (one_a * other_c + one_c * other_a) - by_n * (one_n * other_c + one_c * other_n) + by_c * both
    moved = (by_a * both)[..., None] * a - (by_n * both)[..., None] * n + in_c[..., None] * c
    return np.where(np.isfinite(moved), moved, 0.0)


def _turns(point: Array, rays: Rays, a: Array, n: Array, c: Array) -> tuple[Array, Array]:
    """Aω₁ = α⟨c, a′⟩ and Bω₂ = β⟨c, n′⟩."""
    alpha = _dot(point, a) / np.linalg.norm(rays.ray, axis=-1)
    beta = _dot(point, n) / np.linalg.norm(rays.normal, axis=-1)
    return alpha * _dot(c, rays.ray_slope), beta * _dot(c, rays.normal_slope)


def _unit(vector: Array) -> Array:
    return vector / np.linalg.norm(vector, axis=-1, keepdims=True)


def _dot(one: Array, other: Array) -> Array:
    return np.sum(one * other, axis=-1)
