"""Source texts and spans of them.

Offsets count Unicode code points from 0; lines and columns, wherever they are shown, count from 1.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, eq=False)
class Source:
    """A text and the name to show for it (a path as the user wrote it, or ``<text>``); ``path`` is its file, if it was
    read from one."""

    name: str
    text: str
    path: Path | None = None
    whole: ClassVar[Source | None] = None  # of a Piece: the text it is placed in, and where
    offset: ClassVar[int] = 0

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offset of the first character of every line."""
        starts, at = [0], self.text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.text.find("\n", at + 1)
        return tuple(starts)

    def position(self, offset: int) -> tuple[int, int]:
        """1-based (line, column) of a code-point offset."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Text of a 1-based line, without its newline."""
        start = self.line_starts[number - 1]
        stop = self.line_starts[number] - 1 if number < len(self.line_starts) else len(self.text)
        return self.text[start:stop].rstrip("\r")


class Piece(Source):
    """Some whole lines of a text that is read piece by piece (``syntax/pieces.py``), so that what an edit leaves alone
    keeps its trees.

    Once it is placed in a whole text, every span of it is one of that text; where it is moved to, its spans move along.
    This is the one thing in a tree that changes: a tree of pieces belongs to the newest version of its text only.
    """

    def __init__(self, name: str, text: str) -> None:
        super().__init__(name, text)

    @cached_property
    def lines(self) -> int:
        """Ends of lines in it, as the protocol of language servers and most editors have them."""
        return len(_LINE_END.findall(self.text))

    def place(self, whole: Source, offset: int) -> None:
        """Let the piece be ``whole.text[offset : offset + len(text)]``."""
        object.__setattr__(self, "whole", whole)
        object.__setattr__(self, "offset", offset)


class Span:
    """A half-open range [start, end) of code points in a source. Not to be changed; equal where it covers the same."""

    __slots__ = ("_end", "_place", "_start")

    def __init__(self, source: Source, start: int, end: int) -> None:
        self._place = source
        self._start = start
        self._end = end

    @property
    def source(self) -> Source:
        return self._place.whole or self._place

    @property
    def start(self) -> int:
        return self._place.offset + self._start

    @property
    def end(self) -> int:
        return self._place.offset + self._end

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Span):
            return NotImplemented
        return self.source is other.source and self.start == other.start and self.end == other.end

    def __hash__(self) -> int:
        return hash((self.source, self.start, self.end))

    def __repr__(self) -> str:
        return f"Span({self.source.name!r}, {self.start}, {self.end})"

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """The smallest span that covers both (of one source)."""
        return Span(self.source, min(self.start, other.start), max(self.end, other.end))

    def covers(self, other: Span) -> bool:
        """Whether the other, of the same source, lies inside."""
        return self.source is other.source and self.start <= other.start and other.end <= self.end

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        return self.source.position(self.start)[1]

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a row of a program came from: kept after the source text is gone, and serializable.

    ``name`` is the constraint's name, or the atom's or variable's whose graph or attribute made the row.
    Lines and columns are 1-based; 0 where there is no source.
    """

    name: str
    file: str = ""
    line: int = 0
    column: int = 0
    text: str = ""

    @staticmethod
    def of(name: str, span: Span | None) -> Origin:
        if span is None:
            return Origin(name)
        text = span.text if len(span.text) <= 200 else span.text[:197] + "..."
        return Origin(name, span.source.name, span.line, span.column, text)

    def __str__(self) -> str:
        return f"`{self.name}` ({self.file}:{self.line}: {self.text})" if self.line else f"`{self.name}`"
