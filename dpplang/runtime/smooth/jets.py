"""Gradient and Hessian of Σⱼ wⱼ fⱼ(z) at a batch of points, the Hessian as the few numbers that make it up.

It is diagonal but for pairs of entries, where a perspective y·φ(x/y) has the rank-one Hessian d(1, −u)(1, −u)ᵀ with
u = x/y and d = φ″(u)/y, and for log-sum-exp, whose Hessian is w(diag p − ppᵀ).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.data_map import Index


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Σ d (m_first − u m_second)(…)ᵀ; u and d are ``[B, J]``."""

    first: Index
    second: Index
    ratio: Array
    weight: Array


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """−Σ w (Σᵢ pᵢ mᵢ)(…)ᵀ over segments: ``index`` ``[k · S]``, p ``[B, k, S]``, w ``[B, S]``."""

    index: Index
    shares: Array
    weight: Array


@dataclass(frozen=True, slots=True, eq=False)
class Jet:
    """At z ``[B, V]``: gradient ``[B, V]``, the Hessian's diagonal part ``[B, V]`` and what it has beside it."""

    gradient: Array
    diagonal: Array
    pairs: tuple[Pairs, ...]
    shares: tuple[Shares, ...]

    def times(self, vector: Array) -> Array:
        """Hessian · vector, ``[B, V]``."""
        out = self.diagonal * vector
        for pair in self.pairs:
            moved = pair.weight * (vector[:, pair.first] - pair.ratio * vector[:, pair.second])
            out[:, pair.first] += moved
            out[:, pair.second] -= pair.ratio * moved
        for part in self.shares:
            p = part.shares
            mean = np.sum(p * vector[:, part.index].reshape(p.shape), axis=1)
            out[:, part.index] -= (p * (part.weight * mean)[:, None]).reshape(p.shape[0], -1)
        return out

    def hessian(self, Mt: Array) -> Array:
        """Mᵀ · Hessian · M ``[B, n, n]``, for M transposed ``[1 or B, n, V]``."""
        out = (Mt * self.diagonal[:, None]) @ Mt.swapaxes(1, 2)
        for pair in self.pairs:
            moved = Mt[:, :, pair.first] - pair.ratio[:, None] * Mt[:, :, pair.second]
            out += (moved * pair.weight[:, None]) @ moved.swapaxes(1, 2)
        for part in self.shares:
            p = part.shares
            rows = Mt[:, :, part.index].reshape(Mt.shape[0], Mt.shape[1], *p.shape[1:])
            mean = np.einsum("bnks,bks->bns", np.broadcast_to(rows, (p.shape[0], *rows.shape[1:])), p)
            out -= (mean * part.weight[:, None]) @ mean.swapaxes(1, 2)
        return out
