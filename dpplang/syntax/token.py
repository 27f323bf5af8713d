"""A token: what the lexer makes and the parser takes."""

from __future__ import annotations

from typing import NamedTuple

from dpplang.core.source import Source, Span

END = "$END"  # Lark's name for the end of input


class Token(NamedTuple):
    """``type`` is a terminal of the grammar; any word is a ``NAME`` until the parser finds it to be a keyword.

    ``{``, ``}`` and newlines, which separate items and never reach the parser, are their own type.
    """

    type: str
    text: str
    start: int
    end: int

    def span(self, source: Source) -> Span:
        return Span(source, self.start, self.end)
