"""The zero cone {0}ⁿ (equalities; its dual is free) and the nonnegative orthant (its own dual)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dpplang.runtime.cones.cone import Array, Spectrum


@dataclass(frozen=True, slots=True)
class Zero:
    """Π = 0, DΠ = 0."""

    def project(self, point: Array) -> Array:
        return np.zeros_like(point)

    def spectrum(self, point: Array) -> Spectrum:
        return Spectrum(np.zeros_like(point))

    def second(self, point: Array, one: Array, other: Array) -> Array:
        return np.zeros_like(point)


@dataclass(frozen=True, slots=True)
class Nonneg:
    """Π = max(v, 0), entry by entry; at the kink v = 0 the derivative is 0 (the constraint counts as active)."""

    def project(self, point: Array) -> Array:
        return np.maximum(point, 0.0)

    def spectrum(self, point: Array) -> Spectrum:
        return Spectrum((point > 0).astype(np.float64))

    def second(self, point: Array, one: Array, other: Array) -> Array:
        return np.zeros_like(point)
