"""What a version of a text means, by offset: the tree, the typed tree, the names. No type of the protocol.

A :class:`Session` follows one text through its versions and keeps of the last what an edit left alone; an
:class:`Analysis` is one version. Analyses of one session share nodes whose spans move with the text (``Piece``), so
only the newest may be asked.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import chain, islice
from pathlib import Path

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.source import Piece, Source
from dpplang.lsp.files import Files, Reader
from dpplang.lsp.kept import Kept
from dpplang.lsp.names import Kind, Mention, Names
from dpplang.lsp.typing import type_nodes
from dpplang.pipeline import gathered
from dpplang.semantics.check import Checked, check_again
from dpplang.semantics.library import standard_library
from dpplang.semantics.loader import Loader
from dpplang.semantics.memo import Memo
from dpplang.semantics.tree import Expr, Model
from dpplang.syntax import ast
from dpplang.syntax.classes import Classified, classify
from dpplang.syntax.parser import Parsed, Part
from dpplang.syntax.pieces import Pieces
from dpplang.syntax.walk import children


@dataclass(frozen=True, slots=True)
class Version:
    """What some items were checked to be.

    Attributes:
        checked: the nodes that are checked, each with what it was checked to be, which is None if that is not known.
        functions: those among the items, which are checked where they are called. callers: the items that do.
    """

    checked: tuple[tuple[ast.Node, object], ...]
    functions: tuple[ast.FuncItem, ...]
    callers: tuple[ast.AnyItem, ...]


@dataclass(frozen=True, eq=False)
class Analysis:
    """One version of a text.

    Attributes:
        path: the file, if there is one. loader: of its imports.
        parts: runs of whole lines that hold whole items, which together are the text, and what is in them.
    """

    source: Source
    path: Path | None
    loader: Loader
    parsed: Parsed
    checked: Checked
    parts: tuple[tuple[Piece, Part], ...]
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

    def item_at(self, offset: int) -> ast.AnyItem | None:
        """The item that an offset is in or directly behind."""
        position = bisect_right(self.items, offset, key=_start) - 1
        if position < 0 or self.items[position].span.end < offset:
            return None
        return self.items[position]

    def items_in(self, start: int, end: int) -> tuple[ast.AnyItem, ...]:
        """The items that have a part in [start, end)."""
        first = max(bisect_right(self.items, start, key=_start) - 1, 0)
        last = bisect_right(self.items, end, key=_start)
        return tuple(item for item in self.items[first:last] if item.span.end >= start)

    def pieces_from(self, offset: int) -> Iterator[Piece]:
        """The piece that an offset is in, and those that follow."""
        return (piece for piece, _ in self.parts_from(offset))

    def parts_from(self, offset: int) -> Iterator[tuple[Piece, Part]]:
        return islice(self.parts, max(self._begun(offset) - 1, 0), None)

    def pieces_to(self, offset: int) -> Iterator[Piece]:
        """The piece that an offset is in, and those before, from the last to the first."""
        return (self.parts[position][0] for position in reversed(range(self._begun(offset))))

    def _begun(self, offset: int) -> int:
        """How many pieces begin up to an offset."""
        return bisect_right(self.parts, offset, key=lambda part: part[0].offset)

    def path_to(self, offset: int) -> tuple[ast.Node, ...]:
        """The nodes that hold an offset, from the item down to the smallest."""
        item = self.item_at(offset)
        return () if item is None else tuple(_descend(item, offset))

    def mention_at(self, offset: int) -> Mention | None:
        """The name at an offset, or directly before it."""
        item = self.item_at(offset)
        if item is None:
            return None
        touching = [m for m in self.names.of(item) if m.span.start <= offset <= m.span.end]
        return touching[-1] if touching else None

    def mentions_of(self, mention: Mention) -> list[Mention]:
        """All mentions of what is named, in order of the text."""
        return self.names.same(mention.name, self.names.key(mention))

    def classes(self, start: int, end: int) -> Iterator[Classified]:
        """The tokens of [start, end), by class; a token has a part in it."""
        for piece in self.pieces_from(start):
            at = piece.offset
            if at >= end:
                return
            for token in self.classes_of(piece):
                if token.start + at < end and token.end + at > start:
                    yield Classified(token.start + at, token.end + at, token.kind)

    def classes_of(self, piece: Piece) -> tuple[Classified, ...]:
        """The tokens of a piece; offsets from its start."""
        return self.kept.of(piece, "classes", lambda p: classify(Source(p.name, p.text)))

    def typed(self, item: ast.AnyItem) -> dict[int, Expr]:
        """The typed expressions of an item, by ``id`` of the node; of a ``func``, as its first call has them."""
        if id(item) not in self._typed:
            callers = self.names.callers(item.name.name) if isinstance(item, ast.FuncItem) else [item]
            found: dict[int, Expr] = {}
            for caller in callers:
                found = self._nodes(caller)
                if not isinstance(item, ast.FuncItem) or id(item.body) in found:
                    break
            self._typed[id(item)] = found
        return self._typed[id(item)]

    def _nodes(self, item: ast.AnyItem) -> dict[int, Expr]:
        """What :func:`type_nodes` finds, or found when the item was checked to be what it is now."""
        kept = self.kept.unless(lambda kept: self.outdated(kept[0]), item, "typed", self._type)
        return kept[1]

    def _type(self, item: ast.AnyItem) -> tuple[Version, dict[int, Expr]]:
        return self.version((item,)), type_nodes(item, self.checked.typed)

    def version(self, items: Iterable[ast.AnyItem]) -> Version:
        """What items were checked to be; to be asked for with :meth:`outdated`."""
        functions = tuple(item for item in items if isinstance(item, ast.FuncItem))
        callers = self._callers(functions)
        nodes = chain.from_iterable(_checked(item) for item in (*items, *callers) if not isinstance(item, ast.FuncItem))
        return Version(tuple((node, self.memo.token(node)) for node in nodes), functions, callers)

    def outdated(self, version: Version) -> bool:
        """Whether the items may be something else by now."""
        token = self.memo.token
        for node, made in version.checked:  # asked of every item at every keystroke
            if made is None or token(node) is not made:
                return True
        return bool(version.functions) and self._callers(version.functions) != version.callers

    def _callers(self, functions: tuple[ast.FuncItem, ...]) -> tuple[ast.AnyItem, ...]:
        return tuple(caller for function in functions for caller in self.names.callers(function.name.name))

    def expression_at(self, offset: int) -> tuple[ast.Node, Expr] | None:
        """The smallest expression that holds an offset and could be typed, as a node and typed."""
        path = self.path_to(offset)
        if not path:
            return None
        typed = self.typed(path[0])  # pyright: ignore[reportArgumentType]
        return next(((n, typed[id(n)]) for n in reversed(path) if id(n) in typed), None)


class Session:
    """One text, version after version."""

    def __init__(self, name: str, path: Path | None, files: Files | None = None) -> None:
        """``name``: how diagnostics call the text. ``path``: its file, beside which imports are looked for, in
        ``files``."""
        self.name = name
        self.path = path
        self.reader = Reader(files or Files())
        self.loader = Loader() if path is None else Loader.beside(path, files=self.reader)
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
        self.reader.asked.clear()
        source = Source(self.name, text)
        parsed, parts = self._pieces.parse(source)
        library = standard_library()
        checked = check_again(parsed.file, loader=self.loader, library=library, memo=self._memo)
        self._kept.only(parsed.file.items, parts)
        names = Names(parsed.file.items, self._kept, _library_names())
        return Analysis(source, self.path, self.loader, parsed, checked, parts, names, self._kept, self._memo)


def _checked(item: ast.AnyItem) -> tuple[ast.Node, ...]:
    """The nodes of an item that are checked one by one."""
    match item:
        case ast.DerivedItem(declaration=declaration) | ast.LetItem(declaration=declaration):
            return (declaration,)
        case ast.DimItem() | ast.DataItem() | ast.ParamItem() | ast.VarItem():
            return item.declarations
        case _:
            return (item,)


def _start(item: ast.AnyItem) -> int:
    return item.span.start


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
