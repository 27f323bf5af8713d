"""Signs of expressions and their algebra; ``ZERO`` is below, ``UNKNOWN`` above everything else."""

from __future__ import annotations

from enum import Enum


class Sign(Enum):
    ZERO = "zero"
    NONNEG = "nonneg"
    NONPOS = "nonpos"
    UNKNOWN = "unknown"

    @property
    def is_nonneg(self) -> bool:
        return self in (Sign.ZERO, Sign.NONNEG)

    @property
    def is_nonpos(self) -> bool:
        return self in (Sign.ZERO, Sign.NONPOS)

    def __neg__(self) -> Sign:
        return {Sign.NONNEG: Sign.NONPOS, Sign.NONPOS: Sign.NONNEG}.get(self, self)

    def __add__(self, other: Sign) -> Sign:
        """Sign of a sum: also the join of the lattice, since the cones are closed under addition."""
        if self is other or other is Sign.ZERO:
            return self
        return other if self is Sign.ZERO else Sign.UNKNOWN

    join = __add__

    def __mul__(self, other: Sign) -> Sign:
        if Sign.ZERO in (self, other):
            return Sign.ZERO
        if Sign.UNKNOWN in (self, other):
            return Sign.UNKNOWN
        return Sign.NONNEG if self is other else Sign.NONPOS
