"""Small programs whose matrices no parameter touches: their optimality system, composed into a few products.

Names replaced, range space, names restored: from (g, h) to (r, t) everything but the active set is linear, and where a
program is small each of its forty steps costs more to call than to do. Here each stretch is one product,

    (base, g', rhs) = (g, h) M,      K_FF t_F = rhs_F,      (r, t) = base + t_F T,

with M and T made by sending unit vectors through the ordinary code (:mod:`dense`, :mod:`range_space`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.batched import times
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.data_map import Data
from dpplang.runtime.found import Found
from dpplang.runtime.options import Options
from dpplang.runtime.quadratic.active_set import find
from dpplang.runtime.quadratic.dense import Dense, DensePlan
from dpplang.runtime.quadratic.held import Alone, Held, Mask
from dpplang.runtime.quadratic.range_space import RangeSpace
from dpplang.runtime.solvers.protocol import Structure

LARGEST = 100  # variables and rows up to which dense products cost no more than what they save
_ROUNDING = 1e-12  # relative residual that is not worth a correction


class Composed:
    """M and T; K = [P Aᵀ; A 0] of the whole program, with p equalities in front of its inequalities."""

    def __init__(self, plan: DensePlan, dense: Dense, space: RangeSpace, structure: Structure, data: Data) -> None:
        """``data``: of the program, whose P and A are constant."""
        self._space, self._n, self._p = space, structure.P.shape[0], structure.cones.zero
        upper, A = structure.P.matrix(data.P[0]).toarray(), structure.A.matrix(data.A[0]).toarray()
        P = upper + np.triu(upper, 1).T
        self._K = np.block([[P, A.T], [A, np.zeros((A.shape[0], A.shape[0]))]])
        self._half_P = 0.5 * P
        self._m = A.shape[0] - self._p

        def way(g: Array, h: Array, t: Array) -> tuple[Array, Array, Array]:
            """((r, t), g', rhs) for the inequalities' multipliers t."""
            small_g, small_h = plan.reduce(dense, g, h)
            alpha, rho, c = space.start(small_g, small_h[:, : plan.equalities])
            rhs = times(space.rows, rho) - small_h[:, plan.equalities :]
            r, along = space.finish(alpha, rho, c, t)
            whole = plan.expand(dense, g, h, r, t if along is None else np.concatenate((along, t), axis=1))
            return np.concatenate(whole, axis=1), small_g, rhs

        unit, n = np.eye(self._K.shape[0]), self._n
        self._M = np.concatenate(way(unit[:, :n], unit[:, n:], np.zeros((unit.shape[0], self._m))), axis=1)
        none = np.zeros((self._m, unit.shape[0]))
        self._T = way(none[:, :n], none[:, n:], np.eye(self._m))[0]

    def _held(self, F: Mask) -> Held | Alone:
        diagonal = self._space.separable
        return Held.of(self._space.projected, F) if diagonal is None else Alone(diagonal, F)

    def apply(self, gh: Array, held: Held | Alone) -> Array:
        """(r, t) ``[B, n + rows]`` of (g, h): the map S at an active set."""
        found = gh @ self._M
        return found[:, : gh.shape[1]] + held.solve(found[:, found.shape[1] - self._m :]) @ self._T

    def solve(self, data: Data, elements: NDArray[np.intp], options: Options) -> list[Found]:
        """Solve a batch, its elements by the names given. Residuals are relative to 1 + the largest entry of g' = −q'
        for stationarity, of q and b for the rest."""
        n, p, order = self._n, self._p, self._K.shape[0]
        q, b = (v if len(v) == elements.size else np.repeat(v, elements.size, axis=0) for v in (data.q, data.b))
        given = np.concatenate((-q, b), axis=1)
        found = given @ self._M
        rhs = found[:, found.shape[1] - self._m :]
        F, good = find(self._space, -rhs, options)
        held = self._held(F)
        z = found[:, :order] + held.solve(rhs) @ self._T
        scale = 1 + _largest(found[:, order : found.shape[1] - self._m]), 1 + _largest(given)
        left, worst = self._residual(z, given, F, scale)
        if worst.max(initial=0.0) > _ROUNDING:
            wrong = left.copy()
            wrong[:, n + p :] *= F
            trial = z - self.apply(wrong, held)
            trial_left, trial_worst = self._residual(trial, given, F, scale)
            better = (trial_worst < worst)[:, None]
            z, left = np.where(better, trial, z), np.where(better, trial_left, left)
            worst = np.minimum(trial_worst, worst)
        x, y, s = z[:, :n], z[:, n:], -left[:, n:]
        multipliers, inner = y[:, p:], s[:, p:]
        good &= np.maximum(worst, -multipliers.min(axis=1, initial=0.0) / (1 + _largest(y))) <= options.tolerance
        s[:, :p] = 0.0
        np.maximum(inner * ~F, 0.0, out=inner)
        np.maximum(multipliers, 0.0, out=multipliers)
        objective = ((x @ self._half_P + q) * x).sum(axis=1)
        weak = ((inner == 0) > F).any(axis=1)
        if good.all():
            return [Found(elements, x, y, s, objective, _Sensitivity(self, held), weak)]
        k = np.flatnonzero(good)
        part = _Sensitivity(self, self._held(F[k]))
        return [Found(elements[k], x[k], y[k], s[k], objective[k], part, weak[k])] if k.size else []

    def _residual(self, z: Array, given: Array, F: Mask, scale: tuple[Array, Array]) -> tuple[Array, Array]:
        """(Kz − given, the largest of what should be 0, or at most 0, relative ``[B]``)."""
        n, equal = self._n, self._n + self._p
        left = z @ self._K
        left -= given
        rows = np.maximum(left[:, n:].max(axis=1, initial=0.0), -(left[:, equal:] * F).min(axis=1, initial=0.0))
        if self._p:
            rows = np.maximum(rows, _largest(left[:, n:equal]))
        return left, np.maximum(_largest(left[:, :n]) / scale[0], rows / scale[1])


@dataclass(frozen=True, slots=True, eq=False)
class _Sensitivity:
    """The map S of :mod:`dpplang.runtime.kkt` at the active sets of a batch."""

    composed: Composed
    held: Held | Alone

    def __call__(self, g: Array, h: Array) -> tuple[Array, Array]:
        found = self.composed.apply(np.concatenate((g, h), axis=1), self.held)
        return found[:, : g.shape[1]], found[:, g.shape[1] :]


def _largest(vectors: Array) -> Array:
    return np.abs(vectors).max(axis=1, initial=0.0)
