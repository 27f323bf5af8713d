"""LDLᵀ factors of a batch of symmetric matrices that share a sparse pattern, all at once.

A sparse factorization of one small matrix is a long chain of tiny steps. Here a step is taken for the whole batch, and
for all pivots at once that do not touch each other: pivots of least degree are eliminated in rounds (the multiple
minimum degree of Liu 1985), and what is left when that no longer pays is a small dense matrix. The pivots are not
chosen by their values: the matrices must be quasidefinite, for which any order is sound (Vanderbei 1995).

Arrays are batch-last, ``[…, B]``: rounds gather and scatter along the first axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.kkt_factor import solve_each

Ints = NDArray[np.intp]

_ROUND, _PIVOT = 1.0, 0.005  # cost of a round for one matrix of a batch, and of one product in it (microseconds)
_DEGREES = 4  # so many different ones are looked at for a round


def _dense_cost(order: int) -> float:
    """Of inverting a dense matrix, in the same unit."""
    return 0.3 * order + 3e-4 * order**3


@dataclass(frozen=True, slots=True, eq=False)
class _Round:
    """``count`` pivots of one degree, none beside another.

    Attributes:
        nodes: their places in the order of elimination. diagonal, off: their slots, and those of their columns.
        first, second: pairs of neighbours, whose products change the slots ``targets`` by way of ``updates``.
        neighbours: places of neighbours, pivot by pivot. reached: the same without repeats, by way of ``spread``.
    """

    count: int
    degree: int
    nodes: slice
    diagonal: slice
    off: slice
    first: Ints
    second: Ints
    targets: Ints
    updates: sp.csr_array
    neighbours: Ints
    reached: Ints
    spread: sp.csr_array


class Elimination:
    """The order of elimination for one pattern.

    Attributes:
        size: the order of the matrices. slots: how many entries their factors have.
        order: which node is at which place. cost: of one factorization, by the same measure as rounds.
    """

    def __init__(self, size: int, rows: Ints, columns: Ints) -> None:
        """``rows``, ``columns``: of the entries of either triangle; the diagonal counts as present."""
        self.size = size
        beside: list[set[int]] = [set() for _ in range(size)]
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True):
            if i != j:
                beside[i].add(j)
                beside[j].add(i)
        chosen, self.cost = _rounds(beside)
        pivots = [k for members, _ in chosen for k in members]
        rest = sorted(set(range(size)).difference(pivots))
        self.order: Ints = np.array([*pivots, *rest], dtype=np.intp)
        self._place: Ints = np.empty(size, np.intp)
        self._place[self.order] = np.arange(size)
        self._slots: dict[tuple[int, int], int] = {}
        columns_at = [self._number(members, around) for members, around in chosen]
        self.rest = slice(len(pivots), size)
        pairs = [(a, b) for b in range(len(pivots), size) for a in range(b, size)]
        for pair in pairs:
            self._slots[pair] = len(self._slots)
        self.slots = len(self._slots)
        self.rounds = [self._round(*columns) for columns in columns_at]
        places = range(len(pivots), size)
        self.dense: Ints = np.array([self._slots[max(a, b), min(a, b)] for a in places for b in places], dtype=np.intp)

    def slot(self, i: Ints, j: Ints) -> Ints:
        """Slots of the entries (i, j), by nodes."""
        a, b = self._place[i], self._place[j]
        pairs = zip(np.maximum(a, b).tolist(), np.minimum(a, b).tolist(), strict=True)
        return np.array([self._slots[pair] for pair in pairs], dtype=np.intp)

    def _number(self, members: list[int], around: list[list[int]]) -> tuple[Ints, Ints, int]:
        """Give slots to a round: places of its pivots, places of their neighbours, and the first slot."""
        nodes, start = self._place[members], len(self._slots)
        for k in nodes.tolist():
            self._slots[k, k] = len(self._slots)
        beside = self._place[np.array(around, dtype=np.intp).reshape(len(members), -1)]
        for k, neighbours in zip(nodes.tolist(), beside.tolist(), strict=True):
            for a in neighbours:
                self._slots[a, k] = len(self._slots)
        return nodes, beside, start

    def _round(self, nodes: Ints, beside: Ints, start: int) -> _Round:
        count, degree = beside.shape
        pairs = list(combinations_with_replacement(range(degree), 2))
        first, second = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
        hit = [self._slots[max(k[a], k[b]), min(k[a], k[b])] for k in beside.tolist() for a, b in pairs]
        targets, updates = _sums(np.array(hit, dtype=np.intp))
        reached, spread = _sums(beside.reshape(-1))
        diagonal = slice(start, start + count)
        off = slice(start + count, start + count * (1 + degree))
        run = slice(int(nodes[0]), int(nodes[0]) + count)
        return _Round(
            count, degree, run, diagonal, off, first, second, targets, updates, beside.reshape(-1), reached, spread
        )

    @cached_property
    def tail(self) -> int:
        """The order of the dense rest."""
        return self.size - self.rest.start


def _rounds(beside: list[set[int]]) -> tuple[list[tuple[list[int], list[list[int]]]], float]:
    """Pivots and their neighbours, round by round, and what it all costs. ``beside`` is used up."""
    left = set(range(len(beside)))
    rounds: list[tuple[list[int], list[list[int]]]] = []
    cost = 0.0
    while (chosen := _next(beside, left)) is not None:
        members, price = chosen
        cost += price
        around = [sorted(beside[k]) for k in members]
        for k, neighbours in zip(members, around, strict=True):
            for a in neighbours:
                beside[a].update(neighbours)
                beside[a] -= {a, k}
        left.difference_update(members)
        rounds.append((members, around))
    return rounds, cost + _dense_cost(len(left))


def _next(beside: list[set[int]], left: set[int]) -> tuple[list[int], float] | None:
    """Pivots of the least degree that pays, and what they cost; None where none does."""
    by_degree: dict[int, list[int]] = {}
    for k in sorted(left):
        by_degree.setdefault(len(beside[k]), []).append(k)
    for degree in sorted(by_degree)[:_DEGREES]:
        members: list[int] = []
        blocked: set[int] = set()
        for k in by_degree[degree]:
            if k not in blocked:
                members.append(k)
                blocked |= beside[k]
        price = _ROUND + _PIVOT * len(members) * (degree + 1) ** 2
        if price < _dense_cost(len(left)) - _dense_cost(len(left) - len(members)):
            return members, price
    return None


def _sums(targets: Ints) -> tuple[Ints, sp.csr_array]:
    """The different targets, and the matrix that adds up what goes to each."""
    unique, at = np.unique(targets, return_inverse=True)
    ones = np.ones(targets.size)
    return unique, sp.csr_array((ones, (at, np.arange(targets.size))), shape=(unique.size, targets.size))


class Factors:
    """The factors of a batch."""

    def __init__(self, plan: Elimination, entries: Array) -> None:
        """``entries`` ``[slots, B]``, with zeros where there is fill; they are overwritten."""
        self._plan = plan
        self._columns: list[Array] = []
        self._pivots: list[Array] = []
        batch = entries.shape[1]
        for step in plan.rounds:
            pivots = 1 / entries[step.diagonal]
            column = entries[step.off].reshape(step.count, step.degree, batch)
            scaled = column * pivots[:, None]
            if step.degree:
                products = column[:, step.first] * scaled[:, step.second]
                entries[step.targets] -= step.updates @ products.reshape(-1, batch)
            self._columns.append(scaled)
            self._pivots.append(pivots)
        k = plan.tail
        dense = np.ascontiguousarray(entries[plan.dense].T).reshape(batch, k, k)
        self._inverse = solve_each(dense, np.broadcast_to(np.eye(k), dense.shape)) if k else dense

    def solve(self, rhs: Array) -> Array:
        """z ``[N, B]`` for g ``[N, B]``, by nodes; NaN where a matrix is exactly singular."""
        plan, batch = self._plan, rhs.shape[1]
        z = rhs[plan.order]
        for step, column in zip(plan.rounds, self._columns, strict=True):
            if step.degree:
                moved = column * z[step.nodes][:, None]
                z[step.reached] -= step.spread @ moved.reshape(-1, batch)
        if plan.tail:
            z[plan.rest] = (self._inverse @ z[plan.rest].T[:, :, None])[:, :, 0].T
        for step, column, pivots in zip(reversed(plan.rounds), self._columns[::-1], self._pivots[::-1], strict=True):
            z[step.nodes] *= pivots
            if step.degree:
                z[step.nodes] -= (column * z[step.neighbours].reshape(column.shape)).sum(axis=1)
        out = np.empty_like(z)
        out[plan.order] = z
        return out
