"""The last of T + 1 steps, by name: ``x[T]``, where T is a size that has one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from dpplang.convert import nodes
from dpplang.convert.piece import Shape
from dpplang.syntax import ast


def named(tree: Any, shapes: Mapping[str, Shape], dims: Mapping[int, str]) -> Any:
    """A tree in which an integer that is the last subscript of an axis, and a size with a name, is that name.

    Done when loops are rolled up: within one, such a subscript is no end.

    Args:
        shapes: of what is declared. dims: value → name.
    """
    if isinstance(tree, tuple):
        return tuple(named(part, shapes, dims) for part in tree)
    if not isinstance(tree, ast.Node):
        return tree
    changed: dict[str, Any] = {}
    for field in fields(tree):
        value = getattr(tree, field.name)
        if isinstance(value, ast.Node | tuple) and not field.name.endswith(("span", "spans")):
            changed[field.name] = named(value, shapes, dims)
    if isinstance(tree, ast.Index) and isinstance(tree.operand, ast.Name) and tree.operand.name in shapes:
        shape = shapes[tree.operand.name]
        changed["items"] = tuple(
            nodes.name(dims[int(item.value)])
            if isinstance(item, ast.Number) and item.value in dims and item.value == shape[axis] - 1
            else item
            for axis, item in enumerate(changed["items"])
        )
    return replace(tree, **changed) if changed else tree
