"""The LALR automaton: runs the tables over the tokens of one item.

Lark's own driver would do, but not import in time; and here a word becomes a keyword only in a state that allows one,
every value knows its exact span and depth, and a token that surely means another (``=`` for ``==``) is taken for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dpplang.syntax.limits import MAX_DEPTH
from dpplang.syntax.tables import Tables
from dpplang.syntax.token import END, Token
from dpplang.syntax.words import stands_as_keyword

Build = Callable[[str, list[Any], int, int], Any]  # production, values, start, end → value

# Taken for the second where only that is possible.
_REPAIRS = {"ASSIGN": "EQUAL", "LESS": "LESS_EQUAL", "GREATER": "GREATER_EQUAL"}


@dataclass(frozen=True, slots=True)
class Parse:
    """``repairs``: tokens that were taken for another terminal."""

    value: Any
    repairs: tuple[tuple[Token, str], ...]


@dataclass(frozen=True)
class Stuck:
    """No parse: ``tokens[index]`` (past the last: the end) is none of ``expected``; ``before``: what was read.

    ``states``: the automaton's, from which ``expected`` follows when it is asked for: of most errors of a text that is
    wrong all over it never is.
    """

    index: int
    tables: Tables
    states: tuple[int, ...]
    before: tuple[str, ...]
    repairs: tuple[tuple[Token, str], ...]

    @cached_property
    def expected(self) -> frozenset[str]:
        return expected(self.tables, self.states)


@dataclass(frozen=True, slots=True)
class TooDeep:
    """The expression [start, end) is nested deeper than MAX_DEPTH."""

    start: int
    end: int


def run(tables: Tables, start: str, tokens: Sequence[Token], build: Build) -> Parse | Stuck | TooDeep:
    """Parse ``tokens`` as the grammar's ``start`` symbol; ``build`` makes the values, bottom up, left to right."""
    keywords, rows, productions = tables.keywords, tables.rows, tables.productions
    final = tables.end[start]
    states = [tables.start[start]]
    symbols: list[str] = []
    values: list[Any] = []
    spans: list[tuple[int, int]] = []
    depths: list[int] = []
    repairs: list[tuple[Token, str]] = []
    offset = tokens[-1].end if tokens else 0
    end = Token(END, "", offset, offset)
    for index in range(len(tokens) + 1):
        token = tokens[index] if index < len(tokens) else end
        type_ = token.type
        if type_ == "NAME" and (keyword := keywords.get(token.text)) is not None:
            row = rows[states[-1]]
            following = tokens[index + 1] if index + 1 < len(tokens) else end
            if keyword in row and ("NAME" not in row or stands_as_keyword(token.text, following)):
                type_ = keyword
        elif type_ in _REPAIRS and not accepts(tables, states, type_) and accepts(tables, states, _REPAIRS[type_]):
            type_ = _REPAIRS[type_]
            repairs.append((token, type_))
        while True:
            action = rows[states[-1]].get(type_)
            if action is None:
                return Stuck(index, tables, tuple(states), tuple(symbols), tuple(repairs))
            if action >= 0:
                states.append(action)
                symbols.append(type_)
                values.append(token)
                spans.append((token.start, token.end))
                depths.append(0)
                break
            production = productions[~action]
            size = production.size
            if size:
                parts, deepest = values[-size:], max(depths[-size:])
                span = (spans[-size][0], spans[-1][1])
                del states[-size:], symbols[-size:], values[-size:], spans[-size:], depths[-size:]
            else:
                parts, deepest, span = [], 0, (token.start, token.start)
            kept = _flat([parts[i] for i in production.kept])
            if not production.build:
                value: Any = kept if isinstance(kept, _Spliced) else _Spliced(kept)
            elif production.unwrap and len(kept) == 1:
                value = kept[0]
            else:
                value = build(production.build, kept, *span)
                deepest += 1
                if deepest > MAX_DEPTH:
                    return TooDeep(*span)
            states.append(rows[states[-1]][production.origin])
            symbols.append(production.origin)
            values.append(value)
            spans.append(span)
            depths.append(deepest)
            if type_ == END and states[-1] == final:
                return Parse(value, tuple(repairs))
    raise AssertionError("the end of input is either accepted or not in the row")


def accepts(tables: Tables, states: Sequence[int], terminal: str) -> bool:
    """Whether ``terminal`` may come next, for certain: LALR rows alone may promise what a reduction then refuses."""
    stack = list(states)
    if terminal == END and stack[-1] in tables.end.values():
        return True
    while (action := tables.rows[stack[-1]].get(terminal)) is not None:
        if action >= 0:
            return True
        production = tables.productions[~action]
        del stack[len(stack) - production.size :]
        stack.append(tables.rows[stack[-1]][production.origin])
        if terminal == END and stack[-1] in tables.end.values():
            return True
    return False


def expected(tables: Tables, states: Sequence[int]) -> frozenset[str]:
    """Every terminal that may come next."""
    row = {END, *tables.rows[states[-1]]}
    return frozenset(t for t in row if (t.isupper() or t == END) and accepts(tables, states, t))


class _Spliced(list[Any]):
    """The values of a list production, on their way into its parent."""


def _flat(values: list[Any]) -> list[Any]:
    if not any(isinstance(v, _Spliced) for v in values):
        return values
    first = values[0]
    if isinstance(first, _Spliced):  # a list that grows to the right: in place, or it would take quadratic time
        for value in values[1:]:
            if isinstance(value, _Spliced):
                first.extend(value)
            else:
                first.append(value)
        return first
    return [leaf for v in values for leaf in (v if isinstance(v, _Spliced) else (v,))]
