"""Formatting as ``dpp fmt`` does it, proof included: the lines that change, of the whole text or of a range."""

from __future__ import annotations

from difflib import SequenceMatcher

from lsprotocol.types import Position, Range, TextEdit

from dpplang.core.source import Source
from dpplang.lsp.view import View
from dpplang.syntax.formatting import format_source


def formatting(view: View, first: int = 0, last: int | None = None) -> list[TextEdit]:
    """The edits of the lines ``first`` to ``last`` (inclusive, 0-based; the last of all if None).

    A text with a syntax error is left alone: what could not be parsed could not be printed.
    """
    text = view.analysis.text
    plain = text.replace("\r\n", "\n")
    printed = format_source(Source("", plain)).text
    if printed is None:
        return []
    old = _split(text)
    new = _split(printed if plain == text else printed.replace("\n", "\r\n"))
    end = len(old) if last is None else last + 1
    edits: list[TextEdit] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal" and a <= end and b >= first and (last is None or (first <= a and b <= end)):
            edits.append(TextEdit(_lines(view, a, b), "".join(new[c:d])))
    return edits


def _split(text: str) -> list[str]:
    """Lines with their ends."""
    parts = text.split("\n")
    return [*(f"{part}\n" for part in parts[:-1]), *([parts[-1]] if parts[-1] else [])]


def _lines(view: View, first: int, stop: int) -> Range:
    """From the start of a line to the start of another, or to the end of the text."""
    count = len(_split(view.analysis.text))
    if stop < count:
        return Range(Position(first, 0), Position(stop, 0))
    end = view.lines.position(len(view.analysis.text))
    return Range(Position(first, 0) if first < count else end, end)
