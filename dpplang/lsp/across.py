"""References of functions, atoms and sets, and of their arguments, over all files that use them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from dpplang.core.source import Span
from dpplang.lsp.names import Kind, Space
from dpplang.lsp.uses import Use
from dpplang.lsp.view import View
from dpplang.lsp.workspace import Workspace
from dpplang.semantics.library import standard_library
from dpplang.syntax import ast

Ranges: TypeAlias = dict[Path, list[tuple[int, int]]]
"""Places in files, in order of their texts."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the cursor is on: a function, or an argument of one, in a file.

    Attributes:
        start: of the function's name there; -1 where that is what it means in the whole file.
    """

    path: Path
    function: str
    argument: str = ""
    start: int = -1

    @property
    def name(self) -> str:
        return self.argument or self.function


def target(view: View, path: Path | None, offset: int) -> Target | None:
    """What there is at an offset that other files may know; None if it is nothing of the kind."""
    analysis = view.analysis
    mention = analysis.mention_at(offset)
    if mention is None or path is None:
        return None
    match mention.space:
        case Space.FUNCTION:
            return Target(path, mention.name, start=mention.span.start)
        case Space.ARGUMENT:
            return Target(path, str(mention.owner), mention.name)
        case Space.LOCAL if mention.kind is Kind.FORMAL:
            item = analysis.item_at(offset)
            if isinstance(item, ast.FuncItem | ast.AtomItem) and any(f.name is mention.owner for f in item.formals):
                return Target(path, item.name.name, mention.name, item.name.span.start)
            return None
        case _:
            return None


def sources_of(workspace: Workspace, wanted: Target) -> frozenset[Path] | None:
    """The files that define what is wanted together; None for the language's own, empty if it is defined nowhere."""
    uses = workspace.uses(wanted.path)
    if uses is None:
        return frozenset()
    use = next((u for u in uses.functions.get(wanted.function, ()) if u.start == wanted.start), Use(0, 0))
    found = workspace.means(wanted.path, wanted.function, use)
    return found and workspace.joined(found, wanted.function)


def references(workspace: Workspace, wanted: Target, *, declaration: bool) -> Ranges | None:
    """Every place that means what is wanted; None if only its own text can tell.

    Raises:
        TooMany: there are too many files to look at.
    """
    sources = sources_of(workspace, wanted)
    if sources is not None and not sources:
        return None
    files = workspace.everything() if sources is None else workspace.importers(sources)
    if sources is None and wanted.path not in files:
        files.append(wanted.path)
    words = (wanted.function,)
    found: Ranges = {}
    for path in (p for p in files if workspace.mentions(p, words)):
        places = list(_places(workspace, path, wanted, sources, declaration=declaration))
        if places:
            found[path] = sorted(set(places))
    return found


def _places(
    workspace: Workspace, path: Path, wanted: Target, sources: frozenset[Path] | None, *, declaration: bool
) -> Iterator[tuple[int, int]]:
    for name, use, meant in workspace.bindings(path, (wanted.function,)):
        is_it = name == wanted.name and bool(use.owner) == bool(wanted.argument) and is_same(meant, sources)
        if is_it and (declaration or not use.defines):
            yield use.start, use.end
    if wanted.argument and sources is not None and path in sources:
        for record in workspace.records(path, wanted.function):
            places = record.formals.get(wanted.argument, ())
            yield from places if declaration else places[1:]


def is_same(meant: frozenset[Path] | None, sources: frozenset[Path] | None) -> bool:
    if meant is None or sources is None:
        return meant is sources
    return not meant.isdisjoint(sources)


def is_builtin(workspace: Workspace, wanted: Target) -> bool:
    """Whether it is the language's own."""
    return sources_of(workspace, wanted) is None


def library_spans(wanted: Target) -> list[Span]:
    """Where the standard library defines what is wanted."""
    records = standard_library().items(wanted.function)
    if wanted.argument:
        return [f.name.span for r in records for f in r.formals if f.name.name == wanted.argument]
    return [record.name.span for record in records]
