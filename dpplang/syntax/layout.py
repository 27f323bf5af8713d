"""Lines of canonical text: indentation, columns of labels and comments, blank lines and comments where they stood."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from dpplang.syntax import ast
from dpplang.syntax.document import Doc, nest, render, width
from dpplang.syntax.phrases import WIDTH, breaks_in_brackets, opens_item
from dpplang.syntax.remarks import Remarks, blank_between

_INDENT = 2
_WIDEST_LABEL = 24  # a wider label does not move the others of its column
_DOC = re.compile(r"(?<![^\n])[ \t]*##")  # the first such line is the file's doc, where it has one


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of an atom's record; ``label`` is empty for ``graph`` and ``test``, ``node`` tells where it stood."""

    label: str
    doc: Doc
    node: ast.Node | None


@dataclass(frozen=True, slots=True)
class Printed:
    """An item: what stands in the column of labels (a constraint's name, what is left of a definition's ``=``, the word
    of a declaration), and the rest. For an atom, its head and its entries.

    ``hangs``: lines that follow stand in the column of the rest.
    """

    item: ast.AnyItem
    label: str
    doc: Doc
    entries: tuple[Entry, ...] = ()
    hangs: bool = False


Print = Callable[[ast.AnyItem, Remarks], Printed]


def file(tree: ast.File, show: Print) -> str:
    """A whole file, its doc at the top."""
    remarks = Remarks(tree.comments, tree)
    lines: list[str] = []
    if tree.doc:
        place = _DOC.search(tree.source.text)
        if place is not None and remarks.before(place.start()):
            lines.extend(remarks.above(place.start(), lines, 0))
        lines.extend(_doc_line(line) for line in tree.doc.split("\n"))
    first = next(iter(tree.items), None)
    if lines and first is not None:
        own = (isinstance(first, ast.AtomItem | ast.FuncItem) or first.doc) and not remarks.before(first.span.start)
        if own or remarks.blank_before(first.span.start):
            lines.append("")
    lines.extend(items(tree.items, show, 0, remarks))
    lines.extend(remarks.rest(lines, 0))
    return "\n".join(lines) + "\n" if lines else ""


def items(sequence: Sequence[ast.AnyItem], show: Print, indent: int, remarks: Remarks | None = None) -> list[str]:
    """Items, those behind ``subject to`` indented, the labels of neighbours in columns."""
    remarks = remarks or Remarks((), None)
    lines: list[str] = []
    ends: list[_End] = []
    margins = _margins(sequence, indent)
    plain = [show(item, Remarks((), None)) for item in sequence]
    columns = _label_columns(plain, margins, _paragraphs(sequence))
    for position, (item, margin) in enumerate(zip(sequence, margins, strict=True)):
        apart = indent == 0 and position > 0 and _set_apart(item, sequence[position - 1])
        blank = remarks.blank_before(item.span.start)
        above = remarks.above(item.span.start, lines, margin)
        if lines and (above[:1] != [""] if apart else blank and not above):
            lines.append("")
        lines.extend(above)
        printed = show(item, remarks)
        if isinstance(item, ast.AtomItem):
            own = record(printed, show, margin, remarks)
        else:
            own = _labelled(printed, columns[position], margin)
            lines.extend(remarks.lifted(item.span.end, margin))
        lines.extend(" " * margin + _doc_line(line) for line in item.doc.split("\n") if item.doc)
        lines.extend(own)
        before = lines[-1]
        remarks.behind(item.span, lines)
        if lines[-1] != before:
            ends.append(_End(len(lines) - 1, len(before)))
    return _aligned(lines, ends)


def _margins(sequence: Sequence[ast.AnyItem], indent: int) -> list[int]:
    """The indentation of every item: constraints behind ``subject to`` stand further in."""
    margins: list[int] = []
    inside = False
    for item in sequence:
        inside = inside and isinstance(item, ast.ConstraintItem)
        margins.append(indent + _INDENT * inside)
        inside = inside or isinstance(item, ast.SubjectToItem)
    return margins


def record(atom: Printed, show: Print, indent: int, remarks: Remarks) -> list[str]:
    """An atom: its head, its entries with aligned labels, its graph."""
    lines = render(atom.doc, WIDTH, indent)
    remarks.passed(atom.item.span.start)
    column = max((len(e.label) for e in atom.entries), default=0)
    margin = " " * (indent + _INDENT)
    for entry in atom.entries:
        node = entry.node
        if node is not None:
            lines.extend(remarks.above(node.span.start, lines, indent + _INDENT))
        if isinstance(node, ast.Graph):
            lines.append(margin + "graph {")
            lines.extend(items(node.items, show, indent + 2 * _INDENT, remarks))
            lines.extend(remarks.above(node.span.end, lines, indent + 2 * _INDENT))
            lines.append(margin + "}")
        else:
            if node is not None:
                lines.extend(remarks.lifted(node.span.end, indent + _INDENT))
            label = entry.label.ljust(column) + " " if entry.label else ""
            lines.extend(render((label, nest(len(label), entry.doc)), WIDTH, indent + _INDENT))
        if node is not None:
            remarks.behind(node.span, lines)
    lines.extend(remarks.above(atom.item.span.end, lines, indent + _INDENT))
    lines.append(" " * indent + "}")
    return lines


def _labelled(printed: Printed, column: int, margin: int) -> list[str]:
    """An item's lines. A relation that does not fit behind its label stands below it."""
    label, doc = printed.label, printed.doc
    if not label:
        return render(doc, WIDTH, margin)
    beside = width(doc, WIDTH - margin - max(column, len(label)) - 1) is not None
    if beside or not _goes_below(printed, WIDTH - margin - _INDENT):
        label = label.ljust(column) + " "
        return render((label, nest(len(label) if printed.hangs else 0, doc)), WIDTH, margin)
    return [" " * margin + label, *render(doc, WIDTH, margin + _INDENT)]


def _goes_below(printed: Printed, room: int) -> bool:
    """Whether a relation that does not fit behind its label is better placed below it than broken in its brackets."""
    if not isinstance(printed.item, ast.ConstraintItem) or opens_item(printed.doc):
        return False
    relation = printed.item.relation
    hugs = isinstance(relation, ast.Relation) and len(relation.operands) == 2 and breaks_in_brackets(*relation.operands)
    return not hugs or width(printed.doc, room) is not None


def _label_columns(printed: Sequence[Printed], margins: Sequence[int], paragraphs: Sequence[int]) -> list[int]:
    """For every label the width of its column: that of neighbours of one kind whose items fit on their lines."""
    columns: list[int] = []
    placed = list(zip(printed, margins, paragraphs, strict=True))
    for kind, members in groupby(placed, lambda p: (_kind(p[0]), p[2])):
        widths = [_label_width(p, margin) if kind[0] else 0 for p, margin, _ in members]
        column = max(widths, default=0)
        columns += [column if w else 0 for w in widths]
    return columns


def _kind(printed: Printed) -> str:
    """Items of one kind share a column; without a label there is none."""
    if isinstance(printed.item, ast.DataItem | ast.ParamItem | ast.VarItem):
        return "declaration"
    return type(printed.item).__name__ if printed.label else ""


def _paragraphs(sequence: Sequence[ast.AnyItem]) -> list[int]:
    """For every item the number of its paragraph: empty lines set them apart."""
    numbers: list[int] = []
    for before, item in zip((None, *sequence), sequence, strict=False):
        apart = before is not None and blank_between(item.span.source.text, before.span.end, item.span.start)
        numbers.append(numbers[-1] + apart if numbers else 0)
    return numbers


def _label_width(printed: Printed, margin: int) -> int:
    """Of a label; 0 if it is too wide for a column, or its item for a line."""
    size = len(printed.label)
    fits = printed.hangs or width(printed.doc, WIDTH - margin - size - 1) is not None
    return size if size <= _WIDEST_LABEL and fits else 0


@dataclass(frozen=True, slots=True)
class _End:
    """A line that a comment ends, and the width of what stands before it."""

    line: int
    width: int


_WIDEST_CODE = 72  # behind wider code a comment does not move those of its neighbours


def _aligned(lines: list[str], ends: Sequence[_End]) -> list[str]:
    """Comments that end lines directly below each other, in one column."""
    for run in _runs(ends):
        column = max(end.width for end in run)
        for end in run:
            text = lines[end.line]
            lines[end.line] = text[: end.width].ljust(column) + text[end.width :]
    return lines


def _runs(ends: Sequence[_End]) -> Iterator[list[_End]]:
    run: list[_End] = []
    for end in ends:
        if end.width > _WIDEST_CODE or (run and end.line != run[-1].line + 1):
            yield from [run] if run else []
            run = []
        if end.width <= _WIDEST_CODE:
            run.append(end)
    yield from [run] if run else []


def _set_apart(item: ast.AnyItem, before: ast.AnyItem) -> bool:
    """Whether an empty line always stands between two items: around atoms, before the objective and ``return``."""
    return isinstance(item, ast.AtomItem | ast.ObjectiveItem | ast.ReturnItem) or isinstance(before, ast.AtomItem)


def _doc_line(line: str) -> str:
    return f"## {line}" if line else "##"
