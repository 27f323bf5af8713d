"""What lints find of items and constraints one by one, gathered, and kept up to date from version to version."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, KeysView, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Generic, TypeVar

from dpplang.core.common import identical_ends
from dpplang.semantics.atom_walk import walk
from dpplang.semantics.lints.terms import terms
from dpplang.semantics.tree import Constraint, Expr, Ref, Symbol
from dpplang.syntax import ast

K = TypeVar("K", bound=Hashable)


@dataclass(slots=True)
class Tally(Generic[K]):
    """In how many objects of a sequence each thing was found; looked for only in those that are new in it.

    Objects are known by ``id``, and what is found of one never changes.
    """

    _objects: Sequence[object] = ()
    _found: list[frozenset[K]] = field(default_factory=list[frozenset[K]])
    _times: dict[K, int] = field(default_factory=dict[K, int])

    def update(self, objects: Sequence[Any], look: Callable[[int], Iterable[K]]) -> dict[K, int]:
        """How often things are found now, without those that are not. ``look``: what is in the object of an index."""
        head, tail = identical_ends(self._objects, objects)
        stop = len(self._found) - tail
        removed = self._found[head:stop]
        known = {id(o): found for o, found in zip(self._objects[head:stop], removed, strict=True)}
        changed = range(head, len(objects) - tail)
        added = [known[id(objects[i])] if id(objects[i]) in known else frozenset(look(i)) for i in changed]
        for key in chain.from_iterable(removed):
            self._times[key] -= 1
        for key in chain.from_iterable(added):
            self._times[key] = self._times.get(key, 0) + 1
        for key in chain.from_iterable(removed):
            if not self._times.get(key, 1):
                del self._times[key]
        self._found[head:stop] = added
        self._objects = objects
        return self._times


@dataclass(frozen=True, slots=True)
class Terms:
    """What an objective adds up, and the symbols in terms that have variables, and in those that have none."""

    objective: Expr | None
    terms: tuple[Expr, ...]
    moving: frozenset[Symbol]
    fixed: frozenset[Symbol]


@dataclass(slots=True)
class Memory:
    """What is remembered of the last version of one text. It never changes an answer."""

    _of_items: dict[object, Tally[str]] = field(default_factory=dict[object, Tally[str]])
    _of_constraints: dict[object, Tally[Any]] = field(default_factory=dict[object, Tally[Any]])
    _of_exprs: dict[str, Tally[Symbol]] = field(default_factory=dict[str, Tally[Symbol]])
    _in_terms: dict[int, tuple[Expr, frozenset[Symbol]]] = field(
        default_factory=dict[int, "tuple[Expr, frozenset[Symbol]]"]
    )
    _terms: Terms = field(default_factory=lambda: Terms(None, (), frozenset(), frozenset()))

    def names(self, items: Sequence[ast.AnyItem], look: Callable[[ast.AnyItem], Iterable[str]]) -> KeysView[str]:
        """The names that ``look`` finds in items."""
        tally = self._of_items.setdefault(look, Tally())
        return tally.update(items, lambda index: look(items[index])).keys()

    def times(self, constraints: Sequence[Constraint], look: Callable[[Constraint], Iterable[K]]) -> dict[K, int]:
        """In how many constraints each thing is that ``look`` finds, which does not depend on what they are called.

        They are known by their parts: one without a name is made anew when those before it are counted anew.
        """
        tally = self._of_constraints.setdefault(look, Tally())
        return tally.update([c.parts for c in constraints], lambda index: look(constraints[index]))

    def symbols(self, what: str, exprs: Sequence[Expr]) -> KeysView[Symbol]:
        """Symbols that stand in expressions; ``what`` these are."""
        tally = self._of_exprs.setdefault(what, Tally())
        return tally.update(exprs, lambda index: symbols_in(exprs[index])).keys()

    def terms(self, objective: Expr) -> Terms:
        if self._terms.objective is not objective:
            before, self._in_terms = self._in_terms, {}
            parts = tuple(terms(objective))
            moving, fixed = set[Symbol](), set[Symbol]()
            for part in parts:
                found = self._in_terms[id(part)] = before.get(id(part)) or (part, frozenset(symbols_in(part)))
                (moving if part.facts.variables else fixed).update(found[1])
            self._terms = Terms(objective, parts, frozenset(moving), frozenset(fixed))
        return self._terms


def symbols_in(expr: Expr) -> Iterable[Symbol]:
    return (e.symbol for e in walk(expr) if isinstance(e, Ref))
