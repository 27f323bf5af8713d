"""The power cone {(x, y, z) : xᵃ y¹⁻ᵃ ≥ |z|, x, y ≥ 0} with 0 < a < 1.

Its dual is {(u, v, w) : (u/a)ᵃ (v/(1 − a))¹⁻ᵃ ≥ |w|, u, v ≥ 0}. For z ≠ 0 outside the cone and its polar, |z| shrinks
to the r in (0, |z|) with x(r)ᵃ y(r)¹⁻ᵃ = r, where x(r) = ½(x + √(x² + 4a r(|z| − r))) and y(r) likewise with 1 − a
(Hien 2015, "Differential properties of Euclidean projection onto power cone", Proposition 2.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.cones.cone import Array, Spectrum
from dpplang.runtime.cones.rays import Rays, ray_second, ray_spectrum
from dpplang.runtime.cones.roots import increasing_root


@dataclass(frozen=True, slots=True)
class Power:
    """A row of power cones: points are ``[..., count, 3]``, cone i has exponent ``exponents[i]``."""

    exponents: tuple[float, ...]

    def project(self, point: Array) -> Array:
        v, a = self._flat(point)
        kept, curved = _flat_parts(v, a)
        out = v * kept
        if curved.any():
            out[curved] = _nearest(v[curved], a[curved])
        return out.reshape(point.shape)

    def spectrum(self, point: Array) -> Spectrum:
        v, a = self._flat(point)
        values, curved = _flat_parts(v, a)
        vectors = np.broadcast_to(np.eye(3), (v.shape[0], 3, 3)).copy()
        if curved.any():
            values[curved], vectors[curved] = ray_spectrum(v[curved], _rays(v[curved], a[curved]))
        return Spectrum(values.reshape(point.shape), vectors.reshape(*point.shape, 3))

    def second(self, point: Array, one: Array, other: Array) -> Array:
        (v, a), out = self._flat(point), np.zeros((point.size // 3, 3))
        curved = _flat_parts(v, a)[1]
        if curved.any():
            b, c = (d.reshape(-1, 3)[curved] for d in (one, other))
            out[curved] = ray_second(v[curved], _rays(v[curved], a[curved]), b, c)
        return out.reshape(point.shape)

    def _flat(self, point: Array) -> tuple[Array, Array]:
        exponents = np.broadcast_to(np.asarray(self.exponents), point.shape[:-1])
        return point.reshape(-1, 3), exponents.reshape(-1)


def _flat_parts(v: Array, a: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Where the projection acts on each coordinate alone: by what factor, ``[N, 3]``; and where it does not."""
    x, y, z = v[:, 0], v[:, 1], np.abs(v[:, 2])
    px, py = np.maximum(x, 0.0), np.maximum(y, 0.0)
    nx, ny = np.maximum(-x, 0.0) / a, np.maximum(-y, 0.0) / (1 - a)
    inside = (x >= 0) & (y >= 0) & (px**a * py ** (1 - a) >= z)
    polar = (x <= 0) & (y <= 0) & (nx**a * ny ** (1 - a) >= z) & ~inside
    edge = (z == 0) & ~inside & ~polar
    factors = np.repeat(inside.astype(np.float64)[:, None], 3, axis=1)
    factors[edge] = _edge_values(v[edge], a[edge])
    return factors, ~(inside | polar | edge)


def _nearest(v: Array, a: Array) -> Array:
    """Projections of points that land on the curved boundary."""
    x, y, size = v[:, 0], v[:, 1], np.abs(v[:, 2])

    # With r = |z|/(1 + e^(−τ)) roots close to either end keep their relative accuracy, and f increases in τ.
    def equation(tau: Array) -> tuple[Array, Array]:
        share, rest = 1 / (1 + np.exp(-tau)), 1 / (1 + np.exp(tau))
        r, left = size * share, size * rest
        px = 0.5 * _stable(x, 4 * a * r * left)
        py = 0.5 * _stable(y, 4 * (1 - a) * r * left)
        value = np.log(r) - a * np.log(px) - (1 - a) * np.log(py)
        # d(p)/dτ of p(p − base) = w·r·(|z| − r): p′ = w·(r·left)·(rest − share) / (2p − base)
        drift = r * left * (rest - share)
        slope = rest - a * a * drift / (px * (2 * px - x)) - (1 - a) ** 2 * drift / (py * (2 * py - y))
        return value, slope

    with np.errstate(all="ignore"):
        bound = np.full_like(size, 300.0)
        tau = increasing_root(equation, -bound, bound)
        r = size / (1 + np.exp(-tau))
        left = size / (1 + np.exp(tau))
        px, py = 0.5 * _stable(x, 4 * a * r * left), 0.5 * _stable(y, 4 * (1 - a) * r * left)
    return np.stack((px, py, np.sign(v[:, 2]) * r), axis=1)


def _stable(base: Array, product: Array) -> Array:
    """base + √(base² + product) without cancellation."""
    root = np.sqrt(base * base + product)
    return np.where(base >= 0, base + root, product / (root + np.abs(base)))


def _edge_values(v: Array, a: Array) -> Array:
    """Eigenvalues along x, y, z for z = 0 with one of x, y positive and the other negative.

    Along z the boundary near the edge is |z| ~ tᵖ; it is blunt (1), pointed (0), or, for a = ½, in between.
    """
    x, y = v[:, 0], v[:, 1]
    weight = np.where(x > 0, a, 1 - a)  # exponent of the positive coordinate
    ratio = np.maximum(x, y) / np.maximum(-np.minimum(x, y), np.finfo(float).tiny) * 0.5
    along = np.where(weight > 0.5, 1.0, np.where(weight < 0.5, 0.0, ratio / (1 + ratio)))
    return np.stack(((x > 0).astype(float), (y > 0).astype(float), along), axis=1)


def _rays(v: Array, a: Array) -> Rays:
    """The rays that points project onto, numbered by ρ = log(x/y)."""
    near = _nearest(v, a)
    x, y, z = near[:, 0], near[:, 1], np.abs(near[:, 2])
    sign, zero = np.sign(near[:, 2]), np.zeros_like(x)
    ray = np.stack((x, y, sign * z), axis=1)
    ray_slope = np.stack(((1 - a) * x, -a * y, zero), axis=1)
    # n = (−a·z/x, −(1 − a)·z/y, ±1), multiplied by xy/z so that neither end of the boundary overflows
    normal = np.stack((-a * y * z, -(1 - a) * x * z, sign * x * y), axis=1)
    normal_slope = np.stack((a * (1 - a) * y * z, -a * (1 - a) * x * z, zero), axis=1)
    ray_bend = np.stack(((1 - a) ** 2 * x, a * a * y, zero), axis=1)
    normal_bend = np.stack((-a * (1 - a) ** 2 * y * z, -a * a * (1 - a) * x * z, zero), axis=1)
    return Rays(ray, ray_slope, ray_bend, normal, normal_slope, normal_bend)
