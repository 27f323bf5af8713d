"""The comments of a file on their way into its canonical text: each put out once, in order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dpplang.core.source import Span
from dpplang.syntax import ast

_BLANK = re.compile(r"\n[ \t\r\f]*\n")


class Remarks:
    """Hands out comments by place.

    Args:
        comments: in order of the text. tree: the file that they stand in; None if there are none.
    """

    def __init__(self, comments: Sequence[ast.Comment], tree: ast.File | None) -> None:
        self._waiting = list(comments)
        self._text = tree.source.text if tree is not None else ""
        self._last = 0

    def before(self, offset: int) -> bool:
        return bool(self._waiting) and self._waiting[0].span.start < offset

    def blank_before(self, offset: int) -> bool:
        """Whether an empty line stood between what was put out last and ``offset``."""
        return blank_between(self._text, self._last, offset)

    def passed(self, offset: int) -> None:
        """What stands before ``offset`` was put out."""
        self._last = max(self._last, offset)

    def above(self, start: int, lines: Sequence[str], indent: int) -> list[str]:
        """The lines of the comments that stood before ``start``, for above what begins there."""
        return self._lines(list(self._take(start)), lines, indent, start)

    def lifted(self, end: int, indent: int) -> list[str]:
        """The lines of the comments that stood within an item that ends at ``end``, in places that keep none: they go
        above it, where a ``##`` would become its doc."""
        return [f"{' ' * indent}#{c.text.lstrip('#')}" for c in self._take(end)]

    def within(self, start: int, end: int) -> list[ast.Comment]:
        """The comments between two places that were not put out yet."""
        return [c for c in self._waiting if start <= c.span.start < end] if self.before(end) else []

    def between(self, start: int, end: int) -> tuple[str, tuple[str, ...]]:
        """The comments between two parts of an item: the one that ends the first part's line, and the others."""
        found = self.within(start, end)
        if not found:
            return "", ()
        self._waiting = [c for c in self._waiting if not start <= c.span.start < end]
        first = found[0]
        if first.trailing and "\n" not in self._text[start : first.span.start]:
            return first.text, tuple(map(_alone, found[1:]))
        return "", tuple(map(_alone, found))

    def behind(self, span: Span, lines: list[str]) -> None:
        """Put a comment that ends the node's last line at the end of ``lines``."""
        self.passed(span.end)
        if not self._waiting:
            return
        comment = self._waiting[0]
        if comment.trailing and "\n" not in self._text[span.end : comment.span.start]:
            lines[-1] += f"  {comment.text}"
            self._last = comment.span.end
            del self._waiting[0]

    def rest(self, lines: Sequence[str], indent: int) -> list[str]:
        return self._lines(list(self._take(None)), lines, indent, None)

    def _take(self, end: int | None) -> Iterator[ast.Comment]:
        while self._waiting and (end is None or self._waiting[0].span.start < end):
            yield self._waiting.pop(0)

    def _lines(self, comments: list[ast.Comment], lines: Sequence[str], indent: int, end: int | None) -> list[str]:
        made: list[str] = []
        for comment in comments:
            if self.blank_before(comment.span.start) and (made or lines):
                made.append("")
            made.append(" " * indent + _alone(comment))
            self.passed(comment.span.end)
        if made and end is not None and self._last < end and self.blank_before(end):
            made.append("")
        return made


def blank_between(text: str, start: int, end: int) -> bool:
    """Whether an empty line stands between two places of a text."""
    return _BLANK.search(text, start, end) is not None


def _alone(comment: ast.Comment) -> str:
    """Alone on its line, a ``##`` that stood behind code would become a doc."""
    return f"#{comment.text.lstrip('#')}" if comment.trailing else comment.text
