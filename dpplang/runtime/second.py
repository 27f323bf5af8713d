"""Second derivatives of θ ↦ (x, y, value) at a solved batch, by the factorization of the first.

Let (ẋ, ẏ) be the tangent in a direction dθ = w, which moves the data by Ṗ, Ȧ …, and v = s − y by v̇ = ṡ − ẏ. The
optimality conditions are bilinear in the data and (x, y) but for Π, so that differentiating those of the tangent along
a second direction u gives a system with the same matrix:

    (ẍ, ÿ − c) = S(−(Ṗᵤẋ_w + Ṗ_wẋᵤ + Ȧᵤᵀẏ_w + Ȧ_wᵀẏᵤ + Aᵀc), −(Ȧᵤẋ_w + Ȧ_wẋᵤ + c)),    c = D²Π(v)[v̇ᵤ, v̇_w].

With (r, t) = S(dx, dy) for an upstream gradient (dx, dy), and ν = dy − Ar − t, which is to (r, t) as v̇ is to (ẋ, ẏ),

    ⟨dx, ẍ⟩ + ⟨dy, ÿ⟩ = ⟨ν, c⟩ − ⟨r, Ṗᵤẋ_w + …⟩ − ⟨t, Ȧᵤẋ_w + …⟩,

which as a function of u is a gradient: by ⟨ν, c⟩ = ⟨τ, v̇ᵤ⟩ with τ = D²Π(v)[ν, v̇_w] it takes one more application of S.
The optimal value, whose gradient is that of the Lagrangian, adds ⟨dg, ẋᵤ⟩ + ⟨dh, ẏᵤ⟩ with (dg, dh) as
:meth:`~dpplang.runtime.derivative.Derivative.push` gives them for w. For polyhedral cones D²Π = 0.

Fiacco 1983, "Introduction to Sensitivity and Stability Analysis in Nonlinear Programming", chapter 3, has the first
order; the second is the same implicit function theorem.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dpplang.core.errors import DppError
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.cones.product import Product
from dpplang.runtime.derivative import Derivative, Moved, Point, Sensitivity
from dpplang.runtime.derivative_smoothed import Secants
from dpplang.runtime.solved import Solved

NO_SECOND = (
    'with derivative="smoothed" a gradient cannot itself be differentiated: it is a difference over a finite distance; '
    'the default, derivative="exact", has second derivatives'
)


class Second:
    """Prepared for one program."""

    def __init__(self, derivative: Derivative, cone: Product) -> None:
        self._derivative, self._cone = derivative, cone

    def adjoint(
        self,
        point: Point,
        solved: Solved,
        upstream: tuple[Array | None, Array | None, Array | None],
        dtheta: Sequence[Array | None],
        wanted: Sequence[bool],
    ) -> tuple[Array | None, ...]:
        """The gradient of u ↦ ⟨(dx, dy, dvalue), D²(x, y, value)[u, dθ]⟩, in the form of θ."""
        S = _exact(solved)
        dx, dy, dvalue = upstream
        moved, g, h, first = self._first(point, S, dtheta)
        r, t = np.zeros_like(point.x), np.zeros_like(point.y)
        if dx is not None or dy is not None:
            dx, dy = r if dx is None else dx, t if dy is None else dy
            r, t = S(dx, dy)
        again = [-d for d in self._derivative.operate(moved["P"], moved["A"], r, t)]
        if dvalue is not None:
            weight = point.sign * dvalue[:, None]
            again = [again[0] + weight * g, again[1] + weight * h]
        tau = None
        if not self._cone.polyhedral and dy is not None:
            A = solved.data.A
            across = dy - self._derivative.A.times(A, r) - t
            tau = self._cone.second(_at(point, solved), across, self._across(solved, h, first))
            again = [again[0] - self._derivative.A.transposed_times(A, tau), again[1] - tau]
        r2, t2 = S(*again)
        return self._derivative.pull(point, r2, t2 if tau is None else t2 + tau, None, wanted, (*first, r, t))

    def tangent(
        self, point: Point, solved: Solved, one: Sequence[Array | None], other: Sequence[Array | None]
    ) -> tuple[Array, Array, Array]:
        """D²(x, y, value)[one, other]."""
        S, operate = _exact(solved), self._derivative.operate
        moved, g, h, first = self._first(point, S, one)
        moved2, _, h2, first2 = self._first(point, S, other)
        one_way, other_way = operate(moved["P"], moved["A"], *first2), operate(moved2["P"], moved2["A"], *first)
        f, e = one_way[0] + other_way[0], one_way[1] + other_way[1]
        bend = None
        if not self._cone.polyhedral:
            at = _at(point, solved)
            bend = self._cone.second(at, self._across(solved, h, first), self._across(solved, h2, first2))
            f, e = f + self._derivative.A.transposed_times(solved.data.A, bend), e + bend
        ddx, ddy = S(-f, -e)
        ddvalue = np.sum(g * first2[0], axis=1) + np.sum(h * first2[1], axis=1)
        return ddx, ddy if bend is None else ddy + bend, point.sign * ddvalue

    def _first(
        self, point: Point, S: Sensitivity, dtheta: Sequence[Array | None]
    ) -> tuple[Moved, Array, Array, tuple[Array, Array]]:
        """How the data and the optimality conditions move, and the tangent."""
        moved = self._derivative.along(dtheta)
        g, h, _ = self._derivative.pushed(point, moved)
        return moved, g, h, S(-g, -h)

    def _across(self, solved: Solved, h: Array, first: tuple[Array, Array]) -> Array:
        """v̇ = ṡ − ẏ, where Aẋ + ṡ = −h."""
        return -h - self._derivative.A.times(solved.data.A, first[0]) - first[1]


def _exact(solved: Solved) -> Sensitivity:
    if isinstance(solved.sensitivity, Secants):
        raise DppError(NO_SECOND)
    return solved.sensitivity


def _at(point: Point, solved: Solved) -> Array:
    """v, 0 for elements without a solution."""
    return np.where(solved.ok[:, None], solved.s, 0.0) - point.y
