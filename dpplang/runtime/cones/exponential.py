"""The exponential cone, the closure of {(x, y, z) : y > 0, y·exp(x/y) ≤ z}.

Its curved boundary is made of the rays a(ρ) = (ρ, 1, e^ρ) with outward normals n(ρ) = (1, 1 − ρ, −e^(−ρ)). A point that
neither the cone, nor its polar, nor the flat face {x ≤ 0, y = 0, z ≥ 0} takes is v = α·a + β·n with

    α = ((ρ − 1)x + y) / (ρ² − ρ + 1),    β = (x − ρy) / (ρ² − ρ + 1),    α e^ρ − β e^(−ρ) = z,

and on the interval where α, β > 0 the last equation is increasing in ρ
(Friberg 2021, "Projection onto the exponential cone: a univariate root-finding problem").
The dual cone is the closure of {(u, v, w) : u < 0, −u·exp(v/u) ≤ e·w}.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.cones.cone import Array, Spectrum
from dpplang.runtime.cones.rays import Rays, ray_second, ray_spectrum
from dpplang.runtime.cones.roots import increasing_root

_STEEPEST = 300.0  # beyond |ρ| = 300 neighbouring rays agree to more digits than a double has


@dataclass(frozen=True, slots=True)
class Exponential:
    def project(self, point: Array) -> Array:
        v = point.reshape(-1, 3)
        kept, curved = _flat_parts(v)
        out = v * kept
        if curved.any():
            out[curved] = _nearest(v[curved], _ray(v[curved]))
        return out.reshape(point.shape)

    def spectrum(self, point: Array) -> Spectrum:
        v = point.reshape(-1, 3)
        values, curved = _flat_parts(v)
        vectors = np.broadcast_to(np.eye(3), (v.shape[0], 3, 3)).copy()
        if curved.any():
            values[curved], vectors[curved] = ray_spectrum(v[curved], _rays(_ray(v[curved])))
        return Spectrum(values.reshape(point.shape), vectors.reshape(*point.shape, 3))

    def second(self, point: Array, one: Array, other: Array) -> Array:
        v, out = point.reshape(-1, 3), np.zeros((point.size // 3, 3))
        curved = _flat_parts(v)[1]
        if curved.any():
            b, c = (d.reshape(-1, 3)[curved] for d in (one, other))
            out[curved] = ray_second(v[curved], _rays(_ray(v[curved])), b, c)
        return out.reshape(point.shape)


def _flat_parts(v: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Which coordinates the projection just keeps (1) or drops (0), ``[N, 3]``; and for which points it does more."""
    x, y, z = v[:, 0], v[:, 1], v[:, 2]
    kept = np.zeros_like(v)
    with np.errstate(all="ignore"):
        inside = ((y > 0) & (y * np.exp(x / y) <= z)) | ((x <= 0) & (y == 0) & (z >= 0))
        # −v in the dual cone: x·exp(y/x) ≤ −e·z for x > 0
        polar = ((x > 0) & (x * np.exp(y / x - 1) <= -z)) | ((x == 0) & (y <= 0) & (z <= 0))
    face = (x <= 0) & (y <= 0)
    # Rays so steep that to the last digit they are (x, y, 0), or (0, 0, z)
    floor = (x < -_STEEPEST * y) & (y > 0)
    needle = (y < -_STEEPEST * x) & (x > 0)
    kept[face, 0] = 1.0
    kept[floor, :2] = 1.0
    kept[face | needle, 2] = z[face | needle] > 0
    kept[polar] = 0.0
    kept[inside] = 1.0
    return kept, ~(inside | polar | face | floor | needle)


def _ray(v: Array) -> Array:
    """The ρ of the ray that each point projects onto, ``[N]``."""
    x, y, z = v[:, 0], v[:, 1], v[:, 2]
    with np.errstate(all="ignore"):
        turn, edge = 1 - y / x, x / y  # where α and β change sign
        low = np.maximum(np.where(x > 0, turn, -np.inf), np.where(y < 0, edge, -np.inf))
        high = np.minimum(np.where(x < 0, turn, np.inf), np.where(y > 0, edge, np.inf))
    low, high = np.clip(low, -_STEEPEST, _STEEPEST), np.clip(high, -_STEEPEST, _STEEPEST)

    def equation(rho: Array) -> tuple[Array, Array]:
        """asinh of α e^ρ − β e^(−ρ) − z, which grows like ρ at both ends and so keeps Newton's steps long."""
        size = rho * (rho - 1) + 1
        grow, decay = np.exp(rho), np.exp(-rho)
        alpha, beta = ((rho - 1) * x + y) / size, (x - rho * y) / size
        value = alpha * grow - beta * decay - z
        bend = (2 * rho - 1) / size
        slope = (alpha + x / size - alpha * bend) * grow + (beta + y / size + beta * bend) * decay
        unit = np.hypot(1.0, value)
        return np.arcsinh(value), slope / unit

    with np.errstate(all="ignore"):
        return increasing_root(equation, low, high)


def _nearest(v: Array, rho: Array) -> Array:
    """The projection of v onto the ray a(ρ)."""
    ray = _rays(rho).ray
    alpha = np.sum(v * ray, axis=1) / np.sum(ray * ray, axis=1)
    return np.maximum(alpha, 0.0)[:, None] * ray


def _rays(rho: Array) -> Rays:
    """The rays of ρ, scaled by e^(−|ρ|) where they would overflow."""
    zero, one = np.zeros_like(rho), np.ones_like(rho)
    shrink, up, down = np.exp(-np.abs(rho)), np.exp(np.minimum(rho, 0.0)), np.exp(np.minimum(-rho, 0.0))
    steep, flat = np.where(rho > 0, shrink, 1.0), np.where(rho < 0, shrink, 1.0)
    ray = np.stack((rho * steep, steep, up), axis=1)
    ray_slope = np.stack((steep, zero, up), axis=1)
    normal = np.stack((flat, (one - rho) * flat, -down), axis=1)
    normal_slope = np.stack((zero, -flat, down), axis=1)
    ray_bend = np.stack((zero, zero, up), axis=1)
    normal_bend = np.stack((zero, zero, -down), axis=1)
    return Rays(ray, ray_slope, ray_bend, normal, normal_slope, normal_bend)
