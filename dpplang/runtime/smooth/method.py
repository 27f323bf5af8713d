"""A batch of conic programs solved through their smooth form, and what their solutions' derivatives are.

The map S of :mod:`dpplang.runtime.kkt` is applied in the variables of the smooth form, by one small symmetric system
(:mod:`dpplang.runtime.smooth.face`); how the eliminated variables and the multipliers of their graphs move is then
known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.program import Program
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.convexity import ConvexityTest
from dpplang.runtime.data_map import Data
from dpplang.runtime.found import Found
from dpplang.runtime.options import Options
from dpplang.runtime.smooth.face import Face
from dpplang.runtime.smooth.form import SmoothForm
from dpplang.runtime.smooth.newton import Iterate, minimize
from dpplang.runtime.smooth.numbers import Numbers, times, transposed_times
from dpplang.runtime.smooth.polish import polish
from dpplang.runtime.smooth.recognize import recognize
from dpplang.runtime.smooth.terms import Bound, Point
from dpplang.runtime.threads import cores, each

_ORDER, _ENTRIES = 400, 1 << 20  # largest order of a linear system, and most entries of one element's matrices
_ROUNDING, _NEAR, _NEARER = 1e-12, 1e-6, 1e-9  # relative residuals at which Newton's method stops
_THREADS = 1 << 17  # entries of matrices in a batch for each thread that is worth its while
_CHUNK = 1 << 23  # entries of matrices that are worked on together
_SINGULAR = 1e-13  # reciprocal condition number from which a Hessian counts as singular


class SmoothMethod:
    """Newton's method for programs whose exponential and power cones are all graphs that can be taken out."""

    def __init__(self, form: SmoothForm, options: Options) -> None:
        self._form, self._options, self._tolerance = form, options, options.tolerance
        self._threads = options.threads or cores()
        self._convexity = ConvexityTest(form.structure.P)

    @property
    def order(self) -> int:
        """Number of variables that are left."""
        return self._form.kept.size

    @staticmethod
    def of(program: Program, options: Options) -> SmoothMethod | None:
        """The method for this program; None if it has no smooth terms, or its dense matrices would be too large."""
        form = recognize(program)
        return SmoothMethod(form, options) if form is not None and form.curved and fits(form) else None

    def solve(self, data: Data, elements: NDArray[np.intp]) -> list[Found]:
        """Solve the given elements of a batch; those in none of the results are left to others."""
        form, batch = self._form, elements.size
        n = form.kept.size
        weight = n * (n + form.arguments.size + 2 * form.below.size)
        size = max(1, _CHUNK // max(1, weight))
        threads = min(self._threads, batch * weight // _THREADS)
        if threads > 1:
            size = min(size, -(-batch // threads))
        chunks = [elements[start : start + size] for start in range(0, batch, size)]
        return [found for part in each(lambda c: self.solve_together(data, c), chunks, threads) for found in part]

    def solve_together(self, data: Data, elements: NDArray[np.intp]) -> list[Found]:
        """All of them at once, however few or many."""
        here = data.rows(elements)
        numbers = Numbers.of(self._form, here, elements.size)
        with np.errstate(all="ignore"):  # where a limit stopped it, residuals may be of any size
            at, error = self._optimum(numbers)
        good = numbers.sound & (error < self._tolerance)
        indefinite = list(self._convexity.negative(here.P))
        if indefinite:
            good[slice(None) if here.P.shape[0] == 1 else indefinite] = False
        return found_at(numbers, at, good, here, elements)

    def _optimum(self, numbers: Numbers) -> tuple[Iterate, Array]:
        """Iterates and their residuals ``[B]``.

        Without cones Newton's method goes all the way. Near the boundary of a cone its systems lose accuracy, so that
        from an interior point that is just close enough the solution is reached along the boundary; where that was too
        early, a closer one is sought.
        """
        if not numbers.h.shape[1]:
            return polish(numbers, minimize(numbers, _ROUNDING, self._options))
        near = minimize(numbers, _NEAR, self._options)
        at, error = polish(numbers, near)
        left = np.flatnonzero(~(error < self._tolerance))
        if left.size:
            some = numbers.select(left)
            again, found = polish(some, minimize(some, _NEARER, self._options, near.at(left)))
            at.put(left, again)
            error[left] = found
        return at, error


def fits(form: SmoothForm) -> bool:
    """Whether its dense matrices are small enough."""
    n, rows = form.kept.size, form.equal.size + form.below.size
    return n + rows <= _ORDER and n * (form.arguments.size + rows) <= _ENTRIES


def found_at(
    numbers: Numbers, at: Iterate, good: NDArray[np.bool_], data: Data, elements: NDArray[np.intp]
) -> list[Found]:
    """Those of the ``elements`` ``[B]`` that are ``good``, their optimality verified, as solutions of the program.

    The conditions may also hold outside the domain, where they mean nothing: y·e^(x/y) goes on to negative y.
    """
    inside = (at.z[:, numbers.form.positive] > 0).all(axis=1)
    solved = np.flatnonzero(good & inside)
    if not solved.size:
        return []
    if solved.size < good.size:
        numbers, at, data = numbers.select(solved), at.at(solved), data.rows(solved)
    solution = SmoothSolution(numbers, at)
    point = solution.point()
    objective = numbers.form.objective(data, point.x)
    return [Found(elements[solved], point.x, point.y, point.s, objective, solution, ~solution.regular)]


@dataclass(frozen=True, eq=False)
class SmoothSolution:
    """Solutions of a batch in the variables of the smooth form."""

    numbers: Numbers
    at: Iterate

    def point(self) -> Point:
        """As solutions of the conic program."""
        form, at = self.numbers.form, self.at
        m, n = form.structure.A.shape
        B = at.x.shape[0]
        point = Point(np.zeros((B, n)), np.zeros((B, m)), np.zeros((B, m)))
        point.x[:, form.kept] = at.x
        point.y[:, form.equal], point.y[:, form.below], point.s[:, form.below] = at.y, at.lam, at.s
        form.caps.complete(point)
        with np.errstate(all="ignore"):
            for bound in self.numbers.terms:
                bound.term.complete(bound, at.z, point)
        return point

    @cached_property
    def _face(self) -> Face:
        return Face(self.numbers, self.numbers.jet(self.at.z), self.at.s - self.at.lam)

    @property
    def regular(self) -> NDArray[np.bool_]:
        """Where the solution is unique and moves smoothly: elsewhere the general methods know more."""
        matrix = self._face.matrix
        if matrix.shape[1] == self.at.x.shape[1]:
            return _definite(matrix)
        return self._face.regular & self.numbers.form.barrier.smooth(self.at.s - self.at.lam)

    def __call__(self, g: Array, h: Array) -> tuple[Array, Array]:
        """(r ``[B, n]``, t ``[B, m]``) for g ``[B, n]``, h ``[B, m]``."""
        numbers, form = self.numbers, self.numbers.form
        r, t = np.zeros_like(g), np.zeros_like(h)
        z = self.at.z
        still = np.zeros_like(z)
        with np.errstate(all="ignore"):
            for bound in numbers.terms:
                self._respond(bound, z, still, g, h, r, t)
            forced = transposed_times(numbers.M, t[:, form.arguments])
            caps, lifted = form.caps, np.zeros_like(h)
            lifted[:, caps.row] = g[:, caps.column]
            forced -= transposed_times(numbers.G, lifted[:, form.below])
            moved = h.copy()
            moved[:, caps.row] += h[:, caps.head]
            dx, t_equal, t_below = self._face.solve(g[:, form.kept] + forced, h[:, form.equal], moved[:, form.below])
            r[:, form.kept], t[:, form.equal], t[:, form.below] = dx, t_equal, t_below
            t[:, caps.head] = t[:, caps.row]
            t[:, caps.row] += g[:, caps.column]
            lifted[:, form.below] = h[:, form.below] - times(numbers.G, dx)
            r[:, caps.column] = lifted[:, caps.row]
            dz = times(numbers.M, dx)
            for bound in numbers.terms:
                self._respond(bound, z, dz, g, h, r, t)
        return r, t

    @staticmethod
    def _respond(bound: Bound, z: Array, dz: Array, g: Array, h: Array, r: Array, t: Array) -> None:
        r[:, bound.term.columns], t[:, bound.term.rows] = bound.term.respond(bound, z, dz, g, h)


def _definite(matrices: Array) -> NDArray[np.bool_]:
    """Positive definite beyond rounding, after scaling to a unit diagonal."""
    diagonal = np.einsum("bii->bi", matrices)
    good = np.isfinite(matrices).all(axis=(1, 2)) & (diagonal > 0).all(axis=1)
    scale = 1 / np.sqrt(np.where(good[:, None], diagonal, 1.0))
    scaled = np.where(good[:, None, None], matrices * scale[:, :, None] * scale[:, None, :], np.eye(matrices.shape[1]))
    try:
        pivots = np.einsum("bii->bi", np.linalg.cholesky(scaled))
    except np.linalg.LinAlgError:
        return good & (np.linalg.eigvalsh(scaled)[:, 0] > _SINGULAR)
    return good & (pivots.min(axis=1, initial=1.0) ** 2 > _SINGULAR)
