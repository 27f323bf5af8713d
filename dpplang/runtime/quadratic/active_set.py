"""The active sets of a batch: which inequalities hold with equality at the solution.

DAQP (Arnström, Bemporad, Axehill 2022, "A dual active-set solver for embedded quadratic programming using recursive
LDLᵀ updates") finds the one of an element in microseconds, for it is given the problem in the range space, where its
objective is ½‖v‖² and there is nothing left to factorize. Where the batch shares large matrices, block pivoting on
their common K comes first.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import daqp as binding
import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.options import Options
from dpplang.runtime.quadratic import pivoting
from dpplang.runtime.quadratic.held import Mask
from dpplang.runtime.quadratic.range_space import RangeSpace

daqp: Any = binding  # a compiled module without type stubs

_LARGE = 250  # inequalities from which block pivoting with a shared K beats one element after the other
OPTIMAL = 1  # its exit flag
_TOLERANCE = 1e-11  # of the slacks, relative to the largest right-hand side


def find(space: RangeSpace, d: Array, options: Options) -> tuple[Mask, Mask]:
    """Active sets for  t ≥ 0, s = Kt + d ≥ 0, tᵀs = 0.

    Args:
        d: ``[B, m]``. options: limits of iterations and time; what they stop counts as not solved.

    Returns:
        (F ``[B, m]``, which elements have been solved ``[B]``).
    """
    if space.separable is not None:
        return d < 0, np.ones(d.shape[0], dtype=bool)
    if space.projected.shape[0] == 1 and d.shape[1] >= _LARGE:
        active, done = pivoting.solve(space.K, d, options)
    else:
        active, done = np.zeros(d.shape, dtype=bool), np.all(d >= 0, axis=1)
    rest = np.flatnonzero(~done)
    if rest.size:
        size = np.abs(d[rest]).max(axis=1)
        scaled = d[rest] / size[:, None]
        apart = space.projected.shape[0] > 1
        limits = daqp_limits(options)
        for i, bounds in zip(rest.tolist(), scaled, strict=True):
            found = _one(space.projected[i if apart else 0], bounds, limits)
            if found is not None:
                active[i], done[i] = found, True
    return active, done


@lru_cache(maxsize=64)
def _rest_of_the_call(m: int, n: int) -> tuple[Array, Array, Array, NDArray[np.intc]]:
    """What is the same for all: ½‖v‖², no lower bounds, and that every row is an inequality."""
    return np.eye(n), np.zeros(n), np.full(m, -1e30), np.zeros(m, dtype=np.intc)


def daqp_limits(options: Options) -> dict[str, float]:
    """Limits of iterations and time, in DAQP's words; what is not set has its own."""
    limits = {"iter_limit": options.max_iterations, "time_limit": options.time_limit}
    return {name: limit for name, limit in limits.items() if limit is not None}


def _one(rows: Array, bounds: Array, limits: dict[str, float]) -> Mask | None:
    """The active set of  minimize ½‖v‖² subject to rows v ≤ bounds, None if there is no solution or it is not found."""
    objective, linear, below, kinds = _rest_of_the_call(*rows.shape)
    # The solver writes its working set into what it is told of the rows.
    _, _, flag, info = daqp.solve(objective, linear, rows, bounds, below, kinds.copy(), primal_tol=_TOLERANCE, **limits)
    return info["lam"] > 0 if flag == OPTIMAL else None
