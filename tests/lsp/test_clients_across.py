"""Renaming over files as real editors ask for it: VS Code takes versioned edits of documents, Neovim plain changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pytest_lsp import LanguageClient

from tests.lsp.test_clients import changed, opened

LIBRARY = "func loss(x[n], M = 1) = M * sum_squares(x)\n"
PROGRAM = 'from "lib/loss.dpp" import loss\ndim n\nvar x[n]\nminimize loss(x, M = 2)\n'
AT = lsp.Position(3, 10)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "loss.dpp").write_text(LIBRARY, encoding="utf-8")
    (tmp_path / "one.dpp").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "two.dpp").write_text(PROGRAM, encoding="utf-8")
    return tmp_path


def within(client: LanguageClient, folder: Path) -> None:
    """The folder becomes one of the workspace's."""
    added = [lsp.WorkspaceFolder(folder.as_uri(), folder.name)]
    event = lsp.WorkspaceFoldersChangeEvent(added=added, removed=[])
    client.workspace_did_change_workspace_folders(lsp.DidChangeWorkspaceFoldersParams(event))


async def test_vscode_is_given_versions(vscode: LanguageClient, folder: Path) -> None:
    within(vscode, folder)
    document = opened(vscode, PROGRAM, (folder / "one.dpp").as_uri())
    changed(vscode, "# more\n" + PROGRAM, 5, document.uri)
    at = lsp.Position(AT.line + 1, AT.character)
    prepared = await vscode.text_document_prepare_rename_async(lsp.PrepareRenameParams(document, at))
    assert isinstance(prepared, lsp.PrepareRenamePlaceholder) and prepared.placeholder == "loss"
    made = await vscode.text_document_rename_async(lsp.RenameParams(document, at, "cost"))
    assert made is not None and made.changes is None and made.document_changes is not None
    edits = [change for change in made.document_changes if isinstance(change, lsp.TextDocumentEdit)]
    found = {change.text_document.uri: change for change in edits}
    assert {Path(uri).name: change.text_document.version for uri, change in found.items()} == {
        "one.dpp": 5,
        "two.dpp": None,
        "loss.dpp": None,
    }
    lines = [edit.range.start.line for edit in found[document.uri].edits if isinstance(edit, lsp.TextEdit)]
    assert lines == [1, 4]


async def test_vscode_references_and_links(vscode: LanguageClient, folder: Path) -> None:
    within(vscode, folder)
    document = opened(vscode, PROGRAM, (folder / "one.dpp").as_uri())
    asked = lsp.ReferenceParams(lsp.ReferenceContext(False), document, AT)
    places = await vscode.text_document_references_async(asked)
    assert sorted((Path(p.uri).name, p.range.start.line) for p in places or []) == [
        *(("one.dpp", 0), ("one.dpp", 3), ("two.dpp", 0), ("two.dpp", 3)),
    ]
    (link,) = await vscode.text_document_document_link_async(lsp.DocumentLinkParams(document)) or []
    assert link.target == (folder / "lib" / "loss.dpp").as_uri()
    assert (link.range.start, link.range.end) == (lsp.Position(0, 6), lsp.Position(0, 18))
    shown = await vscode.text_document_document_highlight_async(
        lsp.DocumentHighlightParams(document, lsp.Position(0, 28))
    )
    assert [h.range.start.line for h in shown or []] == [0, 3]


async def test_neovim_is_given_changes(neovim: LanguageClient, folder: Path) -> None:
    """It was started without a folder: then that of the file is the workspace."""
    document = opened(neovim, PROGRAM, (folder / "one.dpp").as_uri())
    made = await neovim.text_document_rename_async(lsp.RenameParams(document, AT, "cost"))
    assert made is not None and made.document_changes is None and made.changes is not None
    assert {Path(uri).name: len(edits) for uri, edits in made.changes.items()} == {
        "one.dpp": 2,
        "two.dpp": 2,
        "loss.dpp": 1,
    }


async def test_neovim_is_told_why_not(neovim: LanguageClient, folder: Path) -> None:
    (folder / "two.dpp").write_text(PROGRAM + "minimize (\n", encoding="utf-8")
    document = opened(neovim, PROGRAM, (folder / "one.dpp").as_uri())
    with pytest.raises(JsonRpcException, match=r"`two.dpp` does not parse: mend line 5 first"):
        await neovim.text_document_rename_async(lsp.RenameParams(document, AT, "cost"))
    (folder / "two.dpp").write_text(PROGRAM, encoding="utf-8")
    assert await neovim.text_document_rename_async(lsp.RenameParams(document, AT, "cost")) is not None
