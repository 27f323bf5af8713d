"""What things are called: CVXPY's names and the caller's where they can be names, others made up."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from dpplang.syntax.words import DECLARING, INFIX, ITEM_WORDS

RESERVED = INFIX | ITEM_WORDS | DECLARING | {"inf", "not", "value", "dual", "const", "test", "graph"}
"""Words that are, or may be read as, something else where a name stands."""


class Names:
    """Names of one program, each given once.

    Args:
        given: the caller's, name → CVXPY object or array. taken: names of dims.
    """

    def __init__(self, given: Mapping[str, Any], taken: Mapping[str, int]) -> None:
        self._by_id = {id(thing): word for word, thing in reversed(list(given.items())) if not word.startswith("_")}
        self._order: dict[int, int] = {}
        for thing in given.values():
            for one in thing if isinstance(thing, list | tuple) else (thing,):
                self._order.setdefault(id(one), len(self._order))
        self._taken = set(taken)
        self.things: dict[str, Any] = {}

    def for_(self, thing: Any, own: str | None, otherwise: str) -> str:
        """The name of a CVXPY object: the caller's, else its own, else ``otherwise``; numbered if that is taken."""
        return self.fresh(self._by_id.get(id(thing)) or own or otherwise, thing)

    def order(self, thing: Any) -> int:
        """Where an object stands among those that the caller has names for; behind all of them if he has none."""
        return self._order.get(id(thing), len(self._order))

    def given(self, thing: Any) -> str | None:
        """The caller's name of an object."""
        return self._by_id.get(id(thing))

    def fresh(self, wanted: str, thing: Any = None) -> str:
        """A name that is free: ``wanted``, or with the first number from 2 that makes it so."""
        base = spelled(wanted)
        word, count = base, 1
        while word in self._taken:
            count += 1
            word = f"{base}{'_' if base[-1].isdigit() else ''}{count}"
        self._taken.add(word)
        if thing is not None:
            self.things[word] = thing
        return word


def own_name(leaf: Any) -> str | None:
    """The name that a variable or parameter was given, or None: CVXPY numbers those that have none."""
    text = str(leaf.name())
    return None if re.fullmatch(rf"(var|param){leaf.id}", text) else text


def spelled(text: str) -> str:
    """An identifier as near to a text as can be."""
    word = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", text)).strip("_") or "x"
    word = f"x{word}" if word[0].isdigit() else word
    return f"{word}_" if word in RESERVED else word
