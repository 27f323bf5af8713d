"""Text to tokens, by the terminals of the grammar; what only looks like one is replaced by the one that is meant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from dpplang.core.diagnostics import Diagnostic, Label
from dpplang.core.source import Source, Span
from dpplang.syntax import slips
from dpplang.syntax.limits import MAX_PATIENCE
from dpplang.syntax.tables import lexer_pattern, load_tables
from dpplang.syntax.token import Token
from dpplang.syntax.words import ITEM_WORDS, ends_operand


@dataclass(frozen=True, slots=True)
class Tokens:
    """``code`` without comments; ``comments`` are the ``#`` and ``##`` tokens (types ``COMMENT`` and ``DOC``)."""

    code: tuple[Token, ...]
    comments: tuple[Token, ...]
    diagnostics: tuple[Diagnostic, ...]


@cache
def _lexer() -> tuple[re.Pattern[str], dict[str, str]]:
    """The lexer, and the type of every sign by its text."""
    tables = load_tables()
    types = {text: name for name, text in tables.terminals.items() if not text.isidentifier()}
    types |= {own: own for own in "{}\n"}
    return lexer_pattern(tables, slips.FIRST, ("{", "}", *slips.SIGNS)), types


def tokenize(source: Source) -> Tokens:
    """Never fails: characters that mean nothing are reported and left out."""
    pattern, types = _lexer()
    code: list[Token] = []
    comments: list[Token] = []
    found: list[Diagnostic] = []
    text = source.text
    position, end = 0, len(text)
    later: dict[int, tuple[int, tuple[tuple[str, str], ...]]] = {}
    while position < end:
        if later and position in later:
            start = position
            position, meant = later.pop(position)
            code.extend(Token(types.get(part, kind), part, start, position) for kind, part in meant)
            continue
        match = pattern.match(text, position)
        assert match is not None  # OTHER_ takes any character
        kind, part, start = match.lastgroup, match.group(), position
        position = match.end()
        match kind:
            case "SPACE":
                continue
            case "NAME" if not part.isascii():
                position = _word(source, part, start, code, found)
            case "NAME" | "STRING":
                code.append(Token(kind, part, start, position))
            case "NUMBER":
                code.append(Token(kind, part, start, position))
                found.extend(slips.number(Span(source, start, position)))
            case "NEWLINE":
                code.append(Token("\n", part, start, position))
            case "DOC" | "COMMENT":
                comments.append(Token(kind, part, start, position))
            case "SIGN_" if part in types:
                code.append(Token(types[part], part, start, position))
            case _:
                position = _other(source, start, types, code, found, later)
    code.append(Token("\n", "", end, end))
    return Tokens(tuple(code), tuple(comments), tuple(found))


def _word(source: Source, word: str, start: int, code: list[Token], found: list[Diagnostic]) -> int:
    """A word with letters beyond ASCII: stops before a raised ``²``; named by its NFKC form, as in Python."""
    from unicodedata import normalize

    size = next((i for i, c in enumerate(word) if c in slips.RAISED or not ("a" + c).isidentifier()), len(word))
    if size == 0:
        return _other(source, start, _lexer()[1], code, found, {})
    code.append(Token("NAME", normalize("NFKC", word[:size]), start, start + size))
    return start + size


def _other(
    source: Source,
    start: int,
    types: dict[str, str],
    code: list[Token],
    found: list[Diagnostic],
    later: dict[int, tuple[int, tuple[tuple[str, str], ...]]],
) -> int:
    """A slip (``**``, ``≤``, ``&&``) is reported and read as what was meant; anything else is reported and left out."""
    if len(found) > MAX_PATIENCE:
        found.append(Diagnostic("SYN002", "this means nothing here", Label(Span(source, start, start + 1))))
        return start + 1
    operand = bool(code) and ends_operand(code[-1]) and code[-1].text not in ITEM_WORDS
    slip = slips.read(source, start, operand)
    found.append(slip.diagnostic)
    for type_, text in slip.meant:
        code.append(Token(types.get(text, type_), text, start, slip.end))
    later.update({begin: (end, meant) for begin, end, meant in slip.later})
    return slip.end
