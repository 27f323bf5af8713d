"""The method for quadratic programs with linear constraints: which programs it takes, solutions, derivatives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.batched import times
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.data_map import Data
from dpplang.runtime.found import Found
from dpplang.runtime.options import Options
from dpplang.runtime.quadratic.active_set import find
from dpplang.runtime.quadratic.composed import LARGEST, Composed
from dpplang.runtime.quadratic.dense import Dense, DensePlan, Planned
from dpplang.runtime.quadratic.range_space import RangeSpace, factorize
from dpplang.runtime.quadratic.system import System
from dpplang.runtime.threads import cores, each

_LARGEST = 2500  # variables or rows beyond which dense matrices are no longer the way
_CHUNK = 1 << 20  # numbers held for the elements that are worked on together: what stays in cache
_SHARED = 1 << 24  # the same where matrices are shared: the more vectors at once, the less often they are read
_THREADS = 1 << 20  # numbers in a batch from which threads save more than they cost


class QuadraticMethod:
    """Prepared for one program. Its solutions are exact to rounding; what it does not solve, another method must."""

    def __init__(self, plan: DensePlan, options: Options, constant: Data | None) -> None:
        """``constant``: the data, where no parameter touches P and A: then they are factorized once and for all."""
        self._plan, self._options = plan, options
        self._fixed = self._factorize(plan.matrices(constant)) if constant is not None else None
        self._composed: Composed | None = None

    @staticmethod
    def of(program: Planned, options: Options) -> QuadraticMethod | None:
        """The method for this program, None if it is of another kind."""
        if not program.is_linear or not program.structure.P.indices.size or max(program.least) > _LARGEST:
            return None
        plan, map_ = program.plan, program.map
        if max(plan.n, plan.m) > _LARGEST or not plan.may_be_definite:
            return None
        is_fixed = not map_.touched("P") and not map_.touched("A")
        made = QuadraticMethod(plan, options, program.constant if is_fixed else None)
        if is_fixed:
            if made._fixed is None:
                return None
            structure = program.structure
            if structure.P.shape[0] + structure.A.shape[0] <= LARGEST:
                made._composed = Composed(plan, *made._fixed, structure, program.constant)
        return made

    def solve(self, data: Data, elements: NDArray[np.intp]) -> list[Found]:
        """Solve the given elements of a batch; those in none of the results are left to others."""
        plan, shared = self._plan, data.shares_matrices
        factors = self._fixed
        if factors is None and shared:
            factors = self._factorize(plan.matrices(data))
            if factors is None:
                return []
        n, m = plan.n, plan.m - plan.equalities
        weight = m * m if shared else 2 * (n * n + n * plan.m + m * m)
        batch = elements.size
        if batch * weight < _THREADS:
            return self._chunk(data, elements, factors)
        threads = self._options.threads or cores()
        size = max(1, min((_SHARED if shared else _CHUNK) // weight, -(-batch // threads)))
        chunks = [elements[start : start + size] for start in range(0, batch, size)]
        return [found for part in each(lambda c: self._chunk(data, c, factors), chunks, threads) for found in part]

    def _factorize(self, dense: Dense) -> tuple[Dense, RangeSpace] | None:
        space = factorize(dense.P, dense.At, self._plan.equalities)
        return None if space is None else (dense, space)

    def _chunk(self, data: Data, elements: NDArray[np.intp], factors: tuple[Dense, RangeSpace] | None) -> list[Found]:
        plan = self._plan
        here = data.rows(elements)
        if self._composed is not None:
            return self._composed.solve(here, elements, self._options)
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
        q, b = (v if v.shape[0] == elements.size else np.repeat(v, elements.size, axis=0) for v in (q, b))
        alpha, rho, c = space.start(-q, b[:, :p])
        d = b[:, p:] - times(space.rows, rho)
        F, done = find(space, d, self._options)
        system = System(dense, space, F, p)
        u, y = system.finish(alpha, rho, c, -d)
        u, y, s, good = system.polish(u, y, q, b, self._options.tolerance)
        good &= done
        x, multipliers = plan.restore(dense, here, u, y)
        slacks = plan.slacks(s)
        objective = plan.objective(dense, here, x)
        weak = np.any((s[:, p:] == 0) & ~F, axis=1)
        if good.all():
            return [Found(elements, x, multipliers, slacks, objective, _Sensitivity(plan, system), weak)]
        kept = np.flatnonzero(good)
        if not kept.size:
            return []
        part = _Sensitivity(plan, system.take(kept))
        return [Found(elements[kept], x[kept], multipliers[kept], slacks[kept], objective[kept], part, weak[kept])]


class _Sensitivity:
    """The map S of :mod:`dpplang.runtime.kkt` for the elements of one part."""

    def __init__(self, plan: DensePlan, system: System) -> None:
        self._plan, self._system = plan, system

    def __call__(self, g: Array, h: Array) -> tuple[Array, Array]:
        plan, system = self._plan, self._system
        small = plan.reduce(system.dense, g, h)
        return plan.expand(system.dense, g, h, *system.solve(*small))
