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
        norm = _norm(x)
        scale = _share(t, norm)
        out = np.empty_like(point)
        np.multiply(scale, norm, out=out[..., :1])
        np.multiply(scale, x, out=out[..., 1:])
        np.copyto(out[..., :1], t, where=norm <= t)
        return out

    def spectrum(self, point: Array) -> Spectrum:
        t, x = point[..., :1], point[..., 1:]
        norm = _norm(x)
        share = _share(t, norm)
        values = np.empty_like(point)
        values[...] = share
        np.copyto(values[..., :1], 1.0, where=share > 0)
        np.copyto(values[..., 1:2], 0.0, where=share < 1)
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


def _norm(x: Array) -> Array:
    """``[..., 1]``"""
    return np.sqrt(np.einsum("...i,...i->...", x, x))[..., None]


def _share(t: Array, norm: Array) -> Array:
    """The eigenvalue ½(1 + t/‖x‖) of the curved part; 1 in the cone, 0 in its polar."""
    with_tail = np.where(norm > 0, norm, 1.0)
    share = 0.5 + 0.5 * (t / with_tail)
    np.copyto(share, 0.0, where=norm <= -t)
    np.copyto(share, 1.0, where=norm <= t)
    return share


def _basis(x: Array, norm: Array) -> Array:
    """Orthonormal ``[..., k, k]``: (1, u)/√2, (1, −u)/√2, then (0, w), w the rest of a Householder basis about u."""
    size = x.shape[-1]
    basis = np.zeros((*x.shape[:-1], size + 1, size + 1))
    if size == 0:
        basis[..., 0, 0] = 1.0
        return basis
    unit = x / np.where(norm > 0, norm, 1.0)
    np.copyto(unit[..., :1], 1.0, where=norm == 0)
    half = np.sqrt(0.5)
    basis[..., 0, :2] = half
    np.multiply(unit, half, out=basis[..., 1:, 0])
    np.multiply(unit, -half, out=basis[..., 1:, 1])
    # H = I − 2hhᵀ/hᵀh maps e₀ to ∓u, so that its other columns span what is orthogonal to u; the sign avoids
    # cancellation. With h = u ± e₀ and ‖u‖ = 1, hᵀh = 2(1 + |u₀|).
    first = unit[..., :1]
    scaled = unit[..., 1:] / (-1 - np.abs(first))
    unit[..., :1] += np.copysign(1.0, first)
    np.multiply(unit[..., :, None], scaled[..., None, :], out=basis[..., 1:, 2:])
    diagonal = np.arange(2, size + 1)
    basis[..., diagonal, diagonal] += 1.0
    return basis
