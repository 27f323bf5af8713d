"""θ ↦ (P, q, A, b, d) over a batch, its tangent and its transpose, planned once per program.

Of each part, entries that no parameter touches are constants; entries that copy one parameter entry are a gather;
only the rest is a sparse product. A part that depends only on parameters the whole batch shares is evaluated once,
with leading extent 1. The transpose is evaluated only for wanted parameters, at the entries they touch.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from dpplang.asa.program import AffineMap, Program

Array: TypeAlias = NDArray[np.float64]
Index: TypeAlias = "slice | NDArray[np.intp]"
Theta: TypeAlias = Sequence[Array]

PARTS = ("P", "q", "A", "b", "d")


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """Problem data of a batch: each ``[1 or B, size]``; P (upper triangle) and A as entries in CSC order."""

    P: Array
    q: Array
    A: Array
    b: Array
    d: Array


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What one parameter contributes to the entries ``entries`` of one part.

    Attributes:
        parameter: its position among the program's parameters.
        entries: positions in the part.
        columns: positions in the parameter that they copy, times ``scale``; None if ``matrix`` holds the map.
        matrix: ``[len(entries), parameter.size]``, None for a gather.
        transpose: the map's transpose, None for a gather that reads no column twice (then it is a scatter).
    """

    parameter: int
    entries: Index
    columns: Index | None
    scale: Array | None
    matrix: sp.csr_array | None
    transpose: sp.csr_array | None

    def add_to(self, out: Array, theta: Array) -> None:
        """out[:, entries] += the contribution of θ ``[1 or B, size]``."""
        if self.columns is None:
            assert self.matrix is not None
            out[:, self.entries] += (self.matrix @ theta.T).T
            return
        values = theta[:, self.columns]
        out[:, self.entries] += values if self.scale is None else values * self.scale

    @property
    def count(self) -> int:
        """Number of entries it touches."""
        return self.entries.stop - self.entries.start if isinstance(self.entries, slice) else self.entries.size

    def pull_to(self, out: Array, cotangent: Array) -> None:
        """The transpose: out ``[B, size]`` += cotangent at ``entries`` ``[B, len(entries)]``."""
        if self.transpose is not None:
            out += (self.transpose @ cotangent.T).T
            return
        assert self.columns is not None
        out[:, self.columns] += cotangent if self.scale is None else cotangent * self.scale


@dataclass(frozen=True, slots=True, eq=False)
class Wide:
    """A gather as a map to all entries of a part, which costs less than writing to those it touches.

    Attributes:
        columns: of the parameter, ``[size]``; any that it reads where it touches nothing.
        scale: ``[size]``, 0 where it touches nothing; None for ones.
    """

    piece: Piece
    columns: Index
    scale: Array | None

    @staticmethod
    def of(piece: Piece, size: int) -> Wide:
        assert piece.columns is not None
        read = np.arange(piece.columns.start, piece.columns.stop) if isinstance(piece.columns, slice) else piece.columns
        columns = np.full(size, read[0], dtype=np.intp)
        columns[piece.entries] = read
        scale = np.zeros(size)
        scale[piece.entries] = 1.0 if piece.scale is None else piece.scale
        return Wide(piece, _compact(columns), None if (scale == 1.0).all() else scale)

    def at(self, theta: Array) -> Array:
        """The contribution of θ ``[B, size of the parameter]`` to all entries, ``[B, size]``."""
        if isinstance(self.columns, slice):
            values = theta[:, self.columns]
            return values.copy() if self.scale is None else values * self.scale
        values = theta.take(self.columns, axis=1)
        if self.scale is not None:
            values *= self.scale
        return values


@dataclass(frozen=True, eq=False)
class Part:
    """One of P, q, A, b, d: its constant entries and what each parameter adds."""

    constant: Array
    pieces: tuple[Piece, ...]

    def at(self, theta: Theta) -> Array:
        """Entries ``[1 or B, size]``."""
        if not self.pieces:
            return self.constant
        return self._sum(theta, self.constant)

    def along(self, dtheta: Sequence[Array | None]) -> Array | None:
        """Directional derivative ``[1 or B, size]``; None where every direction it depends on is None."""
        if all(dtheta[piece.parameter] is None for piece in self.pieces):
            return None
        return self._sum(dtheta, np.zeros_like(self.constant))

    def _sum(self, theta: Sequence[Array | None], start: Array) -> Array:
        present = [(piece, t) for piece in self.pieces if (t := theta[piece.parameter]) is not None]
        extents = [t.shape[0] for _, t in present]
        batch = 0 if 0 in extents else max(extents)
        wide = self._wide
        values = None if wide is None else theta[wide.piece.parameter]
        if wide is None or values is None or values.shape[0] != batch:
            out = np.empty((batch, self.constant.shape[1]))
            out[:] = start
            done = None
        else:
            out, done = wide.at(values), wide.piece
            out += start
        for piece, values in present:
            if piece is not done:
                piece.add_to(out, values)
        return out

    @cached_property
    def _wide(self) -> Wide | None:
        """The gather that touches most entries, if that is a good part of all."""
        size = self.constant.shape[1]
        gathers = [piece for piece in self.pieces if piece.columns is not None]
        piece = max(gathers, key=lambda piece: piece.count, default=None)
        return Wide.of(piece, size) if piece is not None and 4 * piece.count >= size else None


Cotangent: TypeAlias = "Callable[[str, Piece, bool], Array]"


@dataclass(frozen=True, slots=True, eq=False)
class DataMap:
    """The affine map from parameters to problem data."""

    parts: tuple[tuple[str, Part], ...]
    sizes: tuple[int, ...]

    @staticmethod
    def of(program: Program) -> DataMap:
        offsets = np.array([p.offset for p in program.parameters] + [program.n_theta], dtype=np.intp)
        maps = (program.P.values, program.q, program.A.values, program.b, program.d)
        parts = tuple((name, _part(map_, offsets)) for name, map_ in zip(PARTS, maps, strict=True))
        return DataMap(parts, tuple(p.size for p in program.parameters))

    def at(self, theta: Theta) -> Data:
        """Problem data at θ, one array ``[1 or B, size_k]`` per parameter."""
        return Data(*(part.at(theta) for _, part in self.parts))

    def along(self, dtheta: Sequence[Array | None]) -> dict[str, Array | None]:
        """Derivative of each part in the direction dθ (None for a parameter that stands still)."""
        return {name: part.along(dtheta) for name, part in self.parts}

    def pull(self, cotangent: Cotangent, extents: Sequence[int], wanted: Sequence[bool]) -> tuple[Array | None, ...]:
        """The transpose.

        Args:
            cotangent: ``cotangent(part, piece, summed)`` gives the gradient with respect to the piece's entries of a
                part, ``[B, len]``, or ``[1, len]`` summed over the batch.
            extents: 1 or B for each parameter. wanted: whether its gradient is.

        Returns:
            Gradients ``[extent, size]``, summed over the batch where the extent is 1; None where not wanted.
        """
        out = [np.zeros((b, s)) if w else None for b, s, w in zip(extents, self.sizes, wanted, strict=True)]
        for name, part in self.parts:
            for piece in part.pieces:
                target = out[piece.parameter]
                if target is not None:
                    piece.pull_to(target, cotangent(name, piece, extents[piece.parameter] == 1))
        return tuple(out)

    def touched(self, name: str) -> tuple[int, ...]:
        """Positions of the parameters that a part depends on."""
        return tuple(sorted({piece.parameter for piece in dict(self.parts)[name].pieces}))


def _part(map_: AffineMap, offsets: NDArray[np.intp]) -> Part:
    matrix = map_.matrix
    pieces: list[Piece] = []
    if matrix.nnz:
        values = np.asarray(matrix.data, dtype=np.float64)
        counts = np.diff(matrix.indptr)
        rows = np.repeat(np.arange(map_.size), counts)
        single = counts[rows] == 1
        for k, (start, stop) in enumerate(itertools.pairwise(offsets.tolist())):
            owned = (matrix.indices >= start) & (matrix.indices < stop)
            for gather in (True, False):
                mine = np.flatnonzero(owned & (single == gather))
                if mine.size:
                    columns = matrix.indices[mine].astype(np.intp) - start
                    pieces.append(_piece(k, rows[mine], columns, values[mine], stop - start, gather))
    return Part(map_.constant[None, :], tuple(pieces))


def _piece(
    parameter: int, rows: NDArray[np.intp], columns: NDArray[np.intp], values: Array, width: int, gather: bool
) -> Piece:
    if gather:
        distinct = np.bincount(columns, minlength=width).max() <= 1
        scale = None if np.all(values == 1.0) else values
        transpose = None
        if not distinct:
            where = (columns, np.arange(rows.size, dtype=np.intp))
            transpose = sp.csr_array((values, where), shape=(width, rows.size))
        return Piece(parameter, _compact(rows), _compact(columns), scale, None, transpose)
    entries, local = np.unique(rows, return_inverse=True)
    matrix = sp.csr_array((values, (local, columns)), shape=(entries.size, width))
    return Piece(parameter, _compact(entries), None, None, matrix, sp.csr_array(matrix.T))


def _compact(index: NDArray[np.intp]) -> Index:
    """A slice where the index is a run, so that reading through it copies nothing."""
    first, last = int(index[0]), int(index[-1])
    if last - first == index.size - 1 and np.array_equal(index, np.arange(first, last + 1)):
        return slice(first, last + 1)
    return index.astype(np.intp, copy=False)
