"""Offsets in a text and the protocol's positions, in whichever unit the client counts.

Offsets count code points, as everywhere in dpplang; a position is a line and a distance in it, in UTF-8, UTF-16 or
UTF-32 code units. The protocol ends lines at ``\\n``, ``\\r\\n`` and ``\\r``, and at nothing else.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from enum import Enum
from itertools import accumulate

from lsprotocol.types import Position, PositionEncodingKind, Range

_LINE_END = re.compile(r"\r\n|\n|\r")


class Encoding(Enum):
    UTF8 = PositionEncodingKind.Utf8.value
    UTF16 = PositionEncodingKind.Utf16.value
    UTF32 = PositionEncodingKind.Utf32.value

    def width(self, text: str) -> int:
        """Code units of a text."""
        match self:
            case Encoding.UTF8:
                return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
            case Encoding.UTF16:
                return len(text) if text.isascii() else len(text) + sum(c > "\uffff" for c in text)
            case Encoding.UTF32:
                return len(text)

    def index(self, text: str, units: int) -> int:
        """The code point at which ``units`` code units are over; inside of one, its start."""
        if self is Encoding.UTF32 or text.isascii():
            return min(units, len(text))
        for i, character in enumerate(text):
            if units <= 0:
                return i if units == 0 else i - 1
            units -= self.width(character)
        return len(text) if units >= 0 else len(text) - 1


class Lines:
    """The lines of one text."""

    def __init__(self, text: str, encoding: Encoding) -> None:
        self.text = text
        self.encoding = encoding
        if "\r" in text:
            ends = [(m.start(), m.end()) for m in _LINE_END.finditer(text)]
            self._starts, self._stops = [0, *(end for _, end in ends)], [*(start for start, _ in ends), len(text)]
        else:  # read like this at every keystroke
            self._starts = list(accumulate((len(line) + 1 for line in text.split("\n")), initial=0))
            self._stops = [start - 1 for start in self._starts[1:]]
            self._starts.pop()

    @property
    def count(self) -> int:
        return len(self._starts)

    def line_of(self, offset: int) -> int:
        """The 0-based line of an offset."""
        return bisect_right(self._starts, offset) - 1

    def start_of(self, line: int) -> int:
        return self._starts[line]

    def content(self, line: int) -> str:
        """A line without what ends it."""
        return self.text[self._starts[line] : self._stops[line]]

    def offset(self, position: Position) -> int:
        """The offset of a position; one behind a line's end, or behind the text's, is that end."""
        if position.line >= len(self._starts):
            return len(self.text)
        start = self._starts[position.line]
        return start + self.encoding.index(self.text[start : self._stops[position.line]], position.character)

    def place(self, offset: int) -> tuple[int, int]:
        """The line of an offset, and the units before it there."""
        offset = min(max(offset, 0), len(self.text))
        line = self.line_of(offset)
        return line, self.encoding.width(self.text[self._starts[line] : offset])

    def position(self, offset: int) -> Position:
        return Position(*self.place(offset))

    def range(self, start: int, end: int) -> Range:
        return Range(self.position(start), self.position(end))
