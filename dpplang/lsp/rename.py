"""Renaming of functions, atoms and sets, and of their arguments, in all files that use them; or why not, in words."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dpplang.lsp.across import Ranges, Target, is_same, references, sources_of
from dpplang.lsp.navigation import CannotRename, refuse_no_name
from dpplang.lsp.workspace import MAX_FILES, TooMany, Workspace
from dpplang.semantics.library import standard_library
from dpplang.semantics.numeric_functions import NUMERIC_NAMES
from dpplang.semantics.primitives import PRIMITIVES
from dpplang.semantics.relations import ALIASES, CONES


def renamable(workspace: Workspace, wanted: Target) -> bool:
    """Whether a new name could be given to it."""
    try:
        _refuse_foreign(workspace, wanted, sources_of(workspace, wanted))
    except (CannotRename, TooMany):
        return False
    return True


def rename(workspace: Workspace, wanted: Target, new: str) -> Ranges:
    """The places, in all files, where the new name is to stand.

    Raises:
        CannotRename: a file would not mean the same afterwards, or cannot be changed.
    """
    try:
        sources = sources_of(workspace, wanted)
        _refuse_foreign(workspace, wanted, sources)
        assert sources
        refuse_no_name(new)
        if new == wanted.name:
            return {}
        places = references(workspace, wanted, declaration=True) or {}
        files = workspace.importers(sources)
    except TooMany:
        raise CannotRename(f"there are more than {MAX_FILES} files here, too many to be sure of") from None
    _refuse_taken(workspace, wanted, new, sources, places)
    _refuse_unreadable(workspace, wanted, sources, files, places)
    _refuse_another_meaning(workspace, wanted, new, sources, files, places)
    return places


def _refuse_foreign(workspace: Workspace, wanted: Target, sources: frozenset[Path] | None) -> None:
    name = wanted.name
    if sources is None:
        whose = f", an argument of `{wanted.function}`," if wanted.argument else ""
        raise CannotRename(f"`{name}`{whose} is not declared in this workspace: it is the language's own")
    if not sources:
        raise CannotRename(f"`{wanted.function}` is imported, but no file that can be read defines it")
    for path in sorted(sources):
        uses = workspace.uses(path)
        alone = path == wanted.path and path in workspace.opened and uses is not None and not uses.is_library
        if not workspace.is_inside(path) and not alone:
            raise CannotRename(
                f"`{wanted.function}` is declared in `{path.name}`, outside of the folders that are open"
            )
    if wanted.argument:
        records = [r for path in sources for r in workspace.records(path, wanted.function)]
        if not any(wanted.argument in r.formals for r in records):
            raise CannotRename(f"`{name}` is no argument that `{wanted.function}` declares")


def _refuse_taken(workspace: Workspace, wanted: Target, new: str, sources: frozenset[Path], places: Ranges) -> None:
    if wanted.argument:
        for path in sorted(sources):
            if any(new in record.formals for record in workspace.records(path, wanted.function)):
                raise CannotRename(f"`{wanted.function}` has an argument `{new}` already")
        return
    if new in standard_library().names():
        raise CannotRename(f"`{new}` is an atom of the standard library")
    if new in PRIMITIVES or new in NUMERIC_NAMES:
        raise CannotRename(f"`{new}` is a function of the language")
    if new in CONES or new in ALIASES:
        raise CannotRename(f"`{new}` is a cone of the language")
    for path in places:
        uses = workspace.uses(path)
        taken = () if uses is None else uses.functions.get(new, ())
        if taken:
            declares = any(u.defines or u.line >= 0 for u in taken)
            use = next((u for u in taken if u.defines or u.line >= 0), taken[0])
            what = "is declared" if declares else "already means something"
            raise CannotRename(
                f"`{new}` {what} in line {_line(workspace, path, use.start)} of `{workspace.shown(path)}`"
            )
        own = [*{u.line for u in uses.functions.get(wanted.function, ()) if u.line >= 0}] if uses else []
        meanings = {workspace.imported(path, line, wanted.function) for line in own}
        meanings |= {frozenset((path,))} if workspace.records(path, wanted.function) else set()
        if any(meant.isdisjoint(sources) for meant in meanings):
            raise CannotRename(f"`{wanted.function}` is declared twice in `{workspace.shown(path)}`")


def _refuse_unreadable(
    workspace: Workspace, wanted: Target, sources: frozenset[Path], files: Iterable[Path], places: Ranges
) -> None:
    """Raises:
    CannotRename: a file that is to be changed, or would be if it were sound, cannot be read as it stands, or written.
    """
    for path in files:
        shown, uses = workspace.shown(path), workspace.uses(path)
        if uses is None:
            if _may_mention(path, wanted.function):
                raise CannotRename(
                    f"`{shown}` cannot be read, so that it is not known what it calls `{wanted.function}`"
                )
            continue
        if path not in places and not (uses.broken and workspace.mentions(path, (wanted.function,))):
            continue
        meant = workspace.meaning(path, wanted.function)
        if uses.broken and (not meant or not meant.isdisjoint(sources)):
            raise CannotRename(f"`{shown}` does not parse: mend line {uses.broken} first")
        if path in places and path.exists() and not os.access(path, os.W_OK):
            raise CannotRename(f"`{shown}` cannot be written")


def _may_mention(path: Path, word: str) -> bool:
    try:
        return path.is_file() and word.encode() in path.read_bytes()
    except OSError:
        return True


def _refuse_another_meaning(
    workspace: Workspace,
    wanted: Target,
    new: str,
    sources: frozenset[Path],
    files: Iterable[Path],
    places: Ranges,
) -> None:
    """See what every name would mean in the edited texts: nothing else than before, where it then stands.

    Raises:
        CannotRename: something would.
    """
    edited = {path: edit(workspace.text(path), ranges, new) for path, ranges in places.items()}
    after = replace(workspace, edited=edited, _uses={}, _found={})
    names = (wanted.function,) if wanted.argument else (wanted.function, new)
    for path in files:
        if not workspace.mentions(path, names) and not after.mentions(path, names):
            continue
        ranges = places.get(path, [])
        expected = {mention.moved(ranges, wanted, new, sources) for mention in _said(workspace, path, names, wanted)}
        differing = expected ^ set(_said(after, path, names, wanted))
        broken = after.uses(path)
        if ranges and (broken is None or broken.broken):
            raise CannotRename(f"`{new}` cannot stand for `{wanted.name}` in `{workspace.shown(path)}`")
        if differing:
            line = _line(after, path, min(mention.start for mention in differing))
            raise CannotRename(f"with `{new}`, line {line} of `{workspace.shown(path)}` would mean something else")


@dataclass(frozen=True, slots=True)
class _Said:
    """A mention, and what it means.

    ``owner``: of an argument, the function. ``kind``: whether it defines that, and in which import line it stands.
    """

    name: str
    start: int
    owner: str
    kind: tuple[bool, int]
    meant: frozenset[Path] | None

    def moved(self, ranges: list[tuple[int, int]], wanted: Target, new: str, sources: frozenset[Path]) -> _Said:
        """The mention where it stands once the ranges hold the new name."""
        name = new if any(start == self.start for start, _ in ranges) else self.name
        calls = self.owner == wanted.function and not wanted.argument and is_same(self.meant, sources)
        shift = sum(len(new) - (end - start) for start, end in ranges if start < self.start)
        return replace(self, name=name, start=self.start + shift, owner=new if calls else self.owner)


def _said(workspace: Workspace, path: Path, names: tuple[str, ...], wanted: Target) -> Iterator[_Said]:
    for name, use, meant in workspace.bindings(path, names):
        yield _Said(name, use.start, use.owner, (use.defines, use.line), meant)
    if wanted.argument:
        for record in workspace.records(path, wanted.function):
            for formal, places in record.formals.items():
                yield from (_Said(formal, start, "", (False, -1), None) for start, _ in places)


def edit(text: str, ranges: list[tuple[int, int]], new: str) -> str:
    """The text with the new name in all the ranges, which are in order."""
    for start, end in reversed(ranges):
        text = text[:start] + new + text[end:]
    return text


def _line(workspace: Workspace, path: Path, offset: int) -> int:
    return workspace.text(path).count("\n", 0, offset) + 1
