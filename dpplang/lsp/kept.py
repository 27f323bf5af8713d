"""What is found of a text part by part, and kept for as long as the part is in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from dpplang.core.common import identical_ends
from dpplang.semantics.lints.memory import Memory as Linted

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class Column(Generic[T, R]):
    """What is found of every part of a text, part by part in their order: looked for only in those that are new in it.

    Parts are known by identity, and from version to version most are the same: what is asked of the whole text at
    every keystroke costs no call for any of these.
    """

    _parts: Sequence[T] = ()
    _found: list[R] = field(default_factory=list[R])

    def update(
        self, parts: Sequence[T], find: Callable[[T], R], stale: Callable[[R], bool] | None = None
    ) -> Sequence[R]:
        """``find`` of every part, which is not to be changed. ``stale``: whether what was found holds no longer."""
        before, found = self._parts, self._found
        if parts is not before:
            head, tail = identical_ends(before, parts)
            stop = len(before) - tail
            moved = {id(part): old for part, old in zip(before[head:stop], found[head:stop], strict=True)}
            new = parts[head : len(parts) - tail]
            self._parts, self._found = (), []  # should `find` fail
            found = [*found[:head], *(moved[id(p)] if id(p) in moved else find(p) for p in new), *found[stop:]]
        if stale is not None:
            found = [find(part) if stale(old) else old for part, old in zip(parts, found, strict=True)]
        self._parts, self._found = parts, found
        return found


class Kept:
    """What is found once of an item or a piece, for as long as it is in the text."""

    def __init__(self) -> None:
        self.linted = Linted()
        self._found: dict[str, dict[int, tuple[object, Any]]] = {}
        self._states: dict[str, Any] = {}

    def of(self, thing: T, what: str, find: Callable[[T], R]) -> R:
        """``find(thing)``, which is called ``what`` and depends on nothing else; or what it gave before."""
        kept = self._found.setdefault(what, {})
        found = kept.get(id(thing))
        if found is None:
            found = kept[id(thing)] = (thing, find(thing))  # the thing keeps its id from being given away
        return found[1]

    def unless(self, stale: Callable[[R], bool], thing: T, what: str, find: Callable[[T], R]) -> R:
        """The same of what depends on more: found again once it is stale."""
        kept = self._found.setdefault(what, {})
        found = kept.get(id(thing))
        if found is None or stale(found[1]):
            found = kept[id(thing)] = (thing, find(thing))
        return found[1]

    def column(self, what: str, parts: Sequence[T], find: Callable[[T], R]) -> Sequence[R]:
        """The :class:`Column` that is called ``what``, brought up to date."""
        return self.state(what, Column[T, R]).update(parts, find)

    def state(self, what: str, make: Callable[[], R]) -> R:
        """What is called ``what`` and follows the text in its own way."""
        if what not in self._states:
            self._states[what] = make()
        return self._states[what]

    def only(self, items: Sequence[object], parts: Sequence[tuple[object, object]]) -> None:
        """Forget what is gone, once that is more than is there."""
        for what, kept in self._found.items():
            if len(kept) > 2 * max(len(items), len(parts)):
                left = {id(i) for i in items} | {id(piece) for piece, _ in parts}
                self._found[what] = {i: found for i, found in kept.items() if i in left}
