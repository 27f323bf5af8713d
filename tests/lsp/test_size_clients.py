"""Editors are shown the canonical size, however they ask, and no process is left when they are gone."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsprotocol import types as lsp
from pytest_lsp import LanguageClient

from benchmarks.lsp_latency import Client
from tests.lsp.test_clients import changed, opened

QP = "dim n\nparam q[n]\nvar x[n]\nminimize q' @ x\nsubject to\n  x >= 0\n# dims: n = 10\n"
NORM = QP.replace("q' @ x", "norm2(x - q)")

on_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


class Editor:
    """Asks again when it is told to, as editors do."""

    def __init__(self, client: LanguageClient, uri: str) -> None:
        self.client, self.document = client, lsp.TextDocumentIdentifier(uri)
        self.told = asyncio.Event()
        handlers = client.protocol.fm.features
        handlers.pop(lsp.WORKSPACE_CODE_LENS_REFRESH, None)
        client.feature(lsp.WORKSPACE_CODE_LENS_REFRESH)(lambda params: self.told.set())

    async def lens(self) -> lsp.CodeLens:
        (found,) = await self.client.text_document_code_lens_async(lsp.CodeLensParams(self.document)) or []
        return found

    async def shown(self, what: str) -> list[str]:
        """The titles that are shown one after the other, up to one that says this."""
        titles: list[str] = []
        while not titles or what not in titles[-1]:
            if titles:
                await self.told.wait()
            self.told.clear()
            command = (await self.lens()).command
            assert command is not None, "a title is there at once"
            titles.append(command.title)
        return titles


def children(pid: int) -> list[int]:
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def gone(pid: int) -> bool:
    """Waits until there is no such process; a zombie is one, unless nobody is left to take it in but this test."""
    while True:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except OSError:
            return True
        if fields[0] == "Z" and int(fields[1]) in (1, os.getpid()):
            return True
        time.sleep(0.01)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_size_comes_and_changes_with_the_text(vscode: LanguageClient) -> None:
    uri = "file:///project/sized.dpp"
    opened(vscode, QP, uri)
    editor = Editor(vscode, uri)
    titles = await editor.shown("canonical")
    assert titles[-1].endswith("canonical: 10 variables, 10 rows (10 ≥) · n = 10")
    assert all("10 unknowns, 10 rows as written · n = 10" in title for title in titles[:-1])
    changed(vscode, NORM, 2, uri)
    assert (await editor.shown("11 variables, 21 rows (10 ≥, 1 soc(11))"))[-1].endswith("n = 10")
    changed(vscode, NORM.replace("x >= 0", "x >= ("), 3, uri)
    assert (await editor.shown("error"))[-1] == "1 error"
    changed(vscode, NORM.replace("10", "12"), 4, uri)
    await editor.shown("13 variables, 25 rows (12 ≥, 1 soc(13)) · n = 12")
    changed(vscode, NORM.replace("10", "100000000"), 5, uri)
    assert "100,000,000 unknowns" in (await editor.shown("too large to be lowered here"))[-1]
    assert not vscode.log_messages


@pytest.mark.asyncio(loop_scope="module")
async def test_while_one_types_only_the_newest_is_shown(vscode: LanguageClient) -> None:
    uri = "file:///project/typed.dpp"
    opened(vscode, QP, uri)
    editor = Editor(vscode, uri)
    asked: list[asyncio.Task[lsp.CodeLens]] = []
    for size in range(20, 40):
        changed(vscode, NORM.replace("10", str(size)), size, uri)
        asked.append(asyncio.ensure_future(editor.lens()))
        await asyncio.sleep(0)
    for command in [found.command for found in await asyncio.gather(*asked)]:
        assert command is not None and ("canonical" not in command.title or f"{39 + 1} variables" in command.title)
    await editor.shown("40 variables, 79 rows (39 ≥, 1 soc(40)) · n = 39")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_client_that_cannot_be_told_resolves(neovim: LanguageClient) -> None:
    uri = "file:///project/resolved.dpp"
    opened(neovim, QP, uri)
    found = await Editor(neovim, uri).lens()
    resolved = found if found.command is not None else await neovim.code_lens_resolve_async(found)
    assert resolved.command is not None and "canonical: 10 variables" in resolved.command.title
    changed(neovim, NORM.replace("10", "5000000"), 2, uri)
    stale = await Editor(neovim, uri).lens()
    assert stale.command is None, "millions of rows take more than a moment"
    waiting = asyncio.ensure_future(neovim.code_lens_resolve_async(stale))
    changed(neovim, NORM, 3, uri)
    await Editor(neovim, uri).lens()
    newest = (await waiting).command
    assert newest is not None and "canonical: 11 variables" in newest.title, "what waits is given the newest"


@pytest.fixture
def sized() -> Iterator[tuple[Client, int]]:
    """A server that has shown a size, and its process that lowers."""
    client = Client()
    client.open("file:///a.dpp", QP)
    until_canonical(client)
    (worker,) = children(client.process.pid)
    yield client, worker
    client.process.kill()
    client.process.wait()


def until_canonical(client: Client) -> None:
    document = {"textDocument": {"uri": "file:///a.dpp"}}
    (found,) = client.call("textDocument/codeLens", document)
    while "command" not in found:
        found = client.call("codeLens/resolve", found)
    assert "canonical" in found["command"]["title"]


@on_proc
def test_the_server_itself_loads_no_numeric_library(sized: tuple[Client, int]) -> None:
    client, worker = sized
    assert "numpy" in Path(f"/proc/{worker}/maps").read_text(encoding="utf-8")
    assert "numpy" not in Path(f"/proc/{client.process.pid}/maps").read_text(encoding="utf-8")


@on_proc
def test_no_process_is_left_after_a_shutdown(sized: tuple[Client, int]) -> None:
    client, worker = sized
    client.close()
    assert client.process.returncode == 0 and gone(worker)


@on_proc
@pytest.mark.parametrize("how", ["killed", "left by its editor"])
def test_no_process_is_left_after_the_server(sized: tuple[Client, int], how: str) -> None:
    client, worker = sized
    if how == "killed":
        client.process.kill()
    else:
        assert client.process.stdin is not None
        client.process.stdin.close()
    client.process.wait()
    assert gone(worker)


@on_proc
def test_a_worker_that_is_killed_is_started_again(sized: tuple[Client, int]) -> None:
    client, worker = sized
    os.kill(worker, signal.SIGKILL)
    assert gone(worker), "the server takes it in"
    change = {"textDocument": {"uri": "file:///a.dpp", "version": 2}, "contentChanges": [{"text": NORM}]}
    client.tell("textDocument/didChange", change)
    until_canonical(client)
    assert len(children(client.process.pid)) == 1


@on_proc
def test_a_program_without_sizes_starts_no_process() -> None:
    client = Client()
    client.open("file:///a.dpp", QP.replace("n = 10", ""))
    (found,) = client.call("textDocument/codeLens", {"textDocument": {"uri": "file:///a.dpp"}})
    assert found["command"]["title"] == "DPP · 1 parameter, 1 variable, 1 constraint"
    assert not children(client.process.pid)
    client.close()
