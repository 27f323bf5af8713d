"""Checking a text that changes: what is typed again is only what an edit could have changed.

A declaration, ``let``, ``derived`` or constraint is typed from its own tree and from what the names that it looks up
mean. If all of these are the very objects that they were before, what was made of it is that too. Only what was typed
without a finding is kept: a finding may depend on what was found before it.

With a memo, index variables are numbered for each item alone: a tree that was checked with one is not to be lowered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.source import Source
from dpplang.semantics.library import Library
from dpplang.semantics.scope import FileScope, Function
from dpplang.semantics.walk import MAX_NODES, Inlined, State, Walk
from dpplang.syntax import ast
from dpplang.syntax.parser import Parsed, parse

R = TypeVar("R")


class Stopped(Exception):
    """Nobody waits for the answer any more."""


class Watched(dict[str, Any]):
    """Names and what they mean, noting those that are looked up while someone watches."""

    def __init__(self) -> None:
        super().__init__()
        self.looked_up: dict[str, object] | None = None
        self.listed = False

    def get(self, key: str, default: Any = None) -> Any:
        found = super().get(key, default)
        if self.looked_up is not None:
            self.looked_up[key] = found
        return found

    def __getitem__(self, key: str) -> Any:
        return self.get(key)

    def __contains__(self, key: object) -> bool:
        return self.get(str(key)) is not None

    def __iter__(self) -> Iterator[str]:
        self.listed = True
        return super().__iter__()


@dataclass(frozen=True, slots=True)
class _Made:
    """What was made of a node, and from what: the node itself keeps its ``id`` from being given away."""

    node: ast.Node
    result: object
    names: dict[str, object]
    functions: dict[str, object]
    nodes: int
    called: frozenset[str]
    inlined: dict[int, Inlined]


@dataclass(slots=True)
class Memo:
    """What is remembered of the last version of one text. It never changes an answer.

    Attributes:
        stop: asked before anything is typed; once it says yes, checking ends with :class:`Stopped`.
    """

    stop: Callable[[], bool] = lambda: False
    _made: dict[int, _Made] = field(default_factory=dict[int, _Made])
    _kept: dict[int, _Made] = field(default_factory=dict[int, _Made])
    _surroundings: tuple[object, ...] = ()
    _reserved: dict[str, int] = field(default_factory=dict[str, int])
    _atoms: tuple[tuple[ast.AtomItem, ...], Library, tuple[Diagnostic, ...]] | None = None
    _files: dict[str, Parsed] = field(default_factory=dict[str, Parsed])
    _read: dict[str, Parsed] = field(default_factory=dict[str, Parsed])
    _plain: dict[int, object] = field(default_factory=dict[int, object])
    _met: set[int] = field(default_factory=set[int])

    def begin(self, scope: FileScope, state: State) -> None:
        """A new version, with everything in scope but tensors: if that is not as it was, nothing is remembered."""
        surroundings = (scope.library, *self._read, *sorted(state.index_names))
        if surroundings != self._surroundings:
            self._made, self._plain = {}, {}
        self._surroundings, self._reserved, self._kept = surroundings, dict(state.index_names), {}
        names, functions = Watched(), Watched()
        names.update(scope.names)
        functions.update(scope.functions)
        scope.names, scope.functions = names, functions

    def end(self) -> None:
        """The version is checked: what it did not use is forgotten."""
        self._plain = {i: e for i, e in self._plain.items() if i in self._met}
        self._met = set()
        self._made, self._files, self._read = self._kept, self._read, {}

    def parse(self, source: Source) -> Parsed:
        """A file that is imported, parsed; as before if its text is."""
        key = f"{source.name}\0{source.text}"
        self._read[key] = self._files.get(key) or parse(source)
        return self._read[key]

    def extended(self, library: Library, items: list[ast.AtomItem]) -> tuple[Library, tuple[Diagnostic, ...]]:
        """The library with a file's own atoms, whose proofs take time."""
        before = self._atoms
        if before is None or len(before[0]) != len(items) or any(a is not b for a, b in zip(before[0], items)):  # noqa: B905
            self._atoms = before = (tuple(items), *library.extended(items))
        return before[1], before[2]

    def run(self, walk: Walk, scope: FileScope, node: ast.Node, compute: Callable[[], R]) -> R:
        """``compute()``, or what it gave before.

        Raises:
            Stopped: as ``stop`` says.
        """
        if self.stop():
            raise Stopped
        names, functions = cast("Watched", scope.names), cast("Watched", scope.functions)
        before, state = self._made.get(id(node)), walk.state
        fits = before is not None and before.node is node and state.nodes + before.nodes <= MAX_NODES
        if before is not None and fits and _all_as_before(names, functions, before):
            self._kept[id(node)] = before
            state.nodes += before.nodes
            state.called |= before.called
            state.inlined.update(before.inlined)
            return cast("R", before.result)
        return self._run(walk, names, functions, node, compute)

    def _run(self, walk: Walk, names: Watched, functions: Watched, node: ast.Node, compute: Callable[[], R]) -> R:
        state, reports, nodes = walk.state, walk.report.calls, walk.state.nodes
        called, inlined = state.called, state.inlined
        state.called, state.inlined, state.index_names, state.strayed = set(), {}, dict(self._reserved), set()
        names.looked_up, names.listed, functions.looked_up, functions.listed = {}, False, {}, False
        try:
            result = compute()
            if result is not None and walk.report.calls == reports and not names.listed and not functions.listed:
                self._kept[id(node)] = _Made(
                    node,
                    result,
                    names.looked_up,
                    functions.looked_up,
                    state.nodes - nodes,
                    frozenset(state.called),
                    state.inlined,
                )
            return result
        finally:
            names.looked_up = functions.looked_up = None
            called |= state.called
            inlined.update(state.inlined)
            state.called, state.inlined = called, inlined

    def is_plain(self, expr: object) -> bool:
        """Whether an expression was found to need no look at where its atoms stand."""
        self._met.add(id(expr))
        return id(expr) in self._plain

    def note_plain(self, expr: object) -> None:
        self._met.add(id(expr))
        self._plain[id(expr)] = expr


def _all_as_before(names: Watched, functions: Watched, made: _Made) -> bool:
    now = dict[str, Any].get  # unwatched
    for name, meant in made.names.items():  # asked of every item at every keystroke: no calls that could be spared
        if now(names, name) is not meant:
            return False
    return all(_same(now(functions, name), meant) for name, meant in made.functions.items())


def _same(now: object, before: object) -> bool:
    """Functions are made anew for each version; what they are is their item."""
    if isinstance(now, Function) and isinstance(before, Function):
        return now.item is before.item
    return now is before


def remembered(walk: Walk, scope: FileScope, node: ast.Node, compute: Callable[[], R]) -> R:
    """What a node of the file's own tree is typed as, computed unless a memo has it."""
    memo = walk.state.memo
    return compute() if memo is None else memo.run(walk, scope, node, compute)
