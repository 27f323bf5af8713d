"""Small tensors in plain Python: entries row-major, and how they are laid out, reduced and multiplied."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dpplang.semantics.atom_matrices import Rows

Entries = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Tensor:
    """Entries row-major."""

    shape: tuple[int, ...]
    entries: Entries

    @property
    def rows(self) -> Rows:
        """A matrix as a list of rows; a vector counts as one row."""
        width = self.shape[-1] if self.shape else 1
        return [list(self.entries[i : i + width]) for i in range(0, len(self.entries), max(width, 1))]

    def reshape(self, shape: tuple[int, ...]) -> Tensor:
        return Tensor(shape, self.entries)


def scalar(value: float) -> Tensor:
    return Tensor((), (float(value),))


def of_rows(rows: Iterable[Sequence[float]], shape: tuple[int, ...]) -> Tensor:
    return Tensor(shape, tuple(float(x) for row in rows for x in row))


def spread(tensor: Tensor, count: int) -> Entries:
    return tensor.entries * count if len(tensor.entries) == 1 else tensor.entries


def lines(tensor: Tensor, axis: int) -> list[Entries]:
    """The vectors along an axis, in the order of the positions of the other axes."""
    length, step = tensor.shape[axis], math.prod(tensor.shape[axis + 1 :])
    block = length * step
    return [
        tensor.entries[start + offset : start + block : step]
        for start in range(0, len(tensor.entries), max(block, 1))
        for offset in range(step)
    ]


def from_lines(found: Sequence[Entries], shape: tuple[int, ...], axis: int) -> Tensor:
    """The tensor of this shape whose vectors along an axis are these."""
    step = math.prod(shape[axis + 1 :])
    length = shape[axis]
    entries = [0.0] * math.prod(shape)
    for place, line in enumerate(found):
        start, offset = divmod(place, max(step, 1))
        for k, value in enumerate(line):
            entries[(start * length + k) * step + offset] = value
    return Tensor(shape, tuple(entries))


def reduced(tensor: Tensor, axis: int | None, function: Callable[[Entries], float]) -> Tensor:
    if axis is None:
        return scalar(function(tensor.entries))
    axis %= len(tensor.shape)
    shape = tensor.shape[:axis] + tensor.shape[axis + 1 :]
    return Tensor(shape, tuple(float(function(line)) for line in lines(tensor, axis)))


def scanned(tensor: Tensor, axis: int | None, function: Callable[[Entries], Sequence[float]]) -> Tensor:
    """A function of vectors to vectors along an axis; of all entries if there is none."""
    if axis is None:
        return Tensor(tensor.shape, tuple(function(tensor.entries)))
    axis %= len(tensor.shape)
    found = [tuple(function(line)) for line in lines(tensor, axis)]
    length = len(found[0]) if found else tensor.shape[axis]
    return from_lines(found, (*tensor.shape[:axis], length, *tensor.shape[axis + 1 :]), axis)


def taken(tensor: Tensor, items: Sequence[int | range], shape: tuple[int, ...]) -> Tensor:
    """One item per axis: an index drops it, a range keeps it."""
    positions = [0]
    for item, extent in zip(items, tensor.shape, strict=True):
        picked = item if isinstance(item, range) else (item,)
        positions = [p * extent + i for p in positions for i in picked]
    return Tensor(shape, tuple(tensor.entries[p] for p in positions))


def stacked(parts: Sequence[Tensor], axis: int, shape: tuple[int, ...]) -> Tensor:
    """Parts of one rank joined along an axis."""
    columns = [lines(part, axis) for part in parts]
    return from_lines([sum(found, ()) for found in zip(*columns, strict=True)], shape, axis)


def product(left: Tensor, right: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A vector counts as a row on the left and as a column on the right."""
    columns = right.rows if len(right.shape) == 1 else list(map(list, zip(*right.rows, strict=True)))
    return of_rows(
        ([math.fsum(a * b for a, b in zip(row, column, strict=True)) for column in columns] for row in left.rows), shape
    )
