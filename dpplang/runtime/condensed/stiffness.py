"""How strongly a multiplier answers to its slack: E at an interior point (Nesterov–Todd), and at a solution.

On a bound E is a number. On a second-order cone it has an eigenvalue for each of (1, ∓u)/√2, u some direction of the
tail, and κ everywhere else: it is κI, more of it along the first and less along the second, E = κI + a₊a₊ᵀ − a₋a₋ᵀ, and
κI − a₋a₋ᵀ stays positive definite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dpplang.runtime.condensed.layout import Layout, determinant, dot
from dpplang.runtime.cones.cone import Array


@dataclass(frozen=True, slots=True, eq=False)
class Stiffness:
    """E for a batch: ``linear`` ``[bounds, B]``, κ ``[count, B]``, a₊ and a₋ ``[count, k, B]``."""

    layout: Layout
    linear: Array
    kappa: Array
    plus: Array
    minus: Array

    @staticmethod
    def one(layout: Layout, batch: int) -> Stiffness:
        """E = I."""
        none = np.zeros((layout.count, layout.k, batch))
        bounds = layout.cones - layout.bounds.start
        return Stiffness(layout, np.ones((bounds, batch)), np.ones((layout.count, batch)), none, none)

    @staticmethod
    def at_solution(layout: Layout, v: Array, held: Array) -> Stiffness:
        """E = D⁻¹ − I for D = DΠ(v), v = s − y ``[rows, B]``.

        Args:
            held: ``[bounds + count, 1]``, what takes the place of eigenvalues of D that are smaller.
        """
        low = layout.bounds
        bounds = low.stop - low.start
        stiff = 1 / held - 1
        linear = np.where(v[low] > 0, 0.0, stiff[:bounds])
        part, most, least = layout.soc(v), stiff[bounds:], held[bounds:]
        if not layout.count:
            return Stiffness(layout, linear, np.zeros((0, v.shape[1])), part, part)
        head, tail = part[:, 0], part[:, 1:]
        size = np.sqrt(dot(tail, tail))
        inside, polar = size <= head, size <= -head
        outside = ~(inside | polar)
        safe = np.where(size > 0, size, 1.0)
        share = np.where(outside, 0.5 * (1 + head / safe), 1.0)
        kappa = np.where(outside, 1 / np.maximum(share, least) - 1, np.where(polar, most, 0.0))
        plus = np.where(outside, np.sqrt(0.5 * np.maximum(most - kappa, 0.0)), 0.0)
        minus = np.where(outside, np.sqrt(0.5 * kappa * (1 - least)), 0.0)
        return Stiffness(layout, linear, kappa, *_along(tail / safe[:, None], plus, minus))

    def times(self, y: Array) -> Array:
        """E y ``[rows, B]``; 0 on equations."""
        layout = self.layout
        out = np.zeros_like(y)
        np.multiply(self.linear, y[layout.bounds], out=out[layout.bounds])
        if layout.count:
            part, soc = layout.soc(y), layout.soc(out)
            np.multiply(self.kappa[:, None], part, out=soc)
            soc += self.plus * dot(self.plus, part)[:, None]
            soc -= self.minus * dot(self.minus, part)[:, None]
        return out


class Scaling:
    """The Nesterov–Todd scaling W at (s, y) inside the cones: W⁻¹s = W y =: ℓ, and E = W⁻²
    (Vandenberghe 2010, "The CVXOPT linear and quadratic cone program solvers").

    On a second-order cone W = η·[w₀, w₁ᵀ; w₁, I + w₁w₁ᵀ/(1 + w₀)] with w₀² − ‖w₁‖² = 1.

    Attributes:
        point: ℓ ``[rows, B]``, 0 on equations.
    """

    def __init__(self, layout: Layout, s: Array, y: Array) -> None:
        self._layout = layout
        low = layout.bounds
        ratio = s[low] / y[low]
        self._linear = np.sqrt(ratio)
        self.point = np.zeros_like(s)
        self.point[low] = self._linear * y[low]
        S, Y = layout.soc(s), layout.soc(y)
        root_s, root_y = np.sqrt(determinant(S)), np.sqrt(determinant(Y))
        half = 1 / np.sqrt(2 * (1 + dot(S, Y) / (root_s * root_y)))
        w = (half / root_s)[:, None] * S
        other = (half / root_y)[:, None] * Y
        self._w0, self._w1 = w[:, 0] + other[:, 0], w[:, 1:] - other[:, 1:]
        self._back = np.sqrt(root_y / root_s)  # 1/η
        self._turn(S, layout.soc(self.point))
        self.stiffness = self._stiffness(1 / ratio)

    def _stiffness(self, linear: Array) -> Stiffness:
        """W⁻² has the eigenvalues κα and κ/α along (1, ∓w₁/‖w₁‖), κ = 1/η², α = (w₀ + ‖w₁‖)²."""
        kappa = self._back**2
        omega = np.sqrt(dot(self._w1, self._w1))
        more = 2 * omega * (omega + self._w0)  # α − 1
        plus = np.sqrt(0.5 * kappa * more)
        unit = self._w1 / np.where(omega > 0, omega, 1.0)[:, None]
        return Stiffness(self._layout, linear, kappa, *_along(unit, plus, plus / np.sqrt(1 + more)))

    def inward(self, v: Array) -> Array:
        """W⁻¹ v, 0 on equations; W⁻¹ of a scaled direction of y, too, is that direction."""
        layout, out = self._layout, np.zeros_like(v)
        np.divide(v[layout.bounds], self._linear, out=out[layout.bounds])
        self._turn(layout.soc(v), layout.soc(out))
        return out

    def _turn(self, v: Array, out: Array) -> None:
        """W⁻¹ v on second-order cones."""
        if not v.shape[0]:
            return
        head, along = v[:, 0], dot(self._w1, v[:, 1:])
        out[:, 0] = self._back * (self._w0 * head - along)
        np.multiply(self._w1, (self._back * (along / (1 + self._w0) - head))[:, None], out=out[:, 1:])
        out[:, 1:] += self._back[:, None] * v[:, 1:]

    def product(self, a: Array, b: Array) -> Array:
        """a∘b."""
        layout = self._layout
        out = a * b
        if layout.count:
            A, B, soc = layout.soc(a), layout.soc(b), layout.soc(out)
            heads = soc.sum(axis=1)
            soc[:, 1:] = A[:, :1] * B[:, 1:] + B[:, :1] * A[:, 1:]
            soc[:, 0] = heads
        return out

    def divide(self, r: Array) -> Array:
        """u with ℓ∘u = r; 0 on equations."""
        layout, out = self._layout, np.zeros_like(r)
        np.divide(r[layout.bounds], self.point[layout.bounds], out=out[layout.bounds])
        if layout.count:
            point, part, soc = layout.soc(self.point), layout.soc(r), layout.soc(out)
            head = point[:, 0]
            first = (head * part[:, 0] - dot(point[:, 1:], part[:, 1:])) / determinant(point)
            soc[:, 0] = first
            soc[:, 1:] = (part[:, 1:] - first[:, None] * point[:, 1:]) / head[:, None]
        return out


def reach(layout: Layout, v: Array, *moves: Array) -> Array:
    """The longest step ``[B]``, at most 2, that keeps v + step·dv in the cones for all dv of ``moves``; v is inside."""
    low = layout.bounds
    worst = np.full(v.shape[1], -0.5)
    part = layout.soc(v)
    size = determinant(part)
    for dv in moves:
        if low.stop > low.start:
            np.minimum(worst, (dv[low] / v[low]).min(axis=0), out=worst)
        if layout.count:
            move = layout.soc(dv)
            b = part[:, 0] * move[:, 0] - dot(part[:, 1:], move[:, 1:])
            # The roots of det(move)·step² + 2b·step + size, of which the least positive is sought.
            inside = b * b - determinant(move) * size
            slope = (b - np.sqrt(np.maximum(inside, 0.0))) / size
            np.minimum(worst, np.where(inside >= 0, slope, 0.0).min(axis=0), out=worst)
    return -1 / worst


def _along(unit: Array, plus: Array, minus: Array) -> tuple[Array, Array]:
    """plus·(1, −u) and minus·(1, u), ``[count, k, B]``, for u ``[count, k − 1, B]``."""
    count, k, batch = unit.shape
    ahead, back = np.empty((count, k + 1, batch)), np.empty((count, k + 1, batch))
    ahead[:, 0], back[:, 0] = plus, minus
    np.multiply(-plus[:, None], unit, out=ahead[:, 1:])
    np.multiply(minus[:, None], unit, out=back[:, 1:])
    return ahead, back
