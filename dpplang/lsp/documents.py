"""The texts that a client has open: kept in step with it, and analyzed in the background, newest version first.

One worker thread analyzes; it is the only one that touches sessions. A change of the text stops the analysis that is
under way, and whoever waits is given the newest version's: no answer is ever about a text that is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol.types import TextDocumentContentChangeEvent, TextDocumentContentChangePartial
from pygls.uris import to_fs_path

from dpplang.core import diagnostics as core
from dpplang.core.source import Source
from dpplang.lsp.analysis import Analysis, Session
from dpplang.lsp.files import Files
from dpplang.lsp.lines import Encoding, Lines
from dpplang.lsp.view import View
from dpplang.pipeline import Compilation
from dpplang.semantics.memo import Stopped

if TYPE_CHECKING:
    from dpplang.lsp.tokens import Chunk


@dataclass(eq=False)
class Document:
    """One open text. ``generation`` grows with every change, whatever versions the client counts."""

    uri: str
    version: int
    encoding: Encoding
    lines: Lines
    session: Session
    real: Path | None = None  # its file, links followed
    generation: int = 0
    view: View | None = None  # of the newest generation, once it is analyzed
    findings: tuple[core.Diagnostic, ...] | None = None  # of the newest generation, with fixes
    published: int = -1  # the generation whose diagnostics the client was sent
    semantic: tuple[str, list[Chunk]] | None = None  # the last tokens that were sent in full, for deltas
    _job: asyncio.Task[View] | None = field(default=None, repr=False)

    @property
    def text(self) -> str:
        return self.lines.text

    def replace(self, text: str, version: int) -> None:
        self.lines = Lines(text, self.encoding)
        self.version = version
        self.renew()

    def renew(self) -> None:
        """What was found does not hold any more: the text changed, or one that it imports."""
        self.generation += 1
        self.view = None
        self.findings = None

    def apply(self, changes: Sequence[TextDocumentContentChangeEvent], version: int) -> bool:
        """Make the changes, in order; False if the version is one that is already past: then nothing is changed."""
        if version <= self.version:
            return False
        text, lines = self.text, self.lines
        for change in changes:
            if isinstance(change, TextDocumentContentChangePartial):
                lines = lines if lines.text is text else Lines(text, self.encoding)
                start, end = lines.offset(change.range.start), lines.offset(change.range.end)
                text = text[:start] + change.text + text[max(start, end) :]
            else:
                text = change.text
        self.replace(text, version)
        return True


class Documents:
    """All that is open."""

    def __init__(self) -> None:
        self._open: dict[str, Document] = {}
        self.files = Files()
        self._worker = ThreadPoolExecutor(1, "dpp-analysis")
        self._fixer = ThreadPoolExecutor(1, "dpp-fixes")

    def __iter__(self):
        return iter(tuple(self._open.values()))

    def get(self, uri: str) -> Document | None:
        return self._open.get(uri)

    def open(self, uri: str, text: str, version: int, encoding: Encoding) -> Document:
        self.close(uri)
        document = self.made(uri, text, version, encoding)
        self._open[uri] = document
        if document.real is not None:
            self.files.open(document.real, document)
        return document

    def made(self, uri: str, text: str, version: int, encoding: Encoding) -> Document:
        """A text that is not open; its imports are those of the texts that are."""
        path = path_of(uri)
        session = Session(path.name if path is not None else uri, path, self.files)
        return Document(uri, version, encoding, Lines(text, encoding), session, real_path(path))

    def close(self, uri: str) -> Document | None:
        document = self._open.pop(uri, None)
        if document is not None:
            document.generation += 1
            if document.real is not None:
                self.files.close(document.real, document)
        return document

    def importers(self, changed: Collection[Path]) -> list[Document]:
        """The open texts whose last analysis asked for one of these files, directly or through others."""
        return [d for d in self if d.real not in changed and any(p in d.session.reader.asked for p in changed)]

    async def view(self, document: Document) -> View:
        """The newest analysis. If the text changes meanwhile, that of the new text.

        Raises:
            asyncio.CancelledError: whoever asked does not want it any more.
        """
        while document.view is None:
            if document._job is None or document._job.done():
                document._job = asyncio.ensure_future(self._analyze(document))
            try:
                await asyncio.shield(document._job)
            except Stopped:
                document._job = None
        return document.view

    async def _analyze(self, document: Document) -> View:
        generation, lines = document.generation, document.lines

        def stop() -> bool:
            return document.generation != generation

        def work() -> Analysis:
            return document.session.analyze(lines.text, stop)

        analysis = await asyncio.get_running_loop().run_in_executor(self._worker, work)
        if stop():
            raise Stopped
        document.view = View(document.uri, analysis, lines)
        return document.view

    async def findings(self, document: Document) -> tuple[core.Diagnostic, ...]:
        """The diagnostics of the newest text with their fixes, which are tried before they are offered."""
        while document.findings is None:
            generation, text, session = document.generation, document.text, document.session

            def work(text: str = text, session: Session = session) -> tuple[core.Diagnostic, ...]:
                return Compilation(Source(session.name, text), session.loader).diagnostics

            found = await asyncio.get_running_loop().run_in_executor(self._fixer, work)
            if document.generation == generation:
                document.findings = found
        return document.findings

    def shutdown(self) -> None:
        for pool in (self._worker, self._fixer):
            pool.shutdown(wait=False, cancel_futures=True)


def path_of(uri: str) -> Path | None:
    """The file of a URI; None for texts that are in none."""
    if not uri.startswith("file:"):
        return None
    found = to_fs_path(uri)
    return Path(found) if found else None


def real_path(path: Path | None) -> Path | None:
    """A path with links followed; of a file that is not there as far as there are any. None if links go in circles."""
    try:
        return None if path is None else path.resolve()
    except (OSError, RuntimeError):
        return None
