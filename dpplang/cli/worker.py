"""Processes beside the one the user speaks to: how they are started, and their end of the pipes."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import BinaryIO


def command(module: str) -> list[str]:
    """What runs ``main()`` of a module of this installation in a process of its own.

    The current folder is not searched: it is the user's, who may have a `numpy.py` there. Where dpplang itself lies is
    searched last, for a checkout that is not installed.
    """
    root = str(Path(__file__).parents[2])
    return [sys.executable, "-P", "-c", f"import sys; sys.path.append({root!r}); import {module} as m; m.main()"]


def answers() -> BinaryIO:
    """The worker's standard output for its answers alone: what else is printed goes where errors go. Ctrl-C is left to
    whoever started it, who ends it if they want to."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return own
