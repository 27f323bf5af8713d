"""From a conic program to its smooth form: which graphs can be taken back out.

A variable t is eliminated that has a cost, no quadratic term, and stands in one cone alone, by itself in one of the
cone's rows: then the cone is tight, and t a function of the other rows. Where log-sum-exp and the logistic function are
made of several cones, t stands in one row of each.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.cones import Cones
from dpplang.asa.program import AffineMap, Program
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.smooth.form import Caps, SmoothForm
from dpplang.runtime.smooth.log_sum_exp import LogSumExp
from dpplang.runtime.smooth.named import Named
from dpplang.runtime.smooth.perspective import Perspective
from dpplang.runtime.smooth.scalars import Exp, NegativeLog, NegativePower, Power, Scalar
from dpplang.runtime.smooth.terms import Ints, Term
from dpplang.runtime.solvers.protocol import Structure

Mask = NDArray[np.bool_]


def recognize(program: Program) -> SmoothForm | None:
    """The smooth form; None if a cone is left that is no term, or there is none."""
    cones = program.cones
    look = _Look(program)
    places = _Places()
    terms: list[Term] = [*_log_sum_exps(look, places), *_three(look, places), *_names(look, places)]
    taken = np.zeros(program.m, bool)
    gone = np.zeros(program.n, bool)
    for term in terms:
        taken[term.rows] = gone[term.columns] = True
    if not taken[look.exp_start :].all():
        return None
    caps = _caps(look)
    gone[caps.column] = True
    stands_for = np.arange(program.m)
    stands_for[caps.head] = caps.row
    linear = ~taken
    linear[caps.row] = False
    left = np.flatnonzero(linear)
    below = stands_for[left[left >= cones.zero]]
    bounds = int(np.count_nonzero(left < cones.zero + cones.nonneg)) - int(np.count_nonzero(left < cones.zero))
    return SmoothForm(
        structure=Structure.of(program),
        kept=np.flatnonzero(~gone),
        arguments=np.concatenate([np.empty(0, np.intp), *places.rows]),
        equal=left[left < cones.zero],
        below=below,
        cones=Cones(nonneg=bounds, soc=cones.soc, psd=cones.psd),
        terms=tuple(terms),
        caps=caps,
    )


class _Places:
    """Hands out places in z."""

    def __init__(self) -> None:
        self.rows: list[Ints] = []
        self._next = 0

    def take(self, rows: Ints) -> Ints:
        """Where these rows will be."""
        self.rows.append(rows.ravel())
        start, self._next = self._next, self._next + rows.size
        return np.arange(start, self._next).reshape(rows.shape)


class _Look:
    """A program's pattern, by row and by column, and which entries no parameter touches (NaN where one does)."""

    def __init__(self, program: Program) -> None:
        self.program = program
        A = program.A
        self.row, self.indptr = A.indices.astype(np.intp), A.indptr
        self.in_column = np.diff(A.indptr)
        self.column = np.repeat(np.arange(program.n), self.in_column)
        self.value, self.b = _fixed(A.values), _fixed(program.b)
        self.in_row = np.bincount(self.row, minlength=program.m)
        cones = program.cones
        self.exp_start = program.m - 3 * (cones.exp + len(cones.pow))

    @cached_property
    def linear(self) -> Mask:
        """Variables ``[n]`` with a cost and without a quadratic term."""
        q = self.program.q
        costs = (q.constant != 0) | (np.diff(q.matrix.indptr) > 0)
        return costs & ~self._in_P

    @cached_property
    def free_of_cost(self) -> Mask:
        q = self.program.q
        return (q.constant == 0) & (np.diff(q.matrix.indptr) == 0) & ~self._in_P

    @cached_property
    def _in_P(self) -> Mask:
        P, found = self.program.P, np.zeros(self.program.n, bool)
        found[P.indices] = True
        found |= np.diff(P.indptr) > 0
        return found

    @cached_property
    def alone(self) -> tuple[Ints, Array]:
        """Per row ``[m]``: the variable of its only entry, −1 if it has not one, and that entry."""
        column, value = np.full(self.program.m, -1), np.full(self.program.m, np.nan)
        column[self.row], value[self.row] = self.column, self.value
        several = self.in_row != 1
        column[several], value[several] = -1, np.nan
        return column, value

    def exposed(self, rows: Ints) -> Mask:
        """Whether these rows hold nothing but a variable that can be eliminated."""
        column, value = self.alone
        t = column[rows]
        return (t >= 0) & (self.in_column[t] == 1) & self.linear[t] & np.isfinite(value[rows])


def _fixed(map_: AffineMap) -> Array:
    return np.where(np.diff(map_.matrix.indptr) > 0, np.nan, map_.constant)


def _three(look: _Look, places: _Places) -> Iterator[Term]:
    """Perspectives: cones of dimension three with one exposed place."""
    cones, start = look.program.cones, look.exp_start
    exp = start + 3 * np.arange(cones.exp)
    kinds: tuple[_Kind, ...] = ((2, 0, 1, 1.0, lambda k: Exp()), (0, 2, 1, -1.0, lambda k: NegativeLog()))
    yield from _perspectives(look, places, exp, kinds)
    power, a = start + 3 * cones.exp + 3 * np.arange(len(cones.pow)), np.array(cones.pow)
    kinds = (
        (0, 2, 1, 1.0, lambda k: Power(1 / a[k])),
        (1, 2, 0, 1.0, lambda k: Power(1 / (1 - a[k]))),
        (2, 0, 1, -1.0, lambda k: NegativePower(a[k])),
    )
    yield from _perspectives(look, places, power, kinds)


_Kind = tuple[int, int, int, float, Callable[[Ints], Scalar]]
"""Places of t, x and y in the cone, the sense, and φ for some of the cones."""


def _perspectives(look: _Look, places: _Places, cones: Ints, kinds: tuple[_Kind, ...]) -> Iterator[Term]:
    """Those of ``cones`` (first rows) that have a variable exposed, each by the first kind that fits, and apart by
    which of their arguments vary."""
    left = np.ones(cones.size, bool)
    column, value = look.alone
    for slot, first, second, sense, scalar in kinds:
        fits = left & look.exposed(cones + slot)
        left &= ~fits
        varies = look.in_row[cones + first] > 0, look.in_row[cones + second] > 0
        for both in ((True, False), (False, True), (True, True), (False, False)):
            members = np.flatnonzero(fits & (varies[0] == both[0]) & (varies[1] == both[1]))
            if members.size:
                start = cones[members]
                yield Perspective(
                    scalar=scalar(members),
                    sense=sense,
                    first=start + first,
                    second=start + second,
                    slot=start + slot,
                    column=column[start + slot],
                    scale=-value[start + slot],
                    first_at=places.take(start + first) if both[0] else None,
                    second_at=places.take(start + second) if both[1] else None,
                )


def _caps(look: _Look) -> Caps:
    cones = look.program.cones
    column, value = look.alone
    heads = cones.zero + cones.nonneg + np.cumsum([0, *cones.soc], dtype=np.intp)[:-1]
    t = column[heads]
    alone = t >= 0
    heads, t = heads[alone], t[alone]
    fits = (value[heads] == -1) & (look.b[heads] == 0) & (look.in_column[t] == 2) & look.free_of_cost[t]
    head, t = heads[fits], t[fits]
    first = look.indptr[t]
    other = np.where(look.row[first] == head, first + 1, first)
    row = look.row[other]
    fits = (row >= cones.zero) & (row < cones.zero + cones.nonneg) & (look.value[other] == 1)
    row, at = np.unique(row[fits], return_index=True)
    return Caps(row, head[fits][at], t[fits][at])


def _names(look: _Look, places: _Places) -> Iterator[Term]:
    """Variables that stand in one equation alone, by a constant, and have no products with others in the objective."""
    program = look.program
    P = program.P
    column = np.repeat(np.arange(program.n), np.diff(P.indptr))
    crossed = np.zeros(program.n, bool)
    off = P.indices != column
    crossed[P.indices[off]] = crossed[column[off]] = True
    fits = (look.in_column[look.column] == 1) & np.isfinite(look.value) & (look.value != 0) & ~crossed[look.column]
    entries = np.flatnonzero(fits & (look.row < program.cones.zero))
    row, first = np.unique(look.row[entries], return_index=True)
    if row.size:
        chosen = entries[first]
        square = np.full(program.n, -1)
        square[column[~off]] = np.flatnonzero(~off)
        tau = look.column[chosen]
        yield Named(row, tau, look.value[chosen], square[tau], places.take(row))


@dataclass(frozen=True, slots=True)
class _Members:
    """Exponential cones (aᵢ − t, 1, vᵢ): first rows, vᵢ, and the row and coefficient of vᵢ in a bound."""

    start: Ints
    variable: Ints
    bound: Ints
    share: Array


def _log_sum_exps(look: _Look, places: _Places) -> Iterator[Term]:
    members = _members(look)
    if not members.start.size:
        return
    bounds, t = _segments(look, members)
    order = np.argsort(members.bound, kind="stable")
    known = np.full(look.program.m, -1)
    known[bounds] = t
    varies = look.in_row[members.start] > 1
    kinds: dict[tuple[int, int], list[Ints]] = {}
    edges = np.flatnonzero(np.diff(members.bound[order], prepend=-1, append=-1))
    for low, high in itertools.pairwise(edges.tolist()):
        segment = order[low:high]
        if known[members.bound[segment[0]]] >= 0:
            moving = varies[segment]
            sorted_ = np.concatenate((segment[moving], segment[~moving]))
            kinds.setdefault((segment.size, int(moving.sum())), []).append(sorted_)
    for (_, moving), segments in kinds.items():
        if not moving:  # a constant: its cones are left to others
            continue
        index = np.stack(segments, axis=1)
        start = members.start[index]
        bound = members.bound[index[0]]
        yield LogSumExp(
            row_a=start,
            row_b=start + 1,
            row_c=start + 2,
            member=members.variable[index],
            share=members.share[index],
            mass=bound,
            column=known[bound],
            at=places.take(start[:moving]),
        )


def _members(look: _Look) -> _Members:
    program = look.program
    start = look.exp_start + 3 * np.arange(program.cones.exp)
    column, value = look.alone
    v = column[start + 2]
    fits = (v >= 0) & (value[start + 2] == -1) & (look.b[start + 2] == 0)
    fits &= (look.in_row[start + 1] == 0) & (look.b[start + 1] == 1)
    fits &= (look.in_column[v] == 2) & look.free_of_cost[v]
    start, v = start[fits], v[fits]
    first = look.indptr[v]
    other = np.where(look.row[first] == start + 2, first + 1, first)
    bound, share = look.row[other], look.value[other]
    zero, nonneg = program.cones.zero, program.cones.nonneg
    fits = (bound >= zero) & (bound < zero + nonneg) & (share > 0)
    return _Members(start[fits], v[fits], bound[fits], share[fits])


def _segments(look: _Look, members: _Members) -> tuple[Ints, Ints]:
    """Bounds all of whose variables are members, and that have one t, with coefficient 1 in every member's first row
    and nowhere else: (bounds, their t)."""
    m, n = look.program.m, look.program.n
    count = np.bincount(members.bound, minlength=m)
    whole = count == look.in_row
    of_row = np.full(m, -1)
    of_row[members.start] = members.bound
    entry = np.where(look.value == 1, of_row[look.row], -1)
    least, most = np.full(n, m), np.full(n, -1)
    np.minimum.at(least, look.column, entry)
    np.maximum.at(most, look.column, entry)
    t = np.flatnonzero(look.linear & (least == most) & (most >= 0))
    bound = most[t]
    t = t[whole[bound] & (count[bound] == look.in_column[t])]
    bounds, first, times = np.unique(most[t], return_index=True, return_counts=True)
    return bounds[times == 1], t[first[times == 1]]
