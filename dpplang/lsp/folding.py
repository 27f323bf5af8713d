"""Folding ranges and selection ranges: the shape of the text."""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol.types import FoldingRange, FoldingRangeKind, Position, Range, SelectionRange

from dpplang.core.source import Piece
from dpplang.lsp.lines import Lines
from dpplang.lsp.view import View
from dpplang.syntax import ast
from dpplang.syntax.classes import Class


def folding(view: View) -> list[FoldingRange]:
    """Items over several lines, records and their graphs, the block of constraints, runs of comments."""
    found: list[FoldingRange] = []
    items = view.analysis.items
    for item in items:
        _fold(found, view, item.span.start, item.span.end)
        if isinstance(item, ast.AtomItem) and item.graph is not None:
            _fold(found, view, item.graph.span.start, item.graph.span.end)
    for position, item in enumerate(items):
        if isinstance(item, ast.SubjectToItem):
            block = [item]
            for other in items[position + 1 :]:
                if not isinstance(other, ast.ConstraintItem):
                    break
                block.append(other)  # type: ignore[arg-type]
            _fold(found, view, item.span.start, block[-1].span.end)
    found += _comments(view)
    return found


def _fold(found: list[FoldingRange], view: View, start: int, end: int) -> None:
    first, last = view.lines.line_of(start), view.lines.line_of(end)
    if last > first:
        found.append(FoldingRange(first, last))


def _comments(view: View) -> Iterable[FoldingRange]:
    run: list[int] = []
    for piece in view.analysis.pieces:
        own = view.analysis.kept.of(piece, "comments", lambda p: _lone_comments(view, p))
        first = view.lines.line_of(piece.offset) if own else 0
        for line in own:
            if run and first + line != run[-1] + 1:
                if len(run) > 1:
                    yield FoldingRange(run[0], run[-1], kind=FoldingRangeKind.Comment)
                run = []
            run.append(first + line)
    if len(run) > 1:
        yield FoldingRange(run[0], run[-1], kind=FoldingRangeKind.Comment)


def _lone_comments(view: View, piece: Piece) -> tuple[int, ...]:
    """Lines of a piece, counted in it, that hold a comment alone."""
    lines = Lines(piece.text, view.encoding)
    comments = (t for t in view.analysis.classes_of(piece) if t.kind in (Class.COMMENT, Class.DOC))
    found = ((lines.line_of(t.start), t.start) for t in comments)
    return tuple(line for line, start in found if not piece.text[lines.start_of(line) : start].strip())


def selection(view: View, position: Position) -> SelectionRange:
    """From the word under the cursor to the whole text, node by node."""
    offset = view.offset(position)
    spans: list[tuple[int, int]] = [(0, len(view.analysis.text))]
    spans += [(n.span.start, n.span.end) for n in view.analysis.path_to(offset)]
    spans += [(t.start, t.end) for t in view.analysis.classes(offset, offset + 1) if t.start <= offset <= t.end]
    ranges: list[tuple[int, int]] = []
    for start, end in spans:
        inside = not ranges or (ranges[-1][0] <= start and end <= ranges[-1][1] and (start, end) != ranges[-1])
        if inside and start <= offset <= end:
            ranges.append((start, end))
    current: SelectionRange | None = None
    for start, end in ranges:
        current = SelectionRange(view.lines.range(start, end), current)
    return current or SelectionRange(Range(position, position))
