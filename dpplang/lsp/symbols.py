"""Symbols: the outline of a text, and a search through the texts of a workspace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from lsprotocol.types import DocumentSymbol, Location, Range, SymbolInformation, SymbolKind

from dpplang.core.errors import DiagnosticsError
from dpplang.lsp.describe import declaration_text, first_line, one_line
from dpplang.lsp.lines import Encoding, Lines
from dpplang.lsp.view import View
from dpplang.semantics.loader import read_source
from dpplang.syntax import ast
from dpplang.syntax.parser import parse

_SYMBOLS = {
    ast.DimItem: SymbolKind.Number,
    ast.DataItem: SymbolKind.Constant,
    ast.ParamItem: SymbolKind.Field,
    ast.VarItem: SymbolKind.Variable,
    ast.DerivedItem: SymbolKind.Property,
    ast.LetItem: SymbolKind.Property,
    ast.FuncItem: SymbolKind.Function,
    ast.AtomItem: SymbolKind.Class,
    ast.ObjectiveItem: SymbolKind.Event,
    ast.ConstraintItem: SymbolKind.Boolean,
}


def document_symbols(items: Iterable[ast.AnyItem], lines: Lines) -> list[DocumentSymbol]:
    """Declarations, functions, the objective, the constraints below `subject to`."""
    found: list[DocumentSymbol] = []
    subject: DocumentSymbol | None = None
    for item in items:
        made = list(_symbols(lines, item))
        if isinstance(item, ast.SubjectToItem):
            subject = _subject_to(lines, item)
            made = [subject]
        elif isinstance(item, ast.ConstraintItem) and subject is not None and subject.children is not None:
            subject.children = [*subject.children, *made]
            subject.range = Range(subject.range.start, lines.position(item.span.end))
            continue
        found += made
    return found


Json: TypeAlias = dict[str, Any]


def outline(view: View) -> list[Json]:
    """:func:`document_symbols` as they are sent: those of an item are written once, and moved with it."""
    lines, kept = view.lines, view.analysis.kept
    found: list[Json] = []
    subject: Json | None = None
    for piece, items in view.analysis.items_of_pieces():
        start = lines.line_of(piece.offset) if items else 0
        for item in items:
            written = kept.of(item, f"symbols {lines.encoding.value}", lambda i, at=start: _written(lines, i, at))
            if written.start != start:
                written.move(start)
            if isinstance(item, ast.SubjectToItem):
                subject = {**written.symbols[0], "children": []}
                found.append(subject)
            elif isinstance(item, ast.ConstraintItem) and subject is not None:
                subject["children"] += written.symbols
                end = written.symbols[0]["range"]["end"]
                subject["range"] = {**subject["range"], "end": end}
            else:
                found += written.symbols
    return found


def flattened(uri: str, found: Iterable[Json], container: str = "") -> list[Json]:
    """:func:`flat` of an outline, as it is sent."""
    made: list[Json] = []
    inside = {"containerName": container} if container else {}
    for symbol in found:
        location = {"uri": uri, "range": symbol["selectionRange"]}
        made.append({"location": location, "name": symbol["name"], "kind": symbol["kind"], **inside})
        made += flattened(uri, symbol.get("children", ()), symbol["name"])
    return made


@dataclass(slots=True)
class _Written:
    """The symbols of an item in a piece that begins in line ``start``."""

    symbols: list[Json]
    start: int

    def move(self, start: int) -> None:
        by, self.start = start - self.start, start
        self.symbols = [
            {**s, "range": _moved(s["range"], by), "selectionRange": _moved(s["selectionRange"], by)}
            for s in self.symbols
        ]


def _moved(found: Json, by: int) -> Json:
    start, end = found["start"], found["end"]
    return {"start": {**start, "line": start["line"] + by}, "end": {**end, "line": end["line"] + by}}


def _written(lines: Lines, item: ast.AnyItem, start: int) -> _Written:
    made = [_subject_to(lines, item)] if isinstance(item, ast.SubjectToItem) else list(_symbols(lines, item))
    return _Written([{k: v for k, v in _json(symbol).items() if v is not None} for symbol in made], start)


def _json(symbol: DocumentSymbol) -> Json:
    return {
        "name": symbol.name,
        "kind": symbol.kind.value,
        "range": _range(symbol.range),
        "selectionRange": _range(symbol.selection_range),
        "detail": symbol.detail,
    }


def _range(found: Range) -> Json:
    ends = {"start": found.start, "end": found.end}
    return {name: {"line": end.line, "character": end.character} for name, end in ends.items()}


def _subject_to(lines: Lines, item: ast.SubjectToItem) -> DocumentSymbol:
    return DocumentSymbol("subject to", SymbolKind.Namespace, *_ranges(lines, item, item), children=[])


def _symbols(lines: Lines, item: ast.AnyItem) -> Iterable[DocumentSymbol]:
    kind = _SYMBOLS.get(type(item))
    match item:
        case ast.DimItem() | ast.DataItem() | ast.ParamItem() | ast.VarItem():
            assert kind is not None
            for declaration in item.declarations:
                detail = declaration_text(item, declaration.name.name)
                yield DocumentSymbol(
                    declaration.name.name, kind, *_ranges(lines, declaration, declaration.name), detail=detail
                )
        case ast.DerivedItem(declaration=declaration) | ast.LetItem(declaration=declaration):
            assert kind is not None
            yield DocumentSymbol(
                declaration.name.name, kind, *_ranges(lines, item, declaration.name), detail=one_line(item, 80)
            )
        case ast.FuncItem() | ast.AtomItem():
            assert kind is not None
            detail = first_line(item.doc) or one_line(item, 80)
            yield DocumentSymbol(item.name.name, kind, *_ranges(lines, item, item.name), detail=detail)
        case ast.ObjectiveItem():
            yield DocumentSymbol(item.sense, SymbolKind.Event, *_ranges(lines, item, item), detail=one_line(item, 80))
        case ast.ConstraintItem():
            at = item.name or item.relation
            name = item.name.name if item.name is not None else one_line(item.relation, 40)
            yield DocumentSymbol(
                name, SymbolKind.Boolean, *_ranges(lines, item, at), detail=one_line(item.relation, 80)
            )
        case _:
            pass


def _ranges(lines: Lines, whole: ast.Node, name: ast.Node) -> tuple[Range, Range]:
    return (
        lines.range(whole.span.start, whole.span.end),
        lines.range(name.span.start, name.span.end),
    )


def matches(query: str, name: str) -> bool:
    """Whether the letters of the query occur in the name in their order."""
    letters = iter(name.lower())
    return all(letter in letters for letter in query.lower())


def flat(uri: str, symbols: Iterable[DocumentSymbol], container: str = "") -> list[SymbolInformation]:
    """The symbols without their nesting, for clients that know none."""
    found: list[SymbolInformation] = []
    for symbol in symbols:
        place = Location(uri, symbol.selection_range)
        found.append(SymbolInformation(place, symbol.name, symbol.kind, container_name=container or None))
        found += flat(uri, symbol.children or (), symbol.name)
    return found


def workspace_symbols(
    views: Iterable[View], folders: Iterable[Path], query: str, encoding: Encoding
) -> list[SymbolInformation]:
    """Symbols that match, of what is open and of the `.dpp` files below the folders."""
    found: dict[str, list[SymbolInformation]] = {}
    for view in views:
        found[view.uri] = flat(view.uri, document_symbols(view.analysis.items, view.lines))
    for path in (p for folder in folders for p in dpp_files(folder)):
        if path.as_uri() not in found:
            found[path.as_uri()] = _of_file(path, encoding)
    return [s for symbols in found.values() for s in symbols if matches(query, s.name)][:500]


def _of_file(path: Path, encoding: Encoding) -> list[SymbolInformation]:
    try:
        source = read_source(path)
    except DiagnosticsError:
        return []
    return flat(path.as_uri(), document_symbols(parse(source).file.items, Lines(source.text, encoding)))


def dpp_files(folder: Path, most: int = 2000) -> list[Path]:
    """`.dpp` files below a folder, hidden folders left out, no more than ``most``."""
    found: list[Path] = []
    pending = [folder]
    while pending and len(found) < most:
        try:
            entries = sorted(pending.pop().iterdir())
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith(".") or entry.name in ("node_modules", "__pycache__", "build", "dist"):
                continue
            if entry.is_dir() and not entry.is_symlink():
                pending.append(entry)
            elif entry.suffix == ".dpp":
                found.append(entry)
    return found[:most]
