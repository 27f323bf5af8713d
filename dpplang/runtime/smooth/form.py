"""The smooth form of a conic program: which variables and rows are left, and where its matrices stand in P and A."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.cones import Cones
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.data_map import Data, Index, compact
from dpplang.runtime.smooth.barrier import Barrier
from dpplang.runtime.smooth.terms import Ints, Point, Term
from dpplang.runtime.solvers.protocol import Pattern, Structure


@dataclass(frozen=True, eq=False)
class SmoothForm:
    """minimize ½xᵀPx + qᵀx + Σⱼ wⱼ fⱼ(Mx + r) subject to Ex = e, h − Gx ∈ K.

    Attributes:
        structure: of the conic program. kept: its variables that are left, ``[n]``.
        arguments: its rows that are Mx + r, ``[V]``; equal, below: those of E and G.
        cones: of the rows of G. terms: what the other rows and variables became.
        caps: bounds that second-order cones were merged with.
    """

    structure: Structure
    kept: Ints
    arguments: Ints
    equal: Ints
    below: Ints
    cones: Cones
    terms: tuple[Term, ...]
    caps: Caps

    @cached_property
    def M(self) -> Block:
        return Block.of(self.structure.A, self.arguments, self.kept, -1.0)

    @cached_property
    def E(self) -> Block:
        return Block.of(self.structure.A, self.equal, self.kept, 1.0)

    @cached_property
    def G(self) -> Block:
        return Block.of(self.structure.A, self.below, self.kept, 1.0)

    @cached_property
    def barrier(self) -> Barrier:
        return Barrier.of(self.cones)

    @property
    def curved(self) -> bool:
        """Whether ∇f is more than affine."""
        return any(term.curved for term in self.terms)

    @cached_property
    def positive(self) -> Ints:
        """Positions in z that must be positive."""
        return np.concatenate([np.empty(0, np.intp), *(term.positive for term in self.terms)])

    def P(self, entries: Array) -> Array:
        """The symmetric P of the kept variables, ``[1 or B, n, n]``."""
        i, j, inside = self._P_at
        out = np.zeros((entries.shape[0], self.kept.size, self.kept.size))
        out[:, i, j] = out[:, j, i] = entries[:, inside]
        return out

    @cached_property
    def _P_at(self) -> tuple[Ints, Ints, Index]:
        """Rows and columns of the entries of P among kept variables, and which of all they are."""
        place = np.full(self.structure.P.shape[0], -1)
        place[self.kept] = np.arange(self.kept.size)
        i, j = place[self.structure.P.indices], place[self.structure.P.columns]
        inside = np.flatnonzero((i >= 0) & (j >= 0))
        return i[inside], j[inside], compact(inside)

    def objective(self, data: Data, x: Array) -> Array:
        """½xᵀPx + qᵀx ``[B]`` of the conic program at x ``[B, variables]``."""
        P, kept = self.structure.P, x[:, self.kept]
        total = np.sum(data.q * x, axis=1) + 0.5 * np.sum(kept * (self.P(data.P) @ kept[:, :, None])[..., 0], axis=1)
        loose = np.setdiff1d(np.arange(P.indices.size), np.arange(P.indices.size)[self._P_at[2]])
        # An eliminated variable has a square at most.
        return total + 0.5 * np.sum(data.P[:, loose] * x[:, P.indices[loose]] ** 2, axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Caps:
    """‖x‖ ≤ t and t ≤ e, with nothing else to say of t: (e, x) is put into the cone, and t is e.

    Otherwise t would be free wherever the bound does not matter, and the solution not unique.

    Attributes:
        row: of e − t; it stands for the cone's first in G. head: the cone's own first row. column: of t.
    """

    row: Ints
    head: Ints
    column: Ints

    def complete(self, point: Point) -> None:
        """From e in ``row`` to values of t and of both rows."""
        point.x[:, self.column] = point.s[:, self.head] = point.s[:, self.row]
        point.y[:, self.head] = point.y[:, self.row]
        point.s[:, self.row] = 0.0


@dataclass(frozen=True, eq=False)
class Block:
    """Some rows and columns of a sparse matrix as a dense one, transposed, times a sign.

    ``entries`` are positions among the matrix's, ``places`` where they belong in ``[columns · rows]``; None if they
    fill it in order, as a matrix of parameters does.
    """

    shape: tuple[int, int]
    entries: Index
    places: NDArray[np.intp] | None
    sign: float

    @staticmethod
    def of(pattern: Pattern, rows: Ints, columns: Ints, sign: float) -> Block:
        row_at, column_at = np.full(pattern.shape[0], -1), np.full(pattern.shape[1], -1)
        row_at[rows], column_at[columns] = np.arange(rows.size), np.arange(columns.size)
        i, j = row_at[pattern.indices], column_at[pattern.columns]
        entries = np.flatnonzero((i >= 0) & (j >= 0))
        places = j[entries] * rows.size + i[entries]
        full = np.array_equal(places, np.arange(rows.size * columns.size))
        return Block((columns.size, rows.size), compact(entries), None if full else places, sign)

    def at(self, values: Array) -> Array:
        """``[1 or B, columns, rows]`` from the matrix's entries ``[1 or B, nnz]``."""
        found = values[:, self.entries] if isinstance(self.entries, slice) else values.take(self.entries, axis=1)
        if self.places is None:
            return (found if self.sign == 1 else self.sign * found).reshape(values.shape[0], *self.shape)
        out = np.zeros((values.shape[0], self.shape[0] * self.shape[1]))
        out[:, self.places] = self.sign * found
        return out.reshape(values.shape[0], *self.shape)
