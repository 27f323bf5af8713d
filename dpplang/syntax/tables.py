"""The LALR tables of ``grammar/dpp.lark``: made by Lark, kept as JSON in the user's cache, run by ``machine.py``.

Lark is imported only to make them (tens of milliseconds); a warm start reads one small file of numbers and strings.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, cast

from dpplang.core.errors import InternalError
from dpplang.core.resources import resource_dir
from dpplang.syntax.cache import cache_dir, read_cached, write_cached

STARTS = ("item", "atom_head", "entry", "expression")
_FORMAT = "2"
_MAKING = Lock()
"""Lark reads its grammar by Python's own parser, which CPython 3.11 does not let two threads use at once."""


@dataclass(frozen=True, slots=True)
class Production:
    """``origin`` → ``size`` symbols; ``build`` names the builder, ``""`` where a list is only spliced into its parent.

    ``kept`` are the positions whose values the builder sees (punctuation is dropped); a production with ``unwrap``
    and one kept value is that value.
    """

    origin: str
    build: str
    size: int
    kept: tuple[int, ...]
    unwrap: bool


@dataclass(frozen=True)
class Tables:
    """``rows[state][symbol]`` is the next state, or ``~p`` to reduce production ``p``; ``terminals`` maps each fixed
    terminal to its text, ``patterns`` the others to their regular expressions."""

    rows: tuple[dict[str, int], ...]
    productions: tuple[Production, ...]
    start: dict[str, int]
    end: dict[str, int]
    terminals: dict[str, str]
    patterns: dict[str, str]

    @cached_property
    def keywords(self) -> dict[str, str]:
        """Text of every soft keyword → its terminal."""
        return {text: name for name, text in self.terminals.items() if text.isidentifier()}


@cache
def load_tables() -> Tables:
    """The tables of the packaged grammar.

    Raises:
        InternalError: the packaged grammar is missing.
    """
    grammar = (resource_dir("grammar") / "dpp.lark").read_text(encoding="utf-8")
    key = hashlib.sha256("\0".join((_FORMAT, _lark_version(), grammar)).encode()).hexdigest()
    path = cache_dir() / f"grammar-{key[:24]}.json"
    cached = read_cached(path)
    if cached is not None:
        try:
            return _decode(json.loads(cached))
        except (ValueError, KeyError, TypeError, IndexError):
            pass  # damaged: make it anew
    with _MAKING:
        plain = _make(grammar)
    write_cached(path, json.dumps(plain, separators=(",", ":")))
    return _decode(plain)


def _lark_version() -> str:
    """What tells one Lark from another without importing it: its ``__init__.py``, which holds the version."""
    spec = find_spec("lark")
    if spec is None or spec.origin is None:
        raise InternalError("the package `lark` is missing: reinstall dpplang")
    return Path(spec.origin).read_text(encoding="utf-8")


def _decode(plain: dict[str, Any]) -> Tables:
    productions = tuple(
        Production(str(o), str(b), int(n), tuple(map(int, kept)), bool(u)) for o, b, n, kept, u in plain["productions"]
    )
    rows = tuple(cast("dict[str, int]", row) for row in plain["rows"])
    if not all(-len(productions) <= action < len(rows) for row in rows for action in row.values()):
        raise ValueError("an action that is out of range")
    return Tables(rows, productions, plain["start"], plain["end"], plain["terminals"], plain["patterns"])


def _make(grammar: str) -> dict[str, Any]:
    """Lark's tables as plain JSON values."""
    from lark import Lark
    from lark.lexer import Lexer, PatternStr
    from lark.parsers.lalr_analysis import Shift

    class NoLexer(Lexer):
        """Tokens come from ``tokens.py``: spare Lark building its own lexers."""

        def __init__(self, conf: object) -> None: ...

        def lex(self, lexer_state: object, parser_state: object) -> Any:
            return iter(())

    lark = Lark(grammar, parser="lalr", lexer=NoLexer, start=list(STARTS), maybe_placeholders=False)
    table: Any = cast("Any", lark).parser.parser._parse_table
    number = {id(rule): i for i, rule in enumerate(lark.rules)}
    state = {s: i for i, s in enumerate(_reached(table, Shift))}
    rows: list[dict[str, int]] = []
    for name in state:
        actions = table.states[name]
        rows.append(
            {
                sym: state[arg] if act is Shift else ~number[id(arg)]
                for sym, (act, arg) in sorted(actions.items(), key=_symbol)
            }
        )
    productions: list[tuple[str, str, int, list[int], bool]] = []
    for rule in lark.rules:
        kept = [i for i, s in enumerate(rule.expansion) if not getattr(s, "filter_out", False)]
        origin = str(rule.origin.name)
        build = "" if origin.startswith("_") else str(rule.alias or origin)
        productions.append((origin, build, len(rule.expansion), kept, bool(rule.options.expand1 and not rule.alias)))
    fixed = {t.name: t.pattern.value for t in lark.terminals if isinstance(t.pattern, PatternStr)}
    return {
        "rows": rows,
        "productions": productions,
        "start": {k: state[v] for k, v in table.start_states.items()},
        "end": {k: state[v] for k, v in table.end_states.items()},
        "terminals": fixed,
        "patterns": {t.name: t.pattern.to_regexp() for t in lark.terminals if t.name not in fixed},
    }


def _reached(table: Any, shift: object) -> list[Any]:
    """The states in an order that does not depend on how Lark happened to number them."""
    states = [table.start_states[start] for start in STARTS]
    for state in states:  # grows as it is walked
        for _, (action, target) in sorted(table.states[state].items(), key=_symbol):
            if action is shift and target not in states:
                states.append(target)
    return states


def _symbol(entry: tuple[str, object]) -> str:
    return entry[0]


def lexer_pattern(tables: Tables, first: str, extra: tuple[str, ...]) -> re.Pattern[str]:
    """One regular expression for all tokens: ``FIRST_`` for the pattern ``first``, a named group per pattern of the
    grammar, ``SIGN_`` for the fixed signs and ``extra`` texts, longest first, and ``OTHER_`` for the rest."""
    signs = [text for text in tables.terminals.values() if not text.isidentifier()]
    fixed = sorted({*signs, *extra}, key=lambda text: (-len(text), text))
    groups = [f"(?P<{name}>{regex})" for name, regex in tables.patterns.items()]
    groups.append(f"(?P<SIGN_>{'|'.join(map(re.escape, fixed))})")
    return re.compile("|".join((f"(?P<FIRST_>{first})", *groups, "(?P<OTHER_>.)")), re.DOTALL)
