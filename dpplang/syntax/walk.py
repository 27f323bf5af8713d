"""Trees, node by node: a walk for passes that look at every node alike."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, cast

from dpplang.syntax import ast


@cache
def _fields(kind: type) -> tuple[str, ...]:
    names = tuple(cast("Any", kind).__dataclass_fields__)
    return tuple(n for n in names if n not in ("span", "source", "op_span", "op_spans", "path_span"))


def children(node: ast.Node) -> Iterator[ast.Node]:
    """The nodes directly below, in order of the fields."""
    for name in _fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, ast.Node):
            yield value
        elif isinstance(value, tuple):
            yield from (part for part in cast("tuple[object, ...]", value) if isinstance(part, ast.Node))


def walk(node: ast.Node) -> Iterator[ast.Node]:
    """The node and everything below it, parents first. Without recursion, whatever the depth."""
    waiting = [node]
    while waiting:
        top = waiting.pop()
        yield top
        waiting.extend(reversed(list(children(top))))
