"""The second-order cone {(t, x) : ‖x‖₂ ≤ t}, its own dual.

Outside the cone and its polar, Π(t, x) = ½(1 + t/‖x‖)·(‖x‖, x), and with u = x/‖x‖ the derivative has the eigenvalues
1 along (1, u), 0 along (1, −u), and ½(1 + t/‖x‖) on the directions (0, w) with w ⟂ u
(Ali, Wong, Kolter 2017, "A semismooth Newton method for fast, generic convex programming", Lemma 2.5).
Differentiating once more, with N = I − uuᵀ and ã = a₀ − (t/‖x‖)⟨u, a₁⟩ for a = (a₀, a₁),

    ⟨a, D²Π[b, c]⟩ = (ã⟨b₁, N c₁⟩ + b̃⟨a₁, N c₁⟩ + c̃⟨a₁, N b₁⟩) / (2‖x‖).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dpplang.runtime.cones.cone import Array, Spectrum


@dataclass(frozen=True, slots=True)
class SecondOrder:
    def project(self, point: Array) -> Array:
        t, x = point[..., :1], point[..., 1:]
        norm = np.linalg.norm(x, axis=-1, keepdims=True)
        inside, polar = norm <= t, norm <= -t
        scale = np.where(inside, 1.0, np.where(polar, 0.0, 0.5 * (1 + t / np.where(norm > 0, norm, 1.0))))
        return np.concatenate((np.where(inside, t, scale * norm), scale * x), axis=-1)

    def spectrum(self, point: Array) -> Spectrum:
        t, x = point[..., :1], point[..., 1:]
        norm = np.linalg.norm(x, axis=-1, keepdims=True)
        inside, polar = norm <= t, norm <= -t
        values = np.empty_like(point)
        values[..., :1] = 1.0
        values[..., 1:2] = 0.0
        values[..., 2:] = 0.5 * (1 + t / np.where(norm > 0, norm, 1.0))
        values = np.where(inside, 1.0, np.where(polar, 0.0, values))
        return Spectrum(values, _basis(x, norm))

    def second(self, point: Array, one: Array, other: Array) -> Array:
        t, x = point[..., :1], point[..., 1:]
        norm = np.linalg.norm(x, axis=-1, keepdims=True)
        curved = (norm > t) & (norm > -t)
        size = np.where(curved, norm, 1.0)
        unit, slope = x / size, t / size

        def split(vector: Array) -> tuple[Array, Array]:
            """(ã, N a₁)"""
            along = np.sum(unit * vector[..., 1:], axis=-1, keepdims=True)
            return vector[..., :1] - slope * along, vector[..., 1:] - along * unit

        (b, Nb), (c, Nc) = split(one), split(other)
        inner = np.sum(Nb * Nc, axis=-1, keepdims=True)
        moved = np.concatenate((inner, b * Nc + c * Nb - slope * inner * unit), axis=-1)
        return np.where(curved, moved / (2 * size), 0.0)


def _basis(x: Array, norm: Array) -> Array:
    """Orthonormal ``[..., k, k]``: (1, u)/√2, (1, −u)/√2, then (0, w), w the rest of a Householder basis about u."""
    size = x.shape[-1]
    basis = np.zeros((*x.shape[:-1], size + 1, size + 1))
    if size == 0:
        basis[..., 0, 0] = 1.0
        return basis
    first = np.zeros(size)
    first[0] = 1.0
    unit = np.where(norm > 0, x / np.where(norm > 0, norm, 1.0), first)
    half = np.sqrt(0.5)
    basis[..., 0, :2] = half
    basis[..., 1:, 0] = half * unit
    basis[..., 1:, 1] = -half * unit
    # H = I − 2hhᵀ/hᵀh maps e₀ to ∓u, so that its other columns span what is orthogonal to u; the sign avoids
    # cancellation.
    h = unit + np.where(unit[..., :1] >= 0, 1.0, -1.0) * first
    scaled = 2 * h / np.sum(h * h, axis=-1, keepdims=True)
    basis[..., 1:, 2:] = np.eye(size)[:, 1:] - h[..., :, None] * scaled[..., None, 1:]
    return basis
