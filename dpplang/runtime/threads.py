"""Work on parts of a batch, over threads where there is enough of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

_TINY, _LARGE = 40, 400  # orders below which linear algebra starts no threads, and from which they are worth it
_WORTH = 2e7  # operations from which threads save more than they cost

Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """As many threads as may be at work: the cores to run on, or fewer where :func:`at_most` says so."""
    limit = getattr(_here, "limit", None)
    if limit is not None:
        return limit
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def at_most(threads: int) -> Iterator[None]:
    """Whatever this thread starts meanwhile keeps to so many threads."""
    before, _here.limit = getattr(_here, "limit", None), threads
    try:
        yield
    finally:
        _here.limit = before


def quiet(*sides: int) -> AbstractContextManager[None]:
    """While matrices of these sides are at work, linear algebra keeps to one thread, if its own would only wait for
    each other: they meet after every few columns, and on a busy machine each meeting lasts as long as a whole solve."""
    return _alone if sum(sides) > _TINY and max(sides) < _LARGE else nullcontext()


def each(function: Callable[[Item], Result], items: Sequence[Item], threads: int) -> list[Result]:
    """The function of every item, in order. Over several threads, linear algebra keeps to one thread in each.

    Within an item there is one thread: those that waited for others of their own kind would wait for ever.
    """
    if threads <= 1 or len(items) <= 1 or getattr(_here, "working", False):
        return [function(item) for item in items]
    with _alone:
        return list(_pool(os.getpid(), threads).map(function, items))


_here = threading.local()


def _mark() -> None:
    _here.working = True


@lru_cache(maxsize=4)
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    """Threads that stay: starting them costs as much as a small batch. A forked process has none of its parent's."""
    return ThreadPoolExecutor(threads, thread_name_prefix="dpplang", initializer=_mark)


class _Alone:
    """Linear algebra on one thread, while anyone asks for it. How many it has is one number for the whole process, so
    the first who asks sets it, and the last who is done restores it, in whatever order they come and go."""

    def __init__(self) -> None:
        self._lock, self._asking, self._limit = threading.Lock(), 0, None

    def __enter__(self) -> None:
        with self._lock:
            if not self._asking:
                self._limit = _controller().limit(limits=1, user_api="blas")
            self._asking += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._asking = max(self._asking - 1, 0)
            if not self._asking and self._limit is not None:
                self._limit.restore_original_limits()


_alone = _Alone()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_alone.__init__)  # of those who asked, a forked process has one thread at most


def split(function: Callable[[slice], Result], count: int, work: float) -> list[Result]:
    """The function of consecutive parts of ``count`` elements; ``work`` in floating-point operations per element.

    A batch of small matrices is work for several threads, each of which calls linear algebra for one matrix after the
    other; linear algebra's own threads would only wait for each other.
    """
    if count <= 1 or count * work < _WORTH or (threads := min(cores(), count)) <= 1:
        return [function(slice(0, count))]
    step = -(-count // threads)
    return each(function, [slice(start, start + step) for start in range(0, count, step)], threads)


@lru_cache(maxsize=1)
def _controller() -> Any:
    """The linear algebra libraries that are loaded; finding them takes milliseconds."""
    return ThreadpoolController()
