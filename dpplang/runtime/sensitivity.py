"""Which engine computes the symmetric map S of :mod:`dpplang.runtime.kkt` for a solved batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from dpplang.core.errors import InternalError
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.cones.product import Product
from dpplang.runtime.derivative import Sensitivity
from dpplang.runtime.kkt import KktPlan
from dpplang.runtime.options import Options
from dpplang.runtime.solvers.protocol import Structure
from dpplang.runtime.warn import warn_singular

if TYPE_CHECKING:
    from dpplang.runtime.solved import Solved


def make_sensitivity(structure: Structure, cone: Product, options: Options) -> Callable[[Any], Sensitivity]:
    """The engine that ``options.derivative`` names: from a solved batch to its S.

    Raises:
        BindError: an engine that does not know one of the program's cones (SOL802).
    """
    match options.derivative:
        case "exact":
            return Exact(structure, cone)
        case "diffcp":
            from dpplang.runtime.derivative_diffcp import Diffcp

            return Diffcp(structure, options)
        case other:
            raise InternalError(f"no derivative {other!r}")


class Exact:
    """Direct factorization of the reduced optimality system."""

    def __init__(self, structure: Structure, cone: Product) -> None:
        self._structure, self._cone = structure, cone
        self._plan: KktPlan | None = None

    def __call__(self, solved: Solved) -> Sensitivity:
        if self._plan is None:
            self._plan = KktPlan(self._structure, self._cone)
        ok = solved.ok
        if ok.all():
            linear = self._plan.linearize(solved.data.P, solved.data.A, solved.s - solved.y)
        else:
            P, A = (e if e.shape[0] == 1 else e[ok] for e in (solved.data.P, solved.data.A))
            linear = self._plan.linearize(P, A, solved.s[ok] - solved.y[ok])
        if linear.singular:
            warn_singular(linear.singular, solved.batch)
        if ok.all():
            return linear.solve

        def masked(g: Array, h: Array) -> tuple[Array, Array]:
            r, t = np.zeros_like(g), np.zeros_like(h)
            r[ok], t[ok] = linear.solve(g[ok], h[ok])
            return r, t

        return masked
