"""Conic programs without the variables that only name expressions, where what defines those is constant.

`sum_squares(X - C)` is lowered as ‖τ‖² with τ == X − C. Without τ the program is a fraction of the size, for the solver
and for the derivative; τ and its multipliers follow from the rest (:mod:`dpplang.runtime.quadratic.dense`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.cones.product import Product
from dpplang.runtime.conic import Conic
from dpplang.runtime.data_map import Data
from dpplang.runtime.detail import Detail
from dpplang.runtime.found import Found, Refused
from dpplang.runtime.kkt import KktPlan, Linear
from dpplang.runtime.options import Options
from dpplang.runtime.quadratic.dense import Dense, DensePlan, Planned
from dpplang.runtime.solvers.protocol import Pattern, Structure
from dpplang.runtime.status import Status
from dpplang.runtime.workspace import Workspace

_LARGEST = 1 << 22  # entries of the dense block that defines the names
_VERDICTS = (Status.INFEASIBLE, Status.UNBOUNDED, Status.ITERATION_LIMIT, Status.TIME_LIMIT)
"""What the whole program would only say again."""
_FILL = 2  # how many times the entries of that block its square may have


class ReducedMethod:
    """Prepared for one program."""

    def __init__(
        self, plan: DensePlan, dense: Dense, structure: Structure, entries: NDArray[np.intp], options: Options
    ):
        """``structure``: of the smaller program. entries: those of A that stay."""
        self._plan, self._dense, self._entries = plan, dense, entries
        self._P = dense.P[:, structure.P.indices, structure.P.columns]
        self._cone = Product.of(structure.cones)
        self._kkt = KktPlan(structure, self._cone)
        self._conic = Conic(structure, self._cone, options, (), self._P[0])

    @staticmethod
    def of(program: Planned, options: Options) -> ReducedMethod | None:
        """The method for this program, None if no variable of it is a constant function of others and of θ."""
        structure, map_ = program.structure, program.map
        if not structure.cones.zero or map_.touched("P") or program.least[0] > _LARGEST:
            return None
        plan, moved = program.plan, map_.touches("A")
        names = plan.names
        if names is None or names.D.block.shape[0] * names.D.block.shape[1] > _LARGEST or not plan.m:
            return None
        A = structure.A
        stays = np.isin(A.indices, names.others)
        if moved[~stays].any():
            return None
        dense = plan.matrices(program.constant)
        if dense.D is None or np.count_nonzero(dense.P[0]) > _FILL * np.count_nonzero(dense.D[0]):
            return None
        P = sp.csc_matrix(np.triu(dense.P[0]))
        place = np.searchsorted(names.others, A.indices)
        kept = np.flatnonzero(stays)
        counts = np.bincount(A.columns[kept], minlength=A.shape[1])[names.u]
        pointers = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
        smaller = Structure(
            Pattern((plan.n, plan.n), P.indptr.astype(np.int32), P.indices.astype(np.int32)),
            Pattern((plan.m, plan.n), pointers, place[kept].astype(np.int32)),
            replace(structure.cones, zero=plan.equalities),
        )
        return ReducedMethod(plan, dense, smaller, kept, options)

    def solve(self, data: Data, elements: NDArray[np.intp]) -> list[Found | Refused]:
        """Solve or refuse the given elements of a batch; those of which the solver makes nothing are left to others."""
        here = data.rows(elements)
        q, b = self._plan.vectors(self._dense, here)
        small = Data(self._P, q, here.A[:, self._entries], b, here.d)
        work = Workspace(elements.size, self._plan.n, self._plan.m)
        self._conic.solve(small, work, work.open())
        exact = np.array([not work.details.get(i) for i in range(elements.size)], dtype=bool) & work.ok
        refused = [
            Refused(int(elements[i]), work.status[i], self._whole_detail(work.status[i], detail))
            for i, detail in work.details.items()
            if work.status[i] in _VERDICTS
        ]
        kept = np.flatnonzero(exact)
        if not kept.size:
            return [*refused]
        here, small = here.rows(kept), small.rows(kept)
        u, y, s = work.x[kept], work.y[kept], work.s[kept]
        x, multipliers = self._plan.restore(self._dense, here, u, y)
        objective = self._plan.objective(self._dense, here, x)
        derivative = _Sensitivity(self, small, s - y)
        weak = np.zeros(kept.size, dtype=bool)
        slacks = self._plan.slacks(s)
        found = Found(elements[kept], x, multipliers, slacks, objective, derivative, weak, derivative.free)
        return [found, *refused]

    def _whole_detail(self, status: Status, detail: Detail) -> Detail:
        """With the certificate for the whole program: rows that define names have no part in infeasibility, and names
        follow a direction of unboundedness."""
        if detail.certificate is None:
            return detail
        alone = detail.certificate[None]
        if status is Status.INFEASIBLE:
            return replace(detail, certificate=self._plan.slacks(alone)[0])
        names = self._plan.names
        assert names is not None
        none = np.zeros((1, names.u.size + names.tau.size)), np.zeros((1, self._rows))
        ray, _ = self._plan.expand(self._dense, *none, alone, np.zeros((1, self._plan.m)))
        return replace(detail, certificate=ray[0])

    def linearize(self, small: Data, v: Array) -> Linear:
        return self._kkt.linearize(small.P, small.A, v)

    def around(self, linear: Linear, g: Array, h: Array) -> tuple[Array, Array]:
        """S of the whole program by that of the smaller one."""
        small = self._plan.reduce(self._dense, g, h)
        return self._plan.expand(self._dense, g, h, *linear.solve(*small))

    def whole(self, r: Array, t: Array) -> tuple[Array, Array]:
        """A direction that the smaller system leaves undetermined, in the whole one."""
        names = self._plan.names
        assert names is not None
        g, h = np.zeros((r.shape[0], names.u.size + names.tau.size)), np.zeros((r.shape[0], self._rows))
        return self._plan.expand(self._dense, g, h, r, t)

    @cached_property
    def _rows(self) -> int:
        names = self._plan.names
        assert names is not None
        return names.others.size + names.defining.size


class _Sensitivity:
    """S for the elements of one :class:`Found`, factorized when it is first asked for."""

    def __init__(self, method: ReducedMethod, small: Data, v: Array) -> None:
        self._method, self._small, self._v = method, small, v

    @cached_property
    def _linear(self) -> Linear:
        return self._method.linearize(self._small, self._v)

    def __call__(self, g: Array, h: Array) -> tuple[Array, Array]:
        return self._method.around(self._linear, g, h)

    def free(self) -> tuple[Array, Array] | None:
        return self._method.whole(*self._linear.free()) if self._linear.singular.any() else None
