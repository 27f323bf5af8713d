"""Fixes of declarations: one that is missing, one that stands too low, attributes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dpplang.core.diagnostics import Applicability, Edit, Fix
from dpplang.core.source import Span
from dpplang.semantics.fixes.program import Around, attribute_edit, declarations, one_less
from dpplang.semantics.fixes.syntax import path
from dpplang.syntax import ast
from dpplang.syntax.walk import walk

Candidate = tuple[str, tuple[Edit, ...]]

_MOST_SHAPES = 8


def with_attribute(file: ast.File, node: ast.Expr | None, word: str) -> Iterator[Candidate]:
    """``nonneg`` at the declaration of the name that an expression is, or is an entry of."""
    while isinstance(node, ast.Index | ast.Transpose):
        node = node.operand
    if not isinstance(node, ast.Name):
        return
    for declaration in declarations(file):
        if declaration.name.name == node.name and word not in [a.name for a in declaration.attributes]:
            title = f"declare `{node.name}` {word}: that is checked when it is bound"
            yield title, (attribute_edit(declaration, word),)


def drop_attribute(span: Span) -> tuple[Edit, ...]:
    """An attribute, and the space before it, taken out."""
    start = span.start
    while start > 0 and span.source.text[start - 1] in " \t":
        start -= 1
    return (Edit(Span(span.source, start, span.end), ""),)


def declare_dim(around: Around, item: ast.AnyItem, span: Span) -> Fix | None:
    """``dim n`` for a name that stands where only a size can; None elsewhere."""
    name = span.text
    if not any(n.span == span for size in _sizes(item) for n in walk(size)):
        return None
    dims = [i for i in around.file.items if isinstance(i, ast.DimItem)]
    if dims:
        last = dims[-1].declarations[-1].span
        at = Span(last.source, last.end, last.end)
        return Fix(f"declare `dim {name}`", (Edit(at, f", {name}"),), Applicability.SAFE)
    first = next((i for i in around.file.items if not isinstance(i, ast.ImportItem)), item)
    return Fix(f"declare `dim {name}`", tuple(around.above(first, [f"dim {name}"])), Applicability.SAFE)


def _sizes(item: ast.AnyItem) -> Iterator[ast.Node]:
    """What stands where sizes do: shapes, and index sets."""
    match item:
        case ast.DataItem() | ast.ParamItem() | ast.VarItem():
            for declaration in item.declarations:
                yield from declaration.shape or ()
        case ast.DerivedItem() | ast.LetItem():
            yield from item.declaration.shape or ()
        case _:
            pass
    for node in walk(item):
        if isinstance(node, ast.Binder):
            yield node.domain


def declare_tensor(around: Around, item: ast.AnyItem, name: ast.Name) -> Iterator[Candidate]:
    """``param c`` in shapes that are declared already, then those of the dims; a scalar, which fits nearly
    anywhere, last."""
    if isinstance(item, ast.FuncItem | ast.AtomItem) or len(path(item, name)) < 2:
        return
    shapes: list[str] = []
    for declaration in declarations(around.file):
        if declaration.shape:
            inside = ", ".join(size.span.text for size in declaration.shape)
            if f"[{inside}]" not in shapes:
                shapes.append(f"[{inside}]")
    shapes += [f"[{dim}]" for dim in sorted(around.dims) if f"[{dim}]" not in shapes]
    target = next((i for i in around.file.items if isinstance(i, ast.VarItem | ast.ParamItem)), item)
    above = item if item.span.start < target.span.start else target
    for shape in (*shapes[:_MOST_SHAPES], ""):
        line = f"param {name.name}{shape}"
        yield f"declare `{line}`", tuple(around.above(above, [line]))


def moved_up(around: Around, use: Span) -> Fix | None:
    """The definition of a name, with its comments, above the item that uses it; None if it shares its line."""
    user = around.item_at(use)
    name = use.text
    definition = next(
        (
            i
            for i in around.file.items
            if isinstance(i, ast.DerivedItem | ast.LetItem) and i.declaration.name.name == name
        ),
        None,
    )
    if user is None or definition is None or definition is user:
        return None
    text = around.file.source.text
    start = around.above(definition, [""])[0].span.start
    line = text.rfind("\n", 0, definition.span.start) + 1
    stop = text.find("\n", definition.span.end)
    stop = len(text) if stop < 0 else stop + 1
    behind = re.fullmatch(r"[ \t]*(#[^\n]*)?\n?", text[definition.span.end : stop])
    if text[line : definition.span.start].strip() or behind is None:
        return None
    moved = text[start:stop].rstrip("\n")
    source = around.file.source
    edits = (*around.above(user, [moved]), Edit(Span(source, start, stop), ""))
    return Fix(f"move `{name}` up, above its use", edits, Applicability.SAFE)


def repeated(around: Around, again: Span) -> tuple[Edit, ...] | None:
    """A declaration that only repeats an earlier one, word for word, taken out; None if it says anything else."""
    item = around.item_at(again)
    if not isinstance(item, ast.DimItem | ast.DataItem | ast.ParamItem | ast.VarItem):
        return None
    at = next((i for i, d in enumerate(item.declarations) if d.name.span == again), None)
    if at is None:
        return None
    second = item.declarations[at]
    same = [
        d
        for i in around.file.items
        if type(i) is type(item) and isinstance(i, ast.DimItem | ast.DataItem | ast.ParamItem | ast.VarItem)
        for d in i.declarations
        if d == second and d is not second
    ]
    if not same:
        return None
    if len(item.declarations) == 1:
        return (around.without(item),)
    return (one_less(second.span, [d.span for d in item.declarations]),)
