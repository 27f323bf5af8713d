"""Mistakes with one likely meaning: the tokens that were meant, to be tried, and what to say if they do parse.

What is mended is reported once and read on as meant: one mistake gives one error, and the item's names stay known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix, Label
from dpplang.core.source import Source, Span
from dpplang.syntax.brackets import opener
from dpplang.syntax.machine import Stuck
from dpplang.syntax.token import Token
from dpplang.syntax.words import CLOSERS, ENTRY_WORDS, INFIX, ITEM_WORDS, OPENERS, ends_operand, is_word

# Words of other languages for what an item does.
_ALIASES = {
    "min": "minimize", "minimise": "minimize", "max": "maximize", "maximise": "maximize", "objective": "minimize",
    "parameter": "param", "parameters": "param", "params": "param", "input": "param",
    "variable": "var", "variables": "var", "vars": "var", "decision": "var",
    "const": "data", "constant": "data", "given": "data", "dims": "dim", "size": "dim", "sizes": "dim", "int": "dim",
    "def": "func", "function": "func", "fn": "func", "define": "let", "where": "let",
    "import": "from", "include": "from", "output": "return", "returns": "return", "outputs": "return",
    "set": "dim", "index": "dim", "assign": "let", "satisfy": "find", "solve": "find", "transformed": "derived",
}  # fmt: skip
_SUBJECT_TO = frozenset({"st", "such", "constraints", "constraint", "subject", "subj", "subjectto", "with"})


@dataclass(frozen=True, slots=True)
class Mend:
    """``tokens`` to try in the place of the item's; ``diagnostic`` if they parse."""

    tokens: tuple[Token, ...]
    diagnostic: Diagnostic


def mends(source: Source, start: str, tokens: Sequence[Token], outcome: Stuck) -> Iterator[Mend]:
    """What the item may have been meant as, likeliest first."""
    if start == "item":
        yield from _subject_to(source, tokens)
        yield from _keyword(source, tokens, ITEM_WORDS, _ALIASES)
    if start == "entry":
        yield from _keyword(source, tokens, frozenset(ENTRY_WORDS), {})
    yield from _doubled(source, tokens, outcome)
    yield from _replaced(source, tokens, outcome)
    yield from _between(source, tokens, outcome)


def near(word: str, words: Sequence[str]) -> str | None:
    """The word of ``words`` that differs by a slip of the fingers."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word.lower(), words, 1, 0.75)), None)


def _keyword(source: Source, tokens: Sequence[Token], words: frozenset[str], aliases: dict[str, str]) -> Iterator[Mend]:
    first = tokens[0]
    if first.type not in ("NAME", "LABEL") or first.text in words:
        return
    meant = aliases.get(first.text.lower()) or near(first.text, sorted(words))
    if meant is None:
        return
    span = first.span(source)
    fix = Fix(f"write `{meant}`", (Edit(span, meant),), Applicability.SAFE)
    message = f"`{first.text}` is no keyword: is it `{meant}`?"
    rest = (Token("NAME", "to", first.end, first.end),) if meant == "subject" and len(tokens) == 1 else ()
    yield Mend(
        (first._replace(type="NAME", text=meant), *rest, *tokens[1:]),
        Diagnostic("SYN013", message, Label(span, f"write `{meant}`"), fixes=(fix,)),
    )


def _subject_to(source: Source, tokens: Sequence[Token]) -> Iterator[Mend]:
    """``subject to:``, ``subject``, ``such that``, ``constraints:`` and the like, alone in their line."""
    words = [t.text.lower() for t in tokens if t.type != "COLON"]
    known = bool(words) and words[0] in _SUBJECT_TO and (len(words) == 1 or words[1:] in (["to"], ["that"]))
    if not known or len(tokens) > 3:
        return
    span = tokens[0].span(source).to(tokens[-1].span(source))
    fix = Fix("write `subject to`", (Edit(span, "subject to"),), Applicability.SAFE)
    message = "the line before the constraints is `subject to`"
    if words == ["subject", "to"]:
        message += ", without a colon"
    meant = (tokens[0]._replace(type="NAME", text="subject"), Token("NAME", "to", span.end, span.end))
    yield Mend(meant, Diagnostic("SYN012", message, Label(span, "write `subject to`"), fixes=(fix,)))


def _between(source: Source, tokens: Sequence[Token], outcome: Stuck) -> Iterator[Mend]:
    """Something is missing between two operands: ``2 x``, ``f(a b)``, ``param x[n] y[n]``."""
    at = outcome.index
    if at == len(tokens) or at == 0:
        return
    token, before = tokens[at], tokens[at - 1]
    if token.type == "LSQB" and is_word(before) and at >= 2 and ends_operand(tokens[at - 2]):
        yield _inserted(source, tokens, at - 1, ",")  # the name was read as an attribute
    if two_relations(tokens, at) or not ends_operand(before) or token.type not in ("NAME", "NUMBER", "LPAR", "LSQB"):
        return
    if before.type == "NUMBER" and token.type in ("NAME", "LPAR"):
        yield _inserted(source, tokens, at, "*")
    if before.type == "QUOTE" and token.type == "NAME" and token.text not in INFIX:
        yield _inserted(source, tokens, at, "@")
    if _either(tokens, at):
        return
    if "COMMA" in outcome.expected:
        yield _inserted(source, tokens, at, ",")


def two_relations(tokens: Sequence[Token], at: int) -> bool:
    """Whether relations stand on both sides of ``at``, outside brackets: two constraints on one line."""
    depth, found = 0, [False, False]
    for position, token in enumerate(tokens):
        depth += (token.type in OPENERS) - (token.type in CLOSERS)
        if depth == 0 and token.type in ("EQUAL", "LESS_EQUAL", "GREATER_EQUAL", "LESS", "GREATER", "ASSIGN"):
            found[position >= at] = True
    return all(found) and tokens[0].text not in ITEM_WORDS


def _either(tokens: Sequence[Token], at: int) -> bool:
    """``f(A x)``: a product or two arguments, only the author knows."""
    if not (is_word(tokens[at - 1]) or tokens[at - 1].type in CLOSERS) or not is_word(tokens[at]):
        return False
    following = tokens[at + 1].type if at + 1 < len(tokens) else ""
    opened = opener(tokens, at)
    called = opened is not None and opened > 0 and tokens[opened].type == "LPAR" and is_word(tokens[opened - 1])
    return called and following != "ASSIGN"


_ONCE = frozenset({"NAME", "COMMA", "STAR", "AT", "EQUAL", "LESS_EQUAL", "GREATER_EQUAL", "ASSIGN"})


def _doubled(source: Source, tokens: Sequence[Token], outcome: Stuck) -> Iterator[Mend]:
    """``for for i in n``, ``var x x[n]``, ``a + + * b``: one token too many."""
    for at in (outcome.index, outcome.index - 1):
        if 0 < at < len(tokens) and tokens[at].text == tokens[at - 1].text and tokens[at].type in _ONCE:
            span = Span(source, tokens[at - 1].end, tokens[at].end)
            fix = Fix("leave out the second", (Edit(span, ""),), Applicability.SAFE)
            message = f"`{tokens[at].text}` stands here twice"
            diagnostic = Diagnostic("SYN010", message, Label(tokens[at].span(source), "the second"), fixes=(fix,))
            yield Mend((*tokens[:at], *tokens[at + 1 :]), diagnostic)


def _replaced(source: Source, tokens: Sequence[Token], outcome: Stuck) -> Iterator[Mend]:
    """``for i = 0:n``, ``for i n``, ``where`` for ``if``, ``let r == e``, ``0,5``."""
    at = outcome.index
    if at == len(tokens) or at == 0:
        return
    token, before = tokens[at], tokens[at - 1]
    span = token.span(source)
    if token.type == "ASSIGN" and "IN" in outcome.expected:
        message = f"an index is in a set: `{before.text} in …`"
        yield _instead(source, tokens, at, at + 1, Token("NAME", "in", *token[2:]), "SYN006", message)
    elif token.type in ("NAME", "NUMBER") and outcome.expected == frozenset({"IN"}) and token.text not in INFIX:
        place = Span(source, before.end, span.start)
        fix = Fix("write `in`", (Edit(place, " in "),), Applicability.SAFE)
        message = f"an `in` is missing between `{before.text}` and `{token.text}`"
        meant = (*tokens[:at], Token("NAME", "in", before.end, before.end), *tokens[at:])
        yield Mend(meant, Diagnostic("SYN010", message, Label(span, "`in` is missing before this"), fixes=(fix,)))
    elif token.text == "where" and "IF" in outcome.expected:
        message = "the condition of an index stands behind `if`"
        yield _instead(source, tokens, at, at + 1, token._replace(text="if"), "SYN006", message)
    elif token.type == "EQUAL" and "ASSIGN" in outcome.expected and tokens[0].text in _DEFINING:
        message = f"`{tokens[0].text}` gives a name with a single `=`"
        yield _instead(source, tokens, at, at + 1, Token("ASSIGN", "=", *token[2:]), "SYN007", message)
    elif token.type == "COMMA" and at + 1 < len(tokens) and _decimal(before, token, tokens[at + 1]):
        text = f"{before.text}.{tokens[at + 1].text}"
        number = Token("NUMBER", text, before.start, tokens[at + 1].end)
        message = f"a number is written with a point: `{text}`"
        yield _instead(source, tokens, at - 1, at + 2, number, "SYN006", message)


_DEFINING = frozenset({"let", "derived", "func", "data", "dim"})


def _decimal(whole: Token, comma: Token, part: Token) -> bool:
    """``0,5``, without spaces."""
    return whole.text.isdigit() and part.text.isdigit() and whole.end == comma.start and comma.end == part.start


def _instead(
    source: Source, tokens: Sequence[Token], start: int, stop: int, token: Token, code: str, message: str
) -> Mend:
    """``token`` in the place of those from ``start`` up to ``stop``."""
    span = Span(source, tokens[start].start, tokens[stop - 1].end)
    fix = Fix(f"write `{token.text}`", (Edit(span, token.text),), Applicability.SAFE)
    diagnostic = Diagnostic(code, message, Label(span, fix.title), fixes=(fix,))
    return Mend((*tokens[:start], token, *tokens[stop:]), diagnostic)


def _inserted(source: Source, tokens: Sequence[Token], at: int, text: str) -> Mend:
    type_ = {",": "COMMA", "*": "STAR", "@": "AT"}[text]
    left, right = tokens[at - 1], tokens[at]
    gap = Span(source, left.end, right.start)
    written = f"{text} " if text == "," else f" {text} "
    fix = Fix(f"write `{text}` between them", (Edit(gap, written),), Applicability.UNSAFE)
    a, b = _shown(source, left), _shown(source, right)
    message = f"a `{text}` is missing between {a} and {b}"
    label = Label(right.span(source), f"`{text}` is missing before this")
    diagnostic = Diagnostic("SYN010", message, label, fixes=(fix,))
    return Mend((*tokens[:at], Token(type_, text, left.end, left.end), *tokens[at:]), diagnostic)


def _shown(source: Source, token: Token) -> str:
    return f"`{token.span(source).text or token.text}`"
