"""Small linear and quadratic programs whose P is only semidefinite: by DAQP, one element after the other.

An interior point is needed for none of them: up to about a hundred variables a dual active-set method with proximal
terms takes a tenth of the time, and ends at the exact active set. Lasso, support vector machines, portfolios with costs
of trading, control with bounds: an objective that is piecewise linear beside a quadratic part is of this kind.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.batched import times, transposed_times
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.cones.product import Product
from dpplang.runtime.convexity import ConvexityTest
from dpplang.runtime.data_map import Data
from dpplang.runtime.found import Found
from dpplang.runtime.options import Options
from dpplang.runtime.quadratic.active_set import OPTIMAL, daqp, daqp_limits
from dpplang.runtime.quadratic.dense import DensePlan, Planned
from dpplang.runtime.refine import Refinement
from dpplang.runtime.threads import cores, each

_LARGEST = 12_000  # variables times rows up to which it beats an interior point, nonzeros or not
_TOLERANCE = 1e-9  # of slacks; what it leaves is refined
_ROUNDING = 1e-11  # relative residual that needs no refinement
_EQUALITY = 5  # DAQP's word for a row that is always active
_WORTH = 1 << 15  # variables times rows, over the batch, from which threads save more than they cost


class PolyhedralMethod:
    """Prepared for one program. Its derivative is the general one."""

    def __init__(self, plan: DensePlan, refinement: Refinement, test: ConvexityTest | None, options: Options) -> None:
        """``test``: of P, where it depends on parameters."""
        self._plan, self._refinement, self._test, self._options = plan, refinement, test, options

    @staticmethod
    def of(program: Planned, options: Options) -> PolyhedralMethod | None:
        """The method for this program, None if it is of another kind."""
        structure, map_, (n, m) = program.structure, program.map, program.least
        if not program.is_linear or not structure.cones.rows or max(n, 1) * max(m, 1) > _LARGEST:
            return None
        plan = program.plan
        if not plan.n or not plan.m or plan.n * plan.m > _LARGEST:
            return None
        test = ConvexityTest(structure.P)
        moving = bool(map_.touched("P"))
        if not moving and test.negative(program.constant.P):
            return None
        refinement = Refinement(structure, Product.of(structure.cones))
        return PolyhedralMethod(plan, refinement, test if moving else None, options)

    def solve(self, data: Data, elements: NDArray[np.intp]) -> list[Found]:
        """Solve the given elements of a batch; those without a solution are left to others."""
        if self._test is not None:  # the solver takes an indefinite P as it comes
            negative = list(self._test.negative(data.rows(elements).P))
            elements = np.delete(elements, slice(None) if negative and data.P.shape[0] == 1 else negative)
        threads = self._options.threads or cores()
        if elements.size * self._plan.n * self._plan.m < _WORTH:
            threads = 1
        size = max(1, -(-elements.size // threads))
        chunks = [elements[start : start + size] for start in range(0, elements.size, size)]
        return [found for part in each(lambda c: self._chunk(data, c), chunks, threads) for found in part]

    def _chunk(self, data: Data, elements: NDArray[np.intp]) -> list[Found]:
        plan, here = self._plan, data.rows(elements)
        dense = plan.matrices(here)
        q, b = plan.vectors(dense, here)
        A = np.ascontiguousarray(np.swapaxes(dense.At, 1, 2))
        P = dense.P[:, :, None] * np.eye(plan.n) if dense.P.ndim == 2 else dense.P
        u, y = np.zeros((elements.size, plan.n)), np.zeros((elements.size, plan.m))
        done = np.zeros(elements.size, dtype=bool)
        kinds = np.where(np.arange(plan.m) < plan.equalities, _EQUALITY, 0).astype(np.intc)
        limits = {"iter_limit": 10 * plan.m + 100} | daqp_limits(self._options)
        for i in range(elements.size):
            element = tuple(part[i if part.shape[0] > 1 else 0] for part in (P, q, A, b))
            done[i] = _solve(element, kinds.copy(), u[i], y[i], limits)
        slack = b - transposed_times(dense.At, u)
        active = (y > 0) | (kinds == _EQUALITY)
        f = (dense.P * u if dense.P.ndim == 2 else times(dense.P, u)) + q + times(dense.At, y)
        apart = np.abs(np.where(active, slack, np.minimum(slack, 0.0))).max(axis=1)
        rest = np.maximum(np.abs(f).max(axis=1) / (1 + np.abs(q).max(axis=1)), apart / (1 + np.abs(b).max(axis=1)))
        x, y = plan.restore(dense, here, u, y)
        s = plan.slacks(np.where(active, 0.0, np.maximum(slack, 0.0)))
        rough = np.flatnonzero(done & (rest > _ROUNDING))
        if rough.size:
            x[rough], y[rough], s[rough], _, rest[rough] = self._refinement.best(
                here.rows(rough), x[rough], y[rough], s[rough], 1, self._options.tolerance, None
            )
        kept = np.flatnonzero(done & (rest <= self._options.tolerance))
        if not kept.size:
            return []
        objective = plan.objective(dense, here, x)[kept]
        everywhere = np.ones(kept.size, dtype=bool)
        return [Found(elements[kept], x[kept], y[kept], s[kept], objective, _unused, everywhere)]


def _solve(element: tuple[Array, ...], kinds: NDArray[np.intc], u: Array, y: Array, limits: dict[str, float]) -> bool:
    """Solve one element (P, q, A, b), into u and y; whether that was possible."""
    P, q, A, b = element
    below = np.where(kinds == _EQUALITY, b, -1e30)
    # The solver writes its working set into ``kinds``.
    x, _, flag, info = daqp.solve(P, q, A, b, below, kinds, primal_tol=_TOLERANCE, **limits)
    u[:], y[:] = x, info["lam"]
    return flag == OPTIMAL


def _unused(g: Array, h: Array) -> tuple[Array, Array]:
    """No element has this derivative: all are derived by the general system."""
    return g, h
