"""The server: requests in, features called, answers out. What they say is decided elsewhere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Coroutine, Generator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, default_converter, lsp_method

from dpplang import __version__
from dpplang.lsp import navigation, offers
from dpplang.lsp.diagnostics import SOURCE, diagnostics
from dpplang.lsp.documents import Document, Documents, path_of, real_path
from dpplang.lsp.garbage import Garbage
from dpplang.lsp.lenses import Lenses
from dpplang.lsp.lines import Encoding
from dpplang.lsp.settings import Settings
from dpplang.lsp.sizer import Sizer
from dpplang.lsp.view import View

if TYPE_CHECKING:
    from cattrs import Converter

    from dpplang.lsp.everywhere import Everywhere
    from dpplang.lsp.tokens import Chunk


@dataclass(frozen=True, slots=True)
class Ready:
    """A result as it is sent, in JSON: a large one is not made of thousands of the protocol's objects."""

    text: str


def _converter() -> Converter:
    converter = default_converter()
    converter.register_unstructure_hook(Ready, lambda result: json.loads(result.text))
    return converter


class Protocol(LanguageServerProtocol):
    """Texts are kept by :class:`Documents`, which ends lines where the protocol does; pygls need not keep them too.
    Results that are :class:`Ready` are sent as they are."""

    def _send_data(self, data: Any) -> None:
        result = getattr(data, "result", None)
        if not isinstance(result, Ready) or self.writer is None:
            super()._send_data(data)
            return
        body = f'{{"jsonrpc":"2.0","id":{json.dumps(data.id)},"result":{result.text}}}'.encode()
        header = f"Content-Length: {len(body)}\r\n\r\n".encode() if self._include_headers else b""
        self.writer.write(header + body)

    @lsp_method(lsp.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: lsp.DidOpenTextDocumentParams) -> Generator[Any, Any, None]:
        yield self.fm.features[lsp.TEXT_DOCUMENT_DID_OPEN], (params,), None

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: lsp.DidChangeTextDocumentParams) -> Generator[Any, Any, None]:
        yield self.fm.features[lsp.TEXT_DOCUMENT_DID_CHANGE], (params,), None

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: lsp.DidCloseTextDocumentParams) -> Generator[Any, Any, None]:
        yield self.fm.features[lsp.TEXT_DOCUMENT_DID_CLOSE], (params,), None


class Server(LanguageServer):
    """A language server for one client.

    Args:
        lowering: the command of a process that tells canonical sizes; without one, they are not shown.
    """

    def __init__(self, lowering: Sequence[str] | None = None) -> None:
        super().__init__(
            "dpp",
            __version__,
            text_document_sync_kind=lsp.TextDocumentSyncKind.Incremental,
            protocol_cls=Protocol,
            converter_factory=_converter,
        )
        self.documents = Documents()
        self.settings = Settings()
        sizer = None if lowering is None else Sizer(lowering, self.warn)
        self.lenses = Lenses(self.view, sizer, lambda: self.workspace_code_lens_refresh(None))
        self._pushes: dict[str, asyncio.TimerHandle] = {}
        self._refreshing: asyncio.TimerHandle | None = None
        self.garbage = Garbage()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loads = False

    @cached_property
    def everywhere(self) -> Everywhere:
        """What is asked of several files, once it is."""
        from dpplang.lsp.everywhere import Everywhere

        return Everywhere(self.documents, self.folders)

    @property
    def encoding(self) -> Encoding:
        return Encoding(str(getattr(self.workspace.position_encoding, "value", self.workspace.position_encoding)))

    @property
    def pulls(self) -> bool:
        """Whether the client asks for diagnostics, so that none are to be pushed."""
        text = self.client_capabilities.text_document
        return text is not None and text.diagnostic is not None

    def document(self, uri: str) -> Document:
        """An open text; one that is not open is read from its file.

        Raises:
            JsonRpcInvalidParams: there is none.
        """
        found = self.documents.get(uri)
        if found is not None:
            return found
        path = path_of(uri)
        try:
            text = path.read_text(encoding="utf-8") if path is not None else None
        except (OSError, UnicodeDecodeError):
            text = None
        if path is None or text is None:
            raise JsonRpcInvalidParams(message=f"{uri} is not open")
        return self.documents.made(uri, text, 0, self.encoding)

    async def view(self, uri: str) -> View:
        return await self.documents.view(self.document(uri))

    # --- diagnostics that are pushed -----------------------------------------------------------------------------

    def push_later(self, document: Document) -> None:
        """Send the diagnostics once the text has been left alone for a moment."""
        if self.pulls:
            return
        self.forget(document.uri)
        delay = self.settings.debounce / 1000 if document.published >= 0 else 0.0
        loop = asyncio.get_running_loop()
        self._pushes[document.uri] = loop.call_later(delay, self._push_now, document)

    def forget(self, uri: str) -> None:
        waiting = self._pushes.pop(uri, None)
        if waiting is not None:
            waiting.cancel()

    def _push_now(self, document: Document) -> None:
        self._run(self._push(document))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def load_later(self) -> None:
        """Now that the first diagnostics are found, load what they did not wait for."""
        if not self._loads:
            self._loads = True
            self._run(offers.load_features())

    async def _push(self, document: Document) -> None:
        view = await self.documents.view(document)
        if self.documents.get(document.uri) is document and document.published != document.generation:
            document.published = document.generation
            self.text_document_publish_diagnostics(
                lsp.PublishDiagnosticsParams(document.uri, diagnostics(view), version=document.version)
            )
        self.load_later()

    # --- refreshing what the client holds ------------------------------------------------------------------------

    @property
    def refreshes_lenses(self) -> bool:
        """Whether the client can be told to ask for lenses again."""
        workspace = self.client_capabilities.workspace
        return workspace is not None and workspace.code_lens is not None and bool(workspace.code_lens.refresh_support)

    def warn(self, message: str) -> None:
        self.window_log_message(lsp.LogMessageParams(lsp.MessageType.Warning, message))

    def refresh(self) -> None:
        """Let the client ask again for what settings or other files may have changed."""
        workspace = self.client_capabilities.workspace
        if workspace is None:
            return
        if workspace.inlay_hint is not None and workspace.inlay_hint.refresh_support:
            self.workspace_inlay_hint_refresh(None)
        if self.refreshes_lenses:
            self.workspace_code_lens_refresh(None)
        if workspace.diagnostics is not None and workspace.diagnostics.refresh_support:
            self.workspace_diagnostic_refresh(None)

    def others_changed(self, changed: Collection[Path]) -> None:
        """Files hold another text than before: what is open and imports them is checked again, after a moment."""
        importers = self.documents.importers(changed)
        for document in importers:
            document.renew()
            self.push_later(document)
        if importers:
            self.refresh_later()

    def refresh_later(self) -> None:
        """:meth:`refresh` once the texts have been left alone for a moment."""
        if self._refreshing is not None:
            self._refreshing.cancel()
        delay = self.settings.debounce / 1000
        self._refreshing = asyncio.get_running_loop().call_later(delay, self.refresh)

    def folders(self) -> list[Path]:
        roots = [*self.workspace.folders, *([] if self.workspace.root_uri is None else [self.workspace.root_uri])]
        return [p for p in dict.fromkeys(map(path_of, roots)) if p is not None]


def make_server(lowering: Sequence[str] | None = None) -> Server:
    """A server with every feature; see :class:`Server`."""
    server = Server(lowering)
    _texts(server)
    _reading(server)
    _editing(server)
    _whole(server)
    return server


def _texts(server: Server) -> None:
    @server.feature(lsp.INITIALIZE)
    def initialize(params: lsp.InitializeParams) -> None:
        server.settings = Settings.read(params.initialization_options, server.settings)

    @server.feature(lsp.INITIALIZED)
    def initialized(params: lsp.InitializedParams) -> None:
        workspace = server.client_capabilities.workspace
        watching = workspace.did_change_watched_files if workspace is not None else None
        if watching is not None and watching.dynamic_registration:
            method, options = lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, {"watchers": [{"globPattern": "**/*.dpp"}]}
            server.client_register_capability(lsp.RegistrationParams([lsp.Registration("files", method, options)]))

    @server.feature(lsp.SHUTDOWN)
    def shutdown(params: Any) -> None:
        for document in server.documents:
            server.forget(document.uri)
            document.generation += 1
        if server._refreshing is not None:
            server._refreshing.cancel()
        server.garbage.forget()
        server.lenses.shutdown()
        server.documents.shutdown()
        if "everywhere" in vars(server):
            server.everywhere.shutdown()

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: lsp.DidOpenTextDocumentParams) -> None:
        opened = params.text_document
        real, files = real_path(path_of(opened.uri)), server.documents.files
        before = real and files.text_or_none(real)
        document = server.documents.open(opened.uri, opened.text, opened.version, server.encoding)
        server.push_later(document)
        if real is not None and files.text_or_none(real) != before:
            server.others_changed([real])

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: lsp.DidChangeTextDocumentParams) -> None:
        document = server.documents.get(params.text_document.uri)
        if document is not None and document.apply(params.content_changes, params.text_document.version):
            server.push_later(document)
            if document.real is not None:
                server.others_changed([document.real])
            server.garbage.made()

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: lsp.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        server.forget(uri)
        closed, files = server.documents.close(uri), server.documents.files
        if closed is not None and closed.real is not None and files.text_or_none(closed.real) != closed.text:
            server.others_changed([closed.real])
        server.lenses.closed(uri)
        server.garbage.made()
        if not server.pulls:
            server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: lsp.DidSaveTextDocumentParams) -> None:
        server.others_changed(server.documents.files.changed())

    @server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def configure(params: lsp.DidChangeConfigurationParams) -> None:
        server.settings = Settings.read(params.settings, server.settings)
        server.refresh()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def watched(params: lsp.DidChangeWatchedFilesParams) -> None:
        paths = {real_path(path_of(change.uri)) for change in params.changes}
        server.others_changed({p for p in paths if p is not None and not server.documents.files.is_open(p)})

    @server.feature(
        lsp.TEXT_DOCUMENT_DIAGNOSTIC,
        lsp.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=False, identifier=SOURCE),
    )
    async def pull(params: lsp.DocumentDiagnosticParams) -> lsp.DocumentDiagnosticReport:
        document = server.document(params.text_document.uri)
        view = await server.documents.view(document)
        server.load_later()
        known = f"{id(document)}.{document.generation}"
        if params.previous_result_id == known:
            return lsp.RelatedUnchangedDocumentDiagnosticReport(known)
        return lsp.RelatedFullDocumentDiagnosticReport(diagnostics(view), result_id=known)


def _reading(server: Server) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    async def on_hover(params: lsp.HoverParams) -> lsp.Hover | None:
        from dpplang.lsp.hover import hover

        view = await server.view(params.text_document.uri)
        return hover(view, view.offset(params.position))

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    async def on_definition(params: lsp.DefinitionParams) -> list[lsp.Location]:
        view = await server.view(params.text_document.uri)
        return navigation.definition(view, view.offset(params.position))

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_LINK)
    async def on_links(params: lsp.DocumentLinkParams) -> list[lsp.DocumentLink]:
        return navigation.links(await server.view(params.text_document.uri))

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    async def on_references(params: lsp.ReferenceParams) -> list[lsp.Location]:
        document, declaration = server.document(params.text_document.uri), params.context.include_declaration
        return await server.everywhere.references(document, params.position, declaration=declaration)

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    async def on_highlight(params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight]:
        view = await server.view(params.text_document.uri)
        return navigation.highlights(view, view.offset(params.position))

    @server.feature(
        lsp.TEXT_DOCUMENT_SIGNATURE_HELP,
        lsp.SignatureHelpOptions(trigger_characters=["(", ","], retrigger_characters=[")"]),
    )
    async def on_signature(params: lsp.SignatureHelpParams) -> lsp.SignatureHelp | None:
        from dpplang.lsp import signature

        view = await server.view(params.text_document.uri)
        return signature.signature_help(view, view.offset(params.position))

    @server.feature(
        lsp.TEXT_DOCUMENT_COMPLETION,
        lsp.CompletionOptions(trigger_characters=offers.TRIGGERS, resolve_provider=True),
    )
    async def on_completion(params: lsp.CompletionParams) -> Ready:
        from dpplang.lsp import completion

        view = await server.view(params.text_document.uri)
        return Ready(completion.completion(view, view.offset(params.position), snippets=_snippets(server)))

    @server.feature(lsp.COMPLETION_ITEM_RESOLVE)
    def on_resolve(item: lsp.CompletionItem) -> lsp.CompletionItem:
        from dpplang.lsp import completion

        return completion.resolve(item)


def _snippets(server: Server) -> bool:
    text = server.client_capabilities.text_document
    item = text.completion.completion_item if text is not None and text.completion is not None else None
    return item is not None and bool(item.snippet_support)


def _editing(server: Server) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    async def on_prepare(params: lsp.PrepareRenameParams) -> lsp.PrepareRenamePlaceholder | None:
        return await server.everywhere.renamable(server.document(params.text_document.uri), params.position)

    @server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    async def on_rename(params: lsp.RenameParams) -> lsp.WorkspaceEdit:
        document, versions = server.document(params.text_document.uri), _versions(server)
        try:
            return await server.everywhere.rename(document, params.position, params.new_name, versions=versions)
        except navigation.CannotRename as error:
            raise JsonRpcInvalidParams(message=str(error)) from None

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION,
        lsp.CodeActionOptions([lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.SourceFixAll, offers.FIX_ALL]),
    )
    async def on_actions(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        from dpplang.lsp import actions

        document = server.document(params.text_document.uri)
        view = await server.documents.view(document)
        found = await server.documents.findings(document) if view.analysis.diagnostics else ()
        view = await server.documents.view(document)
        start, end = view.offset(params.range.start), view.offset(params.range.end)
        version = document.version if _versions(server) else None
        meant = params.context.diagnostics
        return actions.actions(view, start, end, params.context.only, version, found, meant)

    @server.command(offers.EXPLAIN)
    async def explain(code: str) -> str:
        from dpplang.lsp import actions

        text = actions.explanation(str(code))
        if text:
            server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Info, text))
        return text

    @server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    async def on_format(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
        from dpplang.lsp import formatting

        return formatting.formatting(await server.view(params.text_document.uri))

    @server.feature(lsp.TEXT_DOCUMENT_RANGE_FORMATTING)
    async def on_range(params: lsp.DocumentRangeFormattingParams) -> list[lsp.TextEdit]:
        from dpplang.lsp import formatting

        view = await server.view(params.text_document.uri)
        last = params.range.end.line - (
            params.range.end.character == 0 and params.range.end.line > params.range.start.line
        )
        return formatting.formatting(view, params.range.start.line, last)


def _versions(server: Server) -> bool:
    workspace = server.client_capabilities.workspace
    edit = workspace.workspace_edit if workspace is not None else None
    return edit is not None and bool(edit.document_changes)


def _whole(server: Server) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def on_symbols(params: lsp.DocumentSymbolParams) -> Ready:
        from dpplang.lsp import symbols

        view = await server.view(params.text_document.uri)
        return Ready(symbols.outline(view) if _hierarchical(server) else symbols.flattened(view))

    @server.feature(lsp.WORKSPACE_SYMBOL)
    async def on_workspace(params: lsp.WorkspaceSymbolParams) -> list[lsp.SymbolInformation]:
        from dpplang.lsp import symbols

        views = [await server.documents.view(document) for document in server.documents]
        return symbols.workspace_symbols(views, server.folders(), params.query, server.encoding)

    @server.feature(lsp.TEXT_DOCUMENT_FOLDING_RANGE)
    async def on_folding(params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
        from dpplang.lsp import folding

        return folding.folding(await server.view(params.text_document.uri))

    @server.feature(lsp.TEXT_DOCUMENT_SELECTION_RANGE)
    async def on_selection(params: lsp.SelectionRangeParams) -> list[lsp.SelectionRange]:
        from dpplang.lsp import folding

        view = await server.view(params.text_document.uri)
        return [folding.selection(view, position) for position in params.positions]

    @server.feature(lsp.TEXT_DOCUMENT_INLAY_HINT)
    async def on_hints(params: lsp.InlayHintParams) -> Ready:
        from dpplang.lsp import hints

        view = await server.view(params.text_document.uri)
        start, end = view.offset(params.range.start), view.offset(params.range.end)
        return Ready(hints.hints(view, start, end, server.settings.inlay_hints))

    @server.feature(lsp.TEXT_DOCUMENT_CODE_LENS, lsp.CodeLensOptions(resolve_provider=True))
    async def on_lens(params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        if not server.settings.code_lens:
            return []
        return await server.lenses.of(params.text_document.uri, refreshes=server.refreshes_lenses)

    @server.feature(lsp.CODE_LENS_RESOLVE)
    async def on_resolve(lens: lsp.CodeLens) -> lsp.CodeLens:
        return await server.lenses.resolve(lens)

    options = lsp.SemanticTokensRegistrationOptions(
        offers.LEGEND, range=True, full=lsp.SemanticTokensFullDelta(delta=True)
    )

    @server.feature(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, options)
    async def on_tokens(params: lsp.SemanticTokensParams) -> Ready:
        from dpplang.lsp import tokens

        result, chunks = await _all_tokens(server, server.document(params.text_document.uri))
        return Ready(f'{{"resultId":"{result}","data":{tokens.written(chunks)}}}')

    @server.feature(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL_DELTA)
    async def on_delta(params: lsp.SemanticTokensDeltaParams) -> Ready:
        from dpplang.lsp import tokens

        document = server.document(params.text_document.uri)
        before = document.semantic
        result, chunks = await _all_tokens(server, document)
        if before is None or before[0] != params.previous_result_id:
            return Ready(f'{{"resultId":"{result}","data":{tokens.written(chunks)}}}')
        return Ready(f'{{"resultId":"{result}","edits":{tokens.delta(before[1], chunks)}}}')

    @server.feature(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE)
    async def on_some(params: lsp.SemanticTokensRangeParams) -> lsp.SemanticTokens:
        from dpplang.lsp import tokens

        view = await server.view(params.text_document.uri)
        start, end = view.offset(params.range.start), view.offset(params.range.end)
        return lsp.SemanticTokens(tokens.encode(tokens.tokens(view, start, end), view.lines))


async def _all_tokens(server: Server, document: Document) -> tuple[str, list[Chunk]]:
    from dpplang.lsp import tokens

    view = await server.documents.view(document)
    result = f"{document.generation}"
    if document.semantic is None or document.semantic[0] != result:
        document.semantic = (result, tokens.encoded(view))
    return document.semantic


def _hierarchical(server: Server) -> bool:
    text = server.client_capabilities.text_document
    symbols = text.document_symbol if text is not None else None
    return symbols is not None and bool(symbols.hierarchical_document_symbol_support)
