"""Doc-comments: which ``##`` lines belong to the file, and which to the item below them."""

from __future__ import annotations

from dataclasses import dataclass

from dpplang.core.source import Source
from dpplang.syntax.tokens import Tokens

_DOCUMENTED_ALONE = ("atom", "func")  # at a file's top, a doc directly above one of these is that item's


@dataclass(frozen=True, slots=True)
class Docs:
    """``file``: the file's own doc. ``by_line``: every other block, by the number of the line below it."""

    file: str
    by_line: dict[int, str]

    def above(self, source: Source, offset: int) -> str:
        """The doc of the item that starts at ``offset``."""
        return self.by_line.get(source.position(offset)[0], "") if self.by_line else ""


def read_docs(source: Source, tokens: Tokens) -> Docs:
    """Gather blocks of ``##`` lines that stand alone on their lines, one directly below the other."""
    blocks: list[tuple[int, int, list[str]]] = []  # first line, line below, text
    for token in tokens.comments:
        line, column = source.position(token.start)
        if token.type != "DOC" or source.line(line)[: column - 1].strip(" \t\f\u00a0\ufeff"):
            continue
        text = token.text[2:].rstrip()
        text = text[1:] if text.startswith(" ") else text
        if blocks and blocks[-1][1] == line:
            first, _, lines = blocks.pop()
            blocks.append((first, line + 1, [*lines, text]))
        else:
            blocks.append((line, line + 1, [text]))
    by_line = {below: "\n".join(lines) for _, below, lines in blocks}
    code = next((t for t in tokens.code if t.type != "\n"), None)
    first_line = source.position(code.start)[0] if code else len(source.line_starts) + 1
    if not blocks or blocks[0][0] > first_line:
        return Docs("", by_line)
    below = blocks[0][1]
    if code is not None and below == first_line and code.text in _DOCUMENTED_ALONE:
        return Docs("", by_line)
    return Docs(by_line.pop(below), by_line)
