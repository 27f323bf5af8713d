"""Results as they are sent, written item by item: of what an edit moves, only the numbers of lines are written anew."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
_LINE = re.compile(r'"line":(\d+)')  # a key, since quotes within a string are escaped


def dumps(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


@dataclass(slots=True)
class Fragment:
    """JSON with positions in some lines of the text.

    Attributes:
        template: the JSON, with ``%d`` for every number of a line. lines: these, from the first of the lines.
        start: that line, as it is in ``text``.
    """

    template: str
    lines: tuple[int, ...]
    start: int
    text: str

    @staticmethod
    def of(values: list[Json], start: int) -> Fragment:
        """The members of a list, whose positions are those of the whole text."""
        text = dumps(values)[1:-1]
        lines = tuple(int(line) - start for line in _LINE.findall(text))
        return Fragment(_LINE.sub('"line":%d', text.replace("%", "%%")), lines, start, text)

    def at(self, start: int) -> str:
        """The JSON when the lines begin with ``start``."""
        if start != self.start:
            self.text = self.template % tuple(line + start for line in self.lines)
            self.start = start
        return self.text
