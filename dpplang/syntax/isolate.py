"""Item isolation: tokens to chunks, one per item, so that each is parsed alone and one broken line hides no other.

An item ends at a newline outside brackets, unless the line ends in an operator or a comma; or, on one line, where a
word that can only open the next item follows an operand. A bracket that is never closed ends with its line, or with the
last line that is indented deeper than the item's first: what follows is read as if it had been closed there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.source import Source
from dpplang.syntax import brackets
from dpplang.syntax.limits import MAX_BRACKETS
from dpplang.syntax.token import Token
from dpplang.syntax.words import (
    CLOSERS,
    DECLARING,
    ENTRY_WORDS,
    INFIX,
    ITEM_WORDS,
    OPENERS,
    ends_operand,
    stands_as_keyword,
)

_GOES_ON = frozenset({"PLUS", "MINUS", "STAR", "SLASH", "AT", "CARET", "COMMA", "COLON", "ASSIGN"}) | frozenset(
    {"EQUAL", "LESS_EQUAL", "GREATER_EQUAL", "PRECEDES", "SUCCEEDS", "LESS", "GREATER", "UNEQUAL"}
)
_WORDS = ITEM_WORDS | frozenset(ENTRY_WORDS)
_RECORDS = (("atom",), ("atom", "graph"))  # what `{` may open, and within what
_LONGEST_LABEL = 200  # tokens of `name[ … ]:` looked at
NEVER_IN_GRAPH = frozenset({"dim", "data", "param", "derived", "func", "from", "atom", "return"})


@dataclass(frozen=True, slots=True)
class Chunk:
    """The tokens of one item, without newlines; for an atom or a graph, of what stands before ``{``, and its ``body``.

    ``faulty``: its brackets were wrong and have been reported; further syntax errors would only repeat that.
    ``end`` is where the item ends, the ``}`` included.
    """

    tokens: tuple[Token, ...]
    body: tuple[Chunk, ...] | None
    faulty: bool
    end: int


def isolate(source: Source, tokens: tuple[Token, ...]) -> tuple[tuple[Chunk, ...], tuple[Diagnostic, ...]]:
    """Split a file's tokens. The tokens end with a newline."""
    splitter = _Splitter(source, tokens)
    return tuple(splitter.items(None)), tuple(splitter.found)


class _Splitter:
    """One walk over the tokens; ``at`` is the next to read."""

    def __init__(self, source: Source, tokens: tuple[Token, ...]) -> None:
        self.source = source
        self.tokens = tokens
        self.at = 0
        self.found: list[Diagnostic] = []
        self.within: tuple[str, ...] = ()  # the words of the records that are open
        self.strays = 0  # `{` that open nothing, and were not closed yet

    def items(self, record: Token | None) -> list[Chunk]:
        """Items up to the end of the file, or up to the ``}`` of a ``record``, which is its word: `atom` or `graph`."""
        chunks: list[Chunk] = []
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.type == "\n":
                self.at += 1
            elif token.type == "}" and (self.strays or record is None):
                self._stray_close(token)
                self.at += 1
            elif token.type == "}" or (record is not None and self._leaves(record)):
                break
            else:
                if self.strays and token.text in NEVER_IN_GRAPH - {"param"} and self._column(token) == 0:
                    self.strays = 0  # whatever a `{` was to hold, this stands outside of it
                chunks.append(self._item())
        return chunks

    def _item(self) -> Chunk:
        """One item. Everything that is wrong with its brackets is reported and mended."""
        start, kept, stack, faulty = self.at, list[Token](), list[Token](), False
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.type == "\n":
                if stack and self._interrupts(kept, stack):
                    return self._unclosed(start, stack[-1])
                if not stack and (self.strays or not self._goes_on(kept)):
                    break
            elif token.type == "{":
                if kept and (*self.within, kept[0].text) in _RECORDS:
                    if stack:
                        self.found.append(brackets.unclosed(self.source, stack[-1], kept[-1].end))
                        kept.extend(_closing(o, kept[-1].end) for o in reversed(stack))
                    return self._record(kept, token, faulty or bool(stack))
                self.found.append(brackets.stray(self.source, token, kept))
                self.strays += 1
                faulty = True
            elif token.type == "}" and self.strays:
                self._stray_close(token)
                faulty = True
            elif token.type == "}":
                if stack:
                    return self._unclosed(start, stack[-1])
                break
            elif token.type in OPENERS:
                if len(stack) == MAX_BRACKETS:
                    return self._too_deep(kept, token)
                stack.append(token)
                kept.append(token)
            elif token.type in CLOSERS:
                mended = self._close(stack, token, faulty)
                faulty = faulty or mended != [token]
                kept.extend(mended)
            elif not stack and kept and self._splits(kept):
                break
            else:
                kept.append(token)
            self.at += 1
        if stack:
            return self._unclosed(start, stack[-1])
        return Chunk(tuple(kept), None, faulty, kept[-1].end if kept else self.tokens[start].end)

    def _stray_close(self, token: Token) -> None:
        """A `}` whose `{` was reported says nothing new."""
        if self.strays:
            self.strays -= 1
        else:
            self.found.append(brackets.stray(self.source, token))

    def _record(self, head: list[Token], opener: Token, faulty: bool) -> Chunk:
        self.at += 1
        outer, self.within = self.within, (*self.within, head[0].text)
        body = tuple(self.items(head[0]))
        self.within = outer
        closed = self.at < len(self.tokens) and self.tokens[self.at].type == "}"
        end = self.tokens[self.at].end if closed else body[-1].end if body else opener.end
        if closed:
            self.at += 1
        else:
            self.found.append(brackets.unclosed(self.source, opener, end))
        return Chunk(tuple(head), body, faulty, end)

    def _close(self, stack: list[Token], token: Token, faulty: bool) -> list[Token]:
        """What a closing bracket is read as: itself, with those that are missing before it, another, or nothing.

        Where brackets of the item were wrong before (``faulty``), what does not match may be right: nothing is said.
        """
        if stack and OPENERS[stack[-1].type] == token.type:
            stack.pop()
            return [token]
        if not stack:
            found, read = brackets.stray(self.source, token), list[Token]()
        else:
            opener = stack.pop()
            if any(o.type == CLOSERS[token.type] for o in stack):
                found = brackets.unclosed(self.source, opener, token.start)
                read = [_closing(opener, token.start), *self._close(stack, token, True)]
            else:
                found = brackets.mismatched(self.source, opener, token)
                read = [_closing(opener, token.start)]
        if not faulty:
            self.found.append(found)
        return read

    def _unclosed(self, start: int, opener: Token) -> Chunk:
        """End the item behind the line of ``opener``, at the first that looks new; close its brackets there."""
        margin = self._column(self.tokens[start])
        cut = next(i for i in range(start, len(self.tokens)) if self.tokens[i].start >= opener.start)
        while cut < self.at and not (self.tokens[cut].type == "\n" and self._looks_new(cut + 1, margin)):
            cut += 1
        kept, stack = list[Token](), list[Token]()
        for token in self.tokens[start:cut]:
            if token.type in OPENERS:
                stack.append(token)
            elif token.type in CLOSERS and stack and OPENERS[stack[-1].type] == token.type:
                stack.pop()
            if token.type not in ("\n", "{", "}"):
                kept.append(token)
        end = kept[-1].end
        shapes = kept[0].text in DECLARING and all(t.type != "ASSIGN" for t in kept)
        if shapes and stack and stack[-1].type == "LSQB":
            return self._doubled_shape(kept, stack, cut)
        blamed = stack[-1] if stack else opener
        self.found.append(brackets.unclosed(self.source, blamed, end))
        kept.extend(_closing(o, end) for o in reversed(stack))
        self.at = cut
        return Chunk(tuple(kept), None, True, end)

    def _doubled_shape(self, kept: list[Token], stack: list[Token], cut: int) -> Chunk:
        """`x[[n]` in a declaration has one bracket too many; `x[n` one too few."""
        at = next((i for i in range(1, len(kept)) if kept[i].type == kept[i - 1].type == "LSQB"), None)
        end = kept[-1].end
        self.found.append(brackets.unclosed(self.source, stack[-1] if at is None else kept[at], end))
        if at is not None:
            del kept[at], stack[-1]
        kept.extend(_closing(o, end) for o in reversed(stack))
        self.at = cut
        return Chunk(tuple(kept), None, True, end)

    def _too_deep(self, kept: list[Token], token: Token) -> Chunk:
        """Give the item up, with all the lines its brackets span."""
        self.found.append(brackets.too_deep(self.source, token))
        depth = MAX_BRACKETS
        while self.at + 1 < len(self.tokens) and not (
            self.tokens[self.at].type == "\n" and (depth <= 0 or self._opens_item(self.at + 1))
        ):
            depth += (self.tokens[self.at].type in OPENERS) - (self.tokens[self.at].type in CLOSERS)
            self.at += 1
        return Chunk(tuple(kept), None, True, self.tokens[self.at].start)

    # --- where items begin and end -------------------------------------------------------------------------------

    def _goes_on(self, kept: list[Token]) -> bool:
        """Whether an item goes on behind the newline at ``self.at``."""
        if not kept:
            return False
        last, following = kept[-1], self._next_code(self.at + 1)
        if following is None or self.tokens[following].type == "}":
            return False
        if self._opens_item(following):  # `def f(x):` and its `return` are one item
            return kept[0].text == "def" and last.type == "COLON" and self.tokens[following].text == "return"
        if len(kept) == 1 and last.text != "find" and last.text in _WORDS:
            return self._begins_operand(following) or self.tokens[following].type == "{"
        if kept[0].text in ("atom", "graph") and self.tokens[following].type == "{":
            return True
        if _is_subject_to(kept):
            return False
        return last.type in _GOES_ON or (last.text in INFIX and len(kept) > 1)

    def _splits(self, kept: list[Token]) -> bool:
        """Whether the word at ``self.at``, behind ``kept`` on one line, opens the next item."""
        if _is_subject_to(kept) and self.tokens[self.at].type != "COLON":
            return True
        if (len(kept) < 2 and kept[0].text != "find") or kept[-1].text == "lambda":
            return False
        return (ends_operand(kept[-1]) or kept[-1].text == "find") and self._opens_item(self.at)

    def _opens_item(self, at: int) -> bool:
        """Whether an item or entry opens at the next token of code for certain."""
        found = self._next_code(at)
        if found is None or self.tokens[found].type != "NAME":
            return False
        text = self.tokens[found].text
        if text in ITEM_WORDS or (text in ("test", "graph") and self.within == ("atom",)):
            return stands_as_keyword(text, self.tokens[found + 1])
        return is_label(self.tokens, found)

    def _interrupts(self, kept: list[Token], stack: list[Token]) -> bool:
        """Whether the line behind ``self.at`` opens an item although brackets are open: they were never closed then."""
        found = self._next_code(self.at + 1)
        if found is None:
            return True
        if not self._opens_item(found):
            return False
        text = self.tokens[found].text
        if text in ITEM_WORDS:
            return text != "param" or kept[0].text != "atom"  # there it is the mode of a formal
        # `a:b` is a slice inside brackets, unless it would follow an operand or an argument
        argument = kept[-1].type == "COMMA" and stack[-1].type == "LPAR"
        return ends_operand(kept[-1]) or (argument and is_label(self.tokens, found))

    def _looks_new(self, at: int, margin: int) -> bool:
        """Whether a line looks like an item of its own: it opens one, or is not indented deeper than the last."""
        found = self._next_code(at)
        if found is None or self._opens_item(found):
            return True
        token = self.tokens[found]
        return self._column(token) <= margin and token.type not in CLOSERS and token.type not in _GOES_ON

    def _leaves(self, record: Token) -> bool:
        """Whether the line at ``self.at`` stands outside a record that was not closed: a file's item, not indented."""
        token = self.tokens[self.at]
        outside = NEVER_IN_GRAPH if record.text == "graph" else ITEM_WORDS
        return token.text in outside and self._opens_item(self.at) and self._column(token) <= self._column(record)

    def _begins_operand(self, at: int) -> bool:
        return self.tokens[at].type in {"NAME", "NUMBER", "STRING", "LPAR", "LSQB", "MINUS", "PLUS"}

    def _next_code(self, at: int) -> int | None:
        while at < len(self.tokens):
            if self.tokens[at].type != "\n":
                return at
            at += 1
        return None

    def _column(self, token: Token) -> int:
        return token.start - self.source.text.rfind("\n", 0, token.start) - 1


def is_label(tokens: Sequence[Token], at: int) -> bool:
    """Whether ``name:`` or ``name[ … ]:`` stands at a name, on one line."""
    depth = 0
    for token in tokens[at + 1 : at + 1 + _LONGEST_LABEL]:
        if depth == 0 and token.type != "LSQB":
            return token.type == "COLON"
        if token.type == "\n":
            return False
        depth += (token.type in OPENERS) - (token.type in CLOSERS)
    return False


def _is_subject_to(kept: list[Token]) -> bool:
    return len(kept) in (2, 3) and kept[0].text == "subject" and kept[1].text == "to"


def _closing(opener: Token, at: int) -> Token:
    type_ = OPENERS[opener.type]
    return Token(type_, {"RPAR": ")", "RSQB": "]"}[type_], at, at)
