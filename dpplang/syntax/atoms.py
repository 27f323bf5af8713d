"""From the entries of a record to an ``AtomItem``: each at most once, ``test`` as often as one likes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dpplang.core.diagnostics import Diagnostic, Label
from dpplang.core.source import Source, Span
from dpplang.syntax import ast
from dpplang.syntax.build import AtomHead, Entry
from dpplang.syntax.isolate import Chunk

KINDS = ("elementwise", "reduction", "plain", "set")
_IN_GRAPH = (ast.VarItem, ast.LetItem, ast.ObjectiveItem, ast.SubjectToItem, ast.ConstraintItem)


def record(
    source: Source,
    head: AtomHead,
    entries: Sequence[Entry],
    graphs: Sequence[tuple[Chunk, tuple[ast.AnyItem, ...]]],
    span: Span,
) -> tuple[ast.AtomItem, tuple[Diagnostic, ...]]:
    """The atom, and what is wrong with its record as a record.

    Args:
        entries: in order of the text, one with the word ``graph`` for each of ``graphs``.
        graphs: the chunk and the items of each ``graph { … }``.
    """
    found: list[Diagnostic] = []
    fields: dict[str, Any] = {}
    tests: list[ast.Relation | ast.Membership] = []
    first: dict[str, Span] = {}
    for entry in entries:
        word, place = entry.word.text, entry.word.span(source)
        if word == "test":
            tests.append(entry.value)
        elif word in first:
            earlier = (Label(first[word], "the first"),)
            found.append(Diagnostic("SYN021", f"a second `{word}` in one record", Label(place), earlier))
        else:
            first[word] = place
            if word == "graph" and not graphs:
                help_ = ("write `graph {`, then its items line by line, then `}`",)
                found.append(Diagnostic("SYN021", "this graph has no `{ … }`", Label(place), help=help_))
            elif word != "graph":
                fields[word] = _field(word, entry.value, found)
    if graphs:
        chunk, items = graphs[0]
        place = Span(source, chunk.tokens[0].start, chunk.end)
        fields["graph"] = ast.Graph(_graph_items(items, found), span=place)
    item = ast.AtomItem(head.name, head.formals, tests=tuple(tests), span=span, **fields)
    return item, tuple(found)


def _field(word: str, value: Any, found: list[Diagnostic]) -> Any:
    match word:
        case "kind":
            if value.name not in KINDS:
                message = f"`{value.name}` is no kind of atom"
                found.append(Diagnostic("SYN021", message, Label(value.span), help=(f"one of {_listed(KINDS)}",)))
            return value.name
        case "variadic":
            if value.name not in ("yes", "no"):
                message = "an atom is `variadic: yes`, or `no` as it is without the entry"
                found.append(Diagnostic("SYN021", message, Label(value.span)))
            return value.name == "yes"
        case _:
            return value


def _graph_items(items: tuple[ast.AnyItem, ...], found: list[Diagnostic]) -> tuple[Any, ...]:
    for item in items:
        if not isinstance(item, _IN_GRAPH):
            message = "this cannot stand in a `graph`"
            help_ = ("a graph has `var`, `let`, one objective, and constraints",)
            found.append(Diagnostic("SYN021", message, Label(item.span), help=help_))
    return tuple(item for item in items if isinstance(item, _IN_GRAPH))


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"`{w}`" for w in words[:-1]) + f" or `{words[-1]}`"
