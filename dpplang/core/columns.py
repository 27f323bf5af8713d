"""How text stands in a terminal: tabs, wide and combining characters, and what must not reach a terminal at all."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

TAB_STOP = 4
ELLIPSIS = "…"
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True)
class Shown:
    """A line as it is displayed.

    Attributes:
        cells: what each code point of the line is displayed as (several characters for a tab).
        columns: the display column at which each code point starts, from 0; one more entry for the end of the line.
    """

    cells: tuple[str, ...]
    columns: tuple[int, ...]

    @property
    def text(self) -> str:
        return "".join(self.cells)

    @property
    def width(self) -> int:
        return self.columns[-1]

    def at(self, column: int) -> int:
        """Display column of a 1-based code-point column; what lies behind the end counts as its end."""
        return self.columns[min(column - 1, len(self.cells))]

    def crop(self, room: int, start: int, stop: int) -> tuple[str, int]:
        """The part around display columns [start, stop) that fits ``room`` columns, and the column at which it begins.

        Ends that were cut off show an ellipsis, whose column is counted.
        """
        if self.width <= room:
            return self.text, 0
        wanted = 0 if stop <= room - 1 else max(start - max(room - 2 - (stop - start), 0) // 2, 0)
        first = bisect_left(self.columns, min(wanted, self.width - 1))
        head = ELLIPSIS if first else ""
        last = first
        while last < len(self.cells) and self.columns[last + 1] - self.columns[first] <= room - 1 - len(head):
            last += 1
        tail = ELLIPSIS if last < len(self.cells) else ""
        return head + "".join(self.cells[first:last]) + tail, self.columns[first] - len(head)


@lru_cache(maxsize=8)
def show(line: str) -> Shown:
    """Lay out one line of text that may come from a stranger's file."""
    cells: list[str] = []
    columns = [0]
    for character in line:
        column = columns[-1]
        if character == "\t":
            size = TAB_STOP - column % TAB_STOP
            cells.append(" " * size)
        else:
            cell = visible(character)
            size = _width(cell)
            cells.append(cell)
        columns.append(column + size)
    return Shown(tuple(cells), tuple(columns))


def visible(text: str) -> str:
    """Text in which control characters (escape sequences, bidirectional overrides) are pictures of themselves."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible_character, text))


def _visible_character(character: str) -> str:
    code = ord(character)
    if code < 0x20 and character != "\n":
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    category = unicodedata.category(character)
    hidden = category in ("Cc", "Cf", "Cs", "Zl", "Zp") and character != "\n" and character not in _JOINERS
    return "\ufffd" if hidden else character


def _width(character: str) -> int:
    if character.isascii():
        return 1
    if character in _JOINERS or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
