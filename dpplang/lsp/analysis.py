"""What a version of a text means, by offset: the tree, the typed tree, the names. No type of the protocol.

A :class:`Session` follows one text through its versions and keeps of the last what an edit left alone; an
:class:`Analysis` is one version. Analyses of one session share nodes whose spans move with the text (``Piece``), so
only the newest may be asked.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.source import Piece, Source
from dpplang.lsp.names import Kind, Mention, Names, Space, mentions
from dpplang.lsp.typing import type_nodes
from dpplang.pipeline import gathered
from dpplang.semantics.check import Checked, check_again
from dpplang.semantics.library import standard_library
from dpplang.semantics.lints.memory import Memory as Linted
from dpplang.semantics.loader import Loader
from dpplang.semantics.memo import Memo
from dpplang.semantics.tree import Expr, Model
from dpplang.syntax import ast
from dpplang.syntax.classes import Classified, classify
from dpplang.syntax.parser import Parsed
from dpplang.syntax.pieces import Pieces
from dpplang.syntax.walk import children


@dataclass(frozen=True, eq=False)
class Analysis:
    """One version of a text.

    Attributes:
        path: the file, if there is one. loader: of its imports.
        pieces: runs of whole lines that hold whole items, which together are the text.
    """

    source: Source
    path: Path | None
    loader: Loader
    parsed: Parsed
    checked: Checked
    pieces: tuple[Piece, ...]
    names: Names
    kept: Kept = field(repr=False)
    memo: Memo = field(repr=False)
    _typed: dict[int, dict[int, Expr]] = field(default_factory=dict[int, "dict[int, Expr]"], repr=False)

    @property
    def text(self) -> str:
        return self.source.text

    @property
    def items(self) -> tuple[ast.AnyItem, ...]:
        return self.parsed.file.items

    @property
    def model(self) -> Model | None:
        """The typed program, if nothing is wrong with it."""
        sound = not any(d.is_error for d in (*self.parsed.diagnostics, *self.checked.diagnostics))
        return self.checked.model if sound else None

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All that is found, in order of the text; of a program without errors also what was hardly meant."""
        return gathered(self.parsed, self.checked, self.kept.linted)

    @cached_property
    def _item_starts(self) -> list[int]:
        return [item.span.start for item in self.items]

    def item_at(self, offset: int) -> ast.AnyItem | None:
        """The item that an offset is in or directly behind."""
        position = bisect_right(self._item_starts, offset) - 1
        if position < 0 or self.items[position].span.end < offset:
            return None
        return self.items[position]

    def items_in(self, start: int, end: int) -> tuple[ast.AnyItem, ...]:
        """The items that have a part in [start, end)."""
        first = max(bisect_right(self._item_starts, start) - 1, 0)
        last = bisect_right(self._item_starts, end)
        return tuple(item for item in self.items[first:last] if item.span.end >= start)

    def piece_at(self, offset: int) -> Piece:
        position = bisect_right(self.pieces, offset, key=lambda p: p.offset) - 1
        return self.pieces[max(position, 0)]

    def path_to(self, offset: int) -> tuple[ast.Node, ...]:
        """The nodes that hold an offset, from the item down to the smallest."""
        item = self.item_at(offset)
        return () if item is None else tuple(_descend(item, offset))

    def mention_at(self, offset: int) -> Mention | None:
        """The name at an offset, or directly before it."""
        item = self.item_at(offset)
        if item is None:
            return None
        touching = [m for m in self.kept.mentions(item) if m.span.start <= offset <= m.span.end]
        return touching[-1] if touching else None

    def mentions_of(self, mention: Mention) -> list[Mention]:
        """All mentions of what is named, in order of the text."""
        return self.names.same(mention.name, self.names.key(mention))

    def classes(self, start: int, end: int) -> Iterator[Classified]:
        """The tokens of [start, end), by class; a token has a part in it."""
        for piece in self.pieces:
            if piece.offset >= end:
                return
            if piece.offset + len(piece.text) > start:
                for token in self.classes_of(piece):
                    at = piece.offset
                    if token.start + at < end and token.end + at > start:
                        yield Classified(token.start + at, token.end + at, token.kind)

    def classes_of(self, piece: Piece) -> tuple[Classified, ...]:
        """The tokens of a piece; offsets from its start."""
        return self.kept.of(piece, "classes", lambda p: classify(Source(p.name, p.text)))

    def items_of_pieces(self) -> Iterator[tuple[Piece, tuple[ast.AnyItem, ...]]]:
        """The pieces, and the items in each."""
        items, starts, first = self.items, self._item_starts, 0
        for piece in self.pieces:
            last = bisect_left(starts, piece.offset + len(piece.text), first)
            yield piece, items[first:last]
            first = last

    def typed(self, item: ast.AnyItem) -> dict[int, Expr]:
        """The typed expressions of an item, by ``id`` of the node; of a ``func``, as its first call has them."""
        if id(item) not in self._typed:
            callers = self._callers(item.name.name) if isinstance(item, ast.FuncItem) else [item]
            found: dict[int, Expr] = {}
            for caller in callers:
                found = self._nodes(caller)
                if not isinstance(item, ast.FuncItem) or id(item.body) in found:
                    break
            self._typed[id(item)] = found
        return self._typed[id(item)]

    def _nodes(self, item: ast.AnyItem) -> dict[int, Expr]:
        """What :func:`type_nodes` finds, or found when the item was checked to be what it is now."""
        checked = self.memo.token(item.declaration if isinstance(item, ast.DerivedItem | ast.LetItem) else item)
        if checked is None:
            return type_nodes(item, self.checked.typed)
        return self.kept.while_same(item, "typed", checked, lambda i: type_nodes(i, self.checked.typed))

    def expression_at(self, offset: int) -> tuple[ast.Node, Expr] | None:
        """The smallest expression that holds an offset and could be typed, as a node and typed."""
        path = self.path_to(offset)
        if not path:
            return None
        typed = self.typed(path[0])  # pyright: ignore[reportArgumentType]
        return next(((n, typed[id(n)]) for n in reversed(path) if id(n) in typed), None)

    def _callers(self, function: str, seen: frozenset[str] = frozenset()) -> list[ast.AnyItem]:
        """Items in which a function of the file is written out: those that call it, through other functions or not."""
        calls = self.names.same(function, (Space.FUNCTION, function, 0))
        found = [item for m in calls if not m.declares and (item := self.item_at(m.span.start)) is not None]
        direct = [i for i in found if not isinstance(i, ast.FuncItem | ast.AtomItem)]
        inner, seen = {i.name.name for i in found if isinstance(i, ast.FuncItem)}, seen | {function}
        return direct + [caller for name in sorted(inner - seen) for caller in self._callers(name, seen)]


T = TypeVar("T")
R = TypeVar("R")


class Kept:
    """What is found once of an item or a piece, for as long as it is in the text."""

    def __init__(self) -> None:
        self.linted = Linted()
        self._found: dict[str, dict[int, tuple[object, Any]]] = {}

    def of(self, thing: T, what: str, find: Callable[[T], R]) -> R:
        """``find(thing)``, which is called ``what`` and depends on nothing else; or what it gave before."""
        kept = self._found.setdefault(what, {})
        found = kept.get(id(thing))
        if found is None:
            found = kept[id(thing)] = (thing, find(thing))  # the thing keeps its id from being given away
        return found[1]

    def while_same(self, thing: T, what: str, given: object, find: Callable[[T], R]) -> R:
        """The same for what depends on the thing and on a value beside it."""
        kept = self._found.setdefault(what, {})
        found = kept.get(id(thing))
        if found is None or found[1][0] != given:
            found = kept[id(thing)] = (thing, (given, find(thing)))
        return found[1][1]

    def mentions(self, item: ast.AnyItem) -> tuple[Mention, ...]:
        return self.of(item, "mentions", mentions)

    def declared_by(self, item: ast.AnyItem) -> tuple[Mention, ...]:
        """Mentions that declare a name of the file."""
        return self.of(item, "declared", lambda i: tuple(m for m in self.mentions(i) if _declares(m)))

    def words(self, item: ast.AnyItem) -> frozenset[str]:
        return self.of(item, "words", lambda i: frozenset(m.name for m in self.mentions(i)))

    def only(self, items: Sequence[ast.AnyItem], pieces: Sequence[Piece]) -> None:
        """Forget what is gone, once that is more than is there."""
        for what, kept in self._found.items():
            if len(kept) > 2 * max(len(items), len(pieces)):
                left = {id(i) for i in items} | {id(p) for p in pieces}
                self._found[what] = {i: found for i, found in kept.items() if i in left}


class Session:
    """One text, version after version."""

    def __init__(self, name: str, path: Path | None, library: tuple[Path, ...] = ()) -> None:
        """``name``: how diagnostics call the text. ``path``: its file, beside which imports are looked for."""
        self.name = name
        self.path = path
        self.loader = Loader(None, library) if path is None else Loader.beside(path, library)
        self._pieces = Pieces()
        self._memo = Memo()
        self._kept = Kept()

    def analyze(self, text: str, stop: Callable[[], bool] = lambda: False) -> Analysis:
        """The analysis of a new version; those of earlier versions are not to be asked any more.

        Args:
            stop: asked now and then; once it says yes, nobody waits for the answer.

        Raises:
            Stopped: it was stopped; another version may be analyzed next.
        """
        self._memo.stop = stop
        source = Source(self.name, text)
        parsed, pieces = self._pieces.parse(source)
        library = standard_library()
        checked = check_again(parsed.file, loader=self.loader, library=library, memo=self._memo)
        kept = self._kept
        kept.only(parsed.file.items, pieces)
        names = Names(parsed.file.items, kept.mentions, kept.declared_by, kept.words, _library_names())
        return Analysis(source, self.path, self.loader, parsed, checked, pieces, names, kept, self._memo)


def _declares(mention: Mention) -> bool:
    return mention.declares and mention.space is not Space.LOCAL


@cache
def _library_names() -> frozenset[str]:
    return frozenset(standard_library().names())


def _descend(node: ast.Node, offset: int) -> Iterator[ast.Node]:
    yield node
    inner = [c for c in children(node) if c.span.start <= offset <= c.span.end]
    if inner:
        # Between two that touch here, the one that begins: `x` of `-x` before the `-`
        starting = [c for c in inner if c.span.start <= offset < c.span.end]
        yield from _descend((starting or inner)[-1], offset)


__all__ = ["Analysis", "Kind", "Session"]
