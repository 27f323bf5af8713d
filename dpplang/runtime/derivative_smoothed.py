"""Derivatives over a finite distance: LPGD, for solutions that jump or stand still.

The solution of a linear program is a vertex: its derivative is zero almost everywhere and undefined where it jumps.
Lagrangian proximal gradient descent (Paulus, Martius, Musil 2024, "LPGD: A general framework for backpropagation
through embedded optimization layers") asks instead where the solution goes when the loss, linearized, is added to the
Lagrangian L with weight ±τ,

    (x±, y±) = arg min_x max_y L(x, y) ± τ(⟨g, x⟩ + ⟨h, y⟩) + ½ρ‖x − x*‖²,

and takes (∇_θ L(x₊, y₊) − ∇_θ L(x₋, y₋)) / 2τ for the gradient. It tends to the derivative as τ → 0. As ∇_θ L is
bilinear in (x, y), it is the gradient of :mod:`dpplang.runtime.kkt` with r = −(x₊ − x₋) / 2τ, t = −(y₊ − y₋) / 2τ,
taken at the midpoint of the two solutions. τ is measured with the largest entry of (g, h) scaled to 1, so that
gradients stay homogeneous in the loss: a mean over a large batch is no weaker than a sum. ρ holds the variables of the
source; those of atoms' graphs follow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from dpplang.asa.program import AffineMap, Parameter, Program, SparseMatrixMap
from dpplang.runtime.blame import read_columns
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.options import Options, Smoothed
from dpplang.runtime.warn import warn_no_secant

if TYPE_CHECKING:
    from dpplang.runtime.engine import Engine
    from dpplang.runtime.solved import Solved


class SmoothedDerivative:
    """From a solved batch to its secants."""

    def __init__(self, program: Program, options: Options, smoothed: Smoothed) -> None:
        self._program, self._smoothed = program, smoothed
        self._options = replace(options, derivative="exact")
        self._inner: tuple[Engine, _Layout] | None = None

    def __call__(self, solved: Solved) -> Secants:
        if self._inner is None:
            from dpplang.runtime.engine import Engine

            perturbed, layout = _with_free_data(self._program, self._smoothed.rho > 0)
            self._inner = Engine(perturbed, self._options), layout
        return Secants(*self._inner, self._smoothed, solved)


@dataclass(frozen=True, slots=True, eq=False)
class _Ends:
    """Solutions at both ends, ``[B, n]`` and ``[B, m]`` each, and the distance ``[B]`` in τ between them."""

    ahead: tuple[Array, Array]
    behind: tuple[Array, Array]
    step: Array


class Secants:
    """S over a finite distance. Not linear, but homogeneous: S(cg, ch) = c·S(g, h)."""

    free = None

    def __init__(self, engine: Engine, layout: _Layout, smoothed: Smoothed, solved: Solved) -> None:
        self._engine, self._layout, self._smoothed, self._solved = engine, layout, smoothed, solved

    def __call__(self, g: Array, h: Array) -> tuple[Array, Array]:
        r, t, _, _ = self.secant(g, h)
        return r, t

    def secant(self, g: Array, h: Array) -> tuple[Array, Array, Array, Array]:
        """(r ``[B, n]``, t ``[B, m]``) and the midpoint (x, y) that gradients are taken at; 0 for failed elements."""
        size = np.maximum(np.abs(g).max(axis=1, initial=0.0), np.abs(h).max(axis=1, initial=0.0))
        unit = np.where(size > 0, size, 1.0)[:, None]
        ends = self._ends(g / unit, h / unit, size > 0)
        scale = -unit / ends.step[:, None]
        r, t = (scale * (a - b) for a, b in zip(ends.ahead, ends.behind, strict=True))
        x, y = (0.5 * (a + b) for a, b in zip(ends.ahead, ends.behind, strict=True))
        return r, t, x, y

    def _ends(self, g: Array, h: Array, moving: NDArray[np.bool_]) -> _Ends:
        solved, tau = self._solved, self._smoothed.tau
        ok = solved.ok[:, None]
        here = np.where(ok, solved.x, 0.0), np.where(ok, solved.y, 0.0)
        moving = moving & solved.ok
        ends = {1: here, -1: here}
        reached = np.zeros((2, solved.batch), dtype=bool)
        for place, sign in enumerate((1, -1)):
            if self._smoothed.sides in ("both", "right" if sign > 0 else "left") and moving.any():
                x, y, found = self._perturbed(sign * tau * g, sign * tau * h, moving)
                wide = found[:, None]
                ends[sign] = np.where(wide, x, here[0]), np.where(wide, y, here[1])
                reached[place] = found
        lost = moving & ~reached.any(axis=0)
        if lost.any():
            warn_no_secant(int(np.flatnonzero(lost)[0]), self._engine.program.name)
        steps = tau * np.maximum(reached.sum(axis=0), 1)
        return _Ends(ends[1], ends[-1], steps)

    def _perturbed(self, g: Array, h: Array, moving: NDArray[np.bool_]) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Solutions with ⟨g, x⟩ + ⟨h, y⟩ added to the Lagrangian, of the elements that move."""
        data, rho = self._solved.data, self._smoothed.rho
        P, q, A, b = (e if e.shape[0] == 1 else e[moving] for e in (data.P, data.q, data.A, data.b))
        q, b = q + g[moving], b - h[moving]
        if rho:
            q = q - rho * np.where(self._layout.held, self._solved.x[moving], 0.0)
        found = self._engine.solve(self._layout.theta(P, q, A, b, rho))
        x, y, ok = np.zeros_like(g), np.zeros_like(h), np.zeros_like(moving)
        x[moving], y[moving], ok[moving] = found.x, found.y, found.ok
        return x, y, ok


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """Where the entries of P go in the perturbed program's parameter P, which has ``size`` of them; None where it is
    fixed. ``held`` ``[n]`` are the variables that ρ holds, ``diagonal`` their entries of P. ``A``: whether A moves."""

    P: NDArray[np.intp] | None
    size: int
    held: NDArray[np.bool_]
    diagonal: NDArray[np.intp]
    A: bool

    def theta(self, P: Array, q: Array, A: Array, b: Array, rho: float) -> tuple[Array, ...]:
        parts = [q, b]
        if self.P is not None:
            wide = np.zeros((P.shape[0], self.size))
            wide[:, self.P] = P
            wide[:, self.diagonal] += rho
            parts.append(wide)
        if self.A:
            parts.append(A)
        return tuple(parts)


def _with_free_data(program: Program, augmented: bool) -> tuple[Program, _Layout]:
    """The same program with q and b for parameters, and P and A where they depend on the parameters it had; with
    ``augmented`` P has room on its diagonal, and is a parameter."""
    n, m = program.n, program.m
    moves_P, moves_A = augmented or program.P.values.matrix.nnz > 0, program.A.values.matrix.nnz > 0
    pattern = _with_diagonal(program.P) if augmented else (program.P.indptr, program.P.indices)
    indptr, indices = pattern
    columns = np.repeat(np.arange(n), np.diff(indptr))
    own = np.repeat(np.arange(n), np.diff(program.P.indptr))
    place = np.searchsorted(columns * n + indices, own * n + program.P.indices)
    sizes = {"q": n, "b": m, **({"P": indices.size} if moves_P else {}), **({"A": program.A.nnz} if moves_A else {})}
    starts = dict(zip(sizes, np.concatenate(([0], np.cumsum(list(sizes.values()))))[:-1].astype(int), strict=True))
    total = sum(sizes.values())

    def free(name: str) -> AffineMap:
        size = sizes[name]
        where = (np.arange(size), starts[name] + np.arange(size))
        return AffineMap(sp.csr_array((np.ones(size), where), shape=(size, total)), np.zeros(size))

    P = SparseMatrixMap((n, n), indptr, indices, free("P")) if moves_P else _fixed(program.P, total)
    A = _with_values(program.A, free("A")) if moves_A else _fixed(program.A, total)
    parameters = tuple(Parameter(name, (size,), starts[name]) for name, size in sizes.items())
    perturbed = replace(
        program, parameters=parameters, P=P, q=free("q"), d=AffineMap.fixed(np.zeros(1), total), A=A, b=free("b"),
        sense="minimize", outputs=(), variables=(), duals=(), constants=(),
    )  # fmt: skip
    held = read_columns(program)
    diagonal = np.flatnonzero((columns == indices) & held[indices])
    return perturbed, _Layout(place if moves_P else None, indices.size, held, diagonal, moves_A)


def _fixed(matrix: SparseMatrixMap, total: int) -> SparseMatrixMap:
    return _with_values(matrix, AffineMap.fixed(matrix.values.constant, total))


def _with_diagonal(P: SparseMatrixMap) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pattern of P (upper triangle, CSC) with its whole diagonal."""
    n = P.shape[0]
    rows = np.concatenate((P.indices, np.arange(n)))
    columns = np.concatenate((np.repeat(np.arange(n), np.diff(P.indptr)), np.arange(n)))
    both = sp.csc_array((np.ones(rows.size), (rows, columns)), shape=P.shape)
    both.sum_duplicates()
    both.sort_indices()
    return both.indptr.astype(np.int64), both.indices.astype(np.int64)


def _with_values(matrix: SparseMatrixMap, values: AffineMap) -> SparseMatrixMap:
    return SparseMatrixMap(matrix.shape, matrix.indptr, matrix.indices, values)
