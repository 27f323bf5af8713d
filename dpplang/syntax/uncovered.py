"""The lines of a text that no item covers: what did not parse. What they were meant to declare is guessed by
``semantics/damage.py``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dpplang.syntax import ast


def uncovered(text: str, items: Iterable[ast.AnyItem]) -> tuple[str, ...]:
    """Lines with what items cover and comments taken off; runs of lines with nothing left are one empty line.

    Nothing at all if no line has anything left.
    """
    parts, at = list[str](), 0
    for item in sorted(items, key=lambda i: i.span.start):
        start, end = max(item.span.start, at), min(item.span.end, len(text))
        if start < end:
            parts += (text[at:start], " ", "\n" * text.count("\n", start, end))
            at = end
    lines: list[str] = []
    for line in "".join((*parts, text[at:])).removesuffix("\n").split("\n"):
        left = line.split("#")[0].rstrip()
        if left.strip():
            lines.append(left)
        elif not lines or lines[-1]:
            lines.append("")
    return tuple(lines) if any(lines) else ()


def joined(parts: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Such lines of a whole text, from those of its parts, which are whole lines."""
    lines: list[str] = []
    for part in parts:
        follows_empty = not lines or not lines[-1]
        if part:
            lines += part[1:] if follows_empty and not part[0] else part
        elif not follows_empty:
            lines.append("")
    return tuple(lines)
