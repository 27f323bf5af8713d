"""Parsing again after an edit: a text is cut into pieces of whole items, and what is as before keeps its trees.

A text is cut before a line where :mod:`isolate` is sure to begin an item, whatever stands elsewhere: what it decides up
to there, and from there on, then depends on that side alone. The rules here are those of ``_Splitter``, for lines.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from operator import eq

from dpplang.core.common import common_ends, common_start
from dpplang.core.source import Piece, Source
from dpplang.syntax import foreign
from dpplang.syntax.isolate import NEVER_IN_GRAPH, is_label
from dpplang.syntax.limits import MAX_BRACKETS, MAX_CHARACTERS
from dpplang.syntax.parser import Parsed, Part, assemble, parse_part
from dpplang.syntax.tokens import tokenize
from dpplang.syntax.words import CLOSERS, ENTRY_WORDS, ITEM_WORDS, OPENERS, ends_operand, leads, stands_as_keyword

_WORDS = (ITEM_WORDS | frozenset(ENTRY_WORDS)) - {"find"}
_DOC = re.compile(r"[ \t\r\f\u00a0\ufeff]*##")
_NOWHERE = 1 << 30  # braces that no line closes: where an item was given up that has too many brackets
_MOST_LINES = 20_000  # kept of all that were seen


@dataclass(frozen=True, slots=True)
class _Line:
    """What cutting needs to know of a line of code; ``None`` stands for a line without any.

    Attributes:
        opens: the word that opens an item here for certain, ``:`` for a label, else empty.
        leaves: whether that item, not indented, ends every record that is still open.
        ends: whether an operand ends the line, so that nothing goes on behind it. ``closes``: with a bracket, which
            might be one too many.
        lone: it ends in a word that could open an item or entry, and would go on if it did.
        brace: it begins with a brace, or with an operator that may continue the line before.
        brackets: those opened above that it closes, and those it leaves open, outermost first; None where two do
            not match.
        braces: (net, lowest): what their depth grows by, and the least it is afterwards.
    """

    opens: str
    leaves: bool
    ends: bool
    closes: bool
    lone: bool
    brace: bool
    brackets: tuple[str, str] | None
    braces: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Cuts:
    """Where a text is cut.

    Attributes:
        begins: starts of the lines that begin an item behind another, for certain: how the text goes on there depends
            on nothing above. cuts: for each of them, the end of the item above and the start of its own with its doc.
        end: of the last item.
    """

    text: str = ""
    begins: tuple[int, ...] = ()
    cuts: tuple[tuple[int, int], ...] = ()
    end: int = 0

    def ranges(self) -> list[tuple[int, int]]:
        """The pieces, none of which is empty but that of an empty text."""
        offsets = dict.fromkeys((0, *chain.from_iterable(self.cuts), self.end, len(self.text)))
        return list(pairwise(offsets)) or [(0, 0)]


@dataclass(slots=True)
class Pieces:
    """The pieces of one text as it changes. What is remembered of earlier versions never changes an answer."""

    _cuts: _Cuts = field(default_factory=_Cuts)
    _taken: list[tuple[Piece, Part]] = field(default_factory=list["tuple[Piece, Part]"])
    _lines: dict[str, _Line | None] = field(default_factory=dict[str, "_Line | None"])

    def parse(self, source: Source) -> tuple[Parsed, tuple[tuple[Piece, Part], ...]]:
        """Parse the newest version of the text, as :func:`dpplang.syntax.parser.parse` does: the whole, and its pieces.

        A piece that is left of the last version is the same pair as there. Trees of earlier versions share their nodes
        with this one, and their spans move: they are not to be used again.
        """
        text = source.text
        if len(text) > MAX_CHARACTERS:
            return assemble(source, []), ()
        if len(self._lines) > _MOST_LINES:
            self._lines.clear()
        self._cuts = _Cuts(text, end=len(text)) if foreign.spans_lines(text) else _cut(text, self._lines, self._cuts)
        ranges = self._cuts.ranges()
        self._taken = taken = self._take(source.name, [text[start:end] for start, end in ranges])
        for (start, _), (piece, _) in zip(ranges, taken, strict=True):
            piece.place(source, start)
        return assemble(source, [part for _, part in taken]), tuple(taken)

    def _take(self, name: str, texts: list[str]) -> list[tuple[Piece, Part]]:
        """A piece for every text, in order: one that is left of the last version if there is one of that text."""
        before = self._taken
        known = [piece.text for piece, _ in before]
        head = common_start(known, texts, eq)
        inner = max(head, 1)  # the first is parsed unlike the others
        tail = common_start(known[: inner - 1 : -1], texts[: inner - 1 : -1], eq)
        left = defaultdict[str, list[tuple[Piece, Part]]](list)
        for old in before[inner : len(before) - tail]:
            left[old[0].text].append(old)
        changed: list[tuple[Piece, Part]] = []
        for position, text in enumerate(texts[head : len(texts) - tail], head):
            waiting = left.get(text) if position else None
            changed.append(waiting.pop(0) if waiting else _parsed(name, text, first=position == 0))
        return [*before[:head], *changed, *before[len(before) - tail :]]


def _parsed(name: str, text: str, *, first: bool) -> tuple[Piece, Part]:
    piece = Piece(name, text)
    return piece, parse_part(piece, first=first)


def _cut(text: str, known: dict[str, _Line | None], before: _Cuts) -> _Cuts:
    """Where to cut a text: before and behind every item with its doc.

    Args:
        known: lines that were read, to be added to. before: the cuts of another version, which hold as far as the texts
            are the same.
    """
    head, tail = common_ends(before.text, text)
    shift = len(text) - len(before.text)
    first = bisect_left(before.begins, max(head - 1, 0))
    while first and before.text.find("\n", before.begins[first - 1]) not in range(head):
        first -= 1  # its line is not the same to its end
    begins, cuts = list(before.begins[:first]), list(before.cuts[:first])
    doc: int | None = None  # where the doc begins that stands directly above
    last: _Line | None = None
    end = 0
    brackets: str | None = ""
    braces = 0
    for start, stop in _line_ranges(text, begins[-1] if begins else 0):
        content = text[start:stop]
        if content not in known:
            known[content] = _read(content)
        line = known[content]
        if line is None:
            own = _DOC.match(content)
            doc = (start if doc is None else doc) if own else None
            continue
        if last is not None and _begins(line, last, brackets, braces):
            begins.append(start)
            cuts.append((end, start if doc is None else doc))
            brackets, braces = "", 0
            at = bisect_left(before.begins, start - shift)
            if start >= len(text) - tail and before.begins[at : at + 1] == (start - shift,):
                begins += [b + shift for b in before.begins[at + 1 :]]
                cuts += [(e + shift, d + shift) for e, d in before.cuts[at + 1 :]]
                return _Cuts(text, tuple(begins), tuple(cuts), before.end + shift)
        doc = None
        brackets = _closed_and_opened(brackets, line)
        deep = brackets is not None and len(brackets) >= MAX_BRACKETS
        braces = _NOWHERE if deep else max(braces + line.braces[0], line.braces[1])
        last, end = line, min(stop + 1, len(text))
    return _Cuts(text, tuple(begins), tuple(cuts), end)


def _begins(line: _Line, last: _Line, brackets: str | None, braces: int) -> bool:
    """Whether an item is sure to begin at ``line``.

    Args:
        last: the line of code before. brackets: those that are open; None if some did not match. braces: how many are
            open, at most.
    """
    if braces:
        return line.leaves
    if line.opens == ":":
        return last.ends and (brackets is not None or not last.closes)
    if line.opens:
        return brackets == "" or line.opens != "param"
    return brackets == "" and last.ends and not last.lone and not line.brace


def _closed_and_opened(brackets: str | None, line: _Line) -> str | None:
    if brackets is None or line.brackets is None:
        return None
    closed, opened = line.brackets
    if not brackets.endswith(closed):
        return None
    return brackets[: len(brackets) - len(closed)] + opened


def _line_ranges(text: str, start: int) -> Iterator[tuple[int, int]]:
    """The lines from the one that begins at ``start`` on, without what ends them."""
    while (stop := text.find("\n", start)) >= 0:
        yield start, stop
        start = stop + 1
    yield start, len(text)


def _read(content: str) -> _Line | None:
    code = tokenize(Source("", content)).code
    words = [t for t in code if t.type != "\n"]
    if not words:
        return None
    first, last = words[0], words[-1]
    opens = ""
    if first is code[0] and first.type == "NAME":
        if first.text in ITEM_WORDS:
            opens = first.text if stands_as_keyword(first.text, code[1]) else ""
        elif is_label(code, 0):
            opens = ":"
    deep = sum(t.type in OPENERS for t in words) >= MAX_BRACKETS
    return _Line(
        opens,
        opens in NEVER_IN_GRAPH and opens != "param" and first.start == 0,
        ends_operand(last) and code[-2] is last,
        last.type in CLOSERS,
        last.text in _WORDS,
        first.type in ("{", "}") or leads(first),
        _brackets([t.type for t in words]),
        (_NOWHERE, _NOWHERE) if deep else _depth([(t.type == "{") - (t.type == "}") for t in words]),
    )


def _brackets(types: Sequence[str]) -> tuple[str, str] | None:
    """What the line closes, as what was opened, outermost first, and what it leaves open, one letter each."""
    closed, opened = "", ""
    for type_ in types:
        if type_ in OPENERS:
            opened += type_[1]
        elif type_ in CLOSERS:
            opener = CLOSERS[type_][1]
            if not opened:
                closed = opener + closed
            elif opened[-1] == opener:
                opened = opened[:-1]
            else:
                return None
    return closed, opened


def _depth(steps: Sequence[int]) -> tuple[int, int]:
    """Net growth, and the depth behind the steps if it begins at 0 and is never below."""
    lowest = 0
    for step in steps:
        lowest = max(lowest + step, 0)
    return sum(steps), lowest
