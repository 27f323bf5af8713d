"""Doc-comments: which ``##`` lines belong to the file, and which to the item below them."""

from __future__ import annotations

from dataclasses import dataclass

from dpplang.core.source import Source
from dpplang.syntax import ast
from dpplang.syntax.tokens import Token, Tokens
from dpplang.syntax.words import stands_as_keyword

_DOCUMENTED_ALONE = ("atom", "func")  # at a file's top, a doc directly above one of these is that item's


@dataclass(frozen=True, slots=True)
class Block:
    """``##`` lines one below the other, each alone on its line; ``below`` is the number of the line under them."""

    tokens: tuple[Token, ...]
    below: int

    @property
    def text(self) -> str:
        return "\n".join(t.text[2:].rstrip().removeprefix(" ") for t in self.tokens)


@dataclass(frozen=True, slots=True)
class Docs:
    """``file``: the file's own doc, if it has one; ``by_line``: every other block, by the line below it."""

    file: Block | None
    by_line: dict[int, Block]


def read_docs(source: Source, tokens: Tokens, *, first: bool = True) -> Docs:
    """Gather the blocks. The first is the file's if nothing but comments stands before it, and no ``atom`` or ``func``
    directly below; unless these are not the ``first`` lines of the file."""
    blocks: list[Block] = []
    for token in tokens.comments:
        if token.type != "DOC" or is_trailing(source, token):
            continue
        line = source.position(token.start)[0]
        if blocks and blocks[-1].below == line:
            blocks[-1] = Block((*blocks[-1].tokens, token), line + 1)
        else:
            blocks.append(Block((token,), line + 1))
    by_line = {block.below: block for block in blocks}
    start = next((i for i, t in enumerate(tokens.code) if t.type != "\n"), None)
    code = tokens.code[start] if start is not None else None
    if not first or not blocks or (code is not None and blocks[0].tokens[0].start > code.start):
        return Docs(None, by_line)
    documents_item = (
        start is not None
        and code is not None
        and source.position(code.start)[0] == blocks[0].below
        and code.text in _DOCUMENTED_ALONE
        and stands_as_keyword(code.text, tokens.code[start + 1])
    )
    if documents_item:
        return Docs(None, by_line)
    return Docs(by_line.pop(blocks[0].below), by_line)


def comments(source: Source, tokens: Tokens, documented: set[int]) -> tuple[ast.Comment, ...]:
    """The comments that are no item's doc; ``documented``: where the tokens start that are."""
    return tuple(
        ast.Comment(t.text.rstrip(), is_trailing(source, t), span=t.span(source))
        for t in tokens.comments
        if t.start not in documented
    )


def is_trailing(source: Source, token: Token) -> bool:
    """Whether code stands before a comment on its line."""
    start = source.text.rfind("\n", 0, token.start) + 1
    return bool(source.text[start : token.start].strip(" \t\r\f\u00a0\ufeff"))
