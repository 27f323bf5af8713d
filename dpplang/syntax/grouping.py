"""Brackets around text that moves: where they are needed, and where they are not."""

from __future__ import annotations

import re

from dpplang.core.source import Source
from dpplang.syntax import ast
from dpplang.syntax.parser import parse_expression

_WORD = re.compile(r"[^\W\d]\w*")


def words(text: str) -> set[str]:
    """The words of a text: every name in it, index variables of its own generators and functions among them."""
    return set(_WORD.findall(text))


def grouped(text: str, least: int = 5) -> str:
    """The text, in brackets unless it binds at least as tightly as asked: 5 is a name, 2 a product, 1 a sum."""
    node = parse_expression(Source("<rewrite>", text))[0]
    return text if node is not None and binding(node) >= least else f"({text})"


def bare(text: str) -> str:
    """The text without brackets around all of it."""
    while text.startswith("(") and text.endswith(")") and grouped(text[1:-1].strip(), 0) == text[1:-1].strip():
        text = text[1:-1].strip()
    return text


def binding(node: ast.Expr) -> int:
    """How tightly a form holds together: sums 1, products 2, signs 3, powers 4, the rest, and all in brackets, 5."""
    match node:
        case ast.Binary() if node.left.span.start > node.span.start:
            return 5
        case ast.Unary() if node.span.text.startswith("("):
            return 5
        case ast.Binary(op="+" | "-"):
            return 1
        case ast.Binary(op="^"):
            return 4
        case ast.Binary():
            return 2
        case ast.Unary():
            return 3
        case _:
            return 5


def needed(node: ast.Expr, parent: ast.Node | None) -> int:
    """How tightly text must bind to stand in the place of a node."""
    match parent:
        case ast.Binary(op="+" | "-"):
            return 1 if node is parent.left else 2
        case ast.Binary(op="^"):
            return 5 if node is parent.left else 3
        case ast.Binary():
            return 2 if node is parent.left else 3
        case ast.Unary():
            return 3
        case ast.Transpose() | ast.Index():
            return 5 if parent.operand is node else 0
        case _:
            return 0
