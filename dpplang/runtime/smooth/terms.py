"""What the smooth form asks of a kind of term: a group of equal graphs, eliminated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.data_map import Data
from dpplang.runtime.smooth.jets import Pairs, Shares

Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A solution of the conic program, to be filled in: x ``[B, n]``, y and s ``[B, m]``."""

    x: Array
    y: Array
    s: Array


@dataclass(slots=True, eq=False)
class Slopes:
    """Where terms write their part of a :class:`~dpplang.runtime.smooth.jets.Jet`."""

    gradient: Array
    diagonal: Array
    pairs: list[Pairs]
    shares: list[Shares]


class Term(Protocol):
    """A group of J equal graphs. Arguments are the s of its cones' rows: what varies is read from z ``[B, V]``.

    Attributes:
        rows: the conic program's rows that it takes out. columns: the variables that it eliminates.
    """

    @property
    def rows(self) -> Ints: ...

    @property
    def columns(self) -> Ints: ...

    @property
    def curved(self) -> bool:
        """Whether its gradient is more than affine."""
        ...

    @property
    def positive(self) -> Ints:
        """Positions in z that must be positive."""
        ...

    def bind(self, data: Data) -> Bound:
        """Weights and constant arguments, from the data of a batch."""
        ...

    def slopes(self, bound: Bound, z: Array, out: Slopes) -> None:
        """Gradient and Hessian at z ``[B, V]``."""
        ...

    def complete(self, bound: Bound, z: Array, point: Point) -> None:
        """Values of its columns and of its rows' y and s."""
        ...

    def respond(self, bound: Bound, z: Array, dz: Array, g: Array, h: Array) -> tuple[Array, Array]:
        """How its columns and its rows' multipliers move, (r ``[B, columns]``, t ``[B, rows]``), while z moves by dz
        and the optimality conditions by (g ``[B, n]``, h ``[B, m]``), in the sense of :mod:`dpplang.runtime.kkt`."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """A term with the numbers of a batch.

    Attributes:
        weight: ``[1 or B, J]``. b: the program's ``[1 or B, m]``. fixed: arrays ``[1 or B, …]`` that the term made for
            itself.
        sound: ``[1 or B]``, where the weights are positive and constant arguments are in the domain: where they are
            not, the cones are not tight.
    """

    term: Term
    weight: Array
    b: Array
    fixed: tuple[Array, ...]
    sound: NDArray[np.bool_]

    def select(self, rows: Callable[[Array], Array]) -> Bound:
        """The same for some elements of the batch."""
        return replace(self, weight=rows(self.weight), b=rows(self.b), fixed=tuple(map(rows, self.fixed)))
