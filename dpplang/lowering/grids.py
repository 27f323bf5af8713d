"""Terms that a product of a whole matrix makes, as what they are: a grid, along which entry, variable and parameter
advance in even steps. A million of them are a handful of numbers, until someone asks for them one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

LARGE = 10_000  # entries of a parameter from which it is a grid: fewer are quicker one by one
_NARROW = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True)
class Line:
    """``start + i·outer + j·inner``."""

    start: int
    outer: int = 0
    inner: int = 0

    def at(self, height: int, width: int) -> NDArray[np.integer]:
        """Its values for i < height and j < width, in row-major order."""
        last = self.start + max(height - 1, 0) * self.outer + max(width - 1, 0) * self.inner
        kind = np.int32 if max(self.start, last) <= _NARROW else np.int64
        table = self.start + np.arange(height, dtype=kind)[:, None] * self.outer
        return (table + np.arange(width, dtype=kind) * self.inner).ravel()


ABSENT = Line(-1)


@dataclass(frozen=True, slots=True)
class Grid:
    """``height × width`` terms with one coefficient; ``var`` or ``par`` is ABSENT where there is none."""

    height: int
    width: int
    entry: Line
    var: Line
    par: Line
    coefficient: float

    @property
    def size(self) -> int:
        return self.height * self.width

    @property
    def is_run(self) -> bool:
        """Whether its entries are 0, 1, 2 …"""
        across = self.height == 1 or self.entry.outer == self.width
        return self.entry.start == 0 and across and (self.width == 1 or self.entry.inner == 1)

    def scaled(self, by: float) -> Grid:
        return replace(self, coefficient=self.coefficient * by)

    def moved(self, by: int) -> Grid:
        """With the entries further on."""
        return replace(self, entry=replace(self.entry, start=self.entry.start + by))

    def entries(self) -> slice | NDArray[np.integer]:
        """Those that its terms belong to."""
        if self.entry.inner == 0 and self.entry.outer == 1:
            return slice(self.entry.start, self.entry.start + self.height)
        return self.entry.at(self.height, self.width)


def line_of(index: NDArray[np.integer]) -> Line | None:
    """A list as a line along j, None if its steps are not even."""
    if not index.size:
        return None
    start = int(index[0])
    step = int(index[1]) - start if index.size > 1 else 0
    line = Line(start, 0, step)
    return line if np.array_equal(index, start + step * np.arange(index.size)) else None
