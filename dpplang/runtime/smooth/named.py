"""Variables that only name an affine expression: c·τ == e − Du, with a square and a linear cost of τ and nothing else.

That is how `sum_squares(S @ x)` is lowered. With z = e − Du, its term is ½(w/c²)z² + (q/c)z.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.data_map import Data, Index, compact
from dpplang.runtime.smooth.terms import Bound, Ints, Point, Slopes


@dataclass(frozen=True, eq=False)
class Named:
    """J names. ``row``: the equation that defines each; ``column``: of τ; ``scale``: c; ``square``: positions of w
    among the entries of P, −1 where there is none; ``at``: where in z the expressions are."""

    row: Ints
    column: Ints
    scale: Array
    square: Ints
    at: Ints

    curved = False

    @property
    def rows(self) -> Ints:
        return self.row

    @property
    def columns(self) -> Ints:
        return self.column

    @property
    def positive(self) -> Ints:
        return np.empty(0, np.intp)

    @cached_property
    def _index(self) -> Index:
        return compact(self.at)

    def bind(self, data: Data) -> Bound:
        """``weight`` is w; ``fixed`` holds q."""
        weight, weighed = np.zeros((len(data.P), self.square.size)), self.square >= 0
        weight[:, weighed] = data.P[:, self.square[weighed]]  # P may have no entries at all
        return Bound(self, weight, data.b, (data.q[:, self.column],), np.ones(1, dtype=bool))

    def slopes(self, bound: Bound, z: Array, out: Slopes) -> None:
        curvature = bound.weight / self.scale**2
        out.gradient[:, self._index] = curvature * z[:, self._index] + bound.fixed[0] / self.scale
        out.diagonal[:, self._index] = curvature

    def complete(self, bound: Bound, z: Array, point: Point) -> None:
        tau = z[:, self._index] / self.scale
        point.x[:, self.column] = tau
        point.y[:, self.row] = -(bound.weight * tau + bound.fixed[0]) / self.scale
        point.s[:, self.row] = 0.0

    def respond(self, bound: Bound, z: Array, dz: Array, g: Array, h: Array) -> tuple[Array, Array]:
        r = (h[:, self.row] + dz[:, self._index]) / self.scale
        return r, (g[:, self.column] - bound.weight * r) / self.scale
