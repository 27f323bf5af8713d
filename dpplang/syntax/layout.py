"""Lines of canonical text: indentation, aligned labels, blank lines and comments where they stood, breaks at commas."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dpplang.core.source import Span
from dpplang.syntax import ast
from dpplang.syntax.words import ITEM_WORDS

WIDTH = 100
_WIDEST_LABEL = 24  # a wider label does not move the others of its group
_BREAK = re.compile(r'"[^"]*"|[\[(]|[\])]|, | (?:[-+*/@]|==|<=|>=|<<|>>|<|>|!=|=) ')
_OPENS_ITEM = re.compile(rf"(?:{'|'.join(sorted(ITEM_WORDS))})\b")  # at a line's start it would be a keyword
_DOC = re.compile(r"(?<![^\n])[ \t]*##")  # the first such line is the file's doc, where it has one
_BLANK = re.compile(r"\n[ \t\r\f]*\n")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of an atom's record; ``label`` is empty for ``graph`` and ``test``, ``node`` tells where it stood."""

    label: str
    text: str
    node: ast.Node | None


@dataclass(frozen=True, slots=True)
class Printed:
    """An item on one line; for an atom, its head and its entries. ``span``: where it stood."""

    label: str
    text: str
    span: Span
    entries: tuple[Entry, ...] = ()


Print = Callable[[ast.AnyItem], Printed]


def file(tree: ast.File, show: Print) -> str:
    """A whole file, its doc at the top."""
    comments = _Comments(tree.comments, tree)
    lines: list[str] = []
    if tree.doc:
        place = _DOC.search(tree.source.text)
        if place is not None and comments.before(place.start()):
            lines.extend(comments.above(Span(tree.source, place.start(), place.start()), lines, 0))
        lines.extend(_doc_line(line) for line in tree.doc.split("\n"))
    first = next(iter(tree.items), None)
    if lines and first is not None:
        own = (isinstance(first, ast.AtomItem | ast.FuncItem) or first.doc) and not comments.before(first.span.start)
        if own or comments.blank_before(first.span.start):
            lines.append("")
    lines.extend(items(tree.items, show, 0, comments))
    lines.extend(comments.rest(lines, 0))
    return "\n".join(lines) + "\n" if lines else ""


def items(sequence: Sequence[ast.AnyItem], show: Print, indent: int, comments: _Comments | None = None) -> list[str]:
    """Items, those behind ``subject to`` indented, the labels of neighbouring constraints aligned."""
    comments = comments or _Comments((), None)
    lines: list[str] = []
    inside = False
    widths = _label_widths([show(item).label for item in sequence])
    for position, item in enumerate(sequence):
        inside = (inside or isinstance(sequence[position - 1], ast.SubjectToItem)) if position else False
        inside = inside and isinstance(item, ast.ConstraintItem)
        margin = indent + 2 * inside
        apart = indent == 0 and position > 0 and _set_apart(item, sequence[position - 1])
        blank = comments.blank_before(item.span.start)
        above = comments.above(item.span, lines, margin, inside=isinstance(item, ast.AtomItem))
        if lines and (above[:1] != [""] if apart else blank and not above):
            lines.append("")
        lines.extend(above)
        lines.extend(" " * margin + _doc_line(line) for line in item.doc.split("\n") if item.doc)
        printed = show(item)
        if isinstance(item, ast.AtomItem):
            lines.extend(record(printed, show, margin, comments))
        else:
            label = printed.label.ljust(widths[position]) + " " if printed.label else ""
            lines.append(wrapped(label + printed.text, margin, _hang(label)))
        comments.behind(item.span, lines)
    return lines


def record(atom: Printed, show: Print, indent: int, comments: _Comments | None = None) -> list[str]:
    """An atom: its head, its entries with aligned labels, its graph."""
    comments = comments or _Comments((), None)
    lines = [wrapped(atom.text + " {", indent)]
    width = max((len(e.label) for e in atom.entries), default=0)
    margin = " " * (indent + 2)
    for entry in atom.entries:
        if entry.node is not None:
            lines.extend(comments.above(entry.node.span, lines, indent + 2, inside=isinstance(entry.node, ast.Graph)))
        if isinstance(entry.node, ast.Graph):
            lines.append(margin + "graph {")
            lines.extend(items(entry.node.items, show, indent + 4, comments))
            lines.extend(comments.above(entry.node.span, lines, indent + 4))
            lines.append(margin + "}")
        else:
            label = entry.label.ljust(width) + " " if entry.label else ""
            lines.append(wrapped(label + entry.text, indent + 2, _hang(label)))
        if entry.node is not None:
            comments.behind(entry.node.span, lines)
    lines.extend(comments.above(atom.span, lines, indent + 2))
    lines.append(" " * indent + "}")
    return lines


def wrapped(text: str, indent: int, hang: int = 4) -> str:
    """One item's text on as many lines as WIDTH asks for, those that follow indented by ``hang`` more.

    It is broken behind a comma or an operator, as far outside of brackets as may be.
    """
    lines: list[str] = []
    margin = indent
    while len(text) + margin > WIDTH:
        cut = _best_break(text, WIDTH - margin)
        if cut is None:
            break
        lines.append(" " * margin + text[:cut].rstrip())
        text, margin = text[cut:], indent + hang
    lines.append(" " * margin + text)
    return "\n".join(lines)


def _hang(label: str) -> int:
    """Lines that follow stand under what stands behind the label, if that is not too far to the right."""
    return len(label) if 0 < len(label) <= _WIDEST_LABEL + 1 else 4


def _best_break(text: str, room: int) -> int | None:
    """Where to break: behind the last of the least nested commas, else operators, that leave it within ``room``."""
    depth, best = 0, None
    for match in _BREAK.finditer(text):
        found = match.group()
        if found in "([":
            depth += 1
        elif found in ")]":
            depth -= 1
        elif found[0] != '"' and not _OPENS_ITEM.match(text, match.end()):
            fits = match.end() - 1 <= room
            if not fits and best is not None:
                break
            rank = (depth, found != ", ")
            if best is None or rank <= best[0]:
                best = (rank, match.end())
            if not fits:
                break
    return None if best is None or best[1] >= len(text) else best[1]


def _label_widths(labels: Sequence[str]) -> list[int]:
    """For every label the width of its group: neighbours that all have labels of moderate width."""
    widths = [0] * len(labels)
    start = 0
    for position in range(len(labels) + 1):
        if position == len(labels) or not labels[position]:
            width = max((len(x) for x in labels[start:position] if len(x) <= _WIDEST_LABEL), default=0)
            widths[start:position] = [width] * (position - start)
            start = position + 1
    return widths


def _set_apart(item: ast.AnyItem, before: ast.AnyItem) -> bool:
    """Whether an empty line always stands between two items: around atoms, before the objective and ``return``."""
    return isinstance(item, ast.AtomItem | ast.ObjectiveItem | ast.ReturnItem) or isinstance(before, ast.AtomItem)


def _doc_line(line: str) -> str:
    return f"## {line}" if line else "##"


class _Comments:
    """The comments of a file, each put out once, in order."""

    def __init__(self, comments: Sequence[ast.Comment], tree: ast.File | None) -> None:
        self._waiting = list(comments)
        self._text = tree.source.text if tree is not None else ""
        self._last = 0

    def before(self, offset: int) -> bool:
        return bool(self._waiting) and self._waiting[0].span.start < offset

    def blank_before(self, offset: int) -> bool:
        """Whether an empty line stood between what was put out last and ``offset``."""
        return _BLANK.search(self._text, self._last, offset) is not None

    def above(self, span: Span, lines: list[str], indent: int, inside: bool = False) -> list[str]:
        """The lines of the comments that stood before a node, or, unless ``inside`` keeps its own, within it."""
        found = list(self._take(span.start if inside else span.end))
        return self._lines(found, lines, indent, span.start)

    def behind(self, span: Span, lines: list[str]) -> None:
        """Put a comment that ends the node's last line at the end of ``lines``."""
        self._last = max(self._last, span.end)
        if not self._waiting:
            return
        comment = self._waiting[0]
        if comment.trailing and "\n" not in self._text[span.end : comment.span.start]:
            lines[-1] += f"  {comment.text}"
            self._last = comment.span.end
            del self._waiting[0]

    def rest(self, lines: list[str], indent: int) -> list[str]:
        return self._lines(list(self._take(None)), lines, indent, None)

    def _take(self, end: int | None) -> Iterator[ast.Comment]:
        while self._waiting and (end is None or self._waiting[0].span.start < end):
            yield self._waiting.pop(0)

    def _lines(self, comments: list[ast.Comment], lines: list[str], indent: int, end: int | None) -> list[str]:
        made: list[str] = []
        for comment in comments:
            if self.blank_before(comment.span.start) and (made or lines):
                made.append("")
            # alone on its line, a `##` that stood behind code would become a doc
            text = f"#{comment.text.lstrip('#')}" if comment.trailing else comment.text
            made.append(" " * indent + text)
            self._last = max(self._last, comment.span.end)
        if made and end is not None and self._last < end and self.blank_before(end):
            made.append("")
        return made
