"""Convex functions φ of one number whose perspectives y·φ(x/y) bound the three-dimensional cones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dpplang.runtime.cones.cone import Array


class Scalar(Protocol):
    @property
    def positive(self) -> bool:
        """Whether φ is defined for positive numbers only."""
        ...

    def jet(self, u: Array) -> tuple[Array, Array, Array]:
        """(φ, φ′, φ″) at u ``[B, J]``."""
        ...


@dataclass(frozen=True, slots=True)
class Exp:
    """e^u: an epigraph in the last place of the exponential cone."""

    positive: bool = False

    def jet(self, u: Array) -> tuple[Array, Array, Array]:
        value = np.exp(u)
        return value, value, value


@dataclass(frozen=True, slots=True)
class NegativeLog:
    """−log u: a hypograph in the first place of the exponential cone."""

    positive: bool = True

    def jet(self, u: Array) -> tuple[Array, Array, Array]:
        slope = 1 / u
        return -np.log(u), -slope, slope * slope


@dataclass(frozen=True, slots=True, eq=False)
class Power:
    """|u|^p, p ``[J]`` > 1: an epigraph in the first or second place of the power cone."""

    exponent: Array
    positive: bool = False

    def jet(self, u: Array) -> tuple[Array, Array, Array]:
        p, size = self.exponent, np.maximum(np.abs(u), 1e-100)
        value = size**p
        slope = p * value / size
        return value, np.sign(u) * slope, (p - 1) * slope / size


@dataclass(frozen=True, slots=True, eq=False)
class NegativePower:
    """−u^a, a ``[J]`` in (0, 1): a hypograph in the last place of the power cone."""

    exponent: Array
    positive: bool = True

    def jet(self, u: Array) -> tuple[Array, Array, Array]:
        a = self.exponent
        value = -(u**a)
        slope = a * value / u
        return value, slope, (a - 1) * slope / u
