"""The server as editors drive it, over its own pipe."""

from __future__ import annotations

import asyncio

import pytest
from lsprotocol import types as lsp
from pytest_lsp import LanguageClient

from tests.lsp.helpers import PORTFOLIO, URI

BROKEN = "dim n\nparam q[n], p pos\nvar x[n]\nminimize q' @ x / p\nsubject to\n  lo: x >= 0\n  x <= yy\n"


def opened(client: LanguageClient, text: str, uri: str = URI) -> lsp.TextDocumentIdentifier:
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, "dpp", 1, text)))
    return lsp.TextDocumentIdentifier(uri)


def changed(client: LanguageClient, text: str, version: int, uri: str = URI) -> None:
    whole = lsp.TextDocumentContentChangeWholeDocument(text)
    identifier = lsp.VersionedTextDocumentIdentifier(version, uri)
    client.text_document_did_change(lsp.DidChangeTextDocumentParams(identifier, [whole]))


async def pushed(client: LanguageClient, uri: str, codes: list[str]) -> list[lsp.Diagnostic]:
    """The diagnostics that the client was sent last, once they are these."""
    for _ in range(400):
        found = client.diagnostics.get(uri)
        if found is not None and [d.code for d in found] == codes:
            return list(found)
        await asyncio.sleep(0.05)
    raise AssertionError(f"never sent {codes}, but {client.diagnostics.get(uri)}")


async def pulled(client: LanguageClient, document: lsp.TextDocumentIdentifier) -> list[lsp.Diagnostic]:
    report = await client.text_document_diagnostic_async(lsp.DocumentDiagnosticParams(document))
    assert isinstance(report, lsp.RelatedFullDocumentDiagnosticReport)
    return list(report.items)


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_vscode_capabilities(vscode: LanguageClient) -> None:
    """Everything that the server says it can do, it is asked for below."""
    made = vscode.init_result.capabilities
    assert made.position_encoding == lsp.PositionEncodingKind.Utf16
    missing = [
        name
        for name in (
            *("hover", "completion", "definition", "references", "document_highlight", "document_symbol"),
            *("workspace_symbol", "code_action", "code_lens", "document_formatting", "document_range_formatting"),
            *("rename", "folding_range", "selection_range", "semantic_tokens", "inlay_hint", "diagnostic"),
            "signature_help",
        )
        if not getattr(made, f"{name}_provider")
    ]
    assert not missing


async def test_files_are_watched(vscode: LanguageClient) -> None:
    await pulled(vscode, opened(vscode, PORTFOLIO, "file:///project/watched.dpp"))
    assert [r.method for r in vscode.watched] == ["workspace/didChangeWatchedFiles"]


async def test_diagnostics_are_pulled(vscode: LanguageClient) -> None:
    document = opened(vscode, BROKEN)
    assert [d.code for d in await pulled(vscode, document)] == ["DPP302", "NAM101"]
    changed(vscode, BROKEN.replace(" / p", " + p * sum(x)").replace("yy", "1"), 2)
    assert await pulled(vscode, document) == []
    assert vscode.diagnostics.get(URI) is None, "nothing is pushed to a client that pulls"


async def test_an_unchanged_report(vscode: LanguageClient) -> None:
    document = opened(vscode, BROKEN)
    first = await vscode.text_document_diagnostic_async(lsp.DocumentDiagnosticParams(document))
    again = lsp.DocumentDiagnosticParams(document, previous_result_id=first.result_id)
    assert isinstance(await vscode.text_document_diagnostic_async(again), lsp.RelatedUnchangedDocumentDiagnosticReport)


async def test_diagnostics_are_pushed(neovim: LanguageClient) -> None:
    opened(neovim, BROKEN)
    await pushed(neovim, URI, ["DPP302", "NAM101"])
    changed(neovim, BROKEN.replace(" / p", " + p * sum(x)").replace("yy", "1"), 2)
    await pushed(neovim, URI, [])


async def test_a_burst_of_changes_is_answered_once(neovim: LanguageClient) -> None:
    uri = "file:///project/burst.dpp"
    opened(neovim, PORTFOLIO, uri)
    await pushed(neovim, uri, [])
    for version in range(2, 30):
        changed(neovim, PORTFOLIO + f"# {version}\n" + "x" * (version % 2), version, uri)
    document = lsp.TextDocumentIdentifier(uri)
    await neovim.text_document_hover_async(lsp.HoverParams(document, lsp.Position(3, 7)))
    (found,) = await pushed(neovim, uri, ["SYN023"])
    assert found.range.start.line == PORTFOLIO.count("\n") + 1


async def test_a_stale_version_is_dropped(vscode: LanguageClient) -> None:
    uri = "file:///project/stale.dpp"
    document = opened(vscode, PORTFOLIO, uri)
    changed(vscode, BROKEN, 7, uri)
    changed(vscode, PORTFOLIO, 6, uri)
    assert [d.code for d in await pulled(vscode, document)] == ["DPP302", "NAM101"]


async def test_incremental_changes(vscode: LanguageClient) -> None:
    """Edits in UTF-16 units behind letters that take two of them."""
    uri = "file:///project/incremental.dpp"
    text = "dim n\nvar x[n]  # 𝒙𝒚 first\nminimize sum(x)\nsubject to\n  x >= 0\n"
    document = opened(vscode, text, uri)
    at = lsp.Position(1, len("var x[n]  # ") + 4)  # behind the two letters
    part = lsp.TextDocumentContentChangePartial(
        range=lsp.Range(at, lsp.Position(1, at.character + 6)), text="\nvar y[m]"
    )
    vscode.text_document_did_change(
        lsp.DidChangeTextDocumentParams(lsp.VersionedTextDocumentIdentifier(2, uri), [part])
    )
    found = await pulled(vscode, document)
    assert [(d.code, d.range.start) for d in found] == [("NAM101", lsp.Position(2, 6))]


async def test_hover_and_rename(vscode: LanguageClient) -> None:
    uri = "file:///project/hover.dpp"
    document = opened(vscode, PORTFOLIO, uri)
    line = PORTFOLIO[: PORTFOLIO.index("func risk")].count("\n")
    shown = await vscode.text_document_hover_async(lsp.HoverParams(document, lsp.Position(line, 6)))
    assert shown is not None and isinstance(shown.contents, lsp.MarkupContent)
    assert "What a position may lose." in shown.contents.value
    edit = await vscode.text_document_rename_async(lsp.RenameParams(document, lsp.Position(line, 6), "loss"))
    assert edit is not None and edit.document_changes is not None and edit.changes is None
    (change,) = edit.document_changes
    assert isinstance(change, lsp.TextDocumentEdit) and change.text_document.version == 1
    assert [e.new_text for e in change.edits] == ["loss", "loss"]  # type: ignore[union-attr]


async def test_a_fix_is_offered_and_mends(vscode: LanguageClient) -> None:
    uri = "file:///project/fix.dpp"
    document = opened(vscode, BROKEN.replace("yy", "1"), uri)
    (found,) = await pulled(vscode, document)
    params = lsp.CodeActionParams(document, found.range, lsp.CodeActionContext([found]))
    titles = [a.title for a in await vscode.text_document_code_action_async(params) or []]
    assert any(t.startswith("derived q_over_p") for t in titles) and any(t.startswith("Explain DPP302") for t in titles)
    page = await vscode.workspace_execute_command_async(lsp.ExecuteCommandParams("dpp.explain", arguments=["DPP302"]))
    assert "DPP302" in str(page)


async def test_every_request_at_every_third_place(vscode: LanguageClient) -> None:
    uri = "file:///project/every.dpp"
    document = opened(vscode, PORTFOLIO[:-40], uri)
    for line in range(0, 20, 3):
        for character in range(0, 60, 7):
            at = lsp.Position(line, character)
            await vscode.text_document_hover_async(lsp.HoverParams(document, at))
            await vscode.text_document_completion_async(lsp.CompletionParams(document, at))
            await vscode.text_document_signature_help_async(lsp.SignatureHelpParams(document, at))
            await vscode.text_document_definition_async(lsp.DefinitionParams(document, at))
            await vscode.text_document_references_async(lsp.ReferenceParams(lsp.ReferenceContext(True), document, at))
            await vscode.text_document_document_highlight_async(lsp.DocumentHighlightParams(document, at))
            await vscode.text_document_prepare_rename_async(lsp.PrepareRenameParams(document, at))
    whole = lsp.Range(lsp.Position(0, 0), lsp.Position(99, 0))
    await vscode.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(document))
    await vscode.text_document_semantic_tokens_range_async(lsp.SemanticTokensRangeParams(document, whole))
    await vscode.text_document_inlay_hint_async(lsp.InlayHintParams(document, whole))
    await vscode.text_document_code_lens_async(lsp.CodeLensParams(document))
    await vscode.text_document_folding_range_async(lsp.FoldingRangeParams(document))
    await vscode.text_document_selection_range_async(lsp.SelectionRangeParams(document, [lsp.Position(9, 5)]))
    await vscode.text_document_document_symbol_async(lsp.DocumentSymbolParams(document))
    await vscode.workspace_symbol_async(lsp.WorkspaceSymbolParams("ri"))
    options = lsp.FormattingOptions(tab_size=2, insert_spaces=True)
    await vscode.text_document_formatting_async(lsp.DocumentFormattingParams(document, options))
    await vscode.text_document_range_formatting_async(lsp.DocumentRangeFormattingParams(document, whole, options))
    assert not vscode.log_messages
