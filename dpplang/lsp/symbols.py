"""Symbols: the outline of a text, and a search through the texts of a workspace."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from lsprotocol.types import DocumentSymbol, Location, Range, SymbolInformation, SymbolKind

from dpplang.core.errors import DiagnosticsError
from dpplang.core.source import Piece
from dpplang.lsp.describe import declaration_text, first_line, one_line
from dpplang.lsp.fragments import Fragment, Json
from dpplang.lsp.lines import Encoding, Lines
from dpplang.lsp.view import View
from dpplang.semantics.loader import read_source
from dpplang.syntax import ast
from dpplang.syntax.parser import Part, parse

_SUBJECT = "subject to"
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


def outline(view: View) -> str:
    """:func:`document_symbols` as they are sent: those of an item are written once, and moved with it."""
    found = _entries(view, f"symbols {view.encoding.value}", _json)
    return f"[{','.join([entry.nested() if isinstance(entry, _Subject) else entry for entry in found])}]"


def flattened(view: View) -> str:
    """:func:`flat` of them, as it is sent."""
    uri = view.uri

    def json(symbol: DocumentSymbol) -> Json:
        location = {"uri": uri, "range": _range(symbol.selection_range)}
        return {"location": location, "name": symbol.name, "kind": symbol.kind.value}

    found = _entries(view, f"flat symbols {view.encoding.value}", json)
    return f"[{','.join([entry.flat() if isinstance(entry, _Subject) else entry for entry in found])}]"


@dataclass(frozen=True, slots=True)
class _Written:
    """The symbols of an item, and where it begins and ends, in lines from its piece's first."""

    kind: type
    fragment: Fragment
    start: tuple[int, int]
    end: tuple[int, int]


@dataclass(slots=True)
class _Subject:
    """`subject to` as it is written alone, where it stands, where its last constraint ends, and these."""

    text: str
    range: tuple[str, str]
    end: str
    children: list[str] = field(default_factory=list[str])

    def nested(self) -> str:
        start, end = self.range
        return (
            f'{{"name":"{_SUBJECT}","kind":{SymbolKind.Namespace.value},"range":{{"start":{start},"end":{self.end}}},'
            f'"selectionRange":{{"start":{start},"end":{end}}},"children":[{",".join(self.children)}]}}'
        )

    def flat(self) -> str:
        inside = [f'{text[:-1]},"containerName":"{_SUBJECT}"}}' for text in self.children]
        return ",".join((self.text, *inside))


def _entries(view: View, what: str, json: Callable[[DocumentSymbol], Json]) -> list[str | _Subject]:
    """The symbols in order of the text, those of constraints below their `subject to`."""
    parts = view.analysis.parts
    column = view.analysis.kept.column(what, parts, lambda part: _of_part(view.lines, *part, json))
    found: list[str | _Subject] = []
    subject: _Subject | None = None
    start = 0
    for (piece, _), items in zip(parts, column, strict=True):
        for item in items:
            text = item.fragment.at(start)
            if item.kind is ast.SubjectToItem:
                end = _place(item.end, start)
                subject = _Subject(text, (_place(item.start, start), end), end)
                found.append(subject)
            elif item.kind is ast.ConstraintItem and subject is not None:
                subject.children.append(text)
                subject.end = _place(item.end, start)
            elif text:
                found.append(text)
        start += piece.lines
    return found


def _of_part(lines: Lines, piece: Piece, part: Part, json: Callable[[DocumentSymbol], Json]) -> list[_Written]:
    return [_of_item(lines, item, lines.line_of(piece.offset), json) for item in part.items]


def _of_item(lines: Lines, item: ast.AnyItem, start: int, json: Callable[[DocumentSymbol], Json]) -> _Written:
    made = [_subject_to(lines, item)] if isinstance(item, ast.SubjectToItem) else list(_symbols(lines, item))
    first, last = (lines.position(offset) for offset in (item.span.start, item.span.end))
    ends = (first.line - start, first.character), (last.line - start, last.character)
    return _Written(type(item), Fragment.of([json(symbol) for symbol in made], start), *ends)


def _place(at: tuple[int, int], start: int) -> str:
    return f'{{"line":{at[0] + start},"character":{at[1]}}}'


def _json(symbol: DocumentSymbol) -> Json:
    detail = {} if symbol.detail is None else {"detail": symbol.detail}
    return {
        "name": symbol.name,
        "kind": symbol.kind.value,
        "range": _range(symbol.range),
        "selectionRange": _range(symbol.selection_range),
        **detail,
    }


def _range(found: Range) -> Json:
    ends = {"start": found.start, "end": found.end}
    return {name: {"line": end.line, "character": end.character} for name, end in ends.items()}


def _subject_to(lines: Lines, item: ast.SubjectToItem) -> DocumentSymbol:
    return DocumentSymbol(_SUBJECT, SymbolKind.Namespace, *_ranges(lines, item, item), children=[])


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


def matching(query: str) -> Callable[[str], object]:
    """Whether the letters of the query occur in a name in their order."""
    search = re.compile(".*?".join(map(re.escape, query.lower())), re.DOTALL).search
    return lambda name: search(name.lower())


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
    matches = matching(query)
    return [s for symbols in found.values() for s in symbols if matches(s.name)][:500]


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
