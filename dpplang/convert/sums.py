"""Sums and negations: one flat sum, however the Python that made it was nested."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dpplang.convert import loops, nodes
from dpplang.convert.piece import Piece
from dpplang.convert.tools import Tools
from dpplang.syntax import ast

LONGEST = 40
"""Terms of a sum in one row; more are bracketed in groups, so that a tree of thousands is not thousands deep."""


def add(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    """A sum of any number of terms; scalars stand for every entry."""
    shape = tuple(e.shape)
    fitted = [tools.fitted(a, shape) for a in args]
    terms = [term for a in fitted for term in terms_of(a.node) if not nodes.is_number(term, 0)]
    if not terms:
        return Piece(nodes.number(0), shape, spread=bool(shape))
    return Piece(summed(terms), shape, spread=bool(shape) and all(a.spread for a in fitted))


def negation(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    (operand,) = args
    flipped = [nodes.negated(t) for t in terms_of(operand.node)]
    opposite = _smallest(operand.node)
    return Piece(opposite or nodes.total(flipped), operand.shape, operand.spread)


def _smallest(node: ast.Expr) -> ast.Expr | None:
    """−f(−x) for the functions that have a name for it."""
    names = {"sum_largest": "sum_smallest", "lambda_sum_largest": "lambda_sum_smallest", "lambda_max": "lambda_min"}
    match node:
        case ast.Call(ast.Ident(word), (first, *rest), keywords) if word in names and not isinstance(
            first, ast.Generator
        ):
            inner = nodes.positive(first)  # pyright: ignore[reportArgumentType]
            if inner is not None:
                return ast.Call(nodes.ident(names[word]), (inner, *rest), keywords, span=nodes.NOWHERE)
        case ast.Call(ast.Ident("minimum"), (x, zero)) if nodes.is_number(zero, 0):
            return nodes.call("neg", x)  # pyright: ignore[reportArgumentType]
    return None


def terms_of(node: ast.Expr) -> list[ast.Expr]:
    """The terms of a sum, each with its sign."""
    found: list[ast.Expr] = []
    waiting: list[tuple[ast.Expr, bool]] = [(node, False)]
    while waiting:
        top, minus = waiting.pop()
        match top:
            case ast.Binary("+", left, right):
                waiting += [(right, minus), (left, minus)]
            case ast.Binary("-", left, right):
                waiting += [(right, not minus), (left, minus)]
            case ast.Unary("-", operand) if isinstance(operand, ast.Binary) and operand.op in "+-":
                waiting.append((operand, not minus))
            case _:
                found.append(nodes.negated(top) if minus else top)
    return found


def summed(terms: Sequence[ast.Expr]) -> ast.Expr:
    """A sum, in groups where there are too many terms to stand in one row."""
    level = list(terms)
    while len(level) > LONGEST:
        level = [nodes.total(level[i : i + LONGEST]) for i in range(0, len(level), LONGEST)]
    return nodes.total(level)


def rolled(node: ast.Expr, tools: Tools) -> ast.Expr:
    """A scalar sum whose terms a loop wrote out, as ``sum(… for t in T)``."""
    terms = terms_of(node)
    if len(terms) < loops.LEAST:
        return node
    return summed(loops.roll_terms(terms, tools))
