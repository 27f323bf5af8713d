"""Inlay hints: curvature and shape behind what has them; of the largest expressions, or of all."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from lsprotocol.types import InlayHint, InlayHintKind

from dpplang.lattice.dims import show_shape
from dpplang.lattice.sign import Sign
from dpplang.lsp.analysis import Analysis
from dpplang.lsp.view import View
from dpplang.semantics.tree import Expr
from dpplang.syntax import ast
from dpplang.syntax.walk import walk


class Hints(Enum):
    """``TOP``: the objective, the sides of constraints, `derived` and `let`; ``ALL``: every call besides."""

    OFF = "off"
    TOP = "top"
    ALL = "all"


def hints(view: View, start: int, end: int, level: Hints) -> list[InlayHint]:
    """The hints that stand in [start, end]."""
    if level is Hints.OFF:
        return []
    found: list[tuple[int, str]] = []
    for item in view.analysis.items_in(start, end):
        found += _of_item(view.analysis, item, level)
    return [
        InlayHint(view.lines.position(offset), label, kind=InlayHintKind.Type, padding_left=True)
        for offset, label in sorted(dict(found).items())
        if start <= offset <= end
    ]


def _of_item(analysis: Analysis, item: ast.AnyItem, level: Hints) -> Iterator[tuple[int, str]]:
    typed = analysis.typed(item)
    for node in _top(item):
        expr = typed.get(id(node))
        if expr is not None and not isinstance(node, ast.Number):
            if isinstance(item, ast.DerivedItem | ast.LetItem) and item.declaration.shape is None:
                yield item.declaration.name.span.end, _shape(expr)
            yield node.span.end, label(expr, numeric=isinstance(item, ast.DerivedItem))
    if level is Hints.ALL:
        for node in _calls(item):
            expr = typed.get(id(node))
            if expr is not None:
                yield node.span.end, label(expr, numeric=isinstance(item, ast.DerivedItem))


def _top(item: ast.AnyItem) -> Iterator[ast.Node]:
    match item:
        case ast.ObjectiveItem(expression=ast.Node() as expression):
            yield expression
        case ast.ConstraintItem(relation=ast.Relation(operands=operands)):
            yield from (o for o in operands if not isinstance(o, ast.Name | ast.Number))
        case ast.DerivedItem(value=value) | ast.LetItem(value=value):
            yield value
        case ast.FuncItem(body=body):
            yield body
        case _:
            pass


def _calls(item: ast.AnyItem) -> Iterator[ast.Node]:
    return (node for node in walk(item) if isinstance(node, ast.Call))


def label(expr: Expr, *, numeric: bool = False) -> str:
    """``convex, nonneg [n]``; of what is computed beforehand, its sign and shape."""
    facts = expr.facts
    words = [] if numeric or facts.curvature.value == "constant" else [_curvature(expr)]
    words += [] if facts.sign is Sign.UNKNOWN else [facts.sign.value]
    shape = f"[{_shape(expr).strip('[]')}]" if facts.shape else ""
    return " ".join(part for part in (", ".join(words), shape) if part) or "scalar"


def _curvature(expr: Expr) -> str:
    facts = expr.facts
    if facts.curvature.value == "unknown":
        return "unknown curvature"
    return facts.curvature.value + (", not DPP" if facts.dpp.value == "unknown" else "")


def _shape(expr: Expr) -> str:
    return show_shape(expr.shape) if expr.shape else ""
