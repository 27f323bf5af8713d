"""How far two versions of something are the same: from their starts, and from their ends."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from operator import is_
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def common_start(one: Sequence[A], other: Sequence[B], same: Callable[[A, B], object]) -> int:
    """How many pairs, from the start, are the same."""
    differ = (count for count, fits in enumerate(map(same, one, other)) if not fits)
    return next(differ, min(len(one), len(other)))


def common_ends(one: Sequence[object], other: Sequence[object]) -> tuple[int, int]:
    """Lengths of the common start and of the common end of what follows it, by bisection over comparisons of slices."""
    shorter = min(len(one), len(other))
    head = bisect_left(range(shorter), 1, key=lambda n: one[: n + 1] != other[: n + 1])
    most = shorter - head
    tail = bisect_left(range(most), 1, key=lambda n: one[len(one) - n - 1 :] != other[len(other) - n - 1 :])
    return head, tail


def identical_ends(one: Sequence[object], other: Sequence[object]) -> tuple[int, int]:
    """The same of objects that are known by identity."""
    head = common_start(one, other, is_)
    most = min(len(one), len(other)) - head
    differ = (count for count, fits in enumerate(map(is_, reversed(one), reversed(other))) if not fits)
    return head, min(next(differ, most), most)
