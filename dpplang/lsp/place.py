"""Where the cursor is in its item, from the tokens alone: what a half-written line could go on with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from dpplang.core.source import Source
from dpplang.lsp.analysis import Analysis
from dpplang.syntax.isolate import Chunk, isolate
from dpplang.syntax.tokens import Token, tokenize
from dpplang.syntax.words import CLOSERS, DECLARING, ENTRY_WORDS, INFIX, ITEM_WORDS, OPENERS, ends_operand


class Spot(Enum):
    """What may stand at the cursor."""

    NOTHING = auto()  # a comment, a name that is being declared
    ITEM = auto()  # the start of a line
    ENTRY = auto()  # the start of a line of an atom's record
    FACT = auto()  # behind `curvature:` and its like
    EXPRESSION = auto()
    SHAPE = auto()  # sizes in the brackets of a declaration
    ATTRIBUTE = auto()
    DOMAIN = auto()  # behind `t in`
    CONE = auto()  # behind `x in`
    DUAL = auto()  # behind `dual`
    PATH = auto()  # the string of an import
    IMPORTED = auto()  # the names of an import


@dataclass(frozen=True, slots=True)
class CallAt:
    """The innermost call that is open at the cursor: ``position`` counts the commas before; ``keyword`` is the name of
    the argument that is being written, if it is a named one; ``named`` are those that were given by name."""

    function: str
    position: int
    keyword: str
    named: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """``start`` is where the word under the cursor begins, ``before`` the tokens of the item up to there."""

    spot: Spot
    start: int
    before: tuple[Token, ...]
    word: str  # that opens the item or entry; empty for a constraint
    call: CallAt | None
    path: str = ""


def place_at(analysis: Analysis, offset: int) -> Place:
    """The place of the cursor at an offset."""
    text = analysis.text
    line = text.rfind("\n", 0, offset) + 1
    base = _item_start(analysis, line)
    tokens = tokenize(Source("", text[base:offset]))
    comment = next((t for t in tokens.comments if base + t.end == offset), None)
    if comment is not None and "\n" not in text[base + comment.start : offset]:
        return Place(Spot.NOTHING, offset, (), "", None)
    code = tokens.code
    chunk, record = _last(isolate(Source("", text[base:offset]), code)[0], "")
    items = [] if chunk is None else [t for t in chunk.tokens if t.start < t.end]
    fresh = _is_fresh(items, text[base:offset], code)
    if fresh:
        items = []
    start = offset
    if items and items[-1].type == "NAME" and base + items[-1].end == offset:
        start = base + items.pop().start
    word = _word(items, record)
    found = _spot(items, word, record)
    path = ""
    if word == "from" and len(items) >= 2 and items[-1].type == "STRING" and not items[-1].text.endswith('"'):
        found = Spot.PATH
    quote = text.find('"', line, offset)
    if word == "from" and quote >= 0 and text.count('"', line, offset) == 1:
        found, path, start = Spot.PATH, text[quote + 1 : offset], quote + 1
    elif word == "from" and quote >= 0:
        path = text[quote + 1 : text.find('"', quote + 1)]
    return Place(found, start, tuple(items), word, call_at(items), path)


def _item_start(analysis: Analysis, line: int) -> int:
    """Where the piece begins that a line belongs to, or goes on with: the last one up to it that is not blank."""
    for piece in analysis.pieces_to(line):
        if any(part.strip()[:1] not in ("", "#") for part in piece.text.split("\n")):
            return piece.offset
    return 0


def _last(chunks: tuple[Chunk, ...], record: str) -> tuple[Chunk | None, str]:
    """The last item or entry, and the record that it is in; none behind the end of an atom."""
    if not chunks:
        return None, record
    chunk = chunks[-1]
    if chunk.body is None:
        return chunk, record
    return _last(chunk.body, chunk.tokens[0].text)


def _is_fresh(items: list[Token], text: str, code: tuple[Token, ...]) -> bool:
    """Whether the cursor stands on a new line behind an item that is over."""
    if not items:
        return True
    tail = text[items[-1].end :]
    if "\n" not in tail:
        return False
    depth = sum((t.type in OPENERS) - (t.type in CLOSERS) for t in items)
    goes_on = not ends_operand(items[-1]) or depth > 0
    return not goes_on


def _word(items: list[Token], record: str) -> str:
    if not items or items[0].type != "NAME":
        return ""
    first = items[0].text
    if record == "atom":
        return first if first in ENTRY_WORDS else ""
    return first if first in ITEM_WORDS and len(items) >= 1 else ""


def _spot(items: list[Token], word: str, record: str) -> Spot:
    if not items:
        return Spot.ENTRY if record == "atom" else Spot.ITEM
    last = items[-1]
    depth = _depth(items)
    if last.text == "dual" and last.type == "NAME":
        return Spot.DUAL
    if word == "from":
        return Spot.IMPORTED if any(t.text == "import" for t in items) else Spot.NOTHING
    if last.text == "in" and last.type == "NAME" and len(items) > 1:
        return _behind_in(items, word, depth)
    if word in ("kind", "variadic", "curvature", "sign", "monotone") and depth == 0:
        return Spot.FACT if last.type in ("COLON", "COMMA") else Spot.EXPRESSION
    if word in DECLARING - {"from", "func", "atom"} and not _has_equals(items):
        return _in_declaration(items, depth)
    if word in ("func", "atom") and not _has_equals(items):
        return _in_formals(items, depth)
    if word == "subject" and len(items) == 1:
        return Spot.NOTHING
    if word == "subject" and [t.text for t in items[:2]] == ["subject", "to"] and len(items) == 2:
        return Spot.ITEM
    return Spot.EXPRESSION


def _behind_in(items: list[Token], word: str, depth: int) -> Spot:
    before = items[-2]
    if depth > 0 or any(t.text == "for" for t in items):
        return Spot.DOMAIN
    if word == "var":
        return Spot.EXPRESSION
    return Spot.CONE if ends_operand(before) else Spot.EXPRESSION


def _in_declaration(items: list[Token], depth: int) -> Spot:
    last = items[-1]
    if depth > 0:
        return Spot.SHAPE
    if len(items) == 1 or last.type == "COMMA":
        return Spot.NOTHING
    return Spot.ATTRIBUTE if ends_operand(last) else Spot.EXPRESSION


def _in_formals(items: list[Token], depth: int) -> Spot:
    last = items[-1]
    if depth >= 2:
        return Spot.SHAPE
    if depth == 1 and last.type not in ("LPAR", "COMMA"):
        return Spot.ATTRIBUTE if ends_operand(last) else Spot.EXPRESSION
    return Spot.NOTHING


def _has_equals(items: list[Token]) -> bool:
    """Whether a `=` stands outside of brackets since the last comma there."""
    depth, seen = 0, False
    for token in items:
        depth += (token.type in OPENERS) - (token.type in CLOSERS)
        if depth == 0 and token.type == "COMMA":
            seen = False
        seen = seen or (depth == 0 and token.type == "ASSIGN")
    return seen


def _depth(items: list[Token]) -> int:
    return sum((t.type in OPENERS) - (t.type in CLOSERS) for t in items)


def call_at(items: list[Token]) -> CallAt | None:
    """The innermost open call before the cursor; brackets of an index or a list within it do not count."""
    stack: list[tuple[Token | None, list[Token]]] = []
    before: Token | None = None
    for token in items:
        if token.type in OPENERS:
            is_call = token.type == "LPAR" and before is not None and before.type == "NAME" and before.text not in INFIX
            stack.append((before if is_call else None, []))
        elif token.type in CLOSERS:
            if stack:
                stack.pop()
        elif stack:
            stack[-1][1].append(token)
        before = token
    for function, inside in reversed(stack):
        if function is not None:
            return _call(function.text, inside)
    return None


def _call(function: str, inside: list[Token]) -> CallAt:
    parts: list[list[Token]] = [[]]
    for token in inside:
        if token.type == "COMMA":
            parts.append([])
        else:
            parts[-1].append(token)
    names = [p[0].text if len(p) > 1 and p[1].type == "ASSIGN" else "" for p in parts]
    return CallAt(function, len(parts) - 1, names[-1], tuple(n for n in names if n))
