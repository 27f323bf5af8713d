"""Perspectives f(x, y) = y·φ(x/y) that an epigraph or hypograph variable stood for.

    exponential cone  (x, y, t)   y·e^(x/y) ≤ t            (t, y, x)   t ≤ y·log(x/y)
    power cone        (t, y, x)   |x|^p y^(1−p) ≤ t        (x, y, t)   |t| ≤ x^a y^(1−a)

f is homogeneous: f_x = φ′(u), f_y = φ(u) − u φ′(u) with u = x/y, and its Hessian is φ″(u)/y · (1, −u)(1, −u)ᵀ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.data_map import Data, Index, compact
from dpplang.runtime.smooth.jets import Pairs
from dpplang.runtime.smooth.scalars import Scalar
from dpplang.runtime.smooth.terms import Bound, Ints, Point, Slopes


@dataclass(frozen=True, eq=False)
class Perspective:
    """J terms of one φ.

    Attributes:
        sense: 1 where t is bounded from below, the cone's entry being f, −1 where from above, and it is −f.
        first, second, slot: rows of x, y and t. column: of t; scale: its coefficient κ in its row, s = κt + b.
        first_at, second_at: where in z the arguments are, ``[J]``; None where they are constant.
    """

    scalar: Scalar
    sense: float
    first: Ints
    second: Ints
    slot: Ints
    column: Ints
    scale: Array
    first_at: Ints | None
    second_at: Ints | None

    @property
    def curved(self) -> bool:
        return True

    @property
    def rows(self) -> Ints:
        return np.concatenate((self.first, self.second, self.slot))

    @property
    def columns(self) -> Ints:
        return self.column

    @property
    def positive(self) -> Ints:
        found = [self.second_at]
        if self.scalar.positive:
            found.append(self.first_at)
        return np.concatenate([np.empty(0, np.intp), *(at for at in found if at is not None)])

    def bind(self, data: Data) -> Bound:
        q, b = data.q, data.b
        weight = self.sense * q[:, self.column] / self.scale
        fixed = (b[:, self.first], b[:, self.second])
        sound = np.asarray((weight > 0).all(axis=1))
        if self.second_at is None:
            sound = sound & (fixed[1] > 0).all(axis=1)
        if self.first_at is None and self.scalar.positive:
            sound = sound & (fixed[0] > 0).all(axis=1)
        return Bound(self, weight, b, fixed, sound)

    @cached_property
    def _places(self) -> tuple[Index | None, ...]:
        return tuple(None if at is None else compact(at) for at in (self.first_at, self.second_at))

    def _arguments(self, bound: Bound, z: Array) -> tuple[Array, Array]:
        first, second = (fixed if at is None else z[:, at] for at, fixed in zip(self._places, bound.fixed, strict=True))
        return first, second

    def slopes(self, bound: Bound, z: Array, out: Slopes) -> None:
        first, second = self._arguments(bound, z)
        u = first / second
        value, slope, curvature = self.scalar.jet(u)
        w, d = bound.weight, bound.weight * curvature / second
        first_at, second_at = self._places
        if first_at is not None:
            out.gradient[:, first_at] = w * slope
        if second_at is not None:
            out.gradient[:, second_at] = w * (value - u * slope)
        if first_at is not None and second_at is not None:
            out.pairs.append(Pairs(first_at, second_at, u, d))
        elif first_at is not None:
            out.diagonal[:, first_at] = d
        elif second_at is not None:
            out.diagonal[:, second_at] = d * u * u

    def complete(self, bound: Bound, z: Array, point: Point) -> None:
        first, second = self._arguments(bound, z)
        u = first / second
        value, slope, _ = self.scalar.jet(u)
        w, tight = bound.weight, self.sense * second * value
        point.x[:, self.column] = (tight - bound.b[:, self.slot]) / self.scale
        point.s[:, self.first], point.s[:, self.second], point.s[:, self.slot] = first, second, tight
        point.y[:, self.first], point.y[:, self.second] = -w * slope, -w * (value - u * slope)
        point.y[:, self.slot] = self.sense * w

    def respond(self, bound: Bound, z: Array, dz: Array, g: Array, h: Array) -> tuple[Array, Array]:
        first, second = self._arguments(bound, z)
        first_at, second_at = self._places
        moved_first = h[:, self.first] + (0.0 if first_at is None else dz[:, first_at])
        moved_second = h[:, self.second] + (0.0 if second_at is None else dz[:, second_at])
        u = first / second
        value, slope, curvature = self.scalar.jet(u)
        t_slot = -g[:, self.column] / self.scale
        dw = self.sense * t_slot
        other = value - u * slope
        bent = bound.weight * curvature / second * (moved_first - u * moved_second)
        r = (self.sense * (slope * moved_first + other * moved_second) - h[:, self.slot]) / self.scale
        return r, np.concatenate((-(bent + slope * dw), u * bent - other * dw, t_slot), axis=1)
