"""Every state of the automaton that can refuse a token says what belongs there, in words that a person wrote."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import cache

import pytest

from dpplang.core.source import Source
from dpplang.syntax.machine import Parse, Stuck, expected, run
from dpplang.syntax.messages import stuck
from dpplang.syntax.places import PLACES, place
from dpplang.syntax.tables import STARTS, load_tables
from dpplang.syntax.token import END, Token
from dpplang.syntax.words import ITEM_WORDS
from tests.syntax.test_messages import check_words

TABLES = load_tables()
TEXTS = {"NAME": "x", "NUMBER": "1", "STRING": '"a.dpp"', "LABEL": "cap"}


def build(production: str, values: list[object], start: int, end: int) -> object:
    return production


def shifted(states: tuple[int, ...], terminal: str) -> tuple[int, ...] | None:
    """The stack behind ``terminal``."""
    stack = list(states)
    while (action := TABLES.rows[stack[-1]].get(terminal)) is not None:
        if action >= 0:
            return (*stack, action)
        production = TABLES.productions[~action]
        del stack[len(stack) - production.size :]
        stack.append(TABLES.rows[stack[-1]][production.origin])
    return None


@cache
def prefixes() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """For every start symbol the shortest terminals that lead into each state that reads one, in each of the contexts that
    tell what it expects."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for start in STARTS:
        queue = deque([((TABLES.start[start],), ())])
        seen: set[tuple[int, frozenset[str]]] = set()
        while queue:
            states, terminals = queue.popleft()
            takes = expected(TABLES, states)
            if (states[-1], takes) in seen:
                continue
            seen.add((states[-1], takes))
            found.append((start, terminals))
            for terminal in sorted(takes - {END}):
                behind = shifted(states, terminal)
                assert behind is not None
                queue.append((behind, (*terminals, terminal)))
    return tuple(found)


def tokens_of(terminals: tuple[str, ...]) -> tuple[Source, tuple[Token, ...]]:
    """A text, and its tokens, as the parser gets them."""
    tokens: list[Token] = []
    at = 0
    for terminal in terminals:
        text = TEXTS.get(terminal) or TABLES.terminals[terminal]
        kind = "NAME" if text.isidentifier() and terminal != "LABEL" else terminal
        tokens.append(Token(kind, text, at, at + len(text)))
        at += len(text) + 1
    return Source("s", " ".join(t.text for t in tokens)), tuple(tokens)


def refusals(start: str, terminals: tuple[str, ...]) -> Iterator[tuple[Source, tuple[Token, ...], Stuck]]:
    """Every way in which the state behind ``terminals`` refuses what follows: each terminal, and the end."""
    for more in ((), *((t,) for t in sorted({*TABLES.terminals, *TEXTS} - {"LABEL"}))):
        source, tokens = tokens_of((*terminals, *more))
        outcome = run(TABLES, start, tokens, build) if tokens else None
        if isinstance(outcome, Stuck) and outcome.index == len(terminals):
            yield source, tokens, outcome


def test_there_are_as_many_states_as_the_grammar_makes() -> None:
    assert len(prefixes()) > 200
    assert {start for start, _ in prefixes()} == set(STARTS)


def test_every_state_has_words() -> None:
    """No state without an entry, and no entry without a state (or a keyword that nothing follows)."""
    reached = {(word.upper(),) for word in ITEM_WORDS}
    # states that are those of `maximize`, of a definition without shape and of a test, as far as what they expect goes
    reached |= {("MINIMIZE", "expression"), ("LET", "NAME", "attributes"), ("DERIVED", "NAME", "shape", "attributes")}
    reached.add(("DOMAIN", "COLON", "expression"))
    silent: list[str] = []
    for start, terminals in prefixes():
        for _, _, outcome in refusals(start, terminals):
            before = outcome.before
            if place(before) is None:
                silent.append(" ".join((start, "|", *before)))
            reached.update(before[size:] for size in range(len(before) + 1))
    assert not sorted(set(silent))
    assert not set(PLACES) - reached


@pytest.mark.parametrize("start", STARTS)
def test_every_refusal_is_explained(start: str) -> None:
    """What is refused, in which state so ever: plain words, and what to do."""
    count = 0
    for begun, terminals in prefixes():
        if begun != start:
            continue
        for source, tokens, outcome in refusals(start, terminals):
            found = stuck(source, TABLES, start, tokens, outcome)
            check_words(found)
            assert found.primary is not None
            helped = found.help or found.notes or found.fixes
            assert helped or found.code not in ("SYN001", "SYN014") or not outcome.before, (source.text, found.message)
            count += 1
    assert count > 100


def test_prefixes_are_what_they_say() -> None:
    """Behind its prefix a state takes every terminal that it is said to expect."""
    for start, terminals in prefixes():
        source, tokens = tokens_of(terminals)
        outcome = run(TABLES, start, tokens, build) if tokens else None
        assert outcome is None or isinstance(outcome, Parse) or outcome.index == len(tokens), source.text
