"""The method for quadratic programs with linear constraints: which programs it takes, solutions, derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.data_map import Data, DataMap
from dpplang.runtime.found import Found
from dpplang.runtime.options import Options
from dpplang.runtime.quadratic.active_set import find
from dpplang.runtime.quadratic.dense import Dense, DensePlan
from dpplang.runtime.quadratic.held import Held, Mask
from dpplang.runtime.quadratic.range_space import RangeSpace, factorize, times, transposed_times
from dpplang.runtime.solvers.protocol import Structure
from dpplang.runtime.threads import cores, each

_LARGEST = 2500  # variables or rows beyond which dense matrices are no longer the way
_CHUNK = 1 << 20  # numbers held for the elements that are worked on together: what stays in cache
_THREADS = 1 << 21  # numbers in a batch from which threads save more than they cost
_ROUNDING = 1e-12  # relative residual that is not worth a correction


class QuadraticMethod:
    """Prepared for one program. Its solutions are exact to rounding; what it does not solve, another method must."""

    def __init__(self, plan: DensePlan, options: Options, constant: Data | None) -> None:
        """``constant``: the data, where no parameter touches P and A: then they are factorized once and for all."""
        self._plan, self._options = plan, options
        self._fixed = self._factorize(plan.matrices(constant)) if constant is not None else None

    @staticmethod
    def of(structure: Structure, map_: DataMap, options: Options) -> QuadraticMethod | None:
        """The method for this program, None if it is of another kind."""
        cones, P = structure.cones, structure.P
        if cones.rows > cones.zero + cones.nonneg or not P.indices.size:
            return None
        parts = dict(map_.parts)
        touched = map_.touches("A")
        plan = DensePlan(structure, parts["A"].constant[0], ~touched)
        if max(plan.n, plan.m) > _LARGEST or not plan.may_be_definite:
            return None
        constant = None
        if not map_.touched("P") and not touched.any():
            constant = Data(*(parts[name].constant for name in ("P", "q", "A", "b", "d")))
        made = QuadraticMethod(plan, options, constant)
        return None if constant is not None and made._fixed is None else made

    def solve(self, data: Data, elements: NDArray[np.intp]) -> list[Found]:
        """Solve the given elements of a batch; those in none of the results are left to others."""
        plan, shared = self._plan, data.P.shape[0] == 1 and data.A.shape[0] == 1
        factors = self._fixed
        if factors is None and shared:
            factors = self._factorize(plan.matrices(data))
            if factors is None:
                return []
        n, m = plan.n, plan.m - plan.equalities
        weight = m * m if shared else 2 * (n * n + n * plan.m + m * m)
        size = max(1, _CHUNK // max(weight, 1))
        batch = elements.size
        threads = self._options.threads or cores()
        if batch * weight < _THREADS:
            threads = 1
        else:
            size = min(size, -(-batch // threads))
        chunks = [elements[start : start + size] for start in range(0, batch, size)]
        return [found for part in each(lambda c: self._chunk(data, c, factors), chunks, threads) for found in part]

    def _factorize(self, dense: Dense) -> tuple[Dense, RangeSpace] | None:
        space = factorize(dense.P, dense.At, self._plan.equalities)
        return None if space is None else (dense, space)

    def _chunk(self, data: Data, elements: NDArray[np.intp], factors: tuple[Dense, RangeSpace] | None) -> list[Found]:
        plan = self._plan
        here = data.rows(elements)
        if factors is None:
            factors = self._factorize(plan.matrices(here))
        if factors is None:  # of one of them: find out which
            if elements.size == 1:
                return []
            half = elements.size // 2
            return self._chunk(data, elements[:half], None) + self._chunk(data, elements[half:], None)
        dense, space = factors
        q, b = plan.vectors(dense, here)
        p = plan.equalities
        b = np.broadcast_to(b, (elements.size, b.shape[1]))
        alpha, rho, c = space.start(np.broadcast_to(-q, (elements.size, q.shape[1])), b[:, :p])
        d = b[:, p:] - times(space.rows, rho)
        F, done = find(space, d)
        system = _System(dense, space, F, p)
        u, y = system.finish(alpha, rho, c, -d)
        u, y, s, good = system.polish(u, y, q, b, self._options.tolerance)
        good &= done
        if not good.any():
            return []
        x, multipliers = plan.restore(dense, here, u, y)
        slacks = plan.slacks(s)
        objective = plan.objective(dense, here, x)
        weak = np.any(~F & (s[:, p:] <= 0), axis=1)
        if good.all():
            return [Found(elements, x, multipliers, slacks, objective, _Sensitivity(plan, system), weak)]
        kept = np.flatnonzero(good)
        part = _Sensitivity(plan, system.take(kept))
        return [Found(elements[kept], x[kept], multipliers[kept], slacks[kept], objective[kept], part, weak[kept])]


@dataclass(frozen=True, eq=False)
class _System:
    """The optimality system at active sets F ``[B, m]``; p equalities."""

    dense: Dense
    space: RangeSpace
    F: Mask
    p: int

    @cached_property
    def _held(self) -> Held:
        return Held.of(self.space.projected, self.F)

    def take(self, kept: NDArray[np.intp]) -> _System:
        return _System(self.dense[kept], self.space[kept], self.F[kept], self.p)

    def solve(self, g: Array, h: Array) -> tuple[Array, Array]:
        """(r ``[B, n]``, t ``[B, rows]``) with Pr + Aᵀt = g, A r = h on the equalities and F, t = 0 elsewhere."""
        alpha, rho, c = self.space.start(g, h[:, : self.p])
        return self.finish(alpha, rho, c, times(self.space.rows, rho) - h[:, self.p :])

    def finish(self, alpha: Array, rho: Array, c: Array | None, rhs: Array) -> tuple[Array, Array]:
        t = self._held.solve(rhs)
        r, along = self.space.finish(alpha, rho, c, t)
        return r, t if along is None else np.concatenate((along, t), axis=1)

    def polish(self, u: Array, y: Array, q: Array, b: Array, tolerance: float) -> tuple[Array, Array, Array, Mask]:
        """(u, y, s, whether they are optimal to the tolerance), corrected where rounding has left something."""
        f, g, size = self._residual(u, y, q, b)
        if not (size <= _ROUNDING).all():
            du, dy = self.solve(-f, g)
            better = self._residual(u + du, y + dy, q, b)
            take = (better[2] < size)[:, None]
            u, y = np.where(take, u + du, u), np.where(take, y + dy, y)
            f, g, size = np.where(take, better[0], f), np.where(take, better[1], g), np.minimum(better[2], size)
        p, F = self.p, self.F
        slack = self._slack(u, b)
        s = np.zeros_like(slack)
        free = np.where(F, 0.0, slack[:, p:])
        scale = tolerance * (1 + np.abs(b).max(axis=1, initial=0.0))[:, None]
        good = (size <= tolerance) & (free >= -scale).all(axis=1)
        good &= (y[:, p:] >= -tolerance * (1 + np.abs(y).max(axis=1, initial=0.0))[:, None]).all(axis=1)
        s[:, p:] = np.maximum(free, 0.0)
        y[:, p:] = np.maximum(y[:, p:], 0.0)
        return u, y, s, good

    def _slack(self, u: Array, b: Array) -> Array:
        return b - transposed_times(self.dense.At, u)

    def _residual(self, u: Array, y: Array, q: Array, b: Array) -> tuple[Array, Array, Array]:
        """(Pu + q + Aᵀy, b − Au where it should be 0, and how large they are relative to their terms)."""
        P = self.dense.P
        Pu = P * u if P.ndim == 2 else times(P, u)
        Aty = times(self.dense.At, y)
        f = Pu + q + Aty
        g = self._slack(u, b)
        g[:, self.p :] = np.where(self.F, g[:, self.p :], 0.0)
        terms = 1 + np.maximum(np.abs(q).max(axis=1, initial=0.0), np.abs(Pu).max(axis=1, initial=0.0))
        size = np.abs(f).max(axis=1, initial=0.0) / terms
        return f, g, np.maximum(size, np.abs(g).max(axis=1, initial=0.0) / (1 + np.abs(b).max(axis=1, initial=0.0)))


class _Sensitivity:
    """The map S of :mod:`dpplang.runtime.kkt` for the elements of one part."""

    def __init__(self, plan: DensePlan, system: _System) -> None:
        self._plan, self._system = plan, system

    def __call__(self, g: Array, h: Array) -> tuple[Array, Array]:
        plan, system = self._plan, self._system
        small = plan.reduce(system.dense, g, h)
        return plan.expand(system.dense, g, h, *system.solve(*small))
