"""Work on parts of a batch, over threads where there is enough of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

_WORTH = 2e7  # operations from which threads save more than they cost

Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each(function: Callable[[Item], Result], items: Sequence[Item], threads: int) -> list[Result]:
    """The function of every item, in order. Over several threads, linear algebra keeps to one thread in each."""
    if threads <= 1 or len(items) <= 1:
        return [function(item) for item in items]
    with _controller().limit(limits=1, user_api="blas"):
        return list(_pool(os.getpid(), threads).map(function, items))


@lru_cache(maxsize=4)
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    """Threads that stay: starting them costs as much as a small batch. A forked process has none of its parent's."""
    return ThreadPoolExecutor(threads, thread_name_prefix="dpplang")


def split(function: Callable[[Any], Any], array: Any, work: float) -> list[Any]:
    """The function of consecutive parts of an array's first axis; ``work`` in floating-point operations per element.

    A batch of small matrices is work for several threads, each of which calls linear algebra for one matrix after the
    other; linear algebra's own threads would only wait for each other.
    """
    count = len(array)
    threads = min(cores(), count)
    if threads <= 1 or count * work < _WORTH:
        return [function(array)]
    step = -(-count // threads)
    return each(function, [array[start : start + step] for start in range(0, count, step)], threads)


@lru_cache(maxsize=1)
def _controller() -> Any:
    """The linear algebra libraries that are loaded; finding them takes milliseconds."""
    return ThreadpoolController()
