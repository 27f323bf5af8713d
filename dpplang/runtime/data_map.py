"""θ ↦ (P, q, A, b, d) over a batch, its tangent and its transpose, planned once per program.

Of each part, entries that no parameter touches are constants; the others are pieces (:mod:`dpplang.runtime.pieces`).
A part that depends only on parameters the whole batch shares is evaluated once, with leading extent 1. The transpose is
evaluated only for wanted parameters, at the entries they touch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.program import AffineMap, Program
from dpplang.runtime.pieces import Piece, Spread, pieces_of
from dpplang.runtime.strided import Array, Index, compact, positions
from dpplang.runtime.threads import cores, each

__all__ = ["PARTS", "Array", "Data", "DataMap", "Index", "Part", "Piece", "compact"]

Theta: TypeAlias = Sequence[Array]
Source: TypeAlias = "tuple[DataMap, Theta]"

PARTS = ("P", "q", "A", "b", "d")

_LARGE = 1 << 14  # numbers from which P and A wait until someone asks for their entries
_CHUNK = 1 << 17  # numbers that are worked on together: what stays in cache
_THREADS = 1 << 20  # numbers in a batch from which threads save more than they cost


class Data:
    """Problem data of a batch: each ``[1 or B, size]``; P (upper triangle) and A as entries in CSC order.

    Large P and A are formed when they are first asked for: who wants a dense matrix takes it from θ (``source``).

    Attributes:
        source: the map, and θ, that large P and A come from; None where they are given.
    """

    __slots__ = ("_A", "_P", "b", "d", "q", "source")

    def __init__(
        self, P: Array | None, q: Array, A: Array | None, b: Array, d: Array, source: Source | None = None
    ) -> None:
        """P or A may be None where there is a source."""
        self._P, self.q, self._A, self.b, self.d, self.source = P, q, A, b, d, source

    @property
    def P(self) -> Array:
        if self._P is None:
            self._P = self._formed("P")
        return self._P

    @property
    def A(self) -> Array:
        if self._A is None:
            self._A = self._formed("A")
        return self._A

    def _formed(self, name: str) -> Array:
        assert self.source is not None
        map_, theta = self.source
        return map_.part(name).at(theta)

    def pending(self, name: str) -> Source | None:
        """Where a part can still be taken from θ, for its entries are not formed yet."""
        return self.source if {"P": self._P, "A": self._A}.get(name, self.q) is None else None

    @property
    def shares_matrices(self) -> bool:
        """Whether the batch shares P and A."""
        for name in ("P", "A"):
            pending = self.pending(name)
            if (pending[0].part(name).extent(pending[1]) if pending else getattr(self, name).shape[0]) != 1:
                return False
        return True

    def rows(self, elements: NDArray[np.intp]) -> Data:
        """The data of some elements, in increasing order; what is shared stays."""
        run = slice(int(elements[0]), int(elements[-1]) + 1) if elements.size else slice(0)
        part = run if run.stop - run.start == elements.size else elements

        def cut(values: Array) -> Array:
            return values if values.shape[0] == 1 else values[part]

        P, A = (None if values is None else cut(values) for values in (self._P, self._A))
        source = self.source
        if source is not None:
            source = None if P is not None and A is not None else (source[0], tuple(map(cut, source[1])))
        return Data(P, cut(self.q), A, cut(self.b), cut(self.d), source)


@dataclass(frozen=True, eq=False)
class Part:
    """One of P, q, A, b, d: its constant entries and what each parameter adds."""

    constant: Array
    pieces: tuple[Piece, ...]

    def at(self, theta: Theta) -> Array:
        """Entries ``[1 or B, size]``."""
        if not self.pieces:
            return self.constant
        size = self.constant.shape[1]
        out = np.empty((self.extent(theta), size))
        if out.size <= _CHUNK:
            self._fill(out, theta)
            return out
        step = max(1, _CHUNK // size)
        chunks = [slice(start, start + step) for start in range(0, out.shape[0], step)]
        _ = self.plan  # once, not in every thread

        def fill(chunk: slice) -> None:
            self._fill(out[chunk], [t if t.shape[0] == 1 else t[chunk] for t in theta])

        each(fill, chunks, cores() if out.size >= _THREADS else 1)
        return out

    def extent(self, theta: Theta) -> int:
        """1, or the batch, whichever the parameters have that it depends on."""
        return _extent([theta[piece.parameter] for piece in self.pieces]) if self.pieces else 1

    def along(self, dtheta: Sequence[Array | None]) -> Array | None:
        """Directional derivative ``[1 or B, size]``; None where every direction it depends on is None."""
        if all(dtheta[piece.parameter] is None for piece in self.pieces):
            return None
        return self._sum(dtheta)

    def _sum(self, theta: Sequence[Array | None]) -> Array:
        """The pieces of the parameters that are given, without the constants."""
        present = [(piece, t) for piece in self.pieces if (t := theta[piece.parameter]) is not None]
        out = np.zeros((_extent([t for _, t in present]), self.constant.shape[1]))
        for piece, values in present:
            out[:, piece.entries] += piece.values(values)
        return out

    def _fill(self, out: Array, theta: Theta) -> None:
        plan = self.plan
        for piece, spread in plan.written:
            if spread is not None:
                out[:] = spread(theta[piece.parameter])
            else:
                piece.write(out, theta[piece.parameter])
        out[:, plan.rest] = self.constant[:, plan.rest]
        for piece in plan.added:
            out[:, piece.entries] += piece.values(theta[piece.parameter])
        if plan.late is not None:
            out[:, plan.late] += self.constant[:, plan.late]

    @cached_property
    def plan(self) -> _Plan:
        size = self.constant.shape[1]
        written: list[tuple[Piece, Spread | None]] = []
        added: list[Piece] = []
        covered = np.zeros(size, dtype=bool)
        for piece in sorted(self.pieces, key=lambda p: -positions(p.entries).size):
            if covered[piece.entries].any():
                added.append(piece)
                continue
            covered[piece.entries] = True
            scattered = len(piece.sources) == 1 and piece.grids is None and not isinstance(piece.entries, slice)
            spread = None
            if scattered and not written:
                at, source = positions(piece.entries), positions(piece.sources[0])
                spread = Spread.of(source, at, piece.scale, size)
            written.append((piece, spread))
        late = np.flatnonzero(covered & (self.constant[0] != 0))
        return _Plan(tuple(written), compact(np.flatnonzero(~covered)), tuple(added), late if late.size else None)


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """How a part is filled: pieces that are written, perhaps over all of it; the entries that no piece reaches; then
    pieces, and constants at entries of pieces, that are added."""

    written: tuple[tuple[Piece, Spread | None], ...]
    rest: Index
    added: tuple[Piece, ...]
    late: NDArray[np.intp] | None


def _extent(values: Sequence[Array]) -> int:
    extents = [t.shape[0] for t in values]
    return 0 if 0 in extents else max(extents)


Gradient: TypeAlias = "Callable[[str, Piece, bool], Array]"


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
        P, q, A, b, d = (
            None if name in ("P", "A") and part.extent(theta) * part.constant.size > _LARGE else part.at(theta)
            for name, part in self.parts
        )
        assert q is not None and b is not None and d is not None
        return Data(P, q, A, b, d, (self, theta) if P is None or A is None else None)

    def part(self, name: str) -> Part:
        return self.parts[PARTS.index(name)][1]

    def along(self, dtheta: Sequence[Array | None]) -> dict[str, Array | None]:
        """Derivative of each part in the direction dθ (None for a parameter that stands still)."""
        return {name: part.along(dtheta) for name, part in self.parts}

    def pull(self, gradient: Gradient, extents: Sequence[int], wanted: Sequence[bool]) -> tuple[Array | None, ...]:
        """The transpose.

        Args:
            gradient: ``gradient(part, piece, summed)`` gives the gradient with respect to the piece's parameter
                ``[B, size]`` by way of its entries of a part, or ``[1, size]`` summed over the batch.
            extents: 1 or B for each parameter. wanted: whether its gradient is.

        Returns:
            Gradients ``[extent, size]``, summed over the batch where the extent is 1; None where not wanted.
        """
        out: list[Array | None] = [None] * len(self.sizes)
        for name, part in self.parts:
            for piece in part.pieces:
                k = piece.parameter
                if wanted[k]:
                    found = gradient(name, piece, extents[k] == 1)
                    known = out[k]
                    out[k] = found if known is None else known + found
        return tuple(
            np.zeros((extents[k], self.sizes[k])) if wanted[k] and found is None else found
            for k, found in enumerate(out)
        )

    def touches(self, name: str) -> NDArray[np.bool_]:
        """Which entries of a part depend on a parameter."""
        part = self.part(name)
        mask = np.zeros(part.constant.shape[1], dtype=bool)
        for piece in part.pieces:
            mask[piece.entries] = True
        return mask

    def touched(self, name: str) -> tuple[int, ...]:
        """Positions of the parameters that a part depends on."""
        return tuple(sorted({piece.parameter for piece in self.part(name).pieces}))


def _part(map_: AffineMap, offsets: NDArray[np.intp]) -> Part:
    return Part(map_.constant[None, :], tuple(pieces_of(map_, offsets)) if map_.matrix.nnz else ())
