"""Sizes of canonical programs, asked of another process: this one loads no numeric library and waits for nothing.

One program is lowered at a time, of each text the newest only. What is under way for a text that has changed is given
a moment to finish, since most programs take less time than a new process would, and is ended then.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dpplang.lsp.beside import Ended, Process, Unable
from dpplang.lsp.sizes import TOO_LARGE, Answer, Query, Size, Unsized

TIMEOUT = 40.0
"""Seconds that a program may take to be lowered, by the clock; the process has a limit of its own, of the processor."""
PATIENCE = 1.0
"""Seconds that it may take once nobody waits for it."""
IDLE = 600.0
"""Seconds without a question after which the process is ended, for its memory."""
CRASHES = 3
"""Ends of the process, one after the other, after which it is not started again."""
KEPT = 64


@dataclass(eq=False)
class _Job:
    """A query of a text. ``answer`` becomes None once the text has changed."""

    uri: str
    query: Query
    answer: asyncio.Future[Answer | None]
    limit: asyncio.Timeout | None = None
    started: float = 0.0
    attempts: int = 0

    @property
    def stale(self) -> bool:
        return self.answer.done()

    def drop(self) -> None:
        if not self.answer.done():
            self.answer.set_result(None)
            if self.limit is not None and not self.limit.expired():
                self.limit.reschedule(min(self.limit.when() or self.started, self.started + PATIENCE))


class Sizer:
    """Answers to queries; the last ones are kept.

    Args:
        command: starts the process. tell: takes what the user should know, which is said once.
    """

    def __init__(self, command: Sequence[str], tell: Callable[[str], None], timeout: float = TIMEOUT) -> None:
        self._command = command
        self._tell = tell
        self._timeout = timeout
        self._known: OrderedDict[Query, Answer] = OrderedDict()
        self._waiting: dict[str, _Job] = {}
        self._running: _Job | None = None
        self._work: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()
        self._crashes = 0
        self._told: set[str] = set()
        self._over = False
        self.ready = False  # whether the process is there, so that an answer may come soon

    def known(self, query: Query) -> Answer | None:
        return Unsized() if self._over else self._known.get(query)

    def ask(self, uri: str, query: Query) -> asyncio.Future[Answer | None]:
        """The answer for the newest version of a text; None in it if there is a newer one by then.

        What was asked for that text before is dropped.
        """
        self.drop(uri, query)
        answer = asyncio.get_running_loop().create_future()
        known = self.known(query)
        if known is not None:
            answer.set_result(known)
            return answer
        for job in (self._running, self._waiting.get(uri)):
            if job is not None and job.uri == uri and not job.stale:
                return job.answer
        self._waiting[uri] = _Job(uri, query, answer)
        self._arrived.set()
        self._go_on()
        return answer

    def drop(self, uri: str, but: Query | None = None) -> None:
        """Nobody waits for a text's size any more, unless it is that of this query."""
        waiting = self._waiting.get(uri)
        if waiting is not None and waiting.query != but:
            del self._waiting[uri]
            waiting.drop()
        if self._running is not None and self._running.uri == uri and self._running.query != but:
            self._running.drop()

    def close(self) -> None:
        """Answer nothing more, and end the process."""
        self._over = True
        for job in (*self._waiting.values(), *([self._running] if self._running else ())):
            job.drop()
        self._waiting.clear()
        if self._work is not None:
            self._work.cancel()

    # --- the work ------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        if self._waiting and self._work is None and not self._over:
            self._work = asyncio.ensure_future(self._serve())
            self._work.add_done_callback(self._done)

    def _done(self, work: asyncio.Task[None]) -> None:
        self._work, self._running, self.ready = None, None, False
        if not work.cancelled() and work.exception() is not None:
            self._give_up(f"a fault of dpplang: {work.exception()!r}")
        self._go_on()  # what arrived while the process was being ended

    async def _serve(self) -> None:
        """Start the process, answer what is asked while anything is, end the process."""
        process: Process | None = None
        try:
            while not self._over and (job := await self._next()) is not None:
                self._running = job
                try:
                    if process is None:
                        process = await Process.start(self._command)
                        self.ready = True
                    if not job.stale:
                        self._settle(job, await self._asked(process, job))
                except TimeoutError:
                    self._settle(job, TOO_LARGE)
                    process = await self._ended(process)
                except Ended:
                    process = await self._ended(process)
                    self._crashed(job)
                except Unable as error:
                    self._give_up(str(error))
                finally:
                    self._running = None
        finally:
            await self._ended(process)

    async def _next(self) -> _Job | None:
        """The job that has waited longest; None if there was none for a long time."""
        while not self._waiting:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), IDLE)
            except TimeoutError:
                return None
        return self._waiting.pop(next(iter(self._waiting)))

    async def _asked(self, process: Process, job: _Job) -> Answer:
        """Raises:
        TimeoutError: it takes too long. Ended: the process did not survive it.
        """
        known = self._known.get(job.query)
        if known is not None:
            return known
        job.started = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._timeout) as job.limit:
                reply = await process.ask(job.query.message())
        finally:
            job.limit = None
        self._crashes = 0
        return self._read(reply)

    def _read(self, reply: dict[str, Any]) -> Answer:
        match reply:
            case {"size": found}:
                return Size.read(found)
            case {"too_large": True}:
                return TOO_LARGE
            case {"problem": str(problem)}:
                return Unsized(problem)
            case _:
                self._say(f"A program could not be lowered to tell its size: {reply.get('fault')}")
                return Unsized()

    def _settle(self, job: _Job, answer: Answer) -> None:
        if answer is TOO_LARGE and job.stale:
            return  # it was not given the time
        self._known[job.query] = answer
        self._known.move_to_end(job.query)
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
        if not job.answer.done():
            job.answer.set_result(answer)

    def _crashed(self, job: _Job) -> None:
        self._crashes += 1
        job.attempts += 1
        if self._crashes >= CRASHES:
            self._give_up(f"the process that lowers programs ended {CRASHES} times, one after the other")
        if job.attempts > 1:
            self._settle(job, Unsized())
        elif not job.stale:
            self._waiting = {job.uri: job, **self._waiting}

    async def _ended(self, process: Process | None) -> None:
        self.ready = False
        if process is not None:
            await process.end()

    def _give_up(self, why: str) -> None:
        self._over = True
        self._say(f"Sizes of canonical programs are not shown: {why}")
        for job in (*self._waiting.values(), *([self._running] if self._running else ())):
            if not job.answer.done():
                job.answer.set_result(Unsized())
        self._waiting.clear()

    def _say(self, what: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self._tell(what)
