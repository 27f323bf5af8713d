"""From the entries of a program to dense arrays of a smaller quadratic program, and back.

A variable τ that only names an affine expression, `c τ + D u = e` with constant c and nowhere else but in a diagonal
entry w and a linear term of the objective, is replaced by it, τ = (e − Du)/c. That turns `sum_squares(S @ x)`, which is
lowered as ‖τ‖² and τ == S x, into xᵀSᵀS x:

    P' = P_uu + Dᵀ(w/c²)D,      q' = q_u − Dᵀ(q_τ/c + w e/c²),

and its multiplier follows from stationarity in τ, y = −(w τ + q_τ)/c.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.program import Program
from dpplang.runtime.batched import times, transposed_times
from dpplang.runtime.blocks import block, symmetric_block
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.data_map import Data, DataMap
from dpplang.runtime.quadratic.filled import Filled
from dpplang.runtime.solvers.protocol import Structure

Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """Variables that name expressions.

    Attributes:
        tau, u: columns of the names and of the other variables. defining, others: rows, the equalities first.
        scale: c ``[T]``. weight: positions of w among the entries of P; −1 where there is none.
        D: the block ``[T, U]``.
    """

    tau: Ints
    u: Ints
    defining: Ints
    others: Ints
    scale: Array
    weight: Ints
    D: Filled


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """A batch of programs in dense arrays; leading extent 1 where the batch shares them.

    Attributes:
        P: ``[1|B, n, n]``, or its diagonal ``[1|B, n]``. At: Aᵀ ``[1|B, n, rows]``.
        plain: P without what the names contribute; None where that is nothing.
        D, w: of the names, ``[1|B, T, n]`` and ``[1|B, T]``; None without names.
    """

    P: Array
    At: Array
    plain: Array | None
    D: Array | None
    w: Array | None

    def __getitem__(self, part: Ints) -> Dense:
        """Some elements of the batch; shared arrays stay."""
        cut = [
            None if a is None else a if a.shape[0] == 1 else a[part]
            for a in (self.P, self.At, self.plain, self.D, self.w)
        ]
        P, At, plain, D, w = cut
        assert P is not None and At is not None
        return Dense(P, At, plain, D, w)


@dataclass(frozen=True, eq=False)
class Planned:
    """A program for which methods ask: its map, and its dense forms, planned once for all of them and only if one
    asks."""

    structure: Structure
    program: Program

    @cached_property
    def map(self) -> DataMap:
        return DataMap.of(self.program)

    @property
    def least(self) -> tuple[int, int]:
        """Lower bounds of the variables and rows of the smaller program, before it is planned."""
        names = self.structure.cones.zero
        return self.structure.P.shape[0] - names, self.structure.A.shape[0] - names

    @property
    def is_linear(self) -> bool:
        """Whether there are linear constraints only."""
        cones = self.structure.cones
        return cones.rows == cones.zero + cones.nonneg

    @cached_property
    def plan(self) -> DensePlan:
        return DensePlan(self.structure, dict(self.map.parts)["A"].constant[0], ~self.map.touches("A"))

    @property
    def constant(self) -> Data:
        """The data at θ = 0."""
        P, q, A, b, d = (part.constant for _, part in self.map.parts)
        return Data(P, q, A, b, d)


class DensePlan:
    """What the dense forms of one structure share.

    Attributes:
        names: the variables that are replaced, or None. n: the remaining variables. equalities: rows of A without those
            that define names.
    """

    def __init__(self, structure: Structure, constant_A: Array, is_constant: NDArray[np.bool_]) -> None:
        """``constant_A``, ``is_constant``: entries of A at θ = 0, and which of them no parameter touches."""
        P, A = structure.P, structure.A
        self._structure = structure
        self.names = _find_names(structure, constant_A, is_constant)
        everything = np.arange(P.shape[0]), np.arange(A.shape[0])
        u, rows = (self.names.u, self.names.others) if self.names else everything
        self.n, self.m = u.size, rows.size
        self.equalities = structure.cones.zero - (self.names.tau.size if self.names else 0)
        self._At = Filled("A", block(A, rows, u, transposed=True))
        self._diagonal = bool(np.array_equal(P.indices, P.columns)) and not self.names
        self._P = Filled("P", symmetric_block(P, u))

    @property
    def may_be_definite(self) -> bool:
        """Whether every variable has a square, or is named with a weight, so that P can be positive definite."""
        P, kept = self._structure.P, self.names.u if self.names else np.arange(self._structure.P.shape[0])
        squared = np.zeros(P.shape[0], dtype=bool)
        squared[P.indices[P.indices == P.columns]] = True
        covered = squared[kept]
        if self.names is not None:
            block = self.names.D.block
            D = np.zeros(block.shape, dtype=bool)
            D.reshape(-1)[slice(None) if block.places is None else block.places] = True
            covered |= D[self.names.weight >= 0].any(axis=0)
        return bool(covered.all())

    def matrices(self, data: Data) -> Dense:
        At = self._At(data)
        if self._diagonal:
            diagonal = np.zeros((data.P.shape[0], self.n))
            diagonal[:, self._structure.P.indices] = data.P
            return Dense(diagonal, At, diagonal, None, None)
        plain = self._P(data)
        if self.names is None:
            return Dense(plain, At, plain, None, None)
        names = self.names
        D = names.D(data)
        w, weighed = np.zeros((len(data.P), names.weight.size)), names.weight >= 0
        w[:, weighed] = data.P[:, names.weight[weighed]]  # P may have no entries at all
        gram = _gram(D, w / names.scale**2)
        some = self._P.block.some
        return Dense(plain + gram if some else gram, At, plain if some else None, D, w)

    def vectors(self, dense: Dense, data: Data) -> tuple[Array, Array]:
        """(q ``[1|B, n]``, b ``[1|B, rows]``) of the smaller program."""
        names = self.names
        if names is None or dense.D is None or dense.w is None:
            return data.q, data.b
        q, e = data.q, data.b[:, names.defining]
        inner = q[:, names.tau] / names.scale + dense.w * e / names.scale**2
        return q[:, names.u] - transposed_times(dense.D, inner), data.b[:, names.others]

    def restore(self, dense: Dense, data: Data, u: Array, y: Array) -> tuple[Array, Array]:
        """(x ``[B, n_full]``, y ``[B, m_full]``) from the solution of the smaller program."""
        names = self.names
        if names is None or dense.D is None or dense.w is None:
            return u, y
        e, q_tau = data.b[:, names.defining], data.q[:, names.tau]
        tau = (e - times(dense.D, u)) / names.scale
        return self._spread(u, tau, y, -(dense.w * tau + q_tau) / names.scale)

    def objective(self, dense: Dense, data: Data, x: Array) -> Array:
        """½xᵀPx + qᵀx ``[B]`` of the whole program, whose squares are summed, not expanded."""
        names = self.names
        u = x if names is None else x[:, names.u]
        total = np.sum(data.q * x, axis=1)
        if dense.plain is not None:
            moved = dense.plain * u if dense.plain.ndim == 2 else times(dense.plain, u)
            total = total + 0.5 * np.sum(u * moved, axis=1)
        if names is not None and dense.w is not None:
            total = total + 0.5 * np.sum(dense.w * x[:, names.tau] ** 2, axis=1)
        return total

    def reduce(self, dense: Dense, g: Array, h: Array) -> tuple[Array, Array]:
        """Right-hand sides (g, h) of the derivative's system for the smaller program."""
        names = self.names
        if names is None or dense.D is None or dense.w is None:
            return g, h
        moved = (g[:, names.tau] - dense.w * h[:, names.defining] / names.scale) / names.scale
        return g[:, names.u] - transposed_times(dense.D, moved), h[:, names.others]

    def expand(self, dense: Dense, g: Array, h: Array, r: Array, t: Array) -> tuple[Array, Array]:
        """The full (r, t) from that of the smaller program; g, h are the full right-hand sides."""
        names = self.names
        if names is None or dense.D is None or dense.w is None:
            return r, t
        r_tau = (h[:, names.defining] - times(dense.D, r)) / names.scale
        return self._spread(r, r_tau, t, (g[:, names.tau] - dense.w * r_tau) / names.scale)

    def slacks(self, s: Array) -> Array:
        """s ``[B, m_full]``: nothing is left of the rows that define names."""
        if self.names is None:
            return s
        out = np.zeros((s.shape[0], s.shape[1] + self.names.defining.size))
        out[:, self.names.others] = s
        return out

    def _spread(self, u: Array, tau: Array, others: Array, defining: Array) -> tuple[Array, Array]:
        names = self.names
        assert names is not None
        x = np.empty((u.shape[0], names.u.size + names.tau.size))
        y = np.empty((u.shape[0], names.others.size + names.defining.size))
        x[:, names.u], x[:, names.tau] = u, tau
        y[:, names.others], y[:, names.defining] = others, defining
        return x, y


def _gram(D: Array, weight: Array) -> Array:
    """Dᵀ diag(weight) D ``[1|B, n, n]``; NaN where a weight is negative."""
    first = weight.flat[0]
    if first > 0 and (weight == first).all():
        gram = np.swapaxes(D, 1, 2) @ D
        return gram if first == 1 else np.multiply(gram, first, out=gram)
    if not (weight >= 0).all():
        return np.full((max(D.shape[0], weight.shape[0]), D.shape[2], D.shape[2]), np.nan)
    weighted = D * np.sqrt(weight)[:, :, None]
    return np.swapaxes(weighted, 1, 2) @ weighted


def _find_names(structure: Structure, constant_A: Array, is_constant: NDArray[np.bool_]) -> Names | None:
    P, A = structure.P, structure.A
    rows, columns, n = A.indices.astype(np.intp), A.columns, P.shape[0]
    alone = np.bincount(columns, minlength=n)[columns] == 1
    off = P.indices != P.columns
    crossed = np.zeros(n, dtype=bool)
    crossed[P.indices[off]] = crossed[P.columns[off]] = True
    fit = alone & is_constant & (constant_A != 0) & (rows < structure.cones.zero) & ~crossed[columns]
    candidates = np.flatnonzero(fit)
    defining, first = np.unique(rows[candidates], return_index=True)
    if not defining.size:
        return None
    chosen = candidates[first]
    tau = columns[chosen]
    u = np.setdiff1d(np.arange(n), tau, assume_unique=True)
    others = np.setdiff1d(np.arange(A.shape[0]), defining, assume_unique=True)
    weight = np.full(n, -1)
    on = np.flatnonzero(~off)
    weight[P.indices[on]] = on
    return Names(tau, u, defining, others, constant_A[chosen], weight[tau], Filled("A", block(A, defining, u)))
