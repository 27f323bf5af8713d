"""Whatever is done to a program, parsing it never raises, says why in words, and prints back what it kept."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from dpplang.core.source import Source
from dpplang.syntax.parser import parse, parse_expression
from dpplang.syntax.printer import print_file
from dpplang.syntax.tokens import tokenize
from tests.syntax.helpers import FILES, read
from tests.syntax.test_messages import check_words

TEXTS = [path.read_text(encoding="utf-8") for path in FILES]
JUNK = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "'",
    '"',
    "=",
    "==",
    "<",
    ",",
    ":",
    "\n",
    "in",
    "for",
    "minimize",
    "dual",
    "#",
    "##",
    "é",
    "≤",
    "\0",
    "²",
    "1e",
    ";",
    "atom",
    "graph",
]


def damaged(text: str, rng: random.Random) -> str:
    """A piece of the text with one to four tokens deleted, doubled, swapped or put in, or characters cut."""
    lines = text.split("\n")
    start = rng.randrange(len(lines))
    text = "\n".join(lines[start : start + rng.randrange(5, 40)])
    for _ in range(rng.randrange(1, 5)):
        tokens = tokenize(Source("", text)).code
        token = rng.choice(tokens)
        other = rng.choice(tokens)
        replacement = rng.choice(["", token.text * 2, other.text, rng.choice(JUNK), f" {rng.choice(JUNK)} "])
        text = text[: token.start] + replacement + text[token.end :]
        if rng.random() < 0.2 and text:
            cut = rng.randrange(len(text))
            text = text[:cut] + text[cut + rng.randrange(1, 8) :]
    return text


@pytest.mark.parametrize("seed", range(20))
def test_damaged_programs(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(20):
        text = damaged(rng.choice(TEXTS), rng)
        parsed = read(text)
        for d in parsed.diagnostics:
            check_words(d)
            assert d.primary is not None and 0 <= d.primary.span.start <= d.primary.span.end <= len(text)
        printed = print_file(parsed.file)
        again = parse(Source("again", printed))
        # A chain that runs both ways is only said of a chain that has no other mistake.
        known = ("SYN011", "SYN019", "SYN020", "SYN026")
        assert not [d for d in again.diagnostics if d.code not in known], (text, printed)
        # where an item was dropped, a doc may find itself at the top of the file
        kept = [replace(item, doc="") for item in parsed.file.items]
        assert [replace(item, doc="") for item in again.file.items] == kept


def test_noise() -> None:
    rng = random.Random(0)
    for _ in range(300):
        text = "".join(rng.choice([*JUNK, " ", "x", "2", "n"]) for _ in range(rng.randrange(30)))
        for d in (*read(text).diagnostics, *parse_expression(Source("", text))[1]):
            check_words(d)
