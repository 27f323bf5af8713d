"""Source lines with their underlines: ``^^^`` for the primary span, ``---`` for the others.

Spans of one line that overlap get underline rows of their own. In a row the rightmost label stands behind its
underline, the others hang below on bars, so that no two labels meet; one text for several is said once. A span of
several lines is a bracket in a lane left of the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dpplang.core.columns import Shown, show, visible
from dpplang.core.diagnostics import Label
from dpplang.core.source import Source
from dpplang.core.style import Paint, Style

# Of a span of more lines than this, the first and the last two are shown.
_LONG_SPAN = 5
# A line of more columns than the first is no line to read: the second many of it are shown where there is no limit.
_LONG_LINE, _ROOM = 1000, 200


@dataclass(frozen=True, slots=True)
class _Stroke:
    """A label's place: 1-based lines and code-point columns, ``end_column`` exclusive and on ``end_line``."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str
    primary: bool
    style: Style

    @property
    def mark(self) -> str:
        return "^" if self.primary else "-"


@dataclass(frozen=True, slots=True)
class _Underline:
    """A one-line stroke in display columns, ``end`` exclusive."""

    start: int
    end: int
    stroke: _Stroke


class _Row:
    """Characters at display columns, each with its style; text put last runs free to the right."""

    def __init__(self) -> None:
        self.cells: list[tuple[str, Style | None]] = []

    def put(self, column: int, text: str, style: Style | None) -> None:
        missing = column + len(text) - len(self.cells)
        self.cells.extend([(" ", None)] * max(missing, 0))
        for i, character in enumerate(text):
            self.cells[column + i] = (character, style)

    def paint(self, paint: Paint) -> str:
        parts: list[str] = []
        start = 0
        for i in range(1, len(self.cells) + 1):
            if i == len(self.cells) or self.cells[i][1] is not self.cells[start][1]:
                text, style = "".join(c for c, _ in self.cells[start:i]), self.cells[start][1]
                parts.append(paint(style, text) if style else text)
                start = i
        return "".join(parts).rstrip(" ")


def snippet(
    source: Source,
    labels: Sequence[Label],
    primary: Label | None,
    severity: Style,
    margin: int,
    paint: Paint,
    width: int | None,
) -> Iterator[str]:
    """The lines of one source that ``labels`` concern, with gutter, underlines and labels.

    Args:
        primary: the one of ``labels`` that is underlined with ``^`` in the style ``severity``, or None.
        margin: digits of the longest line number. width: columns to crop source lines to, or None.
    """
    strokes = [_stroke(label, label is primary, severity) for label in labels]
    brackets = _lanes([s for s in strokes if s.line != s.end_line])
    depth = 2 * (max(brackets.values()) + 1) if brackets else 0
    most = None if width is None else max(width - margin - 3 - depth, 20)
    edge = paint(Style.GUTTER, " " * margin + " |")
    open_brackets: list[_Stroke] = []

    def bars() -> _Row:
        row = _Row()
        for stroke in open_brackets:
            row.put(2 * brackets[stroke], "|", stroke.style)
        return row

    previous = 0
    for line in _lines_to_show(strokes):
        if open_brackets and line > previous + 1:
            dots = "." * (margin + 2)
            yield f"{paint(Style.GUTTER, dots)} {bars().paint(paint)}"
        previous = line
        shown = show(source.line(line))
        room = _ROOM if most is None and shown.width > _LONG_LINE else most
        inline = [s for s in strokes if s.line == s.end_line == line]
        text, cut = (shown.text, 0) if room is None else shown.crop(room, *_extent(shown, inline))

        row = bars()
        row.put(depth, text, None)
        starting = [s for s in brackets if s.line == line]
        from_margin = [s for s in starting if not source.line(line)[: s.column - 1].strip()]
        for stroke in from_margin:
            row.put(2 * brackets[stroke], "/", stroke.style)
        yield f"{paint(Style.GUTTER, f'{line:>{margin}} |')} {row.paint(paint)}".rstrip()
        open_brackets.extend(from_margin)

        for stroke in (s for s in starting if s not in from_margin):
            row = _bracket(bars(), stroke, brackets[stroke], depth + shown.at(stroke.column) - cut)
            open_brackets.append(stroke)
            yield f"{edge} {row.paint(paint)}"
        for layer in _layers([_underline(shown, s, cut, room) for s in inline]):
            yield from (f"{edge} {row.paint(paint)}" for row in _underline_rows(layer, depth, bars))
        for stroke in (s for s in brackets if s.end_line == line):
            column = depth + shown.at(stroke.end_column - 1) - cut
            row = _bracket(bars(), stroke, brackets[stroke], column)
            if stroke.text:
                row.put(column + 2, stroke.text, stroke.style)
            open_brackets.remove(stroke)
            yield f"{edge} {row.paint(paint)}"


def _stroke(label: Label, primary: bool, severity: Style) -> _Stroke:
    span = label.span
    line, column = span.source.position(span.start)
    # The last character that is covered; an empty span (something is missing here) gets one column.
    end_line, end_column = span.source.position(max(span.end - 1, span.start))
    text = visible(label.text).replace("\n", " ")
    return _Stroke(line, column, end_line, end_column + 1, text, primary, severity if primary else Style.SECONDARY)


def _lanes(strokes: Sequence[_Stroke]) -> dict[_Stroke, int]:
    """A lane for each bracket, so that two in one lane share no line; the longer ones further left."""
    lanes: dict[_Stroke, int] = {}
    for stroke in sorted(set(strokes), key=lambda s: (s.line, -s.end_line)):
        taken = {lane for other, lane in lanes.items() if other.end_line >= stroke.line}
        lanes[stroke] = next(i for i in range(len(lanes) + 1) if i not in taken)
    return lanes


def _lines_to_show(strokes: Sequence[_Stroke]) -> list[int]:
    lines: set[int] = set()
    for stroke in strokes:
        size = stroke.end_line - stroke.line + 1
        lines.update(
            range(stroke.line, stroke.end_line + 1)
            if size <= _LONG_SPAN
            else (stroke.line, stroke.line + 1, stroke.end_line - 1, stroke.end_line)
        )
    # A single line between two shown ones takes no more room than leaving it out.
    lines.update(n + 1 for n in tuple(lines) if n + 2 in lines)
    return sorted(lines)


def _extent(shown: Shown, strokes: Sequence[_Stroke]) -> tuple[int, int]:
    """Display columns that the strokes of a line cover together."""
    if not strokes:
        return 0, 0
    return min(shown.at(s.column) for s in strokes), max(shown.at(s.end_column) for s in strokes)


def _underline(shown: Shown, stroke: _Stroke, cut: int, room: int | None) -> _Underline:
    start, end = shown.at(stroke.column) - cut, shown.at(stroke.end_column) - cut
    if room is not None:
        start, end = min(max(start, 0), room - 1), min(end, room)
    return _Underline(start, max(end, start + 1), stroke)


def _layers(underlines: Sequence[_Underline]) -> list[list[_Underline]]:
    """Rows in which no two underlines meet; the primary one in the first. Each is in order of columns."""
    layers: list[list[_Underline]] = []
    for one in sorted(underlines, key=lambda u: (not u.stroke.primary, u.start, u.end)):
        for layer in layers:
            if not any(_meet(one, other) for other in layer):
                layer.append(one)
                break
        else:
            layers.append([one])
    return [sorted(layer, key=lambda u: u.start) for layer in layers]


def _meet(a: _Underline, b: _Underline) -> bool:
    gap = 1 if a.stroke.primary == b.stroke.primary else 0
    return a.start < b.end + gap and b.start < a.end + gap


def _underline_rows(layer: Sequence[_Underline], depth: int, bars: Callable[[], _Row]) -> Iterator[_Row]:
    row = bars()
    for u in layer:
        row.put(depth + u.start, u.stroke.mark * (u.end - u.start), u.stroke.style)
    last = layer[-1]
    if last.stroke.text:
        row.put(depth + last.end + 1, last.stroke.text, last.stroke.style)
    yield row

    # What the last one says beside it need not be said again.
    hanging = [u for u in layer[:-1] if u.stroke.text and u.stroke.text != last.stroke.text]
    for count in range(len(hanging), -1, -1) if hanging else ():
        row = bars()
        for u in hanging[:count]:
            row.put(depth + u.start, "|", u.stroke.style)
        if count < len(hanging):
            u = hanging[count]
            row.put(depth + u.start, u.stroke.text, u.stroke.style)
        yield row


def _bracket(row: _Row, stroke: _Stroke, lane: int, column: int) -> _Row:
    """Draw ``____^`` from a lane to a column."""
    row.put(2 * lane + 1, "_" * (column - 2 * lane - 1), stroke.style)
    row.put(column, stroke.mark, stroke.style)
    return row
