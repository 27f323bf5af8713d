"""A batch of conic programs solved through their smooth form, and what their solutions' derivatives are.

The map S of :mod:`dpplang.runtime.kkt` is applied in the variables of the smooth form: with H = P + Mᵀf″M, and as many
rows of E and G as hold with equality, one small symmetric system; how the eliminated variables and the multipliers of
their graphs move is then known.
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
from dpplang.runtime.kkt_factor import Factor, factorize
from dpplang.runtime.options import Options
from dpplang.runtime.smooth.form import SmoothForm
from dpplang.runtime.smooth.newton import Iterate, minimize, solve
from dpplang.runtime.smooth.numbers import Numbers, times, transposed_times
from dpplang.runtime.smooth.polish import active_system, polish
from dpplang.runtime.smooth.recognize import recognize
from dpplang.runtime.smooth.terms import Bound, Point

_ORDER, _ENTRIES = 400, 1 << 20  # largest order of a linear system, and most entries of one element's matrices
_CHUNK = 1 << 23  # entries of matrices that are worked on together
_DEGENERATE = 1e-7  # relative size below which s and λ of one bound count as both zero
_SINGULAR = 1e-13  # reciprocal condition number from which a Hessian counts as singular


class SmoothMethod:
    """Newton's method for programs whose nonlinear cones are all graphs that can be taken out."""

    def __init__(self, form: SmoothForm, tolerance: float) -> None:
        self._form, self._tolerance = form, tolerance
        self._convexity = ConvexityTest(form.structure.P)

    @property
    def order(self) -> int:
        """Number of variables that are left."""
        return self._form.kept.size

    @staticmethod
    def of(program: Program, options: Options) -> SmoothMethod | None:
        """The method for this program; None if it has no such form, or its dense matrices would be too large."""
        form = recognize(program)
        if form is None:
            return None
        n, rows = form.kept.size, form.equal.size + form.below.size
        if n + rows > _ORDER or n * (form.arguments.size + rows) > _ENTRIES:
            return None
        return SmoothMethod(form, options.tolerance)

    def solve(self, data: Data, elements: NDArray[np.intp]) -> list[Found]:
        """Solve the given elements of a batch; those in none of the results are left to others."""
        form, batch = self._form, elements.size
        size = max(1, _CHUNK // max(1, form.kept.size * (form.kept.size + form.arguments.size)))
        founds: list[Found] = []
        for start in range(0, batch, size):
            founds += self._chunk(data, elements[start : start + size])
        return founds

    def _chunk(self, data: Data, elements: NDArray[np.intp]) -> list[Found]:
        here = data.rows(elements)
        solved, solution = self._solutions(here, elements.size)
        if not solved.size:
            return []
        point = solution.point()
        q = here.q if here.q.shape[0] == 1 else here.q[solved]
        objective = np.sum(q * point.x, axis=1) + solution.quadratic
        weak = ~solution.regular
        return [Found(elements[solved], point.x, point.y, point.s, objective, solution, weak)]

    def _solutions(self, data: Data, batch: int) -> tuple[NDArray[np.intp], SmoothSolution]:
        """Which elements are solved, their optimality verified, and their solutions."""
        numbers = Numbers.of(self._form, data, batch)
        at, error = polish(numbers, minimize(numbers))
        good = numbers.sound & (error < self._tolerance)
        indefinite = list(self._convexity.negative(data.P))
        if indefinite:
            good[slice(None) if data.P.shape[0] == 1 else indefinite] = False
        solved = np.flatnonzero(good)
        if solved.size < batch:
            numbers, at = numbers.select(solved), at.at(solved)
        return solved, SmoothSolution(numbers, at)


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
        with np.errstate(all="ignore"):
            for bound in self.numbers.terms:
                bound.term.complete(bound, at.z, point)
        return point

    @property
    def quadratic(self) -> Array:
        """½xᵀPx ``[B]``."""
        x = self.at.x
        return 0.5 * np.sum(x * (self.numbers.P @ x[:, :, None])[..., 0], axis=1)

    @cached_property
    def _system(self) -> Array:
        return active_system(self.numbers, self.numbers.jet(self.at.z), self.at.lam > 0)

    @cached_property
    def _factor(self) -> Factor:
        return factorize(self._system)

    def _apply(self, rhs: Array) -> Array:
        """The system's inverse. One that is definite is not worth a factor of its own: elimination is as fast."""
        return solve(self._system, rhs) if self._definite else self._factor.solve(rhs)

    @property
    def _definite(self) -> bool:
        return self._system.shape[1] == self.at.x.shape[1]

    @property
    def regular(self) -> NDArray[np.bool_]:
        """Where the solution is unique and moves smoothly: elsewhere the general methods know more."""
        at = self.at
        scale = 1 + np.abs(at.lam).max(axis=1, initial=0.0) + np.abs(at.s).max(axis=1, initial=0.0)
        clear = (np.maximum(at.s, at.lam) > _DEGENERATE * scale[:, None]).all(axis=1)
        return clear & (_definite(self._system) if self._definite else ~self._factor.singular)

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
            n, p = form.kept.size, form.equal.size
            limits = np.where(self.at.lam > 0, h[:, form.below], 0.0)
            solved = self._apply(np.concatenate((g[:, form.kept] + forced, h[:, form.equal], limits), axis=1))
            r[:, form.kept] = solved[:, :n]
            t[:, form.equal], t[:, form.below] = solved[:, n : n + p], solved[:, n + p :]
            dz = times(numbers.M, solved[:, :n])
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
