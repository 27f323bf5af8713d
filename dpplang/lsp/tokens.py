"""Semantic tokens: what every word is, told apart by what it is bound to.

The classes of tokens are those of ``syntax/classes.py``, on which the editors' grammars are held too; names are what
:mod:`names` finds them to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lsprotocol.types import SemanticTokensEdit, SemanticTokensLegend

from dpplang.core.common import common_ends
from dpplang.core.source import Piece
from dpplang.lsp.analysis import Analysis
from dpplang.lsp.lines import Lines
from dpplang.lsp.names import Kind, Space, free
from dpplang.lsp.view import View
from dpplang.syntax import ast
from dpplang.syntax.classes import Class

TYPES = (
    *("keyword", "comment", "string", "number", "operator"),
    *("variable", "parameter", "property", "typeParameter", "function", "enumMember"),
    *("modifier", "type", "macro", "label"),
)
MODIFIERS = ("declaration", "readonly", "defaultLibrary", "documentation", "static", "modification")
LEGEND = SemanticTokensLegend(list(TYPES), list(MODIFIERS))

_CLASSES: dict[Class, tuple[str, ...]] = {
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
    known = {m.span.start: m for item in analysis.items_in(start, end) for m in analysis.names.of(item)}
    for token in analysis.classes(start, end):
        mention = known.get(token.start)
        words = None if mention is None else KINDS.get(analysis.names.kind(mention))
        if words is None:
            words = _CLASSES.get(token.kind)
        elif mention is not None and mention.declares:
            words = (*words, "declaration")
        if words is not None:
            yield Token(token.start, token.end, TYPES.index(words[0]), _bits(words[1:]))


def _bits(modifiers: Sequence[str]) -> int:
    return sum(1 << MODIFIERS.index(m) for m in modifiers)


def encode(found: Iterable[Token], lines: Lines) -> list[int]:
    """Five numbers for every token: lines and units from the last, length in units, type, modifiers."""
    data: list[int] = []
    line = units = 0
    for token in found:
        at = lines.position(token.start)
        length = lines.encoding.width(lines.text[token.start : token.end])
        data += (at.line - line, at.character - (units if at.line == line else 0), length, token.type, token.modifiers)
        line, units = at.line, at.character
    return data


def encoded(view: View) -> list[int]:
    """:func:`encode` of all tokens. Those of a piece are kept while the names in it mean what they did."""
    analysis, lines = view.analysis, view.lines
    declared = analysis.names.declared
    data: list[int] = []
    last = start = 0  # lines: of the last token, and where the piece begins
    for piece, items in analysis.items_of_pieces():
        looked_up = analysis.kept.of(piece, "free", lambda _, items=items: _free(analysis, items))
        kinds = [found and found[0].kind for found in map(declared.get, looked_up)]

        def numbers(piece: Piece, start: int = start) -> tuple[list[int], int]:
            found = encode(tokens(view, piece.offset, piece.offset + len(piece.text)), lines)
            if found:
                found[0] -= start
            return found, sum(found[::5])

        found, down = analysis.kept.while_same(piece, f"tokens {lines.encoding.value}", kinds, numbers)
        if found:
            data.append(start + found[0] - last)
            data += found[1:]
            last = start + down
        start += piece.lines
    return data


def _free(analysis: Analysis, items: Iterable[ast.AnyItem]) -> tuple[tuple[Space, str], ...]:
    """What the kinds of the names in items depend on."""
    return tuple({key for item in items for m in analysis.names.of(item) if (key := free(m)) is not None})


def delta(before: Sequence[int], after: Sequence[int]) -> list[SemanticTokensEdit]:
    """What to replace in the old numbers to get the new: one stretch, between what is common at both ends."""
    head, tail = common_ends(before, after)
    if head == len(before) == len(after):
        return []
    return [SemanticTokensEdit(head, len(before) - head - tail, list(after[head : len(after) - tail]))]
