"""What every token of a text is, for those who colour it: from the tokens and where they stand in their item, unparsed.

A text need not be right, or whole: nothing here fails, and a broken item disturbs no other. On what does parse the
classes are those of the tree (tests/syntax/test_classes.py). Highlighters that have only regular expressions
(editors/generate) are held against this one.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from itertools import pairwise
from typing import NamedTuple

from dpplang.core.source import Source
from dpplang.syntax.isolate import Chunk, isolate
from dpplang.syntax.parser import labelled
from dpplang.syntax.token import END, Token
from dpplang.syntax.tokens import tokenize
from dpplang.syntax.words import (
    CLAUSE_ENTRIES,
    CLOSERS,
    DECLARING,
    ENTRY_WORDS,
    INFIX,
    ITEM_WORDS,
    MODES,
    OPENERS,
    is_word,
    stands_as_keyword,
)


class Class(Enum):
    """``DECLARATOR``: the word that opens a declaration; ``KEYWORD``: any other that opens an item or entry, and the
    ``to`` of ``subject to``; ``JOINT``: a keyword within an item (``in``, ``for``, ``dual`` …, an argument's mode)."""

    COMMENT = "comment"
    DOC = "doc"
    DECLARATOR = "declarator"
    KEYWORD = "keyword"
    JOINT = "joint"
    DECLARED = "declared name"
    LABEL = "constraint's name"
    CALLED = "called name"
    ATTRIBUTE = "attribute, or an atom's fact"
    CONE = "cone"
    NAME = "name"
    NUMBER = "number"
    STRING = "string"
    OPERATOR = "operator"
    PUNCTUATION = "punctuation"


class Classified(NamedTuple):
    """The text from ``start`` to ``end`` (code points) is of this class."""

    start: int
    end: int
    kind: Class


_FIXED = {
    "COMMENT": Class.COMMENT,
    "DOC": Class.DOC,
    "NUMBER": Class.NUMBER,
    "STRING": Class.STRING,
    **dict.fromkeys((*OPENERS, *CLOSERS, "COMMA", "COLON", "{", "}", "ELLIPSIS"), Class.PUNCTUATION),
}
_NO_OPERANDS = frozenset({Class.DECLARATOR, Class.KEYWORD, Class.JOINT, Class.OPERATOR, Class.PUNCTUATION})


def classify(source: Source) -> tuple[Classified, ...]:
    """Every token and comment, in order of the text; between them is only white space, and what means nothing."""
    tokens = tokenize(source)
    found: dict[int, Classified] = {}
    for token in (*tokens.code, *tokens.comments):
        if token.type != "\n":
            found[token.start] = Classified(token.start, token.end, _FIXED.get(token.type, Class.OPERATOR))
    for chunk in isolate(source, tokens.code)[0]:
        for token, kind in _chunk(chunk, ""):
            if token.start < token.end:  # the brackets that isolation adds are empty
                found[token.start] = Classified(token.start, token.end, kind)
    return tuple(found[start] for start in sorted(found))


def _chunk(chunk: Chunk, record: str) -> Iterator[tuple[Token, Class]]:
    """The classes of an item and its body; in the ``record`` ``atom`` it is an entry, in ``graph`` or none an item."""
    if chunk.tokens:
        tokens = chunk.tokens if record == "atom" else labelled(chunk.tokens)
        yield from _Item(tokens, record).classes()
        for part in chunk.body or ():
            yield from _chunk(part, chunk.tokens[0].text)


class _Item:
    """One walk over an item's tokens.

    ``level`` is the depth of brackets at which names are declared, −1 behind the last; ``fresh``: the next one is.
    ``attributed``: what follows an operand at that depth is an attribute; not so behind ``=``.
    """

    def __init__(self, tokens: tuple[Token, ...], record: str) -> None:
        self.tokens = tokens
        self.word = _opener(tokens, record)
        self.level = (0 if self.word in DECLARING else -1) if self.word not in ("func", "atom") else 1
        self.depth = 0
        self.fresh = self.attributed = self.level >= 0
        self.operand = False

    def classes(self) -> Iterator[tuple[Token, Class]]:
        end = Token(END, "", self.tokens[-1].end, self.tokens[-1].end)
        before = end
        for token, following in pairwise((*self.tokens, end)):
            if before is end and self.word:
                kind = Class.DECLARATOR if self.word in DECLARING else Class.KEYWORD
            elif token.type == "NAME":
                kind = self._name(token, before, following)
            else:
                kind = Class.LABEL if token.type == "LABEL" else _FIXED.get(token.type, Class.OPERATOR)
            yield token, kind
            self._step(token)
            self.operand = kind not in _NO_OPERANDS or token.type in CLOSERS or token.type == "QUOTE"
            before = token

    def _name(self, token: Token, before: Token, following: Token) -> Class:
        if self.word == "subject" and before is self.tokens[0]:
            return Class.KEYWORD
        outside = "not in" in (f"{token.text} {following.text}", f"{before.text} {token.text}")
        if (self.operand and token.text in INFIX) or outside:
            self.fresh = self.word == "from"  # behind `import`
            return Class.JOINT
        if self.operand and self.attributed and self.depth == self.level:
            return Class.ATTRIBUTE
        declares = self.fresh and self.depth == self.level
        if not self.operand and self._joins(token, before, following, declares):
            return Class.JOINT
        if not self.operand and (declares or (self.level == 1 and self.depth == 0)):
            self.fresh = self.depth != self.level  # behind a func's own name its arguments follow
            return Class.DECLARED
        if self.depth == 0 and self.word in CLAUSE_ENTRIES and before.type in ("COLON", "COMMA"):
            return Class.ATTRIBUTE
        if self.depth == 0 and self.word in ("", "domain", "test") and before.text == "in" and not self.operand:
            return Class.CONE
        return Class.CALLED if following.type == "LPAR" else Class.NAME

    def _joins(self, token: Token, before: Token, following: Token, declares: bool) -> bool:
        """Whether a word where an operand, or a name to declare, may begin is a keyword all the same."""
        if token.text in MODES:
            return declares and before.type in ("LPAR", "COMMA") and is_word(following)
        if token.text == "not":  # conditions stand in brackets, or alone behind one word
            condition = self.depth > 0 or self.word == "requires"
            return condition and not declares and stands_as_keyword("not", following)
        return token.text == "dual" and not declares and stands_as_keyword("dual", following)

    def _step(self, token: Token) -> None:
        """What a bracket, a comma or a ``=`` changes for the tokens behind it."""
        if token.type in OPENERS:
            self.depth += 1
        elif token.type in CLOSERS:
            self.depth -= 1
            if self.level == 1 and self.depth == 0:
                self.level = -1  # behind the arguments of a func
        elif self.depth == self.level and token.type == "COMMA":
            self.fresh = self.attributed = self.word not in ("derived", "let")
        elif self.depth == self.level and token.type == "ASSIGN":
            self.attributed = False


def _opener(tokens: tuple[Token, ...], record: str) -> str:
    """The keyword that opens an item or entry; empty for a constraint."""
    first = tokens[0]
    following = tokens[1] if len(tokens) > 1 else Token(END, "", first.end, first.end)
    if first.type != "NAME":
        return ""
    if record == "atom":
        return first.text if first.text in ENTRY_WORDS else ""
    return first.text if first.text in ITEM_WORDS and stands_as_keyword(first.text, following) else ""
