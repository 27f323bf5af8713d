"""What one parameter contributes to one part of the data: where it is read, and where that is written.

Most entries copy an entry of the parameter, or are a multiple of the sum of two (a symmetric matrix reads both
triangles). Those are gathers; only the rest is a sparse product.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp

from dpplang.asa.program import AffineMap
from dpplang.runtime.strided import Array, Grid, Index, Positions, compact, positions, take

Scale: TypeAlias = "float | Array"

_LARGE = 1 << 10  # entries from which a strided copy is worth preparing


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """A scatter of values that become a good part of an array, as a gather: to write all entries costs less than to
    find those that are written.

    Attributes:
        source: for every entry, which value it takes; any one where it takes none.
        scale: ``[size]``, what it is multiplied with, 0 where it takes none; or one number for all.
    """

    source: Index
    scale: Scale

    @staticmethod
    def of(read: Positions, written: Positions, scale: Scale, size: int) -> Spread | None:
        """``out[written] = scale · values[read]``, the other entries of ``size`` being 0; None if they are many."""
        if 4 * written.size < size or not written.size:
            return None
        source, factor = np.full(size, read[0], dtype=np.intp), np.zeros(size)
        source[written] = read
        factor[written] = scale
        return Spread(compact(source), uniform(factor))

    def __call__(self, values: Array) -> Array:
        """``[B, size]`` from values ``[B, …]``."""
        found = take(values, self.source)
        return _scaled(found, self.scale, isinstance(self.source, slice))


@dataclass(frozen=True, eq=False)
class Piece:
    """Entries ``entries`` of one part, as far as they depend on one parameter.

    Attributes:
        parameter: its position among the program's parameters. width: its size.
        entries: positions in the part, each once.
        sources: positions in the parameter whose sum, times ``scale``, they get; empty if ``matrix`` holds the map.
        matrix: ``[len(entries), width]``, None for a gather.
    """

    parameter: int
    width: int
    entries: Index
    sources: tuple[Index, ...]
    scale: Scale
    matrix: sp.csr_array | None = None

    @cached_property
    def grids(self) -> tuple[Grid, Grid] | None:
        """Entries and sources as grids, where they are and that saves anything."""
        if len(self.sources) != 1 or not isinstance(self.scale, float):
            return None
        (source,) = self.sources
        at = positions(self.entries)
        if at.size < _LARGE or (isinstance(source, slice) and isinstance(self.entries, slice)):
            return None
        found = Grid.together(at, positions(source))
        return (found[0], found[1]) if found and found[0].length > 1 else None

    def values(self, theta: Array) -> Array:
        """Its contribution ``[1 or B, len(entries)]`` at θ ``[1 or B, width]``; perhaps a view."""
        if self.matrix is not None:
            return (self.matrix @ theta.T).T
        first, *others = self.sources
        found, is_view = take(theta, first), isinstance(first, slice)
        for source in others:
            found, is_view = np.add(found, take(theta, source), out=None if is_view else found), False
        return found if _is_one(self.scale) else _scaled(found, self.scale, is_view)

    def write(self, out: Array, theta: Array) -> None:
        """out[:, entries] = the contribution."""
        if self.grids is not None:
            entries, source = self.grids
            if _is_one(self.scale):
                np.copyto(entries.view(out), source.view(theta))
            else:
                np.multiply(source.view(theta), self.scale, out=entries.view(out))
            return
        target = out[:, self.entries] if isinstance(self.entries, slice) else None
        if target is None or not self.sources or isinstance(self.sources[0], slice) or len(theta) != len(out):
            out[:, self.entries] = self.values(theta)
            return
        np.take(theta, self.sources[0], axis=1, out=target, mode="clip")
        for source in self.sources[1:]:
            target += take(theta, source)
        if not _is_one(self.scale):
            target *= self.scale

    def pull(self, cotangent: Array) -> Array:
        """The transpose: from the cotangent at ``entries`` ``[B, len(entries)]`` to the parameter's, ``[B, width]``."""
        if self._back is not None:
            return self._back(cotangent)
        if self._transpose is not None:
            return (self._transpose @ cotangent.T).T
        out = np.zeros((cotangent.shape[0], self.width))
        out[:, self.sources[0]] = cotangent * self.scale
        return out

    @cached_property
    def _transpose(self) -> sp.csr_array | None:
        """None for a gather that reads nothing twice: that is a scatter."""
        if self.matrix is not None:
            return sp.csr_array(self.matrix.T)
        columns = np.concatenate([positions(source) for source in self.sources])
        if len(self.sources) == 1 and np.bincount(columns, minlength=self.width).max() <= 1:
            return None
        count = columns.size // len(self.sources)
        values = np.tile(np.broadcast_to(self.scale, (count,)), len(self.sources))
        entries = np.tile(np.arange(count), len(self.sources))
        return sp.csr_array((values, (columns, entries)), shape=(self.width, count))

    @cached_property
    def _back(self) -> Spread | None:
        """The transpose as a gather, where no entry of the parameter is read for two, and most are for one."""
        back = self._transpose
        if back is None:
            read = positions(self.sources[0])
            return Spread.of(np.arange(read.size), read, self.scale, self.width)
        counts = np.diff(back.indptr)
        if counts.max(initial=0) > 1:
            return None
        return Spread.of(
            back.indices.astype(np.intp), np.flatnonzero(counts), np.asarray(back.data, np.float64), self.width
        )


def pieces_of(map_: AffineMap, offsets: Positions) -> Iterator[Piece]:
    """The pieces of a part; ``offsets``: where parameters start in θ, and where the last ends."""
    matrix = map_.matrix
    counts = np.diff(matrix.indptr)
    alone = bool(counts.max(initial=0) <= 1)
    rows = np.flatnonzero(counts) if alone else np.repeat(np.arange(map_.size), counts)
    for k, (start, stop) in enumerate(itertools.pairwise(offsets.tolist())):
        mine = (matrix.indices >= start) & (matrix.indices < stop)
        if mine.all():
            mine = slice(None)
        elif not mine.any():
            continue
        columns = matrix.indices[mine].astype(np.intp) - start
        values = np.asarray(matrix.data[mine], np.float64)
        if alone:
            yield _gather(k, stop - start, rows[mine], (columns,), values)
        else:
            yield from _pieces(k, rows[mine], columns, values, stop - start, map_.size)


def _pieces(k: int, rows: Positions, columns: Positions, values: Array, width: int, size: int) -> Iterator[Piece]:
    """Rows with one source, with two of equal weight, and others; a few of one source go with those of two."""
    counts = np.bincount(rows, minlength=size)[rows]
    single, double = counts == 1, counts == 2
    if double.any():
        first = np.flatnonzero(double)[::2]
        unequal = first[values[first] != values[first + 1]]
        double[unequal] = double[unequal + 1] = False
    first = np.flatnonzero(double)[::2]
    other = ~single & ~double
    if first.size > np.count_nonzero(single):
        one = np.flatnonzero(single)
        at = np.sort(np.concatenate((first, one)))
        again = at + double[at]
        scale = np.where(double[at], values[at], 0.5 * values[at])
        yield _gather(k, width, rows[at], (columns[at], columns[again]), scale)
    else:
        if single.any():
            yield _gather(k, width, rows[single], (columns[single],), values[single])
        if first.size:
            yield _gather(k, width, rows[first], (columns[first], columns[first + 1]), values[first])
    if other.any():
        entries, local = np.unique(rows[other], return_inverse=True)
        matrix = sp.csr_array((values[other], (local, columns[other])), shape=(entries.size, width))
        yield Piece(k, width, compact(entries), (), 1.0, matrix)


def _gather(k: int, width: int, rows: Positions, sources: tuple[Positions, ...], scale: Array) -> Piece:
    return Piece(k, width, compact(rows), tuple(compact(source) for source in sources), uniform(scale))


def uniform(scale: Array) -> Scale:
    """One number where all are equal."""
    return float(scale[0]) if scale.size and (scale == scale[0]).all() else scale


def _is_one(scale: Scale) -> bool:
    return isinstance(scale, float) and scale == 1.0


def _scaled(values: Array, scale: Scale, is_view: bool) -> Array:
    """Values times ``scale``, in place unless they are somebody else's."""
    if is_view:
        return values.copy() if _is_one(scale) else values * scale
    return values if _is_one(scale) else np.multiply(values, scale, out=values)
