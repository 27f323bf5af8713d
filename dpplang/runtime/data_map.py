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

    def rows(self, elements: NDArray[np.intp]) -> Data:
        """The data of some elements, in increasing order; what is shared stays."""
        run = slice(int(elements[0]), int(elements[-1]) + 1) if elements.size else slice(0)
        part = run if run.stop - run.start == elements.size else elements
        return Data(*(e if e.shape[0] == 1 else e[part] for e in (self.P, self.q, self.A, self.b, self.d)))


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """A scatter of values that become a good part of an array, as a gather: to write all entries costs less than to
    find those that are written.

    Attributes:
        source: for every entry, which value it takes; any one where it takes none.
        scale: ``[size]``, what it is multiplied with, 0 where it takes none; None for ones.
    """

    source: Index
    scale: Array | None

    @staticmethod
    def of(read: Index, written: Index, scale: Array | None, size: int) -> Spread | None:
        """``out[written] = scale · values[read]``, the other entries of ``size`` being 0; None if they are many."""
        read, written = _positions(read), _positions(written)
        if 4 * written.size < size or not written.size:
            return None
        source, factor = np.full(size, read[0], dtype=np.intp), np.zeros(size)
        source[written] = read
        factor[written] = 1.0 if scale is None else scale
        return Spread(compact(source), None if (factor == 1.0).all() else factor)

    def __call__(self, values: Array) -> Array:
        """``[B, size]`` from values ``[B, …]``."""
        if isinstance(self.source, slice):
            found = values[:, self.source]
            return found.copy() if self.scale is None else found * self.scale
        found = values.take(self.source, axis=1)
        if self.scale is not None:
            found *= self.scale
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What one parameter contributes to the entries ``entries`` of one part.

    Attributes:
        parameter: its position among the program's parameters.
        entries: positions in the part.
        columns: positions in the parameter that they copy, times ``scale``; None if ``matrix`` holds the map.
        matrix: ``[len(entries), parameter.size]``, None for a gather.
        transpose: the map's transpose, None for a gather that reads no column twice (then it is a scatter).
        back: that scatter, where it fills a good part of the parameter.
    """

    parameter: int
    entries: Index
    columns: Index | None
    scale: Array | None
    matrix: sp.csr_array | None
    transpose: sp.csr_array | None
    back: Spread | None = None

    def add_to(self, out: Array, theta: Array) -> None:
        """out[:, entries] += the contribution of θ ``[1 or B, size]``."""
        if self.columns is None:
            assert self.matrix is not None
            out[:, self.entries] += (self.matrix @ theta.T).T
            return
        values = theta[:, self.columns]
        out[:, self.entries] += values if self.scale is None else values * self.scale

    def pull(self, cotangent: Array, size: int) -> Array:
        """The transpose: from the cotangent at ``entries`` ``[B, len(entries)]`` to the parameter's, ``[B, size]``."""
        if self.transpose is not None:
            return (self.transpose @ cotangent.T).T
        if self.back is not None:
            return self.back(cotangent)
        assert self.columns is not None
        out = np.zeros((cotangent.shape[0], size))
        out[:, self.columns] = cotangent if self.scale is None else cotangent * self.scale
        return out


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
        done, spread = self._widest
        values = None if done is None else theta[done.parameter]
        if spread is None or values is None or values.shape[0] != batch:
            out, done = np.empty((batch, self.constant.shape[1])), None
            out[:] = start
        else:
            out = spread(values)
            out += start
        for piece, values in present:
            if piece is not done:
                piece.add_to(out, values)
        return out

    @cached_property
    def _widest(self) -> tuple[Piece | None, Spread | None]:
        """The gather that touches most entries, and how it fills the part, if it fills a good part of it."""
        gathers = [piece for piece in self.pieces if piece.columns is not None]
        piece = max(gathers, key=lambda piece: _positions(piece.entries).size, default=None)
        if piece is None or piece.columns is None:
            return None, None
        return piece, Spread.of(piece.columns, piece.entries, piece.scale, self.constant.shape[1])


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
        out: list[Array | None] = [None] * len(self.sizes)
        for name, part in self.parts:
            for piece in part.pieces:
                k = piece.parameter
                if wanted[k]:
                    found = piece.pull(cotangent(name, piece, extents[k] == 1), self.sizes[k])
                    known = out[k]
                    out[k] = found if known is None else known + found
        return tuple(
            np.zeros((extents[k], self.sizes[k])) if wanted[k] and gradient is None else gradient
            for k, gradient in enumerate(out)
        )

    def touches(self, name: str) -> NDArray[np.bool_]:
        """Which entries of a part depend on a parameter."""
        part = dict(self.parts)[name]
        mask = np.zeros(part.constant.shape[1], dtype=bool)
        for piece in part.pieces:
            mask[piece.entries] = True
        return mask

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
        transpose, back = None, None
        if distinct:
            back = Spread.of(np.arange(rows.size), columns, scale, width)
        else:
            where = (columns, np.arange(rows.size, dtype=np.intp))
            transpose = sp.csr_array((values, where), shape=(width, rows.size))
        return Piece(parameter, compact(rows), compact(columns), scale, None, transpose, back)
    entries, local = np.unique(rows, return_inverse=True)
    matrix = sp.csr_array((values, (local, columns)), shape=(entries.size, width))
    return Piece(parameter, compact(entries), None, None, matrix, sp.csr_array(matrix.T))


def _positions(index: Index) -> NDArray[np.intp]:
    return np.arange(index.start, index.stop) if isinstance(index, slice) else index


def compact(index: NDArray[np.intp]) -> Index:
    """A slice where the index is a run, so that reading through it copies nothing."""
    if index.size:
        first, last = int(index[0]), int(index[-1])
        if last - first == index.size - 1 and np.array_equal(index, np.arange(first, last + 1)):
            return slice(first, last + 1)
    return index.astype(np.intp, copy=False)
