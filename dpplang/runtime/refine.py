"""Newton steps on the optimality conditions, from a solver's answer to rounding error.

F(x, v) = [Px + Aᵀ(Πv − v) + q ; Ax + Πv − b] with v = s − y, by the factorization that derivatives use (Busseti,
Moursi, Boyd 2019, "Solution refinement at regular points of conic problems"). A step that does not make ‖F‖ smaller
is not taken. The refined s = Πv and y = Πv − v lie in their cones and are orthogonal exactly.

A gap of ε leaves s and y of a weakly active constraint both at √ε, so that v may have the wrong sign there; Newton's
steps then end at a point that is worse than the one they came from. Such elements go on with more steps, which may
stumble, and from what the solver finds when it is asked for more; of all candidates the one with the smallest
residuals is kept. Small residuals beside large terms can still be far from a solution; how far, a Newton step says by
its length, so that after a long one come more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.cones.product import Product
from dpplang.runtime.data_map import Data
from dpplang.runtime.entries import Entries
from dpplang.runtime.kkt import KktPlan
from dpplang.runtime.solvers.protocol import Structure

Sharper: TypeAlias = "Callable[[NDArray[np.intp]], tuple[Array, Array, Array]]"
"""(x, y, s) of some elements, by their positions, from a solver asked for more; NaN where it has none."""

_ROUNDING = 1e-15  # ‖F‖ that no step makes smaller
_PATIENT = 8  # Newton steps where the first did not arrive
_FAR = 1e-5  # relative length of a step whose square, the distance that it leaves, is not yet nothing


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A solution of each element, and its largest relative residual ``worst`` ``[B]``."""

    x: Array
    y: Array
    s: Array
    worst: Array

    def where_better(self, other: Candidate, elements: NDArray[np.intp]) -> Candidate:
        """With the solutions of ``other``, one for each of ``elements``, where their residuals are smaller."""
        better = other.worst < self.worst[elements]
        mine, theirs = elements[better], np.flatnonzero(better)
        out = Candidate(self.x.copy(), self.y.copy(), self.s.copy(), self.worst.copy())
        out.x[mine], out.y[mine], out.s[mine] = other.x[theirs], other.y[theirs], other.s[theirs]
        out.worst[mine] = other.worst[theirs]
        return out


class Refinement:
    def __init__(self, structure: Structure, cone: Product) -> None:
        self._cone = cone
        self._plan = KktPlan(structure, cone, any_solution=True)
        self._P, self._A = Entries(structure.P), Entries(structure.A)

    def best(
        self, data: Data, x: Array, y: Array, s: Array, count: int, tolerance: float, sharper: Sharper | None
    ) -> tuple[Array, Array, Array, Array, Array]:
        """The best of the given solutions, of up to ``count`` steps from them, and, where those end above the
        tolerance, of more steps from them and from what ``sharper`` finds.

        Returns:
            (x, y, s, objective ``[B]`` without the constant d, largest relative residual ``[B]``).
        """
        given = self._candidate(data, x, y, s)
        refined, moved = self._refined(data, x, s - y, count)
        far = np.flatnonzero((moved > _FAR) & (refined.worst <= tolerance))
        if far.size and count:
            closer, _ = self._refined(_elements(data, far), refined.x[far], (refined.s - refined.y)[far], _PATIENT)
            refined = refined.where_better(closer, far)
        found = given.where_better(refined, np.arange(x.shape[0]))
        for start in (None, sharper):
            short = np.flatnonzero(refined.worst > tolerance)
            if not short.size or (start is None and count == 0):
                break
            x, y, s = (part[short] for part in (given.x, given.y, given.s)) if start is None else start(short)
            usable = np.isfinite(x).all(axis=1) & np.isfinite(y).all(axis=1)
            short, x, y, s = short[usable], x[usable], y[usable], s[usable]
            part = _elements(data, short)
            if start is not None:  # where s and y are of sizes far apart, v = s − y has lost the smaller one
                found = found.where_better(self._candidate(part, x, y, s), short)
            again, _ = self._refined(part, x, s - y, max(count, _PATIENT), patient=True)
            found, refined = found.where_better(again, short), refined.where_better(again, short)
        return found.x, found.y, found.s, self.objective(data, found.x), found.worst

    def worst(self, data: Data, x: Array, y: Array, s: Array) -> Array:
        """The largest relative residual of each solution ``[B]``; s and y are taken to lie in their cones."""
        return self._candidate(data, x, y, s).worst

    def objective(self, data: Data, x: Array) -> Array:
        """½xᵀPx + qᵀx ``[B]``."""
        return np.sum(x * (0.5 * self._P.symmetric_times(data.P, x) + data.q), axis=1)

    def _refined(self, data: Data, x: Array, v: Array, count: int, patient: bool = False) -> tuple[Candidate, Array]:
        """The best of up to ``count`` steps from (x ``[B, n]``, v ``[B, m]``), and the length ``[B]`` of the last step,
        relative to x.

        Args:
            patient: go on past steps that make ‖F‖ larger. Each step takes the sign of v anew for its active set, so
                that a wrong one corrects itself, but seldom in one step (the primal-dual active set strategy:
                Hintermüller, Ito, Kunisch 2002).
        """
        f, g, size = self._residual(data, x, v)
        best_x, best_v, least, moved = x, v, size, np.zeros_like(size)
        for _ in range(count):
            if (least <= _ROUNDING).all():
                break
            dx, dv = self._plan.linearize(data.P, data.A, v).newton(f, g, lambda d: self._A.times(data.A, d))
            trial_f, trial_g, trial = self._residual(data, x + dx, v + dv)
            go = np.isfinite(trial) & (patient | (trial < size))
            if not go.any():
                break
            wide = go[:, None]
            moved = np.where(go, _size(dx / (1 + np.abs(x))), moved)
            x, v = np.where(wide, x + dx, x), np.where(wide, v + dv, v)
            f, g, size = np.where(wide, trial_f, f), np.where(wide, trial_g, g), np.where(go, trial, size)
            better = size < least
            best_x, best_v = np.where(better[:, None], x, best_x), np.where(better[:, None], v, best_v)
            least = np.minimum(size, least)
        s = self._cone.project(best_v)
        return self._candidate(data, best_x, s - best_v, s), moved

    def _residual(self, data: Data, x: Array, v: Array) -> tuple[Array, Array, Array]:
        """F in its two parts, and its norm ``[B]``."""
        s = self._cone.project(v)
        f = self._P.symmetric_times(data.P, x) + self._A.transposed_times(data.A, s - v) + data.q
        g = self._A.times(data.A, x) + s - data.b
        return f, g, np.sqrt(np.sum(f * f, axis=1) + np.sum(g * g, axis=1))

    def _candidate(self, data: Data, x: Array, y: Array, s: Array) -> Candidate:
        """With the residuals of :mod:`dpplang.runtime.residuals`; s and y are taken to lie in their cones."""
        Px, Ax = self._P.symmetric_times(data.P, x), self._A.times(data.A, x)
        Aty = self._A.transposed_times(data.A, y)
        quadratic, linear, constant = np.sum(x * Px, axis=1), np.sum(data.q * x, axis=1), np.sum(data.b * y, axis=1)
        primal = _size(Ax + s - data.b) / (1 + _largest(_size(Ax), _size(s), _size(data.b)))
        dual = _size(Px + Aty + data.q) / (1 + _largest(_size(Px), _size(Aty), _size(data.q)))
        largest = _largest(np.abs(quadratic), np.abs(linear), np.abs(constant))
        gap = np.abs(quadratic + linear + constant) / (1 + largest)
        return Candidate(x, y, s, _largest(primal, dual, gap))


def _elements(data: Data, elements: NDArray[np.intp]) -> Data:
    P, q, A, b, d = (e if e.shape[0] == 1 else e[elements] for e in (data.P, data.q, data.A, data.b, data.d))
    return Data(P, q, A, b, d)


def _largest(*sizes: Array) -> Array:
    return reduce(np.maximum, sizes)


def _size(vectors: Array) -> Array:
    return np.abs(vectors).max(axis=1, initial=0.0)
