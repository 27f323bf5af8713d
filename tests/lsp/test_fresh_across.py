"""After every edit of two files that import one another and a third, the answers are those of a server that has just
opened them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from lsprotocol.converters import get_converter

from dpplang.lsp import navigation
from dpplang.lsp.diagnostics import diagnostics
from dpplang.lsp.documents import Documents
from dpplang.lsp.everywhere import Everywhere
from dpplang.lsp.hover import hover
from dpplang.lsp.lines import Encoding
from dpplang.lsp.navigation import CannotRename
from tests.lsp.test_fresh import edit

CONVERTER = get_converter()
TEXTS = {
    "x.dpp": 'from "y.dpp" import g\nfrom "z.dpp" import h\nfunc f(x, k = 1) = g(x) * k\nfunc loss(x) = h(x, k = 2)\n',
    "y.dpp": 'from "x.dpp" import loss\ndim n\nparam p nonneg\nvar x[n]\nminimize loss(x[0]) + g(x[0]) * p\n'
    "func g(x) = square(x)\n",
    "z.dpp": "func h(x, k = 1) = k * abs(x) + g(x, 2)\nfunc g(y, k) = square(y) * k\n",
}
MORE = ("f", "g", "h", "k", "loss", 'from "z.dpp" import g\n', "func loss(x) = 1\n", ", k = 3", "import ")


class Side:
    """A server in little."""

    def __init__(self, folder: Path, texts: dict[str, str]) -> None:
        self.folder = folder
        self.documents = Documents()
        self.everywhere = Everywhere(self.documents, lambda: [folder])
        for path, text in texts.items():
            self.documents.open((folder / path).as_uri(), text, 1, Encoding.UTF16)

    def change(self, path: str, text: str) -> None:
        document = self.documents.get((self.folder / path).as_uri())
        assert document is not None and document.real is not None
        document.apply([lsp.TextDocumentContentChangeWholeDocument(text)], document.version + 1)
        for other in self.documents.importers([document.real]):
            other.renew()

    async def answers(self, path: str, offset: int) -> list[Any]:
        document = self.documents.get((self.folder / path).as_uri())
        assert document is not None
        at = document.lines.position(offset)
        view = await self.documents.view(document)
        found: list[Any] = [hover(view, offset), navigation.definition(view, offset)]
        found += [diagnostics(await self.documents.view(other)) for other in self.documents]
        found.append(await self.everywhere.references(document, at, declaration=True))
        found.append(await self.everywhere.renamable(document, at))
        try:
            found.append(await self.everywhere.rename(document, at, "quite_new", versions=False))
        except CannotRename as error:
            found.append(str(error))
        return CONVERTER.unstructure(found, list[Any])

    def close(self) -> None:
        self.documents.shutdown()
        self.everywhere.shutdown()


async def edits(folder: Path, seed: int, count: int) -> None:
    rng = random.Random(seed)
    texts = dict(TEXTS)
    kept = Side(folder, texts)
    for _ in range(count):
        path = rng.choice(list(texts))
        if rng.random() < 0.3:
            start = rng.randrange(len(texts[path]) + 1)
            text = texts[path][:start] + rng.choice(MORE) + texts[path][start:]
        else:
            text = TEXTS[path] if rng.random() < 0.2 else edit(texts[path] or "\n", rng)
        texts[path] = text
        kept.change(path, text)
        new = Side(folder, texts)
        for asked in (path, rng.choice(list(texts))):
            offset = rng.randrange(len(texts[asked]) + 1)
            assert await kept.answers(asked, offset) == await new.answers(asked, offset), (texts, asked, offset)
        new.close()
    kept.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(4))
async def test_edits(tmp_path: Path, seed: int) -> None:
    await edits(tmp_path, seed, 20)


@pytest.mark.slow
@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(100, 110))
async def test_more_edits(tmp_path: Path, seed: int) -> None:
    """Seeds to thousands are run by hand."""
    await edits(tmp_path, seed, 100)
