"""What the names of an import line are names of: followed through files that pass on what they import."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from dpplang.core.source import Source
from dpplang.lsp.analysis import Analysis
from dpplang.semantics.loader import MAX_IMPORT_DEPTH, Loader
from dpplang.semantics.report import Mistake
from dpplang.syntax import ast
from dpplang.syntax.parser import parse

Exported: TypeAlias = ast.FuncItem | ast.AtomItem
"""What a file can export."""


def read(loader: Loader, item: ast.ImportItem) -> tuple[ast.File, Loader, Path] | None:
    """The file that an import reads, parsed, the loader of its own imports, and its real path; None if it cannot be
    read."""
    try:
        source, inner, path = loader.load(item.path, item.path_span)
    except Mistake:
        return None
    return _parsed(source.name, source.text, path), inner, path


@lru_cache(16)
def _parsed(name: str, text: str, path: Path) -> ast.File:
    return parse(Source(name, text, path)).file


def exported(loader: Loader, item: ast.ImportItem, seen: tuple[Path, ...] = ()) -> Iterator[Exported]:
    """All that the file of an import defines or passes on, in order of its text."""
    found = read(loader, item)
    if found is None or found[2] in seen or len(seen) > MAX_IMPORT_DEPTH:
        return
    file, inner, path = found
    for other in file.items:
        if isinstance(other, ast.FuncItem | ast.AtomItem):
            yield other
        elif isinstance(other, ast.ImportItem):
            names = {name.name for name in other.names}
            yield from (d for d in exported(inner, other, (*seen, path)) if d.name.name in names)


def imported(analysis: Analysis, name: str) -> list[Exported]:
    """The func, or the records of the atom, that a text imports under a name; empty if it imports none."""
    lines = [i for i in analysis.items if isinstance(i, ast.ImportItem) and any(n.name == name for n in i.names)]
    return [d for item in lines for d in exported(analysis.loader, item) if d.name.name == name]


__all__ = ["Exported", "exported", "imported", "read"]
