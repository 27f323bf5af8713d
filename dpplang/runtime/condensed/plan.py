"""The optimality system of a program with linear and second-order cones, condensed to its variables.

With E the stiffness of the rows that are no equations (how strongly a multiplier answers to its slack), a step solves

    P r + Aᵀt = g,    t = E (A r − h),    and  A r = h  on equations,

that is (P + AᵀEA) r = g + AᵀE h. On a linear row E is a number; on a second-order cone it is κI + a₊a₊ᵀ − a₋a₋ᵀ,
and the vectors A_cᵀa± border the matrix, so that it stays as sparse as the program (Domahidi, Chu, Boyd 2013, "ECOS"):

    [ P + Aᵀdiag(e)A   A₌ᵀ   p    m ]
    [ A₌               −δ    0    0 ]       p = A_cᵀa₊,  m = A_cᵀa₋ for each cone c.
    [ pᵀ               0    −1    0 ]
    [ mᵀ               0     0   +1 ]

Its entries are linear in (1, e, a₊, a₋): one sparse product makes them for the whole batch.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from dpplang.runtime.condensed.elimination import Elimination
from dpplang.runtime.condensed.layout import Layout
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.solvers.protocol import Structure

Ints = NDArray[np.intp]

NUDGE = 1e-10
"""What is added to the diagonal, so that no pivot is zero: refinement takes it out, or the next step does."""


class Condensed:
    """What the systems of one structure share: their pattern, and how their entries come from data and stiffness."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        P, A, cones = structure.P, structure.A, structure.cones
        self.n, self.m = P.shape[0], A.shape[0]
        self.layout = layout = Layout(cones)
        self.equations = cones.zero
        self.size = self.n + cones.zero + 2 * layout.count
        self._gather(structure)
        self.elimination = Elimination(self.size, self._i, self._j)

    def _gather(self, structure: Structure) -> None:
        """Terms of the entries: place (i, j), the numbers whose product it is, and the weight that it is taken by.

        Numbers are the entries of P, then of A, then 1 and the nudges; weights are 1, then e, then a₊, then a₋.
        """
        P, A, layout, n = structure.P, structure.A, self.layout, self.n
        row, column = layout.at[A.indices], A.columns
        at = np.arange(row.size) + P.indices.size  # places among the numbers
        one = P.indices.size + row.size
        zero, bounds = layout.equal.stop, layout.cones
        # The rows of a cone have one weight, and so have their products.
        group = np.arange(1 - zero, 1 - zero + layout.rows)
        group[bounds:] = 1 + bounds - zero + np.repeat(np.arange(layout.count), layout.k)
        plus = 1 + bounds - zero + layout.count
        self.weights = plus + 2 * layout.count * layout.k
        first, second = _pairs_in_rows(row, column, zero)
        parts: list[tuple[Ints | int, ...]] = [
            (P.indices.astype(np.intp), P.columns, np.arange(P.indices.size), one, 0)
        ]
        parts.append((column[first], column[second], at[first], at[second], group[row[first]]))
        on = np.flatnonzero(row < zero)
        parts.append((column[on], n + row[on], at[on], one, 0))
        on = np.flatnonzero(row >= bounds)
        soc = row[on] - bounds
        for k, base in enumerate((plus, plus + layout.count * layout.k)):
            node = n + zero + 2 * (soc // max(layout.k, 1)) + k
            parts.append((column[on], node, at[on], one, base + soc))
        diagonal = np.arange(n + zero + 2 * layout.count)
        kind = np.full(diagonal.size, one + 1)
        kind[n : n + zero] = one + 2
        kind[n + zero :: 2], kind[n + zero + 1 :: 2] = one + 3, one
        parts.append((diagonal, diagonal, kind, one, 0))
        wide = [np.broadcast_arrays(*part) for part in parts]
        i, j, self._first, self._second, weight = (np.concatenate(column) for column in zip(*wide, strict=True))
        i, j = np.maximum(i, j), np.minimum(i, j)
        # What has the same place and the same weight is one term.
        _, at, term = np.unique((i * self.size + j) * self.weights + weight, return_index=True, return_inverse=True)
        self._i, self._j, self.weight = i[at], j[at], weight[at]
        shape = (at.size, term.size)
        self._collect = sp.csr_array((np.ones(term.size), (term, np.arange(term.size))), shape=shape)

    @cached_property
    def slots(self) -> Ints:
        """Of each term, where in the factors its entry starts out."""
        return self.elimination.slot(self._i, self._j)

    @cached_property
    def sums(self) -> sp.csr_array:
        """Adds up the terms of each entry."""
        terms = self.slots.size
        return sp.csr_array((np.ones(terms), (self.slots, np.arange(terms))), shape=(self.elimination.slots, terms))

    @property
    def count(self) -> int:
        """Of the terms."""
        return self._i.size

    def terms(self, numbers: Array) -> Array:
        """What each weight is multiplied by, ``[terms, B]``, from numbers ``[…, B]``."""
        return self._collect @ (numbers[self._first] * numbers[self._second])


def _pairs_in_rows(row: Ints, column: Ints, first_row: int) -> tuple[Ints, Ints]:
    """Pairs of entries (their positions) of one row, each once, for rows from ``first_row`` on."""
    on = np.flatnonzero(row >= first_row)
    on = on[np.lexsort((column[on], row[on]))]
    _, start, count = np.unique(row[on], return_index=True, return_counts=True)
    firsts, seconds = [], []
    for size in np.unique(count).tolist():
        a, b = np.triu_indices(size)
        these = start[count == size][:, None]
        firsts.append(on[(these + a).reshape(-1)])
        seconds.append(on[(these + b).reshape(-1)])
    none = np.empty(0, np.intp)
    return np.concatenate([none, *firsts]), np.concatenate([none, *seconds])
