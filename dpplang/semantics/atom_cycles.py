"""Atoms that are defined through themselves, found in their texts before any is typed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import cast

from dpplang.syntax import ast


def find_cycles(items: Sequence[ast.AtomItem]) -> dict[str, tuple[ast.Ident, ...]]:
    """For each name whose records lead back to it, the calls that do.

    A record may call the earlier ones of its own name: only a first record that calls its own name does so in vain.
    """
    calls: dict[str, dict[str, ast.Ident]] = {}
    for item in items:
        name = item.name.name
        found = {ident.name: ident for ident in _calls(item.graph)}
        if name in calls:
            found.pop(name, None)
        calls[name] = {**found, **calls.get(name, {})}
    cycles = {name: _path(name, calls) for name in calls}
    return {name: path for name, path in cycles.items() if path}


def _path(start: str, calls: dict[str, dict[str, ast.Ident]]) -> tuple[ast.Ident, ...]:
    """A shortest chain of calls from ``start`` back to itself, empty if there is none (breadth first)."""
    frontier: list[tuple[str, tuple[ast.Ident, ...]]] = [(start, ())]
    reached: set[str] = set()
    for name, path in frontier:
        for target, ident in calls.get(name, {}).items():
            if target == start:
                return (*path, ident)
            if target in calls and target not in reached:
                reached.add(target)
                frontier.append((target, (*path, ident)))
    return ()


def _calls(node: object) -> Iterator[ast.Ident]:
    """Names of the functions called and of the sets used below a node, in order of the text (iterative: nesting is
    the user's)."""
    stack: list[object] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, ast.Call):
            yield current.function
        if isinstance(current, ast.Membership):
            yield current.cone
        if isinstance(current, tuple):
            stack.extend(reversed(cast("tuple[object, ...]", current)))
        elif isinstance(current, ast.Node):
            stack.extend(reversed([getattr(current, f.name) for f in fields(current) if f.name != "span"]))
