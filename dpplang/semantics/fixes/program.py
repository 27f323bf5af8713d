"""Where a rewrite puts new items: declarations, constraints, a ``return`` that keeps the outputs what they were."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from dpplang.core.diagnostics import Diagnostic, Edit
from dpplang.core.source import Span
from dpplang.semantics.fixes.syntax import Definitions, Place, find, names_in
from dpplang.semantics.tree import Expr, Symbol
from dpplang.semantics.walk import Inlined
from dpplang.syntax import ast
from dpplang.syntax.grouping import words
from dpplang.syntax.walk import walk

_COMMENT = re.compile(r"[ \t]*(#[^\n]*)?")


@dataclass(slots=True)
class Names:
    """Words that the text uses for anything, and names that the fixes of one check introduce, which never clash.

    ``given`` holds them by what they are declared as, so that two fixes derive the same value under one name.
    """

    taken: set[str]
    given: dict[str, str] = field(default_factory=dict[str, str])

    def fresh(self, name: str, value: str = "") -> str:
        """The name, numbered if it is taken; the one that this value was given before."""
        if value in self.given:
            return self.given[value]
        fresh, count = name, 1
        while fresh in self.taken:
            count += 1
            fresh = f"{name}{count}"
        self.taken.add(fresh)
        if value:
            self.given[value] = fresh
        return fresh


def introduced(found: Iterable[Diagnostic]) -> frozenset[str]:
    """Every word that a fix writes, new names among them."""
    texts = (e.text for d in found for f in d.fixes for e in f.edits)
    return frozenset(word for text in texts for word in words(text))


def most_fixes(file: ast.File) -> int:
    """How many findings of a file get fixes: each is looked for, and tried, by going through the whole file."""
    return max(3, 20_000 // max(1, len(file.items)))


@dataclass(frozen=True)
class Around:
    """What a rewrite needs of the program: its syntax, the expression of every ``derived``, names to give, and ``func``
    calls by ``id`` of what they stand for. What is asked of it for every finding is computed once."""

    file: ast.File
    derived: Mapping[Symbol, Expr]
    names: Names
    inlined: Mapping[int, Inlined]

    @cached_property
    def definitions(self) -> Definitions:
        return Definitions.of(self.file)

    @cached_property
    def _starts(self) -> list[int]:
        return [i.span.start for i in self.file.items]

    @cached_property
    def dims(self) -> frozenset[str]:
        items = (i for i in self.file.items if isinstance(i, ast.DimItem))
        return frozenset(d.name.name for i in items for d in i.declarations)

    def item_at(self, span: Span) -> ast.AnyItem | None:
        """The item of this file that a span lies in."""
        if span.source is not self.file.source:
            return None
        at = bisect_right(self._starts, span.start) - 1
        item = self.file.items[at] if at >= 0 else None
        return item if item is not None and span.end <= item.span.end else None

    def node_at(self, span: Span) -> ast.Expr | None:
        """The expression of this file that has exactly this span."""
        item = self.item_at(span)
        return None if item is None else find(item, span)

    def place(self, expr: Expr) -> Place | None:
        """An expression of this file beside its syntax; arguments of a ``func`` stand for themselves in its body."""
        node, item = self.node_at(expr.span), self.item_at(expr.span)
        if node is None or item is None:
            return None
        formals = [f.name.name for f in item.formals] if isinstance(item, ast.FuncItem) else []
        return Place(expr, node, {name: name for name in formals})

    # --- where -----------------------------------------------------------------------------------------------------

    def declare(self, lines: list[str], used: frozenset[str], first: ast.AnyItem) -> list[Edit]:
        """New ``derived`` or ``var`` lines above the first item that needs them, below what they use.

        Args:
            used: names in the new lines. first: the item that will use them (or a ``func`` that does).
        """
        objective = next((i for i in self.file.items if isinstance(i, ast.ObjectiveItem)), None)
        before = first
        if not isinstance(first, ast.LetItem | ast.FuncItem | ast.DerivedItem | ast.VarItem) and objective is not None:
            before = objective
        if isinstance(first, ast.FuncItem):
            before = next((i for i in self.file.items if self._calls(i, first)), first)
        above = [
            i
            for i in self.file.items
            if isinstance(i, ast.DerivedItem | ast.LetItem) and i.declaration.name.name in used and i is not before
        ]
        last = max(above, key=lambda i: i.span.end, default=None)
        if last is not None and last.span.end > before.span.start:
            return self.below(last, lines)
        return self.above(before, lines)

    def _calls(self, item: ast.AnyItem, function: ast.FuncItem) -> bool:
        """Whether an item that is evaluated where it stands calls the function."""
        return isinstance(item, ast.LetItem | ast.DerivedItem | ast.ObjectiveItem) and (
            isinstance(item, ast.ObjectiveItem) or function.name.name in names_in(item.value)
        )

    def above(self, item: ast.AnyItem, lines: list[str]) -> list[Edit]:
        """Lines above an item and the comments that stand directly over it."""
        text = self.file.source.text
        start = text.rfind("\n", 0, item.span.start) + 1
        while start > 0:
            previous = text.rfind("\n", 0, start - 1) + 1
            if not text[previous:start].lstrip(" \t").startswith("#"):
                break
            start = previous
        if start == 0 and text.lstrip().startswith("#"):
            start = text.rfind("\n", 0, item.span.start) + 1
        return [Edit(Span(self.file.source, start, start), f"{line}\n") for line in lines]

    def below(self, item: ast.AnyItem, lines: list[str]) -> list[Edit]:
        """Lines below an item, behind a comment at its end; on the item's own line only if another shares it."""
        text = self.file.source.text
        end = item.span.end
        rest = _COMMENT.match(text, end)
        stop = rest.end() if rest is not None else end
        at = stop if stop == len(text) or text[stop] in "\r\n" else end
        return [Edit(Span(self.file.source, at, at), f"\n{line}") for line in lines]

    def without(self, item: ast.AnyItem) -> Edit:
        """The item taken out, with its line if nothing else is on it; comments stay."""
        source, text = self.file.source, self.file.source.text
        start, stop = item.span.start, item.span.end
        line = text.rfind("\n", 0, start) + 1
        end = text.find("\n", stop)
        end = len(text) if end < 0 else end
        before, behind = text[line:start], text[stop:end]
        if before.strip():
            return Edit(Span(source, start, stop), "")
        if not behind.strip():
            return Edit(Span(source, line, min(end + 1, len(text))), "")
        gap = len(behind) - len(behind.lstrip(" \t"))
        return Edit(Span(source, start, stop + gap), "")

    def idle_without(self, node: ast.Expr, text: str) -> list[ast.AnyItem]:
        """``let`` and ``func`` items that nothing uses any more when a node is replaced by a text."""
        gone: list[Span] = [node.span]
        idle: list[ast.AnyItem] = []
        before = self._used_outside([])
        while True:
            used = self._used_outside(gone) | words(text)
            found = [
                item
                for name in before - used
                for item in (self.definitions.lets.get(name) or self.definitions.functions.get(name),)
                if item is not None and item not in idle
            ]
            if not found:
                return idle
            idle += found
            gone += [item.span for item in found]

    def _used_outside(self, gone: list[Span]) -> set[str]:
        """Names that are used, and functions that are called, outside of some spans."""
        used: set[str] = set()
        for item in self.file.items:
            for part in walk(item):
                if isinstance(part, ast.Name | ast.Call) and not any(
                    s.start <= part.span.start and part.span.end <= s.end for s in gone
                ):
                    used.add(part.name if isinstance(part, ast.Name) else part.function.name)
        return used

    def constrain(self, lines: list[str]) -> list[Edit]:
        """New constraints behind the last one, indented as it is; with their ``subject to`` if there was none."""
        constraints = [i for i in self.file.items if isinstance(i, ast.ConstraintItem)]
        heads = [i for i in self.file.items if isinstance(i, ast.SubjectToItem)]
        objectives = [i for i in self.file.items if isinstance(i, ast.ObjectiveItem)]
        if constraints:
            last = constraints[-1]
            return self.below(last, [self._indent(last) + line for line in lines])
        if heads:
            return self.below(heads[-1], [f"  {line}" for line in lines])
        if objectives:
            return self.below(objectives[-1], ["subject to", *(f"  {line}" for line in lines)])
        return []

    def _indent(self, item: ast.AnyItem) -> str:
        text = self.file.source.text
        start = text.rfind("\n", 0, item.span.start) + 1
        lead = text[start : item.span.start]
        return "  " if lead.strip() else lead

    def keep_outputs(self) -> Edit | None:
        """A ``return`` of the variables there are now, where the program has none: a new one would join the outputs."""
        if any(isinstance(i, ast.ReturnItem) for i in self.file.items):
            return None
        items = (i for i in self.file.items if isinstance(i, ast.VarItem))
        names = [d.name.name for i in items for d in i.declarations]
        end = len(self.file.source.text)
        gap = "" if self.file.source.text.endswith("\n") else "\n"
        return Edit(Span(self.file.source, end, end), f"{gap}return {', '.join(names)}\n")


def declarations(file: ast.File) -> Iterator[ast.Declaration]:
    """All of a file, ``derived`` and ``let`` among them."""
    for item in file.items:
        match item:
            case ast.DerivedItem() | ast.LetItem():
                yield item.declaration
            case ast.DimItem() | ast.DataItem() | ast.ParamItem() | ast.VarItem():
                yield from item.declarations
            case _:
                pass


def one_less(one: Span, listed: Sequence[Span]) -> Edit:
    """One of several that an item lists, such as declarations, taken out with its comma."""
    at = listed.index(one)
    start, stop = (listed[at - 1].end, one.end) if at else (one.start, listed[1].start)
    return Edit(Span(one.source, start, stop), "")


def attribute_edit(declaration: ast.Declaration, word: str) -> Edit:
    """``word`` behind the shape and the attributes that a declaration has."""
    source = declaration.span.source
    at = declaration.name.span.end
    for node in (*(declaration.shape or ()), *declaration.attributes):
        at = max(at, node.span.end)
        at = max([at, *(n.span.end for n in walk(node))])
    if declaration.shape and not declaration.attributes:
        at = source.text.index("]", at) + 1
    return Edit(Span(source, at, at), f" {word}")
