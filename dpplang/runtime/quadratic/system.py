"""The optimality system of a batch at its active sets: solved, polished, verified."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.batched import times, transposed_times
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.quadratic.dense import Dense
from dpplang.runtime.quadratic.held import Alone, Held, Mask
from dpplang.runtime.quadratic.range_space import RangeSpace

_ROUNDING = 1e-12  # relative residual that is not worth a correction


@dataclass(frozen=True, eq=False)
class System:
    """P r + Aᵀt = g, A r = h on the p equalities and the inequalities in F ``[B, m]``, t = 0 elsewhere."""

    dense: Dense
    space: RangeSpace
    F: Mask
    p: int

    @cached_property
    def _held(self) -> Held | Alone:
        diagonal = self.space.separable
        return Held.of(self.space.projected, self.F) if diagonal is None else Alone(diagonal, self.F)

    def take(self, kept: NDArray[np.intp]) -> System:
        return System(self.dense[kept], self.space[kept], self.F[kept], self.p)

    def solve(self, g: Array, h: Array) -> tuple[Array, Array]:
        """(r ``[B, n]``, t ``[B, rows]``)."""
        alpha, rho, c = self.space.start(g, h[:, : self.p])
        return self.finish(alpha, rho, c, times(self.space.rows, rho) - h[:, self.p :])

    def finish(self, alpha: Array, rho: Array, c: Array | None, rhs: Array) -> tuple[Array, Array]:
        """The same from what :meth:`RangeSpace.start` gave, and K_FF t_F = rhs_F."""
        t = self._held.solve(rhs)
        r, along = self.space.finish(alpha, rho, c, t)
        return r, t if along is None else np.concatenate((along, t), axis=1)

    def polish(self, u: Array, y: Array, q: Array, b: Array, tolerance: float) -> tuple[Array, Array, Array, Mask]:
        """(u, y, s, whether they are optimal to the tolerance), corrected where rounding has left something.

        Residuals are relative to 1 + the largest entry of q or b.
        """
        scale = 1 + _largest(q), 1 + _largest(b)
        slack, f, g, size = self._residual(u, y, q, b, scale)
        if size.max(initial=0.0) > _ROUNDING:
            du, dy = self.solve(-f, g)
            trial = u + du, y + dy
            trial_slack, _, _, trial_size = self._residual(*trial, q, b, scale)
            better = (trial_size < size)[:, None]
            u, y, slack = (
                np.where(better, trial[0], u),
                np.where(better, trial[1], y),
                np.where(better, trial_slack, slack),
            )
            size = np.minimum(trial_size, size)
        p = self.p
        s, multipliers = np.where(self.F, 0.0, slack[:, p:]), y[:, p:]
        worst = np.maximum(size, -s.min(axis=1, initial=0.0) / scale[1])
        worst = np.maximum(worst, -multipliers.min(axis=1, initial=0.0) / (1 + _largest(y)))
        np.maximum(multipliers, 0.0, out=multipliers)
        slack[:, :p] = 0.0
        np.maximum(s, 0.0, out=slack[:, p:])
        return u, y, slack, worst <= tolerance

    def _residual(
        self, u: Array, y: Array, q: Array, b: Array, scale: tuple[Array, Array]
    ) -> tuple[Array, Array, Array, Array]:
        """(b − Au, Pu + q + Aᵀy, b − Au where it should be 0, the larger of the last two, relative)."""
        P = self.dense.P
        f = P * u if P.ndim == 2 else times(P, u)
        f += q
        f += times(self.dense.At, y)
        slack = b - transposed_times(self.dense.At, u)
        g = slack.copy()
        g[:, self.p :] *= self.F
        return slack, f, g, np.maximum(_largest(f) / scale[0], _largest(g) / scale[1])


def _largest(vectors: Array) -> Array:
    return np.abs(vectors).max(axis=1, initial=0.0)
