"""What a solver must offer, and what it is given.

    minimize ½ xᵀPx + qᵀx   subject to   Ax + s = b,  s ∈ K

A solver is made once for a structure (patterns and cones) and then asked for one batch element after the other, from
several threads at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from dpplang.asa.cones import Cones
from dpplang.asa.program import Program, SparseMatrixMap
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.status import Status

SCEPTICAL = 1e-13
"""What a sceptical solver takes for zero in a certificate."""

VERDICTS = {
    "Solved": Status.SOLVED,
    "PrimalInfeasible": Status.INFEASIBLE,
    "AlmostPrimalInfeasible": Status.INFEASIBLE,
    "DualInfeasible": Status.UNBOUNDED,
    "AlmostDualInfeasible": Status.UNBOUNDED,
    "MaxIterations": Status.ITERATION_LIMIT,
    "MaxTime": Status.TIME_LIMIT,
}
"""What Clarabel, and Moreau in its words, end with; all else is numerical trouble."""


def doubt(settings: Any) -> None:
    """Let an interior-point method, by its settings, claim infeasibility and unboundedness on certificates alone."""
    settings.tol_infeas_abs = settings.tol_infeas_rel = SCEPTICAL
    settings.reduced_tol_infeas_abs = settings.reduced_tol_infeas_rel = 1e3 * SCEPTICAL


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """A CSC pattern (32-bit indices, as the solvers want them)."""

    shape: tuple[int, int]
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]

    @staticmethod
    def of(matrix: SparseMatrixMap) -> Pattern:
        return Pattern(matrix.shape, matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32))

    @property
    def columns(self) -> NDArray[np.intp]:
        """Column of every entry, in CSC order."""
        return np.repeat(np.arange(self.shape[1]), np.diff(self.indptr))

    def matrix(self, values: Array) -> sp.csc_matrix:
        """The matrix with these entries."""
        return sp.csc_matrix((values, self.indices, self.indptr), shape=self.shape)


class Structure:
    """What all batch elements share: patterns, of P the upper triangle's, and cones."""

    def __init__(self, P: Pattern, A: Pattern, cones: Cones) -> None:
        self._known: tuple[Pattern, Pattern] | None = (P, A)
        self._program: Program | None = None
        self.cones = cones

    @staticmethod
    def of(program: Program) -> Structure:
        """A program's, read when it is first asked for."""
        found = Structure.__new__(Structure)
        found._known, found._program, found.cones = None, program, program.cones
        return found

    @property
    def _patterns(self) -> tuple[Pattern, Pattern]:
        known = self._known
        if known is None:
            assert self._program is not None
            known = self._known = Pattern.of(self._program.P), Pattern.of(self._program.A)
        return known

    @property
    def P(self) -> Pattern:
        return self._patterns[0]

    @property
    def A(self) -> Pattern:
        return self._patterns[1]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a solver says about one element.

    ``x`` ``[n]``, ``y`` and ``s`` ``[m]`` (s = b − Ax, y its multiplier). For status infeasible, y is a certificate:
    Aᵀy = 0, y ∈ K*, bᵀy < 0. For status unbounded, x is a direction: Px = 0, −Ax ∈ K, qᵀx < 0. ``objective`` is ½xᵀPx
    + qᵀx. ``note`` says more in words.
    """

    status: Status
    x: Array
    y: Array
    s: Array
    objective: float
    iterations: int = 0
    note: str = ""


class Solver(Protocol):
    def solve(self, P: Array, q: Array, A: Array, b: Array) -> Answer:
        """Solve one element; P and A are entries in CSC order."""
        ...
