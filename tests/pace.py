"""How fast this machine is just now: bounds on processor time are multiples of it, so that they mean the same everywhere.

What is bounded is what we load and do; a slower machine, or a busier one, is slower for the reference as well.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable


def processor_time(command: list[str]) -> float:
    """Seconds of the processor that a command takes, its children among them. Raises CalledProcessError if it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def python(script: str) -> Callable[[], float]:
    """The measurement of a script in a Python of its own."""
    return lambda: processor_time([sys.executable, "-c", script])


STANDARD_LIBRARY = python(
    "import asyncio, unittest.mock, email.message, http.client, logging.config, xml.etree.ElementTree, difflib, pydoc"
)


def times_slower(work: Callable[[], float], reference: Callable[[], float] = STANDARD_LIBRARY) -> float:
    """The best time of the work over the best of the reference, measured in turns so that both meet the same machine."""
    pairs = [(work(), reference()) for _ in range(7)]
    return min(mine for mine, _ in pairs) / min(other for _, other in pairs)
