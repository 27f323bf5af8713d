"""Dense blocks of P and A straight from θ: without the entries of sparse matrices on the way, by strided copies, and
where the block is a parameter as it stands, or its transpose, without any copy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dpplang.runtime.blocks import Block
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.data_map import Data, Part, Piece, Theta
from dpplang.runtime.strided import Grid, Positions, positions


class Filled:
    """A block of one part of the data."""

    def __init__(self, name: str, block: Block) -> None:
        """``name``: P or A."""
        self.block = block
        self._name = name
        self._planned: tuple[Part, _Direct | None] | None = None

    def __call__(self, data: Data) -> Array:
        """``[1|B, *shape]``; perhaps a view of the data or of θ."""
        source = data.pending(self._name)
        if source is not None:
            part = source[0].part(self._name)
            if self._planned is None or self._planned[0] is not part:
                self._planned = part, _Direct.of(self.block, part)
            if (direct := self._planned[1]) is not None:
                return direct(source[1])
        return self.block.fill(data.P if self._name == "P" else data.A)


@dataclass(frozen=True, slots=True, eq=False)
class _Term:
    """block[place] = scale · Σ θ[source]: all grids of the same extents."""

    parameter: int
    place: Grid
    sources: tuple[Grid, ...]
    scale: float


@dataclass(frozen=True, slots=True, eq=False)
class _Direct:
    """A block as terms and what is constant.

    Attributes:
        shape: of the block. terms: they meet in no place. constant: the block ``[size]`` without them, None if they
            fill it. part: of the data.
    """

    shape: tuple[int, int]
    terms: tuple[_Term, ...]
    constant: Array | None
    part: Part

    @staticmethod
    def of(block: Block, part: Part) -> _Direct | None:
        """None if some entry of the block is no copy of θ, or θ does not come in grids."""
        size = block.shape[0] * block.shape[1]
        at = positions(block.entries)
        places = np.arange(size) if block.places is None else block.places
        constant, rest = np.zeros(size), np.ones(size, dtype=bool)
        constant[places] = part.constant[0, at]
        terms: list[_Term] = []
        for piece in part.pieces:
            local = np.full(part.constant.size, -1)
            local[piece.entries] = np.arange(positions(piece.entries).size)
            inside = np.flatnonzero(local[at] >= 0)
            if not inside.size:
                continue
            place = places[inside]
            term = _term(piece, place, local[at[inside]], block)
            if term is None or constant[place].any() or not rest[place].all():
                return None
            terms.append(term)
            rest[place] = False
        if not terms:
            return None
        return _Direct(block.shape, tuple(terms), constant * block.sign if rest.any() else None, part).signed(
            block.sign
        )

    def signed(self, sign: float) -> _Direct:
        terms = tuple(_Term(t.parameter, t.place, t.sources, t.scale * sign) for t in self.terms)
        return _Direct(self.shape, terms, self.constant, self.part)

    def __call__(self, theta: Theta) -> Array:
        if self.constant is None and len(self.terms) == 1:
            (term,) = self.terms
            if term.place.is_run and len(term.sources) == 1 and term.scale == 1:
                view = term.sources[0].view(theta[term.parameter])
                return view if view.shape[1:] == self.shape else view.reshape(len(view), *self.shape)
        out = np.empty((self.part.extent(theta), self.shape[0] * self.shape[1]))
        if self.constant is not None:
            out[:] = self.constant
        for term in self.terms:
            values, target = theta[term.parameter], term.place.view(out)
            first, *others = term.sources
            if not others:
                np.multiply(first.view(values), term.scale, out=target)
                continue
            np.add(first.view(values), others[0].view(values), out=target)
            if term.scale != 1:
                target *= term.scale
        return out.reshape(out.shape[0], *self.shape)


def _term(piece: Piece, place: Positions, local: Positions, block: Block) -> _Term | None:
    """A piece's part of a block: ``local`` says which of its entries stands in each place."""
    if not 1 <= len(piece.sources) <= 2 or not isinstance(piece.scale, float):
        return None
    sources = [positions(source)[local] for source in piece.sources]
    if (place[1:] < place[:-1]).any():
        order = np.argsort(place, kind="stable")
        place, sources = place[order], [source[order] for source in sources]
    if len(sources) == 2:  # of a symmetric block, whose two triangles have the same entries
        row, column = np.divmod(place, block.shape[1])
        first, second = sources
        sources = [np.where(row <= column, first, second), np.where(row <= column, second, first)]
    found = Grid.together(place, *sources)
    return None if found is None else _Term(piece.parameter, found[0], found[1:], block.sign * piece.scale)
