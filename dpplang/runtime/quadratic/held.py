"""K_FF of a batch whose sets F differ from element to element."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.kkt_factor import solve_each

Mask = NDArray[np.bool_]

_ALL = 12  # up to so many positions their whole matrix is taken, whatever is held


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """K_FF of every element, padded by the identity to the size of the largest.

    Attributes:
        order: positions in F, then others, ``[B, k]``; None where matrices have all positions in their own order.
        kept: which of them are in F, ``[B, k]``. matrices: ``[B, k, k]``.
    """

    order: NDArray[np.intp] | None
    kept: Mask
    matrices: Array

    @staticmethod
    def of(rows: Array, F: Mask) -> Held:
        """From W̃ᵀ ``[1|B, m, n]``, K = W̃ᵀW̃."""
        order, kept = _order(F)
        if order is None:
            taken = rows * kept[:, :, None]
        else:
            at = np.arange(F.shape[0])[:, None] if rows.shape[0] > 1 else 0
            taken = rows[at, order]
            taken *= kept[:, :, None]
        return Held(order, kept, pad(taken @ np.swapaxes(taken, 1, 2), kept))

    @staticmethod
    def cut(K: Array, F: Mask, delta: float) -> Held:
        """From K ``[1|B, m, m]``, plus δ times its largest diagonal entry."""
        order, kept = _order(F)
        m = F.shape[1]
        if order is None:
            return Held(order, kept, pad(np.where(kept[:, :, None] & kept[:, None, :], K, 0.0), kept, delta))
        flat = order[:, :, None] * m + order[:, None, :]
        if K.shape[0] > 1:
            flat += (np.arange(F.shape[0]) * (m * m))[:, None, None]
        matrices = K.reshape(-1).take(flat)
        if not kept.all():
            matrices *= kept[:, :, None] & kept[:, None, :]
        return Held(order, kept, pad(matrices, kept, delta))

    def solve(self, rhs: Array) -> Array:
        """t ``[B, m]`` with K_FF t_F = rhs_F and t = 0 elsewhere; NaN where K_FF is singular."""
        if not self.kept.shape[1]:
            return np.zeros_like(rhs)
        if self.order is None:
            return solve_each(self.matrices, np.where(self.kept, rhs, 0.0)[:, :, None])[:, :, 0]
        found = solve_each(self.matrices, (np.take_along_axis(rhs, self.order, 1) * self.kept)[:, :, None])[:, :, 0]
        out = np.zeros_like(rhs)
        np.put_along_axis(out, self.order, found * self.kept, 1)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Alone:
    """K_FF where K is diagonal ``[m]``: no inequality meets another."""

    diagonal: Array
    F: Mask

    def solve(self, rhs: Array) -> Array:
        """As :meth:`Held.solve`."""
        return np.where(self.F, rhs / self.diagonal, 0.0)


def _order(F: Mask) -> tuple[NDArray[np.intp] | None, Mask]:
    counts = F.sum(axis=1)
    k = int(counts.max(initial=0))
    if k and (F.shape[1] <= _ALL or k == F.shape[1]):
        return None, F
    order = np.argsort(~F, axis=1, kind="stable")[:, :k]
    return order, np.arange(k) < counts[:, None]


def pad(matrices: Array, kept: Mask, delta: float = 0.0) -> Array:
    """Ones on the diagonal where nothing is kept, δ times its largest entry more where something is. In place."""
    if not matrices.size:
        return matrices
    diagonal = matrices.reshape(matrices.shape[0], -1)[:, :: matrices.shape[1] + 1]
    if delta:
        diagonal += np.where(kept, delta * diagonal.max(axis=1)[:, None], 1.0)
    elif not kept.all():
        diagonal += ~kept
    return matrices
