"""How far two versions of something are the same: from their starts, and from their ends."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def common_start(one: Iterable[A], other: Iterable[B], same: Callable[[A, B], object]) -> int:
    """How many pairs, from the start, are the same."""
    count = 0
    for a, b in zip(one, other):  # noqa: B905 - one may be longer
        if not same(a, b):
            break
        count += 1
    return count


def common_ends(one: Sequence[object], other: Sequence[object]) -> tuple[int, int]:
    """Lengths of the common start and of the common end of what follows it, by bisection over comparisons of slices."""
    shorter = min(len(one), len(other))
    head = bisect_left(range(shorter), 1, key=lambda n: one[: n + 1] != other[: n + 1])
    most = shorter - head
    tail = bisect_left(range(most), 1, key=lambda n: one[len(one) - n - 1 :] != other[len(other) - n - 1 :])
    return head, tail
