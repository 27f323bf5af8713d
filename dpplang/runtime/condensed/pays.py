"""Where the methods for a whole batch pay, in microseconds of processor time.

The numbers are fits to ``python -m benchmarks --only norm-ball-128`` and to programs like it with 10 to 50 variables
and 16 to 256 elements, each solved in turns both ways on one machine.
"""

from __future__ import annotations

import numpy as np

from dpplang.runtime.condensed.plan import Condensed
from dpplang.runtime.solvers.protocol import Structure

_ORDER, _TERMS = 400, 100_000  # most variables, rows, and products that make the entries of a system
_SURELY = 1.3  # times cheaper that the method must be
_CORES = 2  # from so many on, solves one by one make more of them


def fits(structure: Structure) -> bool:
    """Whether a program has second-order cones, none but those and linear ones, and is small."""
    cones, (m, n) = structure.cones, structure.A.shape
    others = cones.rows - cones.zero - cones.nonneg - sum(cones.soc)
    if not cones.soc or others or not 0 < n <= _ORDER or m > _ORDER:
        return False
    in_row = np.bincount(structure.A.indices, minlength=m)
    return int((in_row * (in_row + 1)).sum()) // 2 + structure.P.indices.size <= _TERMS


def interior_pays(plan: Condensed, batch: int, threads: int) -> bool:
    """Against Clarabel, one element after the other over some threads. Hundreds of small calls of a step are shared by
    the batch; a few tens of elements must be there to share them."""
    one = 80 + 1.2 * (plan.n + plan.m) + plan.structure.A.indices.size
    together = 10_000 + batch * (25 + 0.25 * plan.count)
    return batch * one / max(1.0, threads / _CORES) > _SURELY * together


def system_pays(structure: Structure, batch: int) -> bool:
    """Against dense systems, one for each element."""
    m, n = structure.A.shape
    return batch * 2.2e-4 * (n + m // 2) ** 3 > 1500
