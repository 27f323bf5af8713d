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

_EXACT = 1e-12  # relative residual that no more steps are taken for
_ROUNDING = 1e-15  # ‖F‖ that no step makes smaller
_PATIENT = 8  # Newton steps where the first did not arrive
_CLOSE = 1e-9  # relative length of a step after which there is nothing left to do
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
        refined, moved, Px = self._refined(data, x, s - y, count)
        if not ((refined.worst <= _EXACT) & (moved <= _FAR)).all():
            refined = self._patiently(data, refined, moved, (x, y, s), count, tolerance, sharper)
            Px = self._P.symmetric_times(data.P, refined.x)
        return refined.x, refined.y, refined.s, _dot(refined.x, 0.5 * Px + data.q), refined.worst

    def _patiently(
        self,
        data: Data,
        refined: Candidate,
        moved: Array,
        start: tuple[Array, Array, Array],
        count: int,
        tolerance: float,
        sharper: Sharper | None,
    ) -> Candidate:
        """What is left to do where ``count`` steps, the last of them of lengths ``moved``, did not arrive."""
        given = self._candidate(data, *start)
        far = np.flatnonzero((moved > _FAR) & (refined.worst <= tolerance))
        if far.size and count:
            closer, _, _ = self._refined(_elements(data, far), refined.x[far], (refined.s - refined.y)[far], _PATIENT)
            refined = refined.where_better(closer, far)
        found = given.where_better(refined, np.arange(given.x.shape[0]))
        for begin in (None, sharper):
            short = np.flatnonzero(refined.worst > tolerance)
            if not short.size or (begin is None and count == 0):
                break
            x, y, s = (part[short] for part in (given.x, given.y, given.s)) if begin is None else begin(short)
            usable = np.isfinite(x).all(axis=1) & np.isfinite(y).all(axis=1)
            short, x, y, s = short[usable], x[usable], y[usable], s[usable]
            part = _elements(data, short)
            if begin is not None:  # where s and y are of sizes far apart, v = s − y has lost the smaller one
                found = found.where_better(self._candidate(part, x, y, s), short)
            again, _, _ = self._refined(part, x, s - y, max(count, _PATIENT), patient=True)
            found, refined = found.where_better(again, short), refined.where_better(again, short)
        return found

    def worst(self, data: Data, x: Array, y: Array, s: Array) -> Array:
        """The largest relative residual of each solution ``[B]``; s and y are taken to lie in their cones."""
        return self._candidate(data, x, y, s).worst

    def _refined(
        self, data: Data, x: Array, v: Array, count: int, patient: bool = False
    ) -> tuple[Candidate, Array, Array]:
        """The best of up to ``count`` steps from (x ``[B, n]``, v ``[B, m]``), the length ``[B]`` of the last step,
        relative to x, and P x.

        Args:
            patient: go on past steps that make ‖F‖ larger. Each step takes the sign of v anew for its active set, so
                that a wrong one corrects itself, but seldom in one step (the primal-dual active set strategy:
                Hintermüller, Ito, Kunisch 2002).
        """
        here = best = self._at(data, x, v)
        moved = np.zeros_like(here.size)
        for _ in range(count):
            if (best.size <= _ROUNDING).all():
                break
            linear = self._plan.linearize(data.P, data.A, here.v)
            dx, dv = linear.newton(here.f, here.g, lambda d: self._A.times(data.A, d))
            trial = self._at(data, here.x + dx, here.v + dv)
            go = np.isfinite(trial.size) & (patient | (trial.size < here.size))
            if not go.any():
                break
            moved = np.where(go, _size(dx / (1 + np.abs(here.x))), moved)
            here = here.where(go, trial)
            best = best.where(here.size < best.size, here)
            if (moved <= _CLOSE).all():
                break
        worst = self._worst(data, best.x, best.s, best.y, best.Px, best.Ax, best.Aty, best.f, best.g)
        return Candidate(best.x, best.y, best.s, worst), moved, best.Px

    def _at(self, data: Data, x: Array, v: Array) -> _Point:
        s = self._cone.project(v)
        y = s - v
        Px, Ax, Aty = self._P.symmetric_times(data.P, x), self._A.times(data.A, x), self._A.transposed_times(data.A, y)
        f, g = Px + Aty + data.q, Ax + s - data.b
        return _Point(x, v, s, y, Px, Ax, Aty, f, g, np.sqrt(_dot(f, f) + _dot(g, g)))

    def _candidate(self, data: Data, x: Array, y: Array, s: Array) -> Candidate:
        """With the residuals of :mod:`dpplang.runtime.residuals`; s and y are taken to lie in their cones."""
        Px, Ax, Aty = self._P.symmetric_times(data.P, x), self._A.times(data.A, x), self._A.transposed_times(data.A, y)
        f, g = Px + Aty + data.q, Ax + s - data.b
        return Candidate(x, y, s, self._worst(data, x, s, y, Px, Ax, Aty, f, g))

    def _worst(
        self, data: Data, x: Array, s: Array, y: Array, Px: Array, Ax: Array, Aty: Array, f: Array, g: Array
    ) -> Array:
        quadratic, linear, constant = _dot(x, Px), _dot(data.q, x), _dot(data.b, y)
        primal = _size(g) / (1 + _largest(_size(Ax), _size(s), _size(data.b)))
        dual = _size(f) / (1 + _largest(_size(Px), _size(Aty), _size(data.q)))
        largest = _largest(np.abs(quadratic), np.abs(linear), np.abs(constant))
        gap = np.abs(quadratic + linear + constant) / (1 + largest)
        return _largest(primal, dual, gap)


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """Where a step begins: x, v and s = Πv, y = s − v, F in its two parts (f, g) with their terms, and ‖F‖ ``[B]``."""

    x: Array
    v: Array
    s: Array
    y: Array
    Px: Array
    Ax: Array
    Aty: Array
    f: Array
    g: Array
    size: Array

    def where(self, mask: NDArray[np.bool_], other: _Point) -> _Point:
        """The other where ``mask`` ``[B]`` says so."""
        if mask.all():
            return other
        if not mask.any():
            return self
        wide = mask[:, None]
        parts = [
            np.where(wide if mine.ndim == 2 else mask, theirs, mine)
            for mine, theirs in ((getattr(self, f), getattr(other, f)) for f in self.__slots__)
        ]
        return _Point(*parts)


def _elements(data: Data, elements: NDArray[np.intp]) -> Data:
    P, q, A, b, d = (e if e.shape[0] == 1 else e[elements] for e in (data.P, data.q, data.A, data.b, data.d))
    return Data(P, q, A, b, d)


def _dot(a: Array, b: Array) -> Array:
    """Products of the vectors of two batches ``[B]``; what a batch shares has one row."""
    return np.einsum("bi,bi->b", a, b)


def _largest(*sizes: Array) -> Array:
    return reduce(np.maximum, sizes)


def _size(vectors: Array) -> Array:
    return np.abs(vectors).max(axis=1, initial=0.0)
