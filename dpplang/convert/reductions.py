"""Functions along axes."""

from __future__ import annotations

from typing import Any

from dpplang.convert import nodes
from dpplang.convert.piece import Piece
from dpplang.convert.refusal import Refusal
from dpplang.convert.tools import Tools
from dpplang.syntax import ast

NESTABLE = frozenset({"sum", "max", "min", "norm1", "norm_inf", "log_sum_exp"})
"""f over two axes is f over one of f over the other."""

UNORDERED = NESTABLE | {"norm2", "sum_squares", "pnorm", "norm_fro"}
"""What does not depend on how the entries are arranged."""


def along(function: str, e: Any, operand: Piece, tools: Tools, *others: ast.Expr) -> Piece:
    """A reduction with the ``axis`` and ``keepdims`` of a CVXPY atom; ``others`` stand behind the operand."""
    rank, kept = len(operand.shape), bool(getattr(e, "keepdims", False))
    axes = _axes(getattr(e, "axis", None), rank)
    if len(axes) == rank:
        node = tools.whole(operand) if operand.shape else operand.node
        if function in UNORDERED and not kept:
            node = rearranged(node)
        keep = {"keepdims": nodes.number(1)} if kept and rank else {}
        return Piece(nodes.call(function, node, *others, **keep), tuple(e.shape))
    if len(axes) > 1 and function not in NESTABLE:
        raise Refusal(f"`{function}` over several axes of an array", "reshape it so that they are one axis")
    node = tools.whole(operand)
    for axis in sorted(axes, reverse=True):
        keep = {"keepdims": nodes.number(1)} if kept else {}
        node = nodes.call(function, node, *others, axis=nodes.number(axis), **keep)
    return Piece(node, tuple(e.shape))


def _axes(axis: Any, rank: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(rank))
    many = axis if isinstance(axis, tuple | list) else (axis,)
    return tuple(int(a) % rank for a in many)


def rearranged(node: ast.Expr) -> ast.Expr:
    """An expression without what only arranges its entries anew."""
    while True:
        match node:
            case ast.Transpose(inner):
                node = inner
            case ast.Call(ast.Ident("vec"), (inner,)) if not isinstance(inner, ast.Generator):
                node = inner  # pyright: ignore[reportAssignmentType]
            case _:
                return node
