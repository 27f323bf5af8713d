"""Definition, references, highlights, rename."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from lsprotocol.types import (
    DocumentHighlight,
    DocumentHighlightKind,
    DocumentLink,
    Location,
    Position,
    PrepareRenamePlaceholder,
    Range,
    TextEdit,
)

from dpplang.core.source import Span
from dpplang.lsp import imports
from dpplang.lsp.analysis import Analysis
from dpplang.lsp.names import Kind, Mention, Space
from dpplang.lsp.view import View
from dpplang.semantics.library import standard_library
from dpplang.syntax import ast
from dpplang.syntax.words import INFIX

_NAME = re.compile(r"[^\W\d]\w*")
_FIXED = (Kind.PRIMITIVE, Kind.NUMERIC, Kind.ATOM, Kind.CONE, Kind.CONSTANT, Kind.UNKNOWN)


def definition(view: View, offset: int) -> list[Location]:
    """Where what is named was declared: here, in an imported file, or in the standard library."""
    analysis = view.analysis
    item = analysis.item_at(offset)
    if isinstance(item, ast.ImportItem) and item.path_span.start <= offset <= item.path_span.end:
        found = imports.read(analysis.loader, item)
        return [] if found is None else [Location(found[2].as_uri(), Range(Position(0, 0), Position(0, 0)))]
    mention = analysis.mention_at(offset)
    if mention is None:
        return []
    if mention.space is Space.ARGUMENT:
        return _argument(view, str(mention.owner), mention)
    return located(view, _declarations(view, mention))


def links(view: View) -> list[DocumentLink]:
    """The paths of the import lines, each with the file that it leads to."""
    found: list[DocumentLink] = []
    for item in view.analysis.items:
        if isinstance(item, ast.ImportItem):
            path = view.analysis.loader.find(PurePosixPath(item.path))
            if path is not None:
                found.append(
                    DocumentLink(view.lines.range(item.path_span.start + 1, item.path_span.end - 1), path.as_uri())
                )
    return found


def located(view: View, spans: Iterable[Span]) -> list[Location]:
    """Where spans are, those that are in a file."""
    return [place for span in spans if (place := view.location(span)) is not None]


def _declarations(view: View, mention: Mention) -> list[Span]:
    analysis = view.analysis
    own = [m for m in analysis.mentions_of(mention) if m.declares]
    if mention.space is not Space.FUNCTION:
        return [m.span for m in own]
    outside = [d.name.span for d in imports.imported(analysis, mention.name)]
    of_library = [record.name.span for record in standard_library().items(mention.name)]
    inside = [m.span for m in own if not isinstance(analysis.item_at(m.span.start), ast.ImportItem)]
    return [*outside, *inside] or [m.span for m in own] or of_library


def _argument(view: View, function: str, mention: Mention) -> list[Location]:
    formal = view.analysis.names.formal(function, mention.name)
    if formal is not None:
        return located(view, [formal.name.span])
    records = imports.imported(view.analysis, function) or standard_library().items(function)
    return located(view, [f.name.span for r in records for f in r.formals if f.name.name == mention.name])


def references(view: View, offset: int, *, declaration: bool) -> list[Location]:
    """Every mention of what is named here."""
    mention = view.analysis.mention_at(offset)
    if mention is None:
        return []
    return located(view, (m.span for m in view.analysis.mentions_of(mention) if declaration or not m.declares))


def highlights(view: View, offset: int) -> list[DocumentHighlight]:
    mention = view.analysis.mention_at(offset)
    if mention is None:
        return []
    return [
        DocumentHighlight(view.range(m.span), DocumentHighlightKind.Write if m.declares else DocumentHighlightKind.Read)
        for m in view.analysis.mentions_of(mention)
    ]


# --- rename ------------------------------------------------------------------------------------------------------


class CannotRename(Exception):
    """Why not, in words."""


def renamable(view: View, offset: int) -> PrepareRenamePlaceholder | None:
    """The name at an offset, if it is one of the file's own."""
    mention = view.analysis.mention_at(offset)
    if mention is None or not _is_own(view.analysis, mention):
        return None
    return PrepareRenamePlaceholder(view.range(mention.span), mention.name)


def rename(view: View, offset: int, new: str) -> list[TextEdit]:
    """The edits that give what is named here another name.

    Raises:
        CannotRename: it is no name of this file, or the new name is none, or taken.
    """
    analysis = view.analysis
    mention = analysis.mention_at(offset)
    if mention is None:
        raise CannotRename("there is no name here")
    if not _is_own(analysis, mention):
        raise CannotRename(f"`{mention.name}` is not declared in this file")
    refuse_no_name(new)
    if new == mention.name:
        return []
    _refuse_capture(analysis, mention, new)
    return [TextEdit(view.range(m.span), new) for m in analysis.mentions_of(mention)]


def refuse_no_name(new: str) -> None:
    """Raises:
    CannotRename: nothing can be called that.
    """
    if not _NAME.fullmatch(new) or new in INFIX:
        raise CannotRename(f"`{new}` is not a name")


def _is_own(analysis: Analysis, mention: Mention) -> bool:
    declared = [m for m in analysis.mentions_of(mention) if m.declares]
    if not declared:
        return False
    item = analysis.item_at(declared[0].span.start)
    return not isinstance(item, ast.ImportItem) and analysis.names.kind(mention) not in (*_FIXED[:2], Kind.CONSTANT)


def _refuse_capture(analysis: Analysis, mention: Mention, new: str) -> None:
    """Raises:
    CannotRename: with the new name, some mention would mean something else.
    """
    names = analysis.names
    space = Space.VALUE if mention.implicit else mention.space
    if space is Space.ARGUMENT:
        space = Space.LOCAL
    if space is not Space.LOCAL and (space, new) in names.declared:
        where = names.declared[space, new][0].span.line
        raise CannotRename(f"`{new}` is declared in line {where}")
    if space is Space.FUNCTION and new in standard_library().names():
        raise CannotRename(f"`{new}` is an atom of the standard library")
    items = {id(i): i for m in analysis.mentions_of(mention) if (i := analysis.item_at(m.span.start)) is not None}
    for item in items.values():
        for other in names.of(item):
            if other.name == new and {space, other.space} <= {Space.LOCAL, Space.VALUE}:
                raise CannotRename(f"`{new}` already means something in line {other.span.line}")
