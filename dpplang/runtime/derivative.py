"""Adjoint and tangent of θ ↦ (x, y, value) at a solved batch, through the system of :mod:`dpplang.runtime.kkt`.

The optimal value needs no linear solve (envelope theorem): its derivative is that of ½xᵀPx + qᵀx + d + yᵀ(Ax − b)
with x and y held still. Everything is formed only at entries of P, q, A, b that carry a parameter that is wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.data_map import DataMap, Piece
from dpplang.runtime.entries import Entries
from dpplang.runtime.solvers.protocol import Pattern, Structure
from dpplang.runtime.strided import positions
from dpplang.runtime.threads import cores, each


class Sensitivity(Protocol):
    """The symmetric map S of :mod:`dpplang.runtime.kkt`."""

    def __call__(self, g: Array, h: Array) -> tuple[Array, Array]:
        """(r ``[B, n]``, t ``[B, m]``) for g ``[B, n]``, h ``[B, m]``."""
        ...

    @property
    def free(self) -> tuple[Array, Array] | None:
        """A direction (r, t) that the optimality system leaves undetermined, without structure among all such, 0 for
        regular elements; None where all are regular, or it is not known."""
        ...


Moved: TypeAlias = "dict[str, Array | None]"
"""How each of P, q, A, b, d moves; None where it stands still."""

_SLAB = 1 << 22  # entries of an outer product held at once when it is summed over the batch
_TILE = 1 << 17  # entries of outer products that a thread makes at once
_THREADS = 1 << 20  # entries from which threads save more than they cost


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """Where to differentiate. x ``[B, n]`` and y ``[B, m]`` are 0 for elements that have no solution; ``sign`` is −1
    where the user's objective is maximized; ``extents`` are 1 or B for each parameter."""

    x: Array
    y: Array
    sign: float
    extents: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Rows and columns of the entries that a piece touches.

    Attributes:
        grid: where they are all pairs of some rows and columns.
        whole: where the piece reads all of its parameter, a matrix: the places in the left and in the right vectors
            that its axes stand for, and whether rows of P or A are the first axis. A symmetric matrix is read whole,
            though only one triangle of P is stored.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    grid: tuple[NDArray[np.intp], NDArray[np.intp]] | None
    whole: tuple[NDArray[np.intp], NDArray[np.intp], bool] | None

    @staticmethod
    def of(pattern: Pattern, piece: Piece, symmetric: bool) -> _Places:
        """``symmetric``: whether the pattern is the upper triangle of a symmetric matrix."""
        rows, columns = pattern.indices[piece.entries].astype(np.intp), pattern.columns[piece.entries]
        if symmetric and len(piece.sources) == 2:
            return _Places(rows, columns, None, _symmetric(rows, columns, piece))
        wide = np.unique(columns)
        if wide.size and rows.size % wide.size == 0:
            tall = rows.reshape(wide.size, -1)
            if (tall == tall[0]).all() and (columns.reshape(wide.size, -1) == wide[:, None]).all():
                grid = tall[0].copy(), wide
                diagonal = symmetric and (rows == columns).any()  # of which there is half as much
                return _Places(rows, columns, grid, None if diagonal else _whole(grid, piece))
        return _Places(rows, columns, None, None)

    def outers(self, lefts: tuple[Array, ...], rights: tuple[Array, ...], summed: bool) -> Array:
        """Σ left ``[B, rows]`` · right ``[B, columns]`` at these places, ``[B, len]``; summed over B ``[1, len]``."""
        batch = lefts[0].shape[0]
        if self.grid is not None:
            tall, wide = self.grid
            return _outers(rights, wide, lefts, tall, summed)
        if not summed:
            pairs = zip(lefts, rights, strict=True)
            return sum((a[:, self.rows] * b[:, self.columns] for a, b in pairs), np.zeros((batch, self.rows.size)))
        out = np.zeros((1, self.rows.size))
        step = max(1, _SLAB // max(self.rows.size, 1))
        for start in range(0, batch, step):
            part = slice(start, start + step)
            for left, right in zip(lefts, rights, strict=True):
                out[0] += np.einsum("be,be->e", left[part][:, self.rows], right[part][:, self.columns])
        return out


def _whole(
    grid: tuple[NDArray[np.intp], NDArray[np.intp]], piece: Piece
) -> tuple[NDArray[np.intp], NDArray[np.intp], bool] | None:
    tall, wide = grid
    if piece.grids is None or piece.width != tall.size * wide.size:
        return None
    source = piece.grids[1]
    if (source.count, source.length) != (wide.size, tall.size) or source.start:
        return None
    if source.is_run:
        return tall, wide, False
    return (tall, wide, True) if source.outer == 1 and source.inner == wide.size else None


def _symmetric(
    rows: NDArray[np.intp], columns: NDArray[np.intp], piece: Piece
) -> tuple[NDArray[np.intp], NDArray[np.intp], bool] | None:
    kept = np.unique(columns)
    k = kept.size
    if piece.width != k * k or 2 * rows.size != k * (k + 1) or not isinstance(piece.scale, float):
        return None
    i, j = np.searchsorted(kept, rows), np.searchsorted(kept, columns)
    first, second = (positions(source) for source in piece.sources)
    one, other = i * k + j, j * k + i
    mirrored = np.array_equal(np.minimum(first, second), one) and np.array_equal(np.maximum(first, second), other)
    return (kept, kept, True) if mirrored and np.array_equal(kept[i], rows) else None


def _outers(
    firsts: tuple[Array, ...],
    at: NDArray[np.intp],
    seconds: tuple[Array, ...],
    there: NDArray[np.intp],
    summed: bool,
    scale: float = 1.0,
) -> Array:
    """scale · Σ first[at] ⊗ second[there], ``[B, len(at)·len(there)]``; summed over B ``[1, …]``."""
    left = np.stack([first[:, at] for first in firsts], axis=1)
    right = np.stack([second[:, there] for second in seconds], axis=1)
    if scale != 1:
        left *= scale
    if summed:
        return (left.reshape(-1, at.size).T @ right.reshape(-1, there.size)).reshape(1, -1)
    batch, size = left.shape[0], at.size * there.size
    out = np.empty((batch, at.size, there.size))

    def fill(part: slice) -> None:
        np.matmul(left[part].swapaxes(1, 2), right[part], out=out[part])

    step = max(1, _TILE // max(size, 1))
    chunks = [slice(start, start + step) for start in range(0, batch, step)]
    each(fill, chunks, cores() if out.size >= _THREADS else 1)
    return out.reshape(batch, size)


_Pairs: TypeAlias = tuple[tuple[Array, ...], tuple[Array, ...]]


def _outer_pairs(part: str, x: Array, y: Array, r: Array, t: Array) -> _Pairs:
    """Left and right vectors whose outer products are the gradient of P (in half, as both orders are taken) or A."""
    return ((-r, x), (x, -r)) if part == "P" else ((y, -t), (-r, x))


def _joined(one: _Pairs, other: _Pairs) -> _Pairs:
    return one[0] + other[0], one[1] + other[1]


class Derivative:
    """What the derivatives of one program share: which entries carry parameters, and where they stand."""

    def __init__(self, map_: DataMap, structure: Structure) -> None:
        self._map, self._structure = map_, structure
        self._places: dict[Piece, _Places] = {}

    @cached_property
    def _P(self) -> Entries:
        return Entries(self._structure.P)

    @cached_property
    def A(self) -> Entries:
        """Products with A."""
        return Entries(self._structure.A)

    def _places_of(self, part: str, piece: Piece) -> _Places:
        if piece not in self._places:
            pattern = self._structure.P if part == "P" else self._structure.A
            self._places[piece] = _Places.of(pattern, piece, part == "P")
        return self._places[piece]

    def pull(
        self,
        point: Point,
        r: Array,
        t: Array,
        dvalue: Array | None,
        wanted: Sequence[bool],
        beside: tuple[Array, Array, Array, Array] | None = None,
    ) -> tuple[Array | None, ...]:
        """Gradients with respect to θ for (r, t) = S(dx, dy) and dvalue ``[B]``.

        ``beside``: (ẋ, ẏ, r̃, t̃) whose −½(r̃ẋᵀ + ẋr̃ᵀ) for P and −(ẏr̃ᵀ + t̃ẋᵀ) for A are added.
        """
        x, y = point.x, point.y
        if dvalue is None:
            q, b, half, d = -r, t, -r, np.zeros((x.shape[0], 1))
        else:  # the envelope theorem's terms, folded into those of the solve
            d = point.sign * dvalue[:, None]
            q, b, half = d * x - r, t - d * y, 0.5 * d * x - r

        def gradient(part: str, piece: Piece, summed: bool) -> Array:
            if part in ("P", "A"):
                vectors = ((half, x), (x, half)) if part == "P" else ((y, -t), (q, x))
                if beside is not None:
                    vectors = _joined(vectors, _outer_pairs(part, *beside))
                places = self._places_of(part, piece)
                if places.whole is not None and isinstance(piece.scale, float):
                    tall, wide, by_rows = places.whole
                    lefts, rights = vectors
                    if by_rows:
                        return _outers(lefts, tall, rights, wide, summed, piece.scale)
                    return _outers(rights, wide, lefts, tall, summed, piece.scale)
                values = places.outers(*vectors, summed)
                if part == "P":
                    values = np.where(places.rows == places.columns, 0.5 * values, values)
                return piece.pull(values)
            values = {"q": q, "b": b, "d": d}[part][:, piece.entries]
            return piece.pull(values.sum(axis=0, keepdims=True) if summed else values)

        return self._map.pull(gradient, point.extents, wanted)

    def push(self, point: Point, dtheta: Sequence[Array | None]) -> tuple[Array, Array, Array]:
        """(g ``[B, n]``, h ``[B, m]``, dvalue ``[B]``) for a direction dθ: how the optimality conditions and the
        optimal value move while x and y stand still; (dx, dy) = S(−g, −h)."""
        return self.pushed(point, self._map.along(dtheta))

    def along(self, dtheta: Sequence[Array | None]) -> Moved:
        """How the data move in a direction dθ."""
        return self._map.along(dtheta)

    def pushed(self, point: Point, moved: Moved) -> tuple[Array, Array, Array]:
        """:meth:`push` where the data move so."""
        x, y = point.x, point.y
        g, h = self.operate(moved["P"], moved["A"], x, y)
        value = 0.5 * (np.sum(x * g, axis=1) + np.sum(y * h, axis=1))
        if (dq := moved["q"]) is not None:
            g += dq
            value += np.sum(dq * x, axis=1)
        if (db := moved["b"]) is not None:
            h -= db
            value -= np.sum(y * db, axis=1)
        if (dd := moved["d"]) is not None:
            value += dd[:, 0]
        return g, h, point.sign * value

    def operate(self, P: Array | None, A: Array | None, x: Array, y: Array) -> tuple[Array, Array]:
        """(Px + Aᵀy ``[B, n]``, Ax ``[B, m]``) for matrices given by their entries, None for zero."""
        g, h = np.zeros_like(x), np.zeros_like(y)
        if P is not None:
            g += self._P.symmetric_times(P, x)
        if A is not None:
            g += self.A.transposed_times(A, y)
            h += self.A.times(A, x)
        return g, h
