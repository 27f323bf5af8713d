"""Subscripts: integers, slices, steps, lists of integers and masks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from dpplang.convert import nodes
from dpplang.convert.piece import Piece
from dpplang.convert.refusal import Refusal
from dpplang.convert.tools import Tools
from dpplang.syntax import ast

MOST_PARTS = 40
"""Of a list of indices that is written out; a longer one becomes a matrix that selects."""


def index(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    """``x[1, 2:5, ::2]``."""
    (operand,) = args
    if operand.spread:
        return Piece(operand.node, e.shape, spread=bool(e.shape))
    keys = _expanded(e._orig_key, len(operand.shape))
    node, axis = operand.node, 0
    items: list[ast.Expr | ast.Slice] = []
    steps: list[tuple[int, list[int]]] = []
    for key, extent in zip(keys, operand.shape, strict=True):
        if isinstance(key, slice):
            chosen = list(range(*key.indices(extent)))
            if chosen and chosen == list(range(chosen[0], chosen[-1] + 1)):
                items.append(_slice(chosen[0], chosen[-1] + 1, extent, tools))
            else:
                items.append(nodes.slice_())
                steps.append((axis, chosen))
            axis += 1
        else:
            items.append(nodes.number(int(key) % extent))
    node = _taken(node, items)
    left = tuple(s for key, s in zip(keys, operand.shape, strict=True) if isinstance(key, slice))
    return _along(Piece(node, left), steps, e.shape, tools)


def special_index(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    """``x[[0, 2]]``, ``X[:, [1, 3]]``, ``X[mask]``."""
    (operand,) = args
    if operand.spread:
        return Piece(operand.node, e.shape, spread=bool(e.shape))
    keys = e.key if isinstance(e.key, tuple) else (e.key,)
    axes = _one_axis(keys, operand.shape)
    if axes is not None:
        return _along(operand, axes, e.shape, tools)
    positions = np.arange(operand.size).reshape(operand.shape)[e.key]  # in row-major order
    entries = entries_of(operand, [int(p) for p in positions.ravel()], tools)
    if len(e.shape) == 1:
        return Piece(entries, e.shape)
    return Piece(nodes.call("reshape", entries, *tools.sizes(e.shape)), e.shape)


def entries_of(operand: Piece, positions: Sequence[int], tools: Tools) -> ast.Expr:
    """The vector of some entries, given by their row-major positions."""
    if len(operand.shape) == 1:
        return _along(operand, [(0, list(positions))], (len(positions),), tools).node
    if len(positions) <= MOST_PARTS:
        places = [np.unravel_index(p, operand.shape) for p in positions]
        parts = [nodes.index(operand.node, *(nodes.number(int(i)) for i in place)) for place in places]
        return nodes.listed(parts)
    flat = Piece(nodes.call("vec", operand.node), (operand.size,))
    return _along(flat, [(0, list(positions))], (len(positions),), tools).node


def _expanded(key: Any, rank: int) -> list[Any]:
    """One key per axis."""
    keys = list(key) if isinstance(key, tuple) else [key]
    if any(k is None for k in keys):
        raise Refusal("a new axis in an index", "use `cp.reshape`")
    if any(k is Ellipsis for k in keys):
        at = next(i for i, k in enumerate(keys) if k is Ellipsis)
        keys[at : at + 1] = [slice(None)] * (rank - len(keys) + 1)
    return keys + [slice(None)] * (rank - len(keys))


def _slice(start: int, stop: int, extent: int, tools: Tools) -> ast.Slice:
    low = None if start == 0 else nodes.number(start)
    return nodes.slice_(low, None if stop == extent else tools.size(stop))


def _taken(node: ast.Expr, items: list[ast.Expr | ast.Slice]) -> ast.Expr:
    while items and isinstance(items[-1], ast.Slice) and items[-1].start is None and items[-1].stop is None:
        items.pop()
    return nodes.index(node, *items) if items else node


def _one_axis(keys: Sequence[Any], shape: tuple[int, ...]) -> list[tuple[int, list[int]]] | None:
    """The axis and the indices of a key that is one list among whole slices, or None."""
    lists = [k for k in keys if not isinstance(k, slice)]
    if len(lists) != 1 or len(keys) > len(shape):
        return None
    at = next(i for i, k in enumerate(keys) if not isinstance(k, slice))
    chosen = np.asarray(lists[0])
    if chosen.ndim != 1 or (chosen.dtype == bool and chosen.size != shape[at]):
        return None
    picked = np.arange(shape[at])[chosen]
    found = [(axis, list(range(*k.indices(shape[axis])))) for axis, k in enumerate(keys) if isinstance(k, slice)]
    return [*((axis, ks) for axis, ks in found if ks != list(range(shape[axis]))), (at, [int(i) for i in picked])]


def _along(piece: Piece, steps: Sequence[tuple[int, list[int]]], shape: tuple[int, ...], tools: Tools) -> Piece:
    """Chosen positions along some axes of a vector or matrix."""
    for axis, chosen in steps:
        if len(piece.shape) > 2:
            raise Refusal("a step or a list of indices in an array of rank 3 or more", "use matrices")
        if not chosen:
            raise Refusal("an index that takes nothing", "leave the term out")
        extents = (*piece.shape[:axis], len(chosen), *piece.shape[axis + 1 :])
        piece = Piece(_chosen(piece, axis, chosen, tools), extents)
    return Piece(piece.node, shape)


def _chosen(piece: Piece, axis: int, chosen: list[int], tools: Tools) -> ast.Expr:
    stack = "vstack" if axis == 0 and len(piece.shape) == 2 else "hstack"
    step = chosen[1] - chosen[0] if len(chosen) > 1 else 1
    if len(chosen) > 2 and step and all(b - a == step for a, b in pairwise(chosen)) and abs(step) != 1:
        place = _linear(step, "i", chosen[0])
        return nodes.call(stack, nodes.generator(_part(piece, axis, place, None), "i", tools.size(len(chosen))))
    if len(chosen) > 2 and step == -1 and all(b - a == -1 for a, b in pairwise(chosen)):
        place = nodes.binary("-", nodes.number(chosen[0]), nodes.name("i"))
        return nodes.call(stack, nodes.generator(_part(piece, axis, place, None), "i", tools.size(len(chosen))))
    runs = _runs(chosen)
    if len(runs) > MOST_PARTS:
        matrix = np.zeros((len(chosen), piece.shape[axis]))
        matrix[np.arange(len(chosen)), chosen] = 1
        select = tools.constants.entry(matrix, "pick")
        if stack == "hstack" and len(piece.shape) == 2:
            return nodes.binary("@", piece.node, nodes.transposed(select))
        return nodes.binary("@", select, piece.node)
    parts = [_part(piece, axis, nodes.number(a), None if b == a + 1 else nodes.number(b)) for a, b in runs]
    if len(parts) == 1:
        (start, stop) = runs[0]
        keep = nodes.slice_(nodes.number(start), nodes.number(stop))
        return nodes.index(piece.node, *([nodes.slice_()] * axis), keep)
    if all(b == a + 1 for a, b in runs) and len(piece.shape) == 1:
        return nodes.listed(parts)
    return nodes.call(stack, *parts)


def _part(piece: Piece, axis: int, start: ast.Expr, stop: ast.Expr | None) -> ast.Expr:
    """One row, column or entry, or a run of them; one column keeps its axis, for ``hstack`` puts vectors end to end."""
    if len(piece.shape) == 1 or axis == 0:
        return nodes.index(piece.node, start if stop is None else nodes.slice_(start, stop))
    after = (
        nodes.binary("+", start, nodes.number(1))
        if not isinstance(start, ast.Number)
        else nodes.number(start.value + 1)
    )
    return nodes.index(piece.node, nodes.slice_(), nodes.slice_(start, after if stop is None else stop))


def _linear(step: int, variable: str, offset: int) -> ast.Expr:
    """``2 * i + 1``."""
    scaled = nodes.binary("*", nodes.number(step), nodes.name(variable))
    return scaled if offset == 0 else nodes.binary("+", scaled, nodes.number(offset))


def _runs(chosen: Sequence[int]) -> list[tuple[int, int]]:
    """Indices as half-open runs."""
    runs: list[tuple[int, int]] = []
    for i in chosen:
        if runs and runs[-1][1] == i:
            runs[-1] = (runs[-1][0], i + 1)
        else:
            runs.append((i, i + 1))
    return runs
