"""The smooth form of a conic program: which variables and rows are left, and where its matrices stand in P and A."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dpplang.asa.cones import Cones
from dpplang.runtime.batched import times
from dpplang.runtime.blocks import Block, block, symmetric_block
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.data_map import Data
from dpplang.runtime.smooth.barrier import Barrier
from dpplang.runtime.smooth.terms import Ints, Point, Term
from dpplang.runtime.solvers.protocol import Structure


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
        return block(self.structure.A, self.arguments, self.kept, transposed=True, sign=-1.0)

    @cached_property
    def E(self) -> Block:
        return block(self.structure.A, self.equal, self.kept, transposed=True)

    @cached_property
    def G(self) -> Block:
        return block(self.structure.A, self.below, self.kept, transposed=True)

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

    @cached_property
    def P(self) -> Block:
        """The symmetric P of the kept variables."""
        return symmetric_block(self.structure.P, self.kept)

    def objective(self, data: Data, x: Array) -> Array:
        """½xᵀPx + qᵀx ``[B]`` of the conic program at x ``[B, variables]``."""
        P, kept = self.structure.P, x[:, self.kept]
        total = np.sum(data.q * x, axis=1) + 0.5 * np.sum(kept * times(self.P.fill(data.P), kept), axis=1)
        loose = np.setdiff1d(every := np.arange(P.indices.size), every[self.P.entries])
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
