"""Solutions found again by the values they are of, for frameworks whose functions keep nothing between a solve and its
derivative."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.solution import Solution

Arrays = tuple[NDArray[Any], ...]

LIMIT = 1 << 25
"""How many numbers are kept beside the newest solution."""


class Recall:
    """The latest solutions of one function.

    Values are compared bit by bit, so that a solution is never taken for another's; what is not kept (any more) is
    solved again. Threads that ask for the same values wait for one solve, and use the solution one at a time. Solutions
    are kept for a derivative to come: of those that have been differentiated only the latest stays.

    Args:
        solve: what to do for values that are not known; they are its own to keep.
    """

    def __init__(self, solve: Callable[[Arrays], Solution], limit: int = LIMIT) -> None:
        self._solve, self._limit = solve, limit
        self._lock = threading.Lock()
        self._entries: OrderedDict[_Key, _Entry] = OrderedDict()
        self._differentiated: _Entry | None = None

    @contextmanager
    def at(self, values: Sequence[NDArray[Any]], *, differentiate: bool = False) -> Iterator[Solution]:
        """The solution at these values, for the caller alone while the context lasts.

        Args:
            values: arrays whose memory may be another's as soon as this returns.
            differentiate: whether it is asked for in order to be differentiated.
        """
        key = _Key(tuple(np.asarray(v, order="C") for v in values))
        with self._lock:
            entry = self._entries.pop(key, None) or _Entry(key.copy())
            self._entries[entry.key] = entry
        with entry.lock:
            if entry.solution is None:
                try:
                    entry.solution = self._solve(entry.key.values)
                except BaseException:
                    with self._lock:
                        self._entries.pop(entry.key, None)
                    raise
                self._forget()
            yield entry.solution
            if differentiate:
                self._keep_latest(entry)

    def __len__(self) -> int:
        return len(self._entries)

    def _keep_latest(self, entry: _Entry) -> None:
        """Of the solutions that have been differentiated."""
        with self._lock:
            before, self._differentiated = self._differentiated, entry
            if before is not None and before is not entry and self._entries.get(before.key) is before:
                del self._entries[before.key]

    def _forget(self) -> None:
        """Let go of the oldest until the rest is within the limit."""
        with self._lock:
            total = sum(e.weight for e in self._entries.values())
            while total > self._limit and len(self._entries) > 1:
                total -= self._entries.popitem(last=False)[1].weight


class _Key:
    """Arrays as a key: equal where dtypes, shapes and every bit are."""

    __slots__ = ("_hash", "values")

    def __init__(self, values: Arrays) -> None:
        self.values = values
        self._hash = hash(tuple((v.shape, v.dtype.str, int(_bits(v).sum(dtype=np.uint64))) for v in values))

    def copy(self) -> _Key:
        twin = _Key.__new__(_Key)
        twin.values, twin._hash = tuple(v.copy() for v in self.values), self._hash
        return twin

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and all(
            a.shape == b.shape and a.dtype == b.dtype and np.array_equal(_bits(a), _bits(b))
            for a, b in zip(self.values, other.values, strict=True)
        )


@dataclass(slots=True, eq=False)
class _Entry:
    key: _Key
    lock: threading.Lock = field(default_factory=threading.Lock)
    solution: Solution | None = None

    @property
    def weight(self) -> int:
        """How many numbers it holds, about."""
        return 0 if self.solution is None else self.solution.weight


def _bits(array: NDArray[Any]) -> NDArray[Any]:
    return array.view(f"u{array.dtype.itemsize}")
