"""Work over threads: calls within calls, callers side by side, and what is left behind of linear algebra's threads."""

from __future__ import annotations

import os
import subprocess
import sys

from dpplang.runtime.threads import each, split


def run(script: str) -> str:
    """What a script prints, in a process of its own: threads that wait for each other can only be ended with theirs."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True, env=environment
    )
    return found.stdout.strip()


def test_results_come_in_order() -> None:
    assert each(lambda k: k * k, range(20), 3) == [k * k for k in range(20)]
    assert sum(split(lambda part: part.stop - part.start, 1000, 1e6)) == 1000


NESTED = """
from dpplang.runtime.threads import each
print(each(lambda k: sum(each(lambda j: j * k, range(10), 2)), range(6), 2))
"""


def test_calls_within_calls_do_not_wait_for_each_other() -> None:
    assert run(NESTED) == str([45 * k for k in range(6)])


CROSSING = """
import threading
import numpy
from threadpoolctl import ThreadpoolController
from dpplang.runtime.threads import quiet

controller, entered, leave = ThreadpoolController(), threading.Event(), threading.Event()
threads = lambda: {library["num_threads"] for library in controller.info()}

def first():
    with quiet(100):
        entered.set()
        leave.wait(10)

before, thread = threads(), threading.Thread(target=first)
thread.start()
entered.wait(10)
with quiet(100):
    leave.set()
    thread.join()
    print(threads() == {1}, end=" ")
print(threads() == before)
"""


def test_linear_algebra_has_its_threads_again_when_the_last_caller_is_done() -> None:
    assert run(CROSSING) == "True True"
