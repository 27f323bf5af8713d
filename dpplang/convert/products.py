"""Products: ``@``, ``*``, ``/``, and those that have names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dpplang.convert import nodes
from dpplang.convert.piece import Piece
from dpplang.convert.refusal import Refusal
from dpplang.convert.tools import Tools
from dpplang.syntax import ast


def matmul(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    """``A @ x``. With a vector of equal entries it is a sum."""
    left, right = args
    if len(left.shape) > 2 or len(right.shape) > 2:
        raise Refusal("a product of arrays of rank 3 or more", "write it as products of matrices")
    if not left.shape or not right.shape:
        return multiply(e, args, tools)
    if len(left.shape) == 1 and left.spread and left.size > 1:
        axis = {"axis": nodes.number(0)} if len(right.shape) == 2 else {}
        return Piece(nodes.binary("*", left.node, _sum(right, axis, tools)), e.shape)
    if len(right.shape) == 1 and right.spread and right.size > 1:
        axis = {"axis": nodes.number(1)} if len(left.shape) == 2 else {}
        return Piece(nodes.binary("*", right.node, _sum(left, axis, tools)), e.shape)
    a, b = tools.whole(left), tools.whole(right)
    for factor, other in ((a, b), (b, a)):
        multiple = _identity(factor)
        if multiple is not None:
            return Piece(nodes.binary("*", multiple, other), e.shape)
    minus = nodes.positive(a)
    if len(left.shape) == 1 and len(right.shape) == 1 and isinstance(minus or a, ast.Name):
        a = nodes.negated(nodes.transposed(minus)) if minus is not None else nodes.transposed(a)
    return Piece(nodes.binary("@", a, b), e.shape)


def _identity(node: ast.Expr) -> ast.Expr | None:
    """The number that a multiple of the identity multiplies by."""
    match node:
        case ast.Call(ast.Ident("eye")):
            return nodes.number(1)
        case ast.Binary("*", multiple, ast.Call(ast.Ident("eye"))):
            return multiple
        case _:
            return None


def _sum(piece: Piece, axis: dict[str, ast.Expr], tools: Tools) -> ast.Expr:
    if piece.spread and not axis:
        return nodes.binary("*", tools.size(piece.size), piece.node)
    return nodes.call("sum", tools.whole(piece), **axis)


def multiply(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    return _elementwise("*", e, args, tools)


def divide(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    return _elementwise("/", e, args, tools)


def _elementwise(op: str, e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    shape = tuple(e.shape)
    left, right = (tools.fitted(a, shape) for a in args)
    spread = bool(shape) and left.spread and right.spread
    if op == "*" and isinstance(right.node, ast.Number) and not isinstance(left.node, ast.Number):
        left, right = right, left
    if op == "*" and nodes.is_number(left.node, -1):
        return Piece(nodes.negated(right.node), shape, spread)
    return Piece(nodes.binary(op, left.node, right.node), shape, spread)


def kron(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    left, right = args
    match len(left.shape), len(right.shape):
        case 2, 2:
            return tools.applied("kron", args, e.shape)
        case 1, 1:
            return Piece(nodes.call("vec", nodes.call("outer", tools.whole(left), tools.whole(right))), e.shape)
        case 0 | 1, 0 | 1:
            return multiply(e, args, tools)
        case _:
            raise Refusal("a Kronecker product of a matrix and a vector", "reshape the vector to a matrix")


def convolve(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    node = nodes.call("convolve", *(tools.vector(a) for a in args))
    if len(e.shape) == 2:
        node = nodes.call("reshape", node, *tools.sizes(e.shape))
    return Piece(node, e.shape)
