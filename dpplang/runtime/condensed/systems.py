"""The condensed systems of a batch: made from P, A and a stiffness, and factorized."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from dpplang.runtime.condensed.elimination import Factors
from dpplang.runtime.condensed.matrix import Matrix
from dpplang.runtime.condensed.plan import NUDGE, Condensed
from dpplang.runtime.condensed.stiffness import Stiffness
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.solvers.protocol import Structure

Ints = NDArray[np.intp]


class Systems:
    """Of one structure. What is made of matrices that stay the same is made once."""

    def __init__(self, structure: Structure) -> None:
        self.plan = Condensed(structure)
        self._known: tuple[Array, Array, Matrices] | None = None

    def at(self, P: Array, A: Array) -> Matrices:
        """With the entries of P and A ``[1 or B, nnz]``, which nobody changes."""
        known = self._known
        if known is None or known[0] is not P or known[1] is not A:
            known = P, A, Matrices.of(self.plan, P, A)
            if P.shape[0] == A.shape[0] == 1:
                self._known = known
        return known[2]


@dataclass(frozen=True, eq=False)
class Matrices:
    """P and A of a batch, and how the entries of its systems come from weights: ``entries`` times those, or, where the
    batch does not share P and A, times the terms, whose ``coefficients`` are ``[terms, B]``."""

    plan: Condensed
    P: Matrix
    A: Matrix
    entries: sp.csr_array
    coefficients: Array | None

    @staticmethod
    def of(plan: Condensed, P: Array, A: Array) -> Matrices:
        structure, batch = plan.structure, max(P.shape[0], A.shape[0])
        matrices = Matrix(structure.P, P), Matrix(structure.A, A, plan.layout)
        fixed = np.array([[1.0, NUDGE, -NUDGE, -1.0]])
        numbers = np.concatenate([np.broadcast_to(v.T, (v.shape[1], batch)) for v in (P, A, fixed)], axis=0)
        coefficients = plan.terms(numbers)
        if batch > 1:
            return Matrices(plan, *matrices, plan.sums, coefficients)
        shape = (plan.elimination.slots, plan.weights)
        shared = sp.csr_array((coefficients[:, 0], (plan.slots, plan.weight)), shape=shape)
        return Matrices(plan, *matrices, shared, None)

    def select(self, elements: Ints) -> Matrices:
        if self.coefficients is None:
            return self
        some = np.ascontiguousarray(self.coefficients[:, elements])
        return Matrices(self.plan, self.P.select(elements), self.A.select(elements), self.entries, some)

    def factorize(self, stiffness: Stiffness) -> Step:
        plan, batch = self.plan, stiffness.linear.shape[1]
        cones = stiffness.plus.reshape(-1, batch), stiffness.minus.reshape(-1, batch)
        weights = np.concatenate([np.ones((1, batch)), stiffness.linear, stiffness.kappa, *cones], axis=0)
        if self.coefficients is not None:
            weights = self.coefficients * weights[plan.weight]
        return Step(self, Factors(plan.elimination, self.entries @ weights), stiffness)

    @cached_property
    def strength(self) -> Array:
        """Of each bound and each second-order cone ``[bounds + count, 1]``: the square of the largest entry of A in its
        rows, at most 1."""
        layout = self.plan.layout
        rows = self.A.largest_in_rows()
        cones = layout.soc(rows[:, None]).max(axis=1, initial=0.0)
        return np.clip(np.concatenate((rows[layout.bounds, None], cones), axis=0) ** 2, 1e-6, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """The systems at some stiffness, factorized."""

    matrices: Matrices
    factors: Factors
    stiffness: Stiffness

    def condensed(self, g: Array, equal: Array) -> tuple[Array, Array]:
        """(r ``[n, B]``, multipliers of the equations) of (P + AᵀEA) r + A₌ᵀt = g, A₌r = ``equal``."""
        plan = self.matrices.plan
        n, count = plan.n, plan.layout.equal.stop
        rhs = np.zeros((plan.size, g.shape[1]))
        rhs[:n] = g
        rhs[n : n + count] = equal
        z = self.factors.solve(rhs)
        return z[:n], z[n : n + count]

    def solve(self, g: Array, h: Array, force: Array) -> tuple[Array, Array]:
        """(r ``[n, B]``, t ``[rows, B]``) of P r + Aᵀt = g, t = E A r − ``force``, which is overwritten; A r = h on
        equations."""
        A, equal = self.matrices.A, self.matrices.plan.layout.equal
        force[equal] = 0.0
        r, multipliers = self.condensed(g + A.transposed_times(force), h[equal])
        t = self.stiffness.times(A.times(r))
        t -= force
        t[equal] = multipliers
        return r, t
