"""Newton steps on the optimality conditions, from a solver's answer to rounding error.

F(x, v) = [Px + Aᵀ(Πv − v) + q ; Ax + Πv − b] with v = s − y, by the factorization that derivatives use (Busseti,
Moursi, Boyd 2019, "Solution refinement at regular points of conic problems"). A step that does not make ‖F‖ smaller
is not taken. The refined s = Πv and y = Πv − v lie in their cones and are orthogonal exactly.
"""

from __future__ import annotations

import numpy as np

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.cones.product import Product
from dpplang.runtime.data_map import Data
from dpplang.runtime.entries import Entries
from dpplang.runtime.kkt import KktPlan
from dpplang.runtime.solvers.protocol import Structure


class Refinement:
    def __init__(self, structure: Structure, cone: Product) -> None:
        self._cone = cone
        self._plan = KktPlan(structure, cone, any_solution=True)
        self._P, self._A = Entries(structure.P), Entries(structure.A)

    def steps(self, data: Data, x: Array, v: Array, count: int) -> tuple[Array, Array, Array]:
        """Up to ``count`` steps from (x ``[B, n]``, v ``[B, m]``).

        Returns:
            (x, v, objective ``[B]``), without the constant d.
        """
        f, g, size = self._residual(data, x, v)
        for _ in range(count):
            dx, dv = self._plan.linearize(data.P, data.A, v).newton(f, g, lambda d: self._A.times(data.A, d))
            trial_f, trial_g, trial_size = self._residual(data, x + dx, v + dv)
            better = (trial_size < size)[:, None]
            if not better.any():
                break
            x, v = np.where(better, x + dx, x), np.where(better, v + dv, v)
            f, g = np.where(better, trial_f, f), np.where(better, trial_g, g)
            size = np.minimum(trial_size, size)
        objective = np.sum(x * (0.5 * self._P.symmetric_times(data.P, x) + data.q), axis=1)
        return x, v, objective

    def _residual(self, data: Data, x: Array, v: Array) -> tuple[Array, Array, Array]:
        """F in its two parts, and its norm ``[B]``."""
        s = self._cone.project(v)
        f = self._P.symmetric_times(data.P, x) + self._A.transposed_times(data.A, s - v) + data.q
        g = self._A.times(data.A, x) + s - data.b
        return f, g, np.sqrt(np.sum(f * f, axis=1) + np.sum(g * g, axis=1))
