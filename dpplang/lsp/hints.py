"""Inlay hints: curvature and shape behind what has them; of the largest expressions, or of all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from lsprotocol.types import InlayHintKind

from dpplang.core.source import Piece
from dpplang.lattice.dims import show_shape
from dpplang.lattice.sign import Sign
from dpplang.lsp.analysis import Version
from dpplang.lsp.fragments import Fragment, Json
from dpplang.lsp.settings import Hints
from dpplang.lsp.view import View
from dpplang.semantics.tree import Expr
from dpplang.syntax import ast
from dpplang.syntax.parser import Part
from dpplang.syntax.walk import walk


def hints(view: View, start: int, end: int, level: Hints) -> str:
    """The hints that stand in [start, end], as they are sent; those of a piece are written again when an item of it is
    typed again."""
    if level is Hints.OFF:
        return "[]"
    analysis, what = view.analysis, f"{level.value} hints {view.encoding.value}"
    found: list[str] = []
    line = -1
    for piece, part in analysis.parts_from(start):
        at = piece.offset
        if at > end:
            break
        line = view.lines.line_of(at) if line < 0 else line
        find = partial(_written, view, part, line, level)
        written = analysis.kept.unless(lambda old: analysis.outdated(old.version), piece, what, find)
        labels = written.labels
        if labels and start <= labels[0][0] + at and labels[-1][0] + at <= end:
            found.append(written.fragment.at(line))
        elif labels:
            some = [_json(view, at + offset, label) for offset, label in labels if start <= at + offset <= end]
            found.append(Fragment.of(some, line).text)
        line += piece.lines
    return f"[{','.join([text for text in found if text])}]"


@dataclass(frozen=True, slots=True)
class _Written:
    """The hints of a piece, and where they stand in it.

    Attributes:
        version: of the items that can have hints.
    """

    labels: tuple[tuple[int, str], ...]
    fragment: Fragment
    version: Version


def _written(view: View, part: Part, line: int, level: Hints, piece: Piece) -> _Written:
    analysis, at = view.analysis, piece.offset
    labels = [label for item in part.items for label in _labels(item, analysis.typed(item), level)]
    fragment = Fragment.of([_json(view, offset, label) for offset, label in labels], line)
    version = analysis.version([item for item in part.items if _says(item, level)])
    return _Written(tuple((offset - at, label) for offset, label in labels), fragment, version)


def _says(item: ast.AnyItem, level: Hints) -> bool:
    """Whether an item can have hints."""
    bare = (ast.SubjectToItem, ast.DimItem, ast.DataItem, ast.ParamItem, ast.VarItem)
    return not isinstance(item, bare if level is Hints.TOP else ast.SubjectToItem)


def _json(view: View, offset: int, label: str) -> Json:
    at, column = view.lines.place(offset)
    place = {"line": at, "character": column}
    return {"position": place, "label": label, "kind": InlayHintKind.Type.value, "paddingLeft": True}


def _labels(item: ast.AnyItem, typed: Mapping[int, Expr], level: Hints) -> list[tuple[int, str]]:
    """Hints and where they stand, in order; one at a place."""
    return sorted(dict(_of_item(item, typed, level)).items())


def _of_item(item: ast.AnyItem, typed: Mapping[int, Expr], level: Hints) -> Iterator[tuple[int, str]]:
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
