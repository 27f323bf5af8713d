"""Checking a text that changes: what is typed again is only what an edit could have changed.

A declaration, ``let``, ``derived`` or constraint is typed from its own tree and from what the names that it looks up
mean. If all of these are the very objects that they were before, what was made of it is that too. Only what was typed
without a finding is kept: a finding may depend on what was found before it.

With a memo, index variables are numbered for each item alone: a tree that was checked with one is not to be lowered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar, cast

from dpplang.core.common import identical_ends
from dpplang.core.diagnostics import Diagnostic
from dpplang.core.source import Source
from dpplang.semantics.library import Library
from dpplang.semantics.scope import FileScope, Function
from dpplang.semantics.tree import Constraint, DualRef, Expr
from dpplang.semantics.walk import MAX_NODES, Inlined, State, Walk
from dpplang.syntax import ast
from dpplang.syntax.parser import Parsed, parse

R = TypeVar("R")
_Extended: TypeAlias = tuple[list[ast.AtomItem], dict[int, Library], Library, tuple[Diagnostic, ...]]
_Atoms: TypeAlias = dict[tuple[tuple[int, int], ...], _Extended]
"""By their records and where these are from: the library with them, and what is wrong with them."""


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

    @property
    def unwatched(self) -> Callable[[str], Any]:
        """``get``, of which nobody takes note."""
        return super().get


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
    settled: bool  # every name that was looked up meant an expression


@dataclass(slots=True)
class _Version:
    """What the names of one version may mean before anything is read: what of it changed may change what is made."""

    declarations: list[ast.Declaration] = field(default_factory=list[ast.Declaration])
    functions: Watched = field(default_factory=Watched)


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
    _names: Watched = field(default_factory=Watched)
    _functions: Watched = field(default_factory=Watched)
    _meaning: Callable[[str], Any] = field(default_factory=lambda: Watched().unwatched)
    _last: _Version = field(default_factory=lambda: _Version())
    _next: _Version = field(default_factory=lambda: _Version())
    _unsure: set[str] | None = None
    _unsure_functions: set[str] = field(default_factory=set[str])
    _atoms: _Atoms = field(default_factory=lambda: _Atoms())
    _extended: _Atoms = field(default_factory=lambda: _Atoms())
    _files: dict[str, Parsed] = field(default_factory=dict[str, Parsed])
    _read: dict[str, Parsed] = field(default_factory=dict[str, Parsed])
    _sense: str = ""
    _sound: dict[int, object] = field(default_factory=dict[int, object])
    _duals: Kept = field(default_factory=lambda: Kept())

    def begin(self, scope: FileScope, state: State) -> None:
        """A new version, with everything in scope but tensors: if that is not as it was, nothing is remembered."""
        surroundings = (scope.library, *self._read, *sorted(state.index_names))
        if surroundings != self._surroundings:
            self._made, self._sound, self._duals = {}, {}, Kept()
        self._surroundings, self._reserved, self._kept = surroundings, dict(state.index_names), {}
        names, functions = Watched(), Watched()
        names.update(scope.names)
        functions.update(scope.functions)
        scope.names, scope.functions = self._names, self._functions = names, functions
        self._meaning = names.unwatched
        self._unsure, self._next = None, _Version(functions=functions)
        before, now = self._last.functions.unwatched, functions.unwatched
        either = {*self._last.functions.keys(), *functions.keys()}
        self._unsure_functions = {name for name in either if not _same(now(name), before(name))}

    def follow(self, declarations: list[ast.Declaration]) -> None:
        """The declarations of this version, in the order in which they are read; nothing of it was read yet.

        Where those that are left of the last version are in the order that they had, names that mean something else now
        are among those of the others; :meth:`run` adds to them what such a declaration leads to.
        """
        self._next.declarations = declarations
        before = self._last.declarations
        head, tail = identical_ends(before, declarations)
        removed, added = before[head : len(before) - tail], declarations[head : len(declarations) - tail]
        if {id(d) for d in removed}.isdisjoint([id(d) for d in added]):
            self._unsure = {d.name.name for d in (*removed, *added)}

    def end(self) -> None:
        """The version is checked: what it did not use is forgotten."""
        self._duals.end()
        self._last = self._next
        self._made, self._files, self._read = self._kept, self._read, {}
        self._atoms, self._extended = self._extended, {}

    def parse(self, source: Source) -> Parsed:
        """A file that is imported, parsed; as before if its text is."""
        key = f"{source.path}\0{source.name}\0{source.text}"
        self._read[key] = self._files.get(key) or parse(source)
        return self._read[key]

    def extended(
        self, library: Library, items: list[ast.AtomItem], homes: dict[int, Library]
    ) -> tuple[Library, tuple[Diagnostic, ...]]:
        """The library with the atoms of a file, this one or one that it imports: their proofs take time."""
        key = tuple((id(item), id(homes.get(id(item)))) for item in items)
        found = self._atoms.get(key) or (items, homes, *library.extended(items, homes))
        self._extended[key] = self._atoms[key] = found  # what is in it keeps its id from being given away
        return found[2], found[3]

    def recall(self, state: State, node: ast.Node) -> Any:
        """What a node was typed as, if nothing that it looks up can mean anything else now; else :meth:`run` it."""
        key = id(node)
        made, unsure = self._made.get(key), self._unsure
        if made is None or unsure is None or not made.settled or not unsure.isdisjoint(made.names):
            return None
        if self._unsure_functions and not self._unsure_functions.isdisjoint(made.functions):
            return None
        if state.nodes + made.nodes > MAX_NODES:
            return None
        self._kept[key] = made
        state.nodes += made.nodes
        if made.called:
            state.called |= made.called
            state.inlined.update(made.inlined)
        return made.result

    def run(self, walk: Walk, node: ast.Node, compute: Callable[[], R]) -> R:
        """``compute()``, or what it gave before.

        Raises:
            Stopped: as ``stop`` says.
        """
        key = id(node)
        before, state = self._made.get(key), walk.state
        if before is not None and self._holds(before) and state.nodes + before.nodes <= MAX_NODES:
            self._kept[key] = before
            state.nodes += before.nodes
            if before.called:
                state.called |= before.called
                state.inlined.update(before.inlined)
            return cast("R", before.result)
        if self.stop():
            raise Stopped
        if self._unsure is not None and isinstance(node, ast.Declaration):
            self._unsure.add(node.name.name)
        return self._run(walk, self._names, self._functions, node, compute)

    def _holds(self, made: _Made) -> bool:
        """Whether all that was looked up still means what it did."""
        meaning = self._meaning
        for name, meant in made.names.items():  # asked of every item at every keystroke: no calls that could be spared
            if meaning(name) is not meant:
                return False
        if not made.functions:
            return True
        meaning = self._functions.unwatched
        return all(_same(meaning(name), meant) for name, meant in made.functions.items())

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
                    all(isinstance(meant, Expr) for meant in names.looked_up.values()),
                )
            return result
        finally:
            names.looked_up = functions.looked_up = None
            called |= state.called
            inlined.update(state.inlined)
            state.called, state.inlined = called, inlined

    def token(self, node: ast.Node) -> object | None:
        """The very same for as long as a node, and all that it looks up, is what it was; None if that is not known."""
        return self._made.get(id(node))

    def not_sound(self, objects: Sequence[object], sense: str) -> set[int]:
        """Those of the objects, by ``id``, that were not noted with :meth:`note_sound` in this sense."""
        asked = {id(o) for o in objects}
        if self._sense != sense:
            self._sense, self._sound = sense, {}
        unknown = asked - self._sound.keys()
        if len(self._sound) > 2 * len(asked):
            self._sound = {i: o for i, o in self._sound.items() if i in asked}
        return unknown

    def note_sound(self, found: object) -> None:
        """What breaks no rule, wherever it stands: the parts of a constraint, or the objective."""
        self._sound[id(found)] = found

    def dual_of(self, constraint: Constraint) -> DualRef | None:
        return cast("DualRef | None", self._duals.get(constraint))

    def note_dual(self, constraint: Constraint, dual: DualRef) -> None:
        self._duals.put(constraint, dual)


class Kept:
    """What was found of objects, by their identity, for as long as it is asked for in every version."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[object, object]] = {}
        self._now: dict[int, tuple[object, object]] = {}

    def get(self, of: object) -> object | None:
        found = self._before.get(id(of))
        if found is None:
            return None
        self._now[id(of)] = found
        return found[1]

    def put(self, of: object, found: object) -> None:
        self._before[id(of)] = self._now[id(of)] = (of, found)  # the object keeps its id from being given away

    def end(self) -> None:
        """Forget what this version did not ask for."""
        self._before, self._now = self._now, {}


def _same(now: object, before: object) -> bool:
    """Functions are made anew for each version; what they are is their item."""
    if isinstance(now, Function) and isinstance(before, Function):
        return now.item is before.item
    return now is before


def remembered(walk: Walk, node: ast.Node, compute: Callable[[], R]) -> R:
    """What a node of the file's own tree is typed as, computed unless a memo has it."""
    memo = walk.state.memo
    if memo is None:
        return compute()
    found = memo.recall(walk.state, node)
    return memo.run(walk, node, compute) if found is None else found
