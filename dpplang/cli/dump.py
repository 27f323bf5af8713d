"""Frozen trees as indented text: what ``dpp build`` prints of an AST or a typed tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from dpplang.core.source import Span

_ONE_LINE = 100
# Where a node stands is in the source; why it has its facts is what `dpp check` says.
_LEFT_OUT = ("span", "reason", "doc_span")


def dump(node: object) -> str:
    """One line for what is short, one field to a line for what is not; empty fields are left out.

    A node that is shared (a ``let`` that is used twice) is printed once, and named by a number where it recurs.
    """
    return "\n".join(_Dump().lines(node))


class _Dump:
    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        self.kept: list[object] = []  # so that no id is reused while we compare ids

    def lines(self, node: object) -> Iterator[str]:
        short = _inline(node, _ONE_LINE)
        if short is not None:
            yield short
        elif isinstance(node, tuple):
            for item in node:
                first, *rest = self.lines(item)
                yield f"- {first}"
                yield from (f"  {line}" for line in rest)
        elif is_dataclass(node):
            yield from self._node(node)
        else:
            yield str(node)

    def _node(self, node: object) -> Iterator[str]:
        name = type(node).__name__
        if id(node) in self.numbers:
            yield f"{name} #{self.numbers[id(node)]} (as above)"
            return
        self.numbers[id(node)] = len(self.numbers)
        self.kept.append(node)
        yield f"{name} #{self.numbers[id(node)]}"
        for field, value in _fields(node):
            first, *rest = self.lines(value)
            if rest:
                yield f"  {field}:"
                yield from (f"    {line}" for line in (first, *rest))
            else:
                yield f"  {field}: {first}"


def _inline(node: object, room: int) -> str | None:
    """The node on one line, or None if that takes more than ``room`` characters (found without laying out the rest)."""
    if isinstance(node, tuple):
        text = _joined("(", [("", item) for item in node], room)
        return text[:-1] + ",)" if text and len(node) == 1 else text
    if is_dataclass(node) and type(node).__str__ is object.__str__:
        return _joined(type(node).__name__ + "(", [(f"{name}=", value) for name, value in _fields(node)], room)
    if isinstance(node, frozenset):
        text = "{" + ", ".join(sorted(str(getattr(item, "name", item)) for item in node)) + "}"
    elif isinstance(node, Enum):
        text = str(node.value)
    elif isinstance(node, str):
        text = node if node.isidentifier() else repr(node)
    else:
        text = str(node)
    return text if len(text) <= room else None


def _joined(opening: str, parts: list[tuple[str, object]], room: int) -> str | None:
    text = opening
    for i, (prefix, value) in enumerate(parts):
        text += (", " if i else "") + prefix
        inner = _inline(value, room - len(text) - 1)
        if inner is None:
            return None
        text += inner
    return text + ")" if len(text) < room else None


def _fields(node: Any) -> list[tuple[str, object]]:
    found = [(f.name, getattr(node, f.name)) for f in fields(node) if f.name not in _LEFT_OUT]
    empty = ((), "", None, frozenset())
    return [(name, value) for name, value in found if value not in empty and not isinstance(value, Span)]
