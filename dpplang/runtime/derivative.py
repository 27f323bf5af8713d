"""Adjoint and tangent of θ ↦ (x, y, value) at a solved batch, through the system of :mod:`dpplang.runtime.kkt`.

The optimal value needs no linear solve (envelope theorem): its derivative is that of ½xᵀPx + qᵀx + d + yᵀ(Ax − b)
with x and y held still. Everything is formed only at entries of P, q, A, b that carry a parameter that is wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.data_map import DataMap, Index, Piece
from dpplang.runtime.entries import Entries
from dpplang.runtime.solvers.protocol import Pattern, Structure


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


_SLAB = 1 << 22  # entries of an outer product held at once when it is summed over the batch


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
    """Rows and columns of the entries that a piece touches; ``grid`` if they are all pairs of some rows and columns."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    grid: tuple[NDArray[np.intp], NDArray[np.intp]] | None

    @staticmethod
    def of(pattern: Pattern, entries: Index) -> _Places:
        rows, columns = pattern.indices[entries].astype(np.intp), pattern.columns[entries]
        wide = np.unique(columns)
        if wide.size and rows.size % wide.size == 0:
            tall = rows.reshape(wide.size, -1)
            if (tall == tall[0]).all() and (columns.reshape(wide.size, -1) == wide[:, None]).all():
                return _Places(rows, columns, (tall[0].copy(), wide))
        return _Places(rows, columns, None)

    def outers(self, lefts: tuple[Array, ...], rights: tuple[Array, ...], summed: bool) -> Array:
        """Σ left ``[B, rows]`` · right ``[B, columns]`` at these places, ``[B, len]``; summed over B ``[1, len]``."""
        batch = lefts[0].shape[0]
        if self.grid is not None:
            tall = np.stack([left[:, self.grid[0]] for left in lefts], axis=1)
            wide = np.stack([right[:, self.grid[1]] for right in rights], axis=1)
            if summed:
                return (wide.reshape(-1, wide.shape[2]).T @ tall.reshape(-1, tall.shape[2])).reshape(1, -1)
            return (wide.swapaxes(1, 2) @ tall).reshape(batch, -1)
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


class Derivative:
    """What the derivatives of one program share: which entries carry parameters, and where they stand."""

    def __init__(self, map_: DataMap, structure: Structure) -> None:
        self._map = map_
        parts = dict(map_.parts)
        self._places: dict[Piece, _Places] = {
            piece: _Places.of(pattern, piece.entries)
            for name, pattern in (("P", structure.P), ("A", structure.A))
            for piece in parts[name].pieces
        }
        self._P, self._A = Entries(structure.P), Entries(structure.A)

    def pull(
        self, point: Point, r: Array, t: Array, dvalue: Array | None, wanted: Sequence[bool]
    ) -> tuple[Array | None, ...]:
        """Gradients with respect to θ for (r, t) = S(dx, dy) and dvalue ``[B]``."""
        x, y = point.x, point.y
        if dvalue is None:
            q, b, half, d = -r, t, -r, np.zeros((x.shape[0], 1))
        else:  # the envelope theorem's terms, folded into those of the solve
            d = point.sign * dvalue[:, None]
            q, b, half = d * x - r, t - d * y, 0.5 * d * x - r

        def cotangent(part: str, piece: Piece, summed: bool) -> Array:
            match part:
                case "A":
                    places = self._places[piece]
                    return places.outers((y, -t), (q, x), summed)
                case "P":
                    places = self._places[piece]
                    pairs = places.outers((half, x), (x, half), summed)
                    return np.where(places.rows == places.columns, 0.5 * pairs, pairs)
                case "q":
                    values = q[:, piece.entries]
                case "b":
                    values = b[:, piece.entries]
                case _:
                    values = d[:, piece.entries]
            return values.sum(axis=0, keepdims=True) if summed else values

        return self._map.pull(cotangent, point.extents, wanted)

    def push(self, point: Point, dtheta: Sequence[Array | None]) -> tuple[Array, Array, Array]:
        """(g ``[B, n]``, h ``[B, m]``, dvalue ``[B]``) for a direction dθ: how the optimality conditions and the
        optimal value move while x and y stand still; (dx, dy) = S(−g, −h)."""
        x, y = point.x, point.y
        moved = self._map.along(dtheta)
        g, h, value = np.zeros_like(x), np.zeros_like(y), np.zeros(x.shape[0])
        if (dP := moved["P"]) is not None:
            Px = self._P.symmetric_times(dP, x)
            g += Px
            value += 0.5 * np.sum(x * Px, axis=1)
        if (dq := moved["q"]) is not None:
            g += dq
            value += np.sum(dq * x, axis=1)
        if (dA := moved["A"]) is not None:
            Ax = self._A.times(dA, x)
            g += self._A.transposed_times(dA, y)
            h += Ax
            value += np.sum(y * Ax, axis=1)
        if (db := moved["b"]) is not None:
            h -= db
            value -= np.sum(y * db, axis=1)
        if (dd := moved["d"]) is not None:
            value += dd[:, 0]
        return g, h, point.sign * value
