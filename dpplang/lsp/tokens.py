"""Semantic tokens: what every word is, told apart by what it is bound to.

The classes of tokens are those of ``syntax/classes.py``, on which the editors' grammars are held too; names are what
:mod:`names` finds them to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import eq
from typing import TypeAlias

from dpplang.core.common import common_start
from dpplang.core.source import Piece
from dpplang.lsp.kept import Column
from dpplang.lsp.lines import Lines
from dpplang.lsp.names import Kind, Space, free
from dpplang.lsp.offers import MODIFIERS, TYPES
from dpplang.lsp.view import View
from dpplang.syntax import ast
from dpplang.syntax.classes import Class, Classified
from dpplang.syntax.parser import Part

CLASSES: dict[Class, tuple[str, ...]] = {
    Class.COMMENT: ("comment",),
    Class.DOC: ("comment", "documentation"),
    Class.DECLARATOR: ("keyword",),
    Class.KEYWORD: ("keyword",),
    Class.JOINT: ("keyword",),
    Class.ATTRIBUTE: ("modifier",),
    Class.CONE: ("type", "defaultLibrary"),
    Class.NUMBER: ("number",),
    Class.STRING: ("string",),
    Class.OPERATOR: ("operator",),
}
KINDS: dict[Kind, tuple[str, ...]] = {
    Kind.VAR: ("variable",),
    Kind.DATA: ("variable", "readonly"),
    Kind.PARAM: ("parameter",),
    Kind.DERIVED: ("parameter", "readonly"),
    Kind.LET: ("macro",),
    Kind.DIM: ("typeParameter",),
    Kind.INDEX: ("variable", "static"),
    Kind.FORMAL: ("property",),
    Kind.FUNC: ("function",),
    Kind.ATOM: ("function", "defaultLibrary"),
    Kind.PRIMITIVE: ("function", "defaultLibrary", "static"),
    Kind.NUMERIC: ("function", "defaultLibrary", "readonly"),
    Kind.CONSTRAINT: ("label",),
    Kind.CONE: ("type", "defaultLibrary"),
    Kind.CONSTANT: ("enumMember", "defaultLibrary"),
}


@dataclass(frozen=True, slots=True)
class Token:
    """[start, end) of the text; ``modifiers`` is a bit set."""

    start: int
    end: int
    type: int
    modifiers: int


def tokens(view: View, start: int, end: int) -> Iterator[Token]:
    """The tokens that have a part in [start, end), in order; brackets and unknown names have none."""
    analysis = view.analysis
    return _tokens(view, analysis.items_in(start, end), analysis.classes(start, end), 0)


def _tokens(view: View, items: Iterable[ast.AnyItem], found: Iterable[Classified], at: int) -> Iterator[Token]:
    """The tokens of some classes, whose offsets are from ``at``; the items around have their names."""
    names = view.analysis.names
    known = {m.span.start: m for item in items for m in names.of(item)}
    for token in found:
        start = at + token.start
        mention = known.get(start)
        look = None if mention is None else _OF_KINDS.get((names.kind(mention), mention.declares))
        look = _OF_CLASSES.get(token.kind) if look is None else look
        if look is not None:
            yield Token(start, at + token.end, *look)


def _look(words: Sequence[str]) -> tuple[int, int]:
    """A type and its modifiers, as they are sent."""
    return TYPES.index(words[0]), sum(1 << MODIFIERS.index(m) for m in words[1:])


_OF_CLASSES = {kind: _look(words) for kind, words in CLASSES.items()}
_OF_KINDS = {(kind, False): _look(words) for kind, words in KINDS.items()}
_OF_KINDS |= {(kind, True): _look((*words, "declaration")) for kind, words in KINDS.items()}


def encode(found: Iterable[Token], lines: Lines) -> list[int]:
    """Five numbers for every token: lines and units from the last, length in units, type, modifiers."""
    data: list[int] = []
    line = units = 0
    for token in found:
        at, column = lines.place(token.start)
        length = lines.encoding.width(lines.text[token.start : token.end])
        data += (at - line, column - (units if at == line else 0), length, token.type, token.modifiers)
        line, units = at, column
    return data


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """The tokens of a piece, wherever that stands.

    Attributes:
        first: the line of the first, from the piece's first line. rest: the numbers behind that one, as they are sent.
        count: of tokens. down: lines from the first to the last. names: on whose kinds they depend.
    """

    first: int
    rest: str
    count: int
    down: int
    names: frozenset[tuple[Space, str]]


Chunk: TypeAlias = tuple[int, Encoded]
"""The tokens of a piece, and the lines from the last token before to their first."""


@dataclass(slots=True)
class Encodings:
    """The tokens of the pieces of one text, and what names meant when they were encoded."""

    kinds: Mapping[tuple[Space, str], Kind] = field(default_factory=dict[tuple[Space, str], Kind])
    pieces: Column[tuple[Piece, Part], Encoded] = field(default_factory=Column[tuple[Piece, Part], Encoded])

    def update(self, view: View) -> Sequence[Encoded]:
        before, kinds = self.kinds, view.analysis.names.kinds
        changed = set() if kinds == before else {k for k in {*kinds, *before} if kinds.get(k) is not before.get(k)}
        stale = (lambda found: not changed.isdisjoint(found.names)) if changed else None
        self.kinds = kinds
        return self.pieces.update(view.analysis.parts, lambda part: _encoded(view, *part), stale)


def encoded(view: View) -> list[Chunk]:
    """:func:`encode` of all tokens, piece by piece. A piece is encoded anew when names in it mean something else."""
    found = view.analysis.kept.state(f"tokens {view.encoding.value}", Encodings).update(view)
    chunks: list[Chunk] = []
    last = start = 0  # lines: of the last token, and where the piece begins
    for (piece, _), own in zip(view.analysis.parts, found, strict=True):
        if own.count:
            chunks.append((start + own.first - last, own))
            last = start + own.first + own.down
        start += piece.lines
    return chunks


def _encoded(view: View, piece: Piece, part: Part) -> Encoded:
    names = view.analysis.names
    found = _tokens(view, part.items, view.analysis.classes_of(piece), piece.offset)
    numbers = encode(found, view.lines)
    free_names = frozenset(key for item in part.items for m in names.of(item) if (key := free(m)) is not None)
    if not numbers:
        return Encoded(0, "", 0, 0, free_names)
    first = numbers[0] - view.lines.line_of(piece.offset)
    rest = ",".join(map(str, numbers[1:]))
    return Encoded(first, rest, len(numbers) // 5, sum(numbers[5::5]), free_names)


def written(chunks: Iterable[Chunk]) -> str:
    """The numbers, as they are sent."""
    return f"[{','.join([f'{lines},{own.rest}' for lines, own in chunks])}]"


def delta(before: Sequence[Chunk], after: Sequence[Chunk]) -> str:
    """What to replace in the old numbers to get the new, as it is sent: the pieces between what is common at both
    ends."""
    head = common_start(before, after, eq)
    tail = common_start(before[: head - 1 if head else None : -1], after[: head - 1 if head else None : -1], eq)
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    if not old and not new:
        return "[]"
    start, deleted = (5 * sum(own.count for _, own in chunks) for chunks in (before[:head], old))
    return f'[{{"start":{start},"deleteCount":{deleted},"data":{written(new)}}}]'
