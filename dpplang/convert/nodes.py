"""Syntax that comes from no text: constructors of AST nodes, all with one empty span."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dpplang.core.source import Source, Span
from dpplang.syntax import ast

NOWHERE = Span(Source("<cvxpy>", ""), 0, 0)


def ident(text: str) -> ast.Ident:
    return ast.Ident(text, span=NOWHERE)


def name(text: str) -> ast.Name:
    return ast.Name(text, span=NOWHERE)


def number(value: float) -> ast.Expr:
    """A literal; a negative number is a minus before one, and infinity a name."""
    value = float(value)
    if value < 0:
        return negated(number(-value))
    if value == float("inf"):
        return name("inf")
    whole = value == int(value) and value < 1e15
    return ast.Number(value, str(int(value)) if whole else repr(value), span=NOWHERE)


def array(values: np.ndarray) -> ast.Expr:
    """A literal of numbers, nested as the array is."""
    if values.ndim == 0:
        return number(float(values))
    return ast.Array(tuple(array(part) for part in values), span=NOWHERE)


def listed(parts: Sequence[ast.Expr]) -> ast.Array:
    return ast.Array(tuple(parts), span=NOWHERE)


def negated(node: ast.Expr) -> ast.Expr:
    """−node, without a second minus."""
    opposite = positive(node)
    return opposite if opposite is not None else ast.Unary("-", node, span=NOWHERE)


def positive(node: ast.Expr) -> ast.Expr | None:
    """The node without the minus that it begins with, or None if it begins with none."""
    match node:
        case ast.Unary("-", operand):
            return operand
        case ast.Binary("*" | "/" | "@" as op, left, right):
            rest = positive(left)
            return None if rest is None else binary(op, rest, right)
        case _:
            return None


def binary(op: str, left: ast.Expr, right: ast.Expr) -> ast.Expr:
    """``left op right``, without a factor or divisor of one."""
    if op == "*" and is_number(left, 1):
        return right
    if op in ("*", "/") and is_number(right, 1):
        return left
    return ast.Binary(op, left, right, span=NOWHERE, op_span=NOWHERE)


def is_number(node: ast.Node, value: float) -> bool:
    return isinstance(node, ast.Number) and node.value == value


def transposed(node: ast.Expr) -> ast.Expr:
    return node.operand if isinstance(node, ast.Transpose) else ast.Transpose(node, span=NOWHERE)


def call(function: str, *arguments: ast.Expr | ast.Generator, **keywords: ast.Expr) -> ast.Call:
    named = tuple(ast.Keyword(ident(word), value, span=NOWHERE) for word, value in keywords.items())
    return ast.Call(ident(function), arguments, named, span=NOWHERE)


def index(operand: ast.Expr, *items: ast.Expr | ast.Slice) -> ast.Index:
    return ast.Index(operand, items, span=NOWHERE)


def slice_(start: ast.Expr | None = None, stop: ast.Expr | None = None) -> ast.Slice:
    return ast.Slice(start, stop, span=NOWHERE)


def generator(body: ast.Expr, variable: str, domain: ast.Expr | ast.Slice) -> ast.Generator:
    return ast.Generator(body, (binder(variable, domain),), None, span=NOWHERE)


def binder(variable: str, domain: ast.Expr | ast.Slice) -> ast.Binder:
    return ast.Binder(ident(variable), domain, span=NOWHERE)


def total(terms: Sequence[ast.Expr]) -> ast.Expr:
    """The sum of terms: one that begins with a minus is subtracted. Zero if there are none."""
    if not terms:
        return number(0)
    result = terms[0]
    for term in terms[1:]:
        opposite = positive(term)
        result = binary("+", result, term) if opposite is None else binary("-", result, opposite)
    return result


def relation(op: str, left: ast.Expr, right: ast.Expr) -> ast.Relation:
    return ast.Relation((left, right), (op,), span=NOWHERE, op_spans=(NOWHERE,))


def membership(parts: Sequence[ast.Expr], cone: str, *arguments: ast.Expr) -> ast.Membership:
    element = parts[0] if len(parts) == 1 else ast.Tuple(tuple(parts), span=NOWHERE)
    return ast.Membership(element, ident(cone), arguments, span=NOWHERE)


def declaration(
    word: str,
    shape: Sequence[ast.Expr] | None,
    attributes: Sequence[ast.Attribute] = (),
    default: ast.Expr | None = None,
) -> ast.Declaration:
    sizes = None if shape is None else tuple(shape)
    return ast.Declaration(ident(word), sizes, tuple(attributes), default, span=NOWHERE)


def attribute(word: str, *arguments: ast.Expr) -> ast.Attribute:
    return ast.Attribute(word, arguments, span=NOWHERE)
