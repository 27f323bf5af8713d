"""Whole items as other languages write them, and what they are here."""

from __future__ import annotations

from collections.abc import Callable

from dpplang.core.source import Source
from dpplang.syntax.idioms.declarations import declaration, model, nameless, typed
from dpplang.syntax.idioms.functions import anonymous, augmented, definition, importing
from dpplang.syntax.idioms.idiom import Idiom, Tokens
from dpplang.syntax.idioms.loops import loop, trailing_loop
from dpplang.syntax.idioms.statements import constraint_list, noise, objective

Reading = Callable[[Source, Tokens], Idiom | None]

_ASSIGNMENTS: tuple[Reading, ...] = (nameless, model, objective, constraint_list, typed)
_READINGS: tuple[Reading, ...] = (
    *(loop, trailing_loop, definition, anonymous, importing, augmented, model, objective, constraint_list),
    *(noise, declaration, typed),
)


def read(source: Source, tokens: Tokens, parses: bool) -> Idiom | None:
    """What the tokens of an item are in another language, where they do not parse, or only with `=` for `==`."""
    for reading in _ASSIGNMENTS if parses else _READINGS:
        found = reading(source, tokens)
        if found is not None:
            return found
    return None
