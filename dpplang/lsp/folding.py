"""Folding ranges and selection ranges: the shape of the text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, takewhile

from lsprotocol.types import FoldingRange, FoldingRangeKind, Position, Range, SelectionRange

from dpplang.core.source import Piece
from dpplang.lsp.lines import Lines
from dpplang.lsp.view import View
from dpplang.syntax import ast
from dpplang.syntax.classes import Class
from dpplang.syntax.parser import Part


def folding(view: View) -> list[FoldingRange]:
    """Items over several lines, records and their graphs, the block of constraints, runs of comments."""
    parts = view.analysis.parts
    column = view.analysis.kept.column("folds", parts, lambda part: _of_part(view, *part))
    found: list[FoldingRange] = []
    comments: list[int] = []
    start = 0
    for (piece, _), (own, lone) in zip(parts, column, strict=True):
        if own:
            found += [FoldingRange(start + first, start + last) for first, last in own]
        if lone:
            comments += [start + line for line in lone]
        start += piece.lines
    return [*found, *_blocks(view), *_runs(comments)]


def _of_part(view: View, piece: Piece, part: Part) -> tuple[list[tuple[int, int]], tuple[int, ...]]:
    """What folds in a piece, and the lines that hold a comment alone; lines are counted in it."""
    lines, at = Lines(piece.text, view.encoding), piece.offset
    spans = [item.span for item in part.items]
    spans += [i.graph.span for i in part.items if isinstance(i, ast.AtomItem) and i.graph is not None]
    ends = [(lines.line_of(span.start - at), lines.line_of(span.end - at)) for span in spans]
    comments = (t for t in view.analysis.classes_of(piece) if t.kind in (Class.COMMENT, Class.DOC))
    lone = ((lines.line_of(t.start), t.start) for t in comments)
    alone = tuple(line for line, start in lone if not piece.text[lines.start_of(line) : start].strip())
    return [(first, last) for first, last in ends if first < last], alone


def _blocks(view: View) -> Iterator[FoldingRange]:
    """`subject to` with the constraints that follow."""
    items = view.analysis.items
    for position, item in enumerate(items):
        if isinstance(item, ast.SubjectToItem):
            below = takewhile(lambda i: isinstance(i, ast.ConstraintItem), islice(items, position + 1, None))
            last = [item, *below][-1]
            first, end = view.lines.line_of(item.span.start), view.lines.line_of(last.span.end)
            if end > first:
                yield FoldingRange(first, end)


def _runs(comments: Iterable[int]) -> Iterator[FoldingRange]:
    """Lines that follow on each other, two or more."""
    run: list[int] = []
    for line in comments:
        if run and line != run[-1] + 1:
            if len(run) > 1:
                yield FoldingRange(run[0], run[-1], kind=FoldingRangeKind.Comment)
            run = []
        run.append(line)
    if len(run) > 1:
        yield FoldingRange(run[0], run[-1], kind=FoldingRangeKind.Comment)


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
