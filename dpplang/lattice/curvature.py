"""Curvature and monotonicity, and the composition rule of disciplined convex programming.

Source: Grant, Boyd, Ye, "Disciplined Convex Programming", 2006; Agrawal et al. 2019 for the parameter side.
"""

from __future__ import annotations

from enum import Enum

from dpplang.lattice.sign import Sign


class Curvature(Enum):
    CONSTANT = "constant"
    AFFINE = "affine"
    CONVEX = "convex"
    CONCAVE = "concave"
    UNKNOWN = "unknown"

    @property
    def is_convex(self) -> bool:
        return self in (Curvature.CONSTANT, Curvature.AFFINE, Curvature.CONVEX)

    @property
    def is_concave(self) -> bool:
        return self in (Curvature.CONSTANT, Curvature.AFFINE, Curvature.CONCAVE)

    @property
    def is_affine(self) -> bool:
        return self in (Curvature.CONSTANT, Curvature.AFFINE)

    def __neg__(self) -> Curvature:
        flipped = {Curvature.CONVEX: Curvature.CONCAVE, Curvature.CONCAVE: Curvature.CONVEX}
        return flipped.get(self, self)

    def __add__(self, other: Curvature) -> Curvature:
        """Curvature of a sum."""
        if self is other or other is Curvature.CONSTANT:
            return self
        if self is Curvature.CONSTANT:
            return other
        if self is Curvature.AFFINE:
            return other
        if other is Curvature.AFFINE:
            return self
        return Curvature.UNKNOWN

    def scaled(self, sign: Sign) -> Curvature:
        """Curvature after multiplication by a constant of this sign.

        Zero times a convex expression is affine, not constant: the expression is still there, its graph and
        domain with it.
        """
        if sign is Sign.ZERO and self is not Curvature.UNKNOWN:
            return Curvature.CONSTANT if self is Curvature.CONSTANT else Curvature.AFFINE
        if self.is_affine or sign is Sign.NONNEG:
            return self
        return -self if sign is Sign.NONPOS else Curvature.UNKNOWN


class Monotonicity(Enum):
    INCREASING = "increasing"
    DECREASING = "decreasing"
    CONSTANT = "constant"
    UNKNOWN = "unknown"

    def __neg__(self) -> Monotonicity:
        flipped = {
            Monotonicity.INCREASING: Monotonicity.DECREASING,
            Monotonicity.DECREASING: Monotonicity.INCREASING,
        }
        return flipped.get(self, self)


def fits(outer: Curvature, monotone: Monotonicity, argument: Curvature) -> bool:
    """Whether an argument may stand in a convex (or concave) function: affine anywhere, else with the right
    monotonicity.

    ``outer`` CONVEX: convex arguments where increasing, concave where decreasing; CONCAVE the other way round.
    An affine ``outer`` fits on both counts; what it makes of the result is :func:`compose`'s business.
    """
    if argument.is_affine:
        return True
    if argument is Curvature.UNKNOWN or monotone is Monotonicity.UNKNOWN:
        return False
    if monotone is Monotonicity.CONSTANT:
        return True
    image = argument if monotone is Monotonicity.INCREASING else -argument
    return outer.is_affine or outer is image


def compose(outer: Curvature, arguments: list[tuple[Monotonicity, Curvature]]) -> Curvature:
    """Curvature of f(g₁, …, g_k) with f of curvature ``outer``, monotone in its arguments as given."""
    if all(g is Curvature.CONSTANT for _, g in arguments):
        return Curvature.CONSTANT
    if outer.is_affine:
        result = Curvature.CONSTANT
        for monotone, g in arguments:
            if g.is_affine:
                result = result + g
            elif monotone is Monotonicity.UNKNOWN:
                return Curvature.UNKNOWN
            elif monotone is not Monotonicity.CONSTANT:
                result = result + (g if monotone is Monotonicity.INCREASING else -g)
        return result
    if outer is not Curvature.UNKNOWN and all(fits(outer, m, g) for m, g in arguments):
        return outer
    return Curvature.UNKNOWN
