"""A process beside the server, which is spoken to by lines of JSON, one at a time."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

START = 120.0
"""Seconds within which the process must say that it is ready: it loads the numeric libraries first."""
_LONGEST = 1 << 24  # bytes of a line


class Ended(Exception):
    """The process has ended, or never was."""


class Unable(Exception):
    """The process cannot do its work, and says why: another one could not either."""


class Process:
    """A process that answers. Whoever starts it ends it: not even a zombie is left."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @staticmethod
    async def start(command: Sequence[str]) -> Process:
        """Wait until it is ready.

        Raises:
            Ended: it did not start. Unable: it has not what it needs.
        """
        quiet = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # of Windows, for a server that has no window either
        try:
            made = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_LONGEST,
                creationflags=quiet,
            )
        except OSError as error:
            raise Unable(str(error)) from None
        process = Process(made)
        try:
            async with asyncio.timeout(START):
                said = await process._answer()
            if "fault" in said:
                raise Unable(str(said["fault"]))
        except TimeoutError:
            await process.end()
            raise Ended from None
        except BaseException:
            await process.end()
            raise
        return process

    async def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """The answer. One that is not waited for is the next one's: end the process instead.

        Raises:
            Ended: there will be none.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            await self._process.stdin.drain()
        except (OSError, RuntimeError):
            raise Ended from None
        return await self._answer()

    async def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise Ended
        return json.loads(line)

    async def end(self) -> None:
        """End it, whatever it does. This does not take long, and is not cut short by a cancellation, which is raised
        afterwards."""
        with suppress(ProcessLookupError):
            self._process.kill()
        cancelled = False
        while self._process.returncode is None:
            try:
                await self._process.communicate()  # reads to the end, so that the pipes are closed as well
            except asyncio.CancelledError:
                cancelled = True
        if cancelled:
            raise asyncio.CancelledError
