"""One line of a good program broken: a token dropped, doubled or swapped with its neighbour."""

from __future__ import annotations

import random
from dataclasses import dataclass

from dpplang.core.source import Source
from dpplang.syntax.tokens import tokenize


@dataclass(frozen=True)
class Broken:
    """``line`` (from 1) was broken by ``how``."""

    text: str
    line: int
    how: str


def broken(text: str, rng: random.Random) -> Broken | None:
    """Break one token of one line of code; None if that changes nothing."""
    source = Source("", text)
    tokens = [t for t in tokenize(source).code if t.type != "\n"]
    at = rng.randrange(len(tokens))
    token = tokens[at]
    how = rng.choice(["drop", "double", "swap"])
    after = tokens[at + 1] if at + 1 < len(tokens) else token
    if how == "swap" and source.position(after.start)[0] == source.position(token.start)[0]:
        made = text[: token.start] + after.text + text[token.end : after.start] + token.text + text[after.end :]
    elif how == "double":
        made = text[: token.end] + " " + token.text + text[token.end :]
    else:
        how, made = "drop", text[: token.start] + text[token.end :]
    return None if made == text else Broken(made, source.position(token.start)[0], f"{how} `{token.text}`")
