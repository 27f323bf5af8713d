"""Lenses as a client asks for them: at once, and once more, or later, when the canonical size is known.

A client that can be told to ask again (VS Code, Neovim from 0.12 on) is shown the size as written meanwhile: a lens
that is resolved later would leave an empty line, or the old title, above the text that is being typed. One that cannot
(Neovim up to 0.11) would keep that title until something else makes it ask; it is given a lens without a title, and
asks for it by `codeLens/resolve`, which may wait. Most programs are lowered within :data:`MOMENT`: then neither is
needed, and nothing flickers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from lsprotocol.types import CodeLens

from dpplang.lsp import lens
from dpplang.lsp.sizer import Sizer
from dpplang.lsp.sizes import Answer, Query, Unsized
from dpplang.lsp.view import View

MOMENT = 0.1
"""Seconds that a lens waits for its size, once there is a process to give it."""


class Lenses:
    """Args:
    view: the newest analysis of a text. sizer: tells canonical sizes; without one, they are not shown.
    refresh: lets the client ask again.
    """

    def __init__(
        self, view: Callable[[str], Awaitable[View]], sizer: Sizer | None, refresh: Callable[[], object]
    ) -> None:
        self._view = view
        self._sizer = sizer
        self._refresh = refresh
        self._late: set[asyncio.Future[Answer | None]] = set()  # after which the client is told, once

    async def of(self, uri: str, *, refreshes: bool) -> list[CodeLens]:
        """The lenses of a text, without a title if the client has to ask for it (``refreshes``: it need not)."""
        view = await self._view(uri)
        asked = self._ask(view)
        if asked is None:
            return lens.lenses(view)
        if not asked.done() and self._sizer is not None and self._sizer.ready:
            await asyncio.wait((asked,), timeout=MOMENT)
            view = await self._view(uri)  # what is known of an older text must not be asked any more
            asked = self._ask(view)
        if asked is None or asked.done():
            return lens.lenses(view, asked.result() if asked is not None else None)
        if refreshes:
            if asked not in self._late:
                self._late.add(asked)
                asked.add_done_callback(self._came)
            return lens.lenses(view)
        return [CodeLens(found.range, data=uri) for found in lens.lenses(view)]

    async def resolve(self, unresolved: CodeLens) -> CodeLens:
        """The lens with the title that the newest text has, when it is known."""
        if unresolved.data is None:
            return unresolved  # it has its title
        uri = str(unresolved.data)
        while True:
            view = await self._view(uri)
            asked = self._ask(view)
            if asked is None or asked.done():
                found = lens.lenses(view, asked.result() if asked is not None else None)
                return CodeLens(unresolved.range, found[0].command if found else None)
            await asyncio.wait((asked,))

    def _ask(self, view: View) -> asyncio.Future[Answer | None] | None:
        """The size of a text is asked for, that of an older one no more; None if it has none."""
        if self._sizer is None:
            return None
        query = Query.of(view.analysis)
        if query is None:
            self._sizer.drop(view.uri)
            return None
        return self._sizer.ask(view.uri, query)

    def _came(self, asked: asyncio.Future[Answer | None]) -> None:
        self._late.discard(asked)
        if not asked.cancelled() and asked.result() not in (None, Unsized()):
            self._refresh()

    def closed(self, uri: str) -> None:
        if self._sizer is not None:
            self._sizer.drop(uri)

    def shutdown(self) -> None:
        if self._sizer is not None:
            self._sizer.close()
