"""What is open counts, not the disk: an import reads the text that the editor has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lsprotocol import types as lsp
from pytest_lsp import LanguageClient

from dpplang.lsp import navigation
from dpplang.lsp.documents import Documents
from dpplang.lsp.files import Files
from dpplang.lsp.lines import Encoding
from tests.lsp.test_clients import changed, opened, pulled, pushed

LIBRARY = "func loss(x[n]) = sum_squares(x)\n"
PROGRAM = 'from "sub/lib.dpp" import loss\ndim n\nparam q[n]\nvar x[n]\nminimize loss(x) + q\' @ x\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "lib.dpp").write_text(LIBRARY, encoding="utf-8")
    (tmp_path / "main.dpp").write_text(PROGRAM, encoding="utf-8")
    return tmp_path


async def view_of_main(documents: Documents, folder: Path):
    uri = (folder / "main.dpp").as_uri()
    document = documents.get(uri) or documents.open(uri, PROGRAM, 1, Encoding.UTF16)
    document.renew()
    return await documents.view(document)


@pytest.mark.asyncio
async def test_imports_read_buffers_and_then_the_disk_again(folder: Path) -> None:
    documents, library = Documents(), folder / "sub" / "lib.dpp"
    assert (await view_of_main(documents, folder)).analysis.diagnostics == ()
    buffer = documents.open(library.as_uri(), "\n\nfunc loss(x[n]) = norm2(z)\r\n", 1, Encoding.UTF16)
    view = await view_of_main(documents, folder)
    assert [d.code for d in view.analysis.diagnostics] == ["NAM101"]
    (place,) = navigation.definition(view, PROGRAM.index("loss(x)"))
    assert (place.uri, place.range.start) == (library.as_uri(), lsp.Position(2, 5)), "where it is in the buffer"
    assert documents.importers([library]) == [documents.get(view.uri)]
    documents.close(buffer.uri)
    assert (await view_of_main(documents, folder)).analysis.diagnostics == ()
    documents.shutdown()


@pytest.mark.asyncio
async def test_a_file_that_was_never_saved_can_be_imported(folder: Path) -> None:
    documents, library = Documents(), folder / "sub" / "lib.dpp"
    library.unlink()
    assert [d.code for d in (await view_of_main(documents, folder)).analysis.diagnostics] == ["NAM112"]
    assert documents.importers([library]), "what is not there was asked for"
    documents.open(library.as_uri(), LIBRARY, 1, Encoding.UTF16)
    assert (await view_of_main(documents, folder)).analysis.diagnostics == ()
    documents.shutdown()


@pytest.mark.asyncio
async def test_importers_of_importers(folder: Path) -> None:
    documents, library = Documents(), folder / "sub" / "lib.dpp"
    (folder / "middle.dpp").write_text('from "sub/lib.dpp" import loss\n', encoding="utf-8")
    uri = (folder / "main.dpp").as_uri()
    document = documents.open(uri, PROGRAM.replace("sub/lib", "middle"), 1, Encoding.UTF16)
    assert (await documents.view(document)).analysis.diagnostics == ()
    assert documents.importers([library]) == [document]
    (place,) = navigation.definition(await documents.view(document), document.text.index("loss(x)"))
    assert place.uri == library.as_uri()
    documents.shutdown()


def test_a_file_is_read_again_when_it_changed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, path = Files(), folder / "main.dpp"
    assert files.text(path) == files.text(path) == PROGRAM and files.changed() == set()
    path.write_bytes(PROGRAM.replace("loss", "LOSS").replace("\n", "\r\n").encode())
    os.utime(path, ns=(1, 1))
    assert files.changed() == {path}
    assert files.text(path) == PROGRAM.replace("loss", "LOSS") and files.changed() == set()
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("what did not change is not read"))
    assert files.text(path) == PROGRAM.replace("loss", "LOSS")


# --- clients -------------------------------------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="module")
async def test_unsaved_edits_show_in_the_importing_file_that_is_pulled(vscode: LanguageClient, folder: Path) -> None:
    uri = (folder / "sub" / "lib.dpp").as_uri()
    program = opened(vscode, PROGRAM, (folder / "main.dpp").as_uri())
    assert await pulled(vscode, program) == []
    opened(vscode, LIBRARY, uri)
    changed(vscode, LIBRARY.replace("sum_squares", "-sum_squares"), 2, uri)
    assert [d.code for d in await pulled(vscode, program)] == ["DCP204"]
    changed(vscode, LIBRARY, 3, uri)
    assert await pulled(vscode, program) == []


@pytest.mark.asyncio(loop_scope="module")
async def test_unsaved_edits_are_pushed_for_the_importing_file(neovim: LanguageClient, folder: Path) -> None:
    program, uri = (folder / "main.dpp").as_uri(), (folder / "sub" / "lib.dpp").as_uri()
    opened(neovim, PROGRAM, program)
    await pushed(neovim, program, [])
    opened(neovim, LIBRARY, uri)
    changed(neovim, LIBRARY.replace("sum_squares", "-sum_squares"), 2, uri)
    await pushed(neovim, program, ["DCP204"])
    closing = lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri))
    neovim.text_document_did_close(closing)
    await pushed(neovim, program, [])
    (folder / "sub" / "lib.dpp").write_text(LIBRARY.replace("sum_squares", "-sum_squares"), encoding="utf-8")
    event = lsp.FileEvent(uri, lsp.FileChangeType.Changed)
    neovim.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([event]))
    await pushed(neovim, program, ["DCP204"])
