"""References and renaming over the files of a workspace, as a client asks for them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types as lsp

from dpplang.lsp.documents import Document, Documents
from dpplang.lsp.everywhere import Everywhere
from dpplang.lsp.lines import Encoding, Lines
from dpplang.lsp.navigation import CannotRename

TEXTS = {
    "lib/loss.dpp": "## Loss.\nfunc loss(r[n], M = 1) = sum(huber(r, M = 2)) * 2 + sum(M * k for k in n)\nfunc other(x) = loss([x, x], M = 3)\n",
    "lib/both.dpp": 'from "loss.dpp" import loss\nfunc twice(x[n]) = 2 * loss(x)\n',
    "a.dpp": 'from "lib/both.dpp" import loss, twice\ndim n\nvar x[n], loss\nminimize loss(x, M = 2) + twice(x) + loss^2\n',
    "b.dpp": 'from "lib/loss.dpp" import loss\ndim n\nvar x[n]\nminimize loss(x) + sum(huber(x))\n',
    "own.dpp": "func loss(x[n], M = 1) = sum(x) + M\ndim n\nvar x[n]\nminimize loss(x, M = 4)\nsubject to\n  x >= 0\n",
    "lib/deep/own.dpp": "func loss(x) = x\n",
    "lib/other.dpp": 'from "deep/own.dpp" import loss\nfunc more(x) = loss(x) + 1\n',
    ".hidden/c.dpp": 'from "../lib/loss.dpp" import loss\n',
}


class Client:
    """A client in little: its folders, and what it has open."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.documents = Documents()
        self.everywhere = Everywhere(self.documents, lambda: [folder])

    def open(self, path: str, text: str | None = None, version: int = 1) -> Document:
        uri = (self.folder / path).as_uri()
        text = (self.folder / path).read_text(encoding="utf-8") if text is None else text
        return self.documents.open(uri, text, version, Encoding.UTF16)

    async def references(self, path: str, needle: str, inside: int = 0, *, declaration: bool = True) -> list[str]:
        """Where they are, as ``path:line``."""
        document = self.documents.get((self.folder / path).as_uri()) or self.open(path)
        at = document.lines.position(document.text.index(needle) + inside)
        found = await self.everywhere.references(document, at, declaration=declaration)
        return sorted(f"{self._path(place.uri)}:{place.range.start.line + 1}" for place in found)

    async def rename(self, path: str, needle: str, new: str, inside: int = 0) -> dict[str, str]:
        """The texts that change, as they then are."""
        document = self.documents.get((self.folder / path).as_uri()) or self.open(path)
        at = document.lines.position(document.text.index(needle) + inside)
        made = await self.everywhere.rename(document, at, new, versions=True)
        texts: dict[str, str] = {}
        for change in made.document_changes or ():
            assert isinstance(change, lsp.TextDocumentEdit)
            opened = self.documents.get(change.text_document.uri)
            assert change.text_document.version == (None if opened is None else opened.version)
            path = self._path(change.text_document.uri)
            text = opened.text if opened is not None else (self.folder / path).read_text(encoding="utf-8")
            lines = Lines(text, Encoding.UTF16)
            for edit in reversed(change.edits):
                assert isinstance(edit, lsp.TextEdit)
                start, end = lines.offset(edit.range.start), lines.offset(edit.range.end)
                text = text[:start] + edit.new_text + text[end:]
            texts[path] = text
        return texts

    def _path(self, uri: str) -> str:
        return uri.removeprefix(self.folder.as_uri() + "/")


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    for path, text in TEXTS.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    made = Client(tmp_path)
    yield made
    made.documents.shutdown()
    made.everywhere.shutdown()


LOSS = [
    "a.dpp:1",
    "a.dpp:4",
    "b.dpp:1",
    "b.dpp:4",
    "lib/both.dpp:1",
    "lib/both.dpp:2",
    "lib/loss.dpp:2",
    "lib/loss.dpp:3",
]
M = ["a.dpp:4", "lib/loss.dpp:2", "lib/loss.dpp:2", "lib/loss.dpp:3"]
asynchronous = pytest.mark.asyncio


@asynchronous
@pytest.mark.parametrize(
    ("path", "needle", "inside"),
    [("lib/loss.dpp", "loss(r", 0), ("lib/loss.dpp", "loss([x", 4), ("b.dpp", "loss(x", 2), ("b.dpp", "import loss", 8),
     ("a.dpp", "loss(x", 0), ("lib/both.dpp", "import loss", 9)],
)  # fmt: skip
async def test_references_from_every_place(client: Client, path: str, needle: str, inside: int) -> None:
    assert await client.references(path, needle, inside) == LOSS
    assert await client.references(path, needle, inside, declaration=False) == [
        p for p in LOSS if p != "lib/loss.dpp:2"
    ]


@asynchronous
@pytest.mark.parametrize(("path", "needle"), [("lib/loss.dpp", "M = 1"), ("lib/loss.dpp", "M = 3"), ("a.dpp", "M = 2")])
async def test_references_of_an_argument(client: Client, path: str, needle: str) -> None:
    assert await client.references(path, needle) == M
    renamed = await client.rename(path, needle, "bound")
    assert renamed.keys() == {"lib/loss.dpp", "a.dpp"}
    assert "loss(r[n], bound = 1) = sum(huber(r, M = 2)) * 2 + sum(bound * k for k in n)\n" in renamed["lib/loss.dpp"]
    assert "loss(x, bound = 2)" in renamed["a.dpp"]


@asynchronous
async def test_equal_names_of_other_files_are_others(client: Client) -> None:
    assert await client.references("own.dpp", "loss(x[") == ["own.dpp:1", "own.dpp:4"]
    assert await client.references("lib/other.dpp", "loss(x)") == [
        "lib/deep/own.dpp:1",
        "lib/other.dpp:1",
        "lib/other.dpp:2",
    ]
    assert await client.references("a.dpp", "loss^2") == ["a.dpp:3", "a.dpp:4"]


@asynchronous
async def test_references_of_a_standard_atom(client: Client) -> None:
    uses = ["b.dpp:4", "lib/loss.dpp:2"]
    assert await client.references("b.dpp", "huber(x", declaration=False) == uses
    found = await client.references("b.dpp", "huber(x")
    library = [place for place in found if "stdlib/piecewise.dpp" in place]
    assert library and sorted([*uses, *library]) == found
    assert await client.references("lib/loss.dpp", "M = 2", declaration=False) == ["lib/loss.dpp:2"]
    with pytest.raises(CannotRename, match="the language's own"):
        await client.rename("b.dpp", "huber(x", "q")


@asynchronous
async def test_rename_in_all_files(client: Client) -> None:
    client.open("b.dpp", version=7)
    renamed = await client.rename("a.dpp", "loss(x", "cost")
    assert renamed == {
        path: TEXTS[path].replace("loss(", "cost(").replace("import loss", "import cost")
        for path in ("a.dpp", "b.dpp", "lib/both.dpp", "lib/loss.dpp")
    }


@asynchronous
async def test_buffers_count_and_not_the_disk(client: Client) -> None:
    client.open("b.dpp", "# nothing is imported any more: loss(x)\n", 3)
    client.open("lib/new.dpp", 'from "loss.dpp" import loss\r\nfunc f(x[n]) = loss(x)\r\n', 4)
    expected = [p for p in LOSS if "b.dpp" not in p] + ["lib/new.dpp:1", "lib/new.dpp:2"]
    assert await client.references("lib/loss.dpp", "loss(r") == expected
    assert (await client.rename("lib/loss.dpp", "loss(r", "ö"))["lib/new.dpp"] == (
        'from "loss.dpp" import ö\r\nfunc f(x[n]) = ö(x)\r\n'
    )
    (client.folder / "a.dpp").write_text(TEXTS["own.dpp"], encoding="utf-8")
    os.utime(client.folder / "a.dpp", ns=(1, 1))
    assert await client.references("lib/loss.dpp", "loss(r") == [p for p in expected if p[0] != "a"]


@asynchronous
@pytest.mark.parametrize(
    ("new", "why"),
    [
        ("twice", "`twice` is declared in line 1 of `a.dpp`"),
        ("other", "`other` is declared in line 3 of `lib/loss.dpp`"),
        ("huber", "an atom of the standard library"),
        ("sum", "a function of the language"),
        ("chol", "a function of the language"),
        ("soc", "a cone of the language"),
        ("2x", "not a name"),
        ("for", "not a name"),
    ],
)
async def test_rename_refused(client: Client, new: str, why: str) -> None:
    with pytest.raises(CannotRename, match=why):
        await client.rename("b.dpp", "loss(x", new)


@asynchronous
async def test_rename_of_an_argument_refused(client: Client) -> None:
    for new, why in (("r", "has an argument `r` already"), ("k", "would mean something else"), ("1", "not a name")):
        with pytest.raises(CannotRename, match=why):
            await client.rename("a.dpp", "M = 2", new)
    with pytest.raises(CannotRename, match="no argument that `loss` declares"):
        client.open("c.dpp", 'from "lib/loss.dpp" import loss\nvar x[3]\nminimize loss(x, K = 2)\n')
        await client.rename("c.dpp", "K = 2", "q")


@asynchronous
async def test_a_name_that_an_importer_waits_for_is_refused(client: Client) -> None:
    """`cost` is not there yet: with the new name, the file that asks for it would be given another thing."""
    client.open("c.dpp", 'from "lib/loss.dpp" import cost\nvar x[3]\nminimize cost(x)\n')
    with pytest.raises(CannotRename, match=r"line 1 of `c.dpp` would mean something else"):
        await client.rename("b.dpp", "loss(x", "cost")


@asynchronous
async def test_files_that_do_not_parse_or_cannot_be_read(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.open("a.dpp", TEXTS["a.dpp"] + "minimize (\n", 2)
    with pytest.raises(CannotRename, match=r"`a.dpp` does not parse: mend line 5 first"):
        await client.rename("b.dpp", "loss(x", "cost")
    client.open("a.dpp", TEXTS["a.dpp"].replace("import", "imp ort"), 3)
    with pytest.raises(CannotRename, match=r"`a.dpp` does not parse: mend line 1 first"):
        await client.rename("b.dpp", "loss(x", "cost")
    client.open("a.dpp", version=4)
    client.open("own.dpp", TEXTS["own.dpp"] + "minimize (\n", 2)
    assert "own.dpp" not in await client.rename("b.dpp", "loss(x", "cost"), (
        "it is another `loss`, which is plain to see"
    )
    (client.folder / "latin.dpp").write_bytes(b"# gr\xfc\xdfe\n")
    await client.rename("b.dpp", "loss(x", "cost")
    (client.folder / "latin.dpp").write_bytes(b'# gr\xfc\xdfe\nfrom "lib/loss.dpp" import loss\n')
    with pytest.raises(CannotRename, match=r"`latin.dpp` cannot be read"):
        await client.rename("b.dpp", "loss(x", "cost")
    (client.folder / "latin.dpp").unlink()
    readable = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: mode != os.W_OK or (Path(path).name != "both.dpp" and readable(path, mode))
    )
    with pytest.raises(CannotRename, match=r"`lib/both.dpp` cannot be written"):
        await client.rename("b.dpp", "loss(x", "cost")


@asynchronous
async def test_what_is_declared_outside_is_not_renamed(client: Client) -> None:
    inner = Everywhere(client.documents, lambda: [client.folder / "lib" / "deep"])
    document = client.open("b.dpp")
    at = document.lines.position(document.text.index("loss(x"))
    with pytest.raises(CannotRename, match=r"declared in `loss.dpp`, outside of the folders that are open"):
        await inner.rename(document, at, "cost", versions=False)
    assert await inner.renamable(document, at) is None
    assert await client.everywhere.renamable(document, at) is not None
    program = client.open("own.dpp")
    at = program.lines.position(program.text.index("loss(x"))
    edit = await inner.rename(program, at, "cost", versions=False)
    assert edit.changes is not None and [len(edits) for edits in edit.changes.values()] == [2], "nothing can import it"
    inner.shutdown()


@asynchronous
async def test_links(client: Client) -> None:
    """A folder that holds a link to itself, and files that are reached by two paths, are seen once."""
    (client.folder / "lib" / "again").symlink_to(client.folder / "lib")
    (client.folder / "link.dpp").symlink_to(client.folder / "b.dpp")
    (client.folder / "round.dpp").symlink_to(client.folder / "round.dpp")
    assert await client.references("lib/loss.dpp", "loss(r") == LOSS
    assert await client.references("b.dpp", "huber(x", declaration=False) == ["b.dpp:4", "lib/loss.dpp:2"]
    linked = Client(client.folder.parent / "linked")
    linked.folder.symlink_to(client.folder)
    assert await linked.references("lib/loss.dpp", "loss(r") == LOSS
    linked.documents.shutdown()
    linked.everywhere.shutdown()


@asynchronous
async def test_an_atom_whose_records_come_from_two_files_is_one(client: Client) -> None:
    record = (
        "atom len({0}) {{\n  curvature: convex\n  sign: nonneg\n  value: {1}\n  graph {{\n    minimize {1}\n  }}\n}}\n"
    )
    client.open("lib/one.dpp", record.format("x", "abs(x)"))
    client.open("lib/many.dpp", record.format("x[n]", "norm2(x)"))
    client.open("c.dpp", 'from "lib/one.dpp" import len\nfrom "lib/many.dpp" import len\nvar x[3]\nminimize len(x)\n')
    expected = ["c.dpp:1", "c.dpp:2", "c.dpp:4", "lib/many.dpp:1", "lib/one.dpp:1"]
    for path in ("c.dpp", "lib/one.dpp", "lib/many.dpp"):
        assert await client.references(path, "len") == expected
    renamed = await client.rename("lib/one.dpp", "x)", "z")
    assert renamed.keys() == {"lib/one.dpp", "lib/many.dpp"}, "the forms of an atom call an argument by one name"


@asynchronous
async def test_files_that_import_each_other_in_a_circle(client: Client) -> None:
    client.open("x.dpp", 'from "y.dpp" import g\nfunc f(x) = g(x)\n')
    client.open("y.dpp", 'from "x.dpp" import f\nfunc g(x) = f(x)\n')
    assert await client.references("x.dpp", "f(x) =") == ["x.dpp:2", "y.dpp:1", "y.dpp:2"]
    assert await client.references("y.dpp", "g(x) =") == ["x.dpp:1", "x.dpp:2", "y.dpp:2"]
