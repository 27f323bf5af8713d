"""When garbage is collected: while nobody waits. Of a large program that can take as long as several keystrokes, and
Python would begin wherever enough was made."""

from __future__ import annotations

import asyncio
import gc

PAUSE = 0.3
"""Seconds without a change before what was made since the last pause is looked through: at most a few milliseconds."""
IDLE = 5.0
"""Seconds before everything is."""


class Garbage:
    """Collections that wait for a pause, then for a longer one."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.TimerHandle] = []

    def made(self) -> None:
        """Something was made, or thrown away."""
        self.forget()
        loop = asyncio.get_running_loop()
        self._waiting = [loop.call_later(PAUSE, gc.collect, 1), loop.call_later(IDLE, gc.collect)]

    def forget(self) -> None:
        for each in self._waiting:
            each.cancel()
