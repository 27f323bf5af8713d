"""What is asked of several files: of the texts as they are when it is asked, in a thread of its own, in the client's
terms."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from lsprotocol import types as lsp

from dpplang.lsp import across, navigation, rename
from dpplang.lsp.across import Ranges, Target
from dpplang.lsp.documents import Document, Documents, real_path
from dpplang.lsp.lines import Lines
from dpplang.lsp.navigation import CannotRename
from dpplang.lsp.view import View
from dpplang.lsp.workspace import Index, Opened, TooMany, Workspace

R = TypeVar("R")


class Everywhere:
    """``folders``: gives those that the client has open now."""

    def __init__(self, documents: Documents, folders: Callable[[], Iterable[Path]]) -> None:
        self._documents = documents
        self._folders = folders
        self._index = Index(documents.files)
        self._worker = ThreadPoolExecutor(1, "dpp-workspace")

    def shutdown(self) -> None:
        self._worker.shutdown(wait=False, cancel_futures=True)

    async def references(self, document: Document, position: lsp.Position, *, declaration: bool) -> list[lsp.Location]:
        """Every place that means what is named at a position."""

        def find(workspace: Workspace, wanted: Target) -> Ranges | None:
            try:
                return across.references(workspace, wanted, declaration=declaration)
            except TooMany:
                return None

        view, wanted, workspace, found = await self._asked(document, position, find)
        if wanted is None or found is None:
            return navigation.references(view, view.offset(position), declaration=declaration)
        made = [
            lsp.Location(workspace.uri(path), place)
            for path, ranges in found.items()
            for place in _ranges(workspace, path, ranges, view)
        ]
        if declaration and await self._run(lambda: across.is_builtin(workspace, wanted)):
            made += navigation.located(view, across.library_spans(wanted))
        return made

    async def renamable(self, document: Document, position: lsp.Position) -> lsp.PrepareRenamePlaceholder | None:
        """The name at a position, if it may get another."""
        view, wanted, _, can = await self._asked(document, position, rename.renamable)
        if wanted is None:
            return navigation.renamable(view, view.offset(position))
        mention = view.analysis.mention_at(view.offset(position))
        if not can or mention is None:
            return None
        return lsp.PrepareRenamePlaceholder(view.range(mention.span), mention.name)

    async def rename(
        self, document: Document, position: lsp.Position, new: str, *, versions: bool
    ) -> lsp.WorkspaceEdit:
        """The edits, in all files, that give what is named at a position another name.

        Args:
            versions: whether the client takes edits of versions of its texts.

        Raises:
            CannotRename: a file would not mean the same afterwards, or cannot be changed.
        """

        def find(workspace: Workspace, wanted: Target) -> Ranges | CannotRename:
            try:
                return rename.rename(workspace, wanted, new)
            except CannotRename as error:
                return error

        view, wanted, workspace, found = await self._asked(document, position, find)
        if isinstance(found, CannotRename):
            raise found
        edits: dict[str, list[lsp.TextEdit]] = {}
        if wanted is None or found is None:
            edits[document.uri] = navigation.rename(view, view.offset(position), new)
        else:
            for path, ranges in found.items():
                places = _ranges(workspace, path, ranges, view)
                edits[workspace.uri(path)] = [lsp.TextEdit(place, new) for place in places]
        if not versions:
            return lsp.WorkspaceEdit(changes=edits)
        made = [lsp.TextDocumentEdit(self._identifier(uri), list(changes)) for uri, changes in edits.items()]
        return lsp.WorkspaceEdit(document_changes=made)

    def _identifier(self, uri: str) -> lsp.OptionalVersionedTextDocumentIdentifier:
        opened = self._documents.get(uri)
        return lsp.OptionalVersionedTextDocumentIdentifier(uri, None if opened is None else opened.version)

    async def _asked(
        self, document: Document, position: lsp.Position, question: Callable[[Workspace, Target], R]
    ) -> tuple[View, Target | None, Workspace, R | None]:
        """The newest view of a text, what is at the position there, and what is found of that in the workspace, all of
        texts that have not changed meanwhile; nothing is asked where only this text can tell."""
        while True:
            view = await self._documents.view(document)
            workspace = self._workspace(document)
            wanted = across.target(view, document.real, view.offset(position))
            if wanted is None:
                return view, None, workspace, None
            found = await self._run(lambda w=workspace, t=wanted: question(w, t))
            if document.view is view and self._opened() == workspace.opened:
                return view, wanted, workspace, found

    async def _run(self, work: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    def _workspace(self, document: Document) -> Workspace:
        path = document.session.path
        given = list(self._folders()) or ([] if path is None else [path.parent])
        folders = {real: folder for folder in given if (real := real_path(folder)) is not None}
        return Workspace(self._index, folders, self._opened())

    def _opened(self) -> dict[Path, Opened]:
        found: dict[Path, Opened] = {}
        for document in self._documents:
            path = document.session.path
            if document.real is not None and path is not None:
                found[document.real] = Opened(document.uri, document.version, document.text, path.parent)
        return found


def _ranges(workspace: Workspace, path: Path, ranges: list[tuple[int, int]], view: View) -> list[lsp.Range]:
    lines = Lines(workspace.text(path), view.encoding)
    return [lines.range(start, end) for start, end in ranges]
