"""Affine functions: shapes, stacks, sums along axes, diagonals."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from dpplang.convert import nodes
from dpplang.convert.piece import Piece
from dpplang.convert.reductions import along
from dpplang.convert.refusal import Refusal
from dpplang.convert.sums import rolled
from dpplang.convert.tools import Tools
from dpplang.syntax import ast


def same(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    """What changes nothing of a real expression."""
    return args[0]


def promoted(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    return tools.broadcast(args[0], tuple(e.shape))


def transpose(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    (operand,) = args
    axes = e.axes if e.axes is None else tuple(a % len(operand.shape) for a in e.axes)
    if operand.spread or len(operand.shape) < 2 or axes == tuple(range(len(operand.shape))):
        return Piece(operand.node, e.shape, operand.spread)
    if len(operand.shape) > 2:
        raise Refusal("axes of an array of rank 3 or more, permuted", "write it with matrices")
    return Piece(nodes.transposed(operand.node), e.shape)


def reshape(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    """In CVXPY's order, which is column-major unless it is asked otherwise; ours is row-major."""
    (operand,) = args
    before, after = operand.shape, tuple(e.shape)
    if before == after:
        return operand
    if operand.spread or operand.size == 1:
        return Piece(tools.scalar(operand), after, spread=bool(after))
    flat = sum(n > 1 for n in before) <= 1
    if flat and len(after) == 1:
        return Piece(tools.vector(operand), after)
    if e.order == "C" or (flat and sum(n > 1 for n in after) <= 1):
        return Piece(_shaped(operand.node, after, tools), after)
    if len(before) > 2 or len(after) > 2:
        raise Refusal("a column-major reshape of rank 3 or more", "use order='C'")
    across = operand.node if flat else nodes.transposed(operand.node)
    made = _shaped(across, after[::-1], tools)
    return Piece(nodes.transposed(made) if len(after) == 2 else made, after)


def _shaped(node: ast.Expr, shape: tuple[int, ...], tools: Tools) -> ast.Expr:
    if len(shape) == 1:
        return nodes.call("vec", node)
    return nodes.call("reshape", node, *tools.sizes(shape))


def hstack(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    return _stacked("hstack", e, args, tools)


def vstack(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    """Rows of blocks are ``bmat``."""
    parts = [tools.whole(a) for a in args]
    if len(parts) > 1 and all(_is_row(node) for node in parts) and all(len(a.shape) == 2 for a in args):
        rows = [nodes.listed([a for a in p.arguments if not isinstance(a, ast.Generator)]) for p in parts]  # pyright: ignore
        return Piece(nodes.call("bmat", nodes.listed(rows)), e.shape)
    return _stacked("vstack", e, args, tools)


def _is_row(node: ast.Expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and node.function.name == "hstack"
        and len(node.arguments) > 1
        and not any(isinstance(a, ast.Generator) for a in node.arguments)
    )


def concatenate(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    rank = len(args[0].shape)
    axis = e.axis if e.axis is None else e.axis % rank
    if rank > 2 or axis is None:
        raise Refusal("parts of rank 3 or more, or flattened ones, put end to end", "use `cp.hstack` and `cp.vstack`")
    return _stacked("vstack" if rank == 2 and axis == 0 else "hstack", e, args, tools)


def _stacked(function: str, e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    """A vector that was made a row to be stacked is stacked as it is, and scalars are an array."""
    parts = [tools.whole(a) if a.shape else a.node for a in args]
    if function == "vstack" and all(len(a.shape) == 2 and a.shape[0] == 1 for a in args):
        parts = [_row(node) for node in parts]
    if len(parts) == 1 and args[0].shape == tuple(e.shape):
        return args[0]
    if len(e.shape) == 1 and all(a.size == 1 for a in args):
        return Piece(nodes.listed([tools.scalar(a) for a in args]), e.shape)
    return Piece(nodes.call(function, *parts), e.shape)


def _row(node: ast.Expr) -> ast.Expr:
    match node:
        case ast.Call(ast.Ident("reshape"), (inner, ast.Number(1), _)) if not isinstance(inner, ast.Generator):
            return inner if isinstance(inner, ast.Name | ast.Index | ast.Array) else node
        case _:
            return node


def total(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    """``sum``: of the entries, whatever their order."""
    (operand,) = args
    if e.axis is None and not e.keepdims:
        if operand.spread:
            return Piece(nodes.binary("*", tools.size(operand.size), operand.node), ())
        if operand.size == 1:
            return Piece(tools.scalar(operand), ())
        if isinstance(operand.node, ast.Array) and len(operand.shape) == 1:
            return Piece(rolled(nodes.total(operand.node.elements), tools), ())
    return along("sum", e, operand, tools)


def cumsum(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    (operand,) = args
    if e.axis is None and len(operand.shape) > 1:
        return Piece(nodes.call("cumsum", nodes.call("vec", tools.whole(operand))), e.shape)
    axis = {} if len(operand.shape) < 2 else {"axis": nodes.number((e.axis or 0) % len(operand.shape))}
    return tools.applied("cumsum", args, e.shape, **axis)


def trace(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    return tools.applied("trace", args, e.shape)


def upper_tri(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    node = tools.applied("upper_tri", args, ()).node
    if len(e.shape) == 2:
        node = nodes.call("reshape", node, *map(nodes.number, e.shape))
    return Piece(node, e.shape)


def diag_vec(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    """A vector on the k-th diagonal."""
    inner = nodes.call("diag", tools.vector(args[0]))
    k, order = e.k, prod(args[0].shape)
    if k == 0:
        return Piece(inner, e.shape)
    side = nodes.call("zeros", tools.size(order), nodes.number(abs(k)))
    below = nodes.call("zeros", nodes.number(abs(k)), tools.size(order + abs(k)))
    rows = nodes.call("hstack", side, inner) if k > 0 else nodes.call("hstack", inner, side)
    return Piece(nodes.call("vstack", rows, below) if k > 0 else nodes.call("vstack", below, rows), e.shape)


def diag_mat(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    """The k-th diagonal of a matrix."""
    node, k = tools.whole(args[0]), e.k
    if k:
        order = args[0].shape[0]
        near, far = nodes.slice_(None, nodes.number(order - abs(k))), nodes.slice_(nodes.number(abs(k)))
        node = nodes.index(node, *((near, far) if k > 0 else (far, near)))
    return Piece(nodes.call("diag", node), e.shape)
