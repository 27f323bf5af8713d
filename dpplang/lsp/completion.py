"""Completion: what may stand at the cursor, by place, with what there is to say of it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache, cached_property
from itertools import pairwise
from typing import TypeAlias

from lsprotocol.types import CompletionItem, CompletionItemKind, InsertTextFormat, MarkupContent, MarkupKind

from dpplang.core.source import Source, Span
from dpplang.lattice.dims import show_shape
from dpplang.lsp import words
from dpplang.lsp.analysis import Analysis
from dpplang.lsp.describe import ROLES, atom_signature, builtin_description, declaration_text, first_line, one_line
from dpplang.lsp.fragments import Json, dumps
from dpplang.lsp.imports import exported
from dpplang.lsp.names import Kind, Mention, Space, builtin_kind
from dpplang.lsp.place import Place, Spot, place_at
from dpplang.lsp.symbols import dpp_files, matching
from dpplang.lsp.view import View
from dpplang.semantics.library import standard_library
from dpplang.semantics.tree import Role
from dpplang.syntax import ast

MOST = 200
"""Names of one sort that a list holds; of a file with more, they are chosen by what is typed."""
_AT = "\0"  # stands for the range of what is typed
_BINDER = re.compile(r"([^\W\d]\w*)\s+in\b")
_KINDS = {
    Kind.DIM: CompletionItemKind.TypeParameter,
    Kind.DATA: CompletionItemKind.Constant,
    Kind.PARAM: CompletionItemKind.Field,
    Kind.DERIVED: CompletionItemKind.Property,
    Kind.LET: CompletionItemKind.Property,
    Kind.VAR: CompletionItemKind.Variable,
    Kind.INDEX: CompletionItemKind.Variable,
    Kind.FORMAL: CompletionItemKind.Variable,
    Kind.FUNC: CompletionItemKind.Function,
    Kind.ATOM: CompletionItemKind.Function,
    Kind.PRIMITIVE: CompletionItemKind.Function,
    Kind.NUMERIC: CompletionItemKind.Function,
}
_SNIPPETS = {
    "dim": "dim ${1:n}",
    "data": "data ${1:F}[${2:m, n}]",
    "param": "param ${1:q}[${2:n}]",
    "var": "var ${1:x}[${2:n}]",
    "derived": "derived ${1:S}[${2:n, n}] = ${3:chol(Q)'}",
    "let": "let ${1:r} = ${2}",
    "func": "func ${1:f}(${2:x[n]}) = ${3}",
    "from": 'from "${1:file.dpp}" import ${2:f}',
    "atom": (
        "atom ${1:name}(${2:x}) {\n  kind:      ${3:elementwise}\n  curvature: ${4:convex}\n  value:     ${5}\n"
        "  graph {\n    minimize ${6}\n  }\n}"
    ),
    "minimize": "minimize ${1}",
    "maximize": "maximize ${1}",
    "find": "find",
    "subject": "subject to\n  ${1}",
    "return": "return ${1:x}",
}


def completion(view: View, offset: int, *, snippets: bool) -> str:
    """What may stand at an offset, the likeliest first (``sortText``), as it is sent.

    Of many names of the file those that what is typed may stand for, the nearest ``MOST`` of them: the list is
    incomplete then, and asked for again as one types.
    """
    analysis = view.analysis
    place = place_at(analysis, offset)
    near = _Near(analysis, offset, analysis.text[place.start : offset])
    found: list[Json] = []
    written: list[str] = []
    for each in _candidates(view, place, near, snippets):
        if isinstance(each, str):
            written.append(each)
        else:
            found.append(each)
    start, end = view.lines.position(place.start), view.lines.position(offset)
    at = (
        f'{{"start":{{"line":{start.line},"character":{start.character}}},'
        f'"end":{{"line":{end.line},"character":{end.character}}}}}'
    )
    items = ",".join(text for text in (dumps(found)[1:-1], *written) if text)
    return f'{{"isIncomplete":{dumps(near.left_out)},"items":[{items.replace(dumps(_AT), at)}]}}'


def _item(
    label: str,
    kind: CompletionItemKind,
    detail: str = "",
    doc: str = "",
    *,
    insert: str = "",
    snippet: bool = False,
    sort: str = "",
    data: Json | None = None,
) -> Json:
    """One candidate, as it is sent; where it is inserted is filled in for all of them at once."""
    found: Json = {"label": label, "kind": kind.value, "textEdit": {"range": _AT, "newText": insert or label}}
    if detail:
        found["detail"] = detail
    if doc:
        found["documentation"] = {"kind": MarkupKind.Markdown.value, "value": doc}
    if snippet:
        found["insertTextFormat"] = InsertTextFormat.Snippet.value
    if sort:
        found["sortText"] = sort
    if data is not None:
        found["data"] = data
    return found


Declared: TypeAlias = tuple[str, Mention, ast.AnyItem]


class _Near:
    """The names that a file declares, as far as they are offered at an offset where ``word`` is typed so far."""

    def __init__(self, analysis: Analysis, offset: int, word: str) -> None:
        self.analysis = analysis
        self.offset = offset
        self.left_out = False
        self._matches = matching(word)

    @cached_property
    def _sorts(self) -> dict[Space | Kind, list[Declared]]:
        """Names with their declarations, in order of the text; sizes apart from the other values."""
        found: dict[Space | Kind, list[Declared]] = {sort: [] for sort in (*Space, Kind.DIM)}
        for (space, name), (mention, item) in self.analysis.names.declared.items():
            found[Kind.DIM if mention.kind is Kind.DIM else space].append((name, mention, item))
        return found

    def declared(self, sort: Space | Kind, but: Kind | None = None) -> list[Declared]:
        """Those of a sort, without the kind ``but``."""
        found = self._sorts[sort]
        if but is not None:
            found = [each for each in found if each[1].kind is not but]
        if len(found) <= MOST:
            return found
        self.left_out = True
        found = [each for each in found if self._matches(each[0])]
        at = bisect_left(found, self.offset, key=lambda each: each[1].span.start)
        first = max(min(at - MOST // 2, len(found) - MOST), 0)
        return found[first : first + MOST]


def _candidates(view: View, place: Place, near: _Near, snippets: bool) -> Iterator[Json | str]:
    analysis = view.analysis
    match place.spot:
        case Spot.NOTHING:
            return
        case Spot.ITEM:
            yield from (_word(name, word, snippets) for name, word in words.ITEMS.items())
            yield from _expression(analysis, place, near, snippets, "5")
        case Spot.ENTRY:
            yield from (_keyword(name, word) for name, word in words.ENTRIES.items())
        case Spot.FACT:
            for name in words.ENTRY_VALUES[place.word]:
                yield _item(name, CompletionItemKind.EnumMember)
        case Spot.SHAPE | Spot.DOMAIN:
            yield from _declared(analysis, place, near, Kind.DIM, "1")
            if place.spot is Spot.DOMAIN:
                yield from _locals(analysis, place, near.offset)
        case Spot.ATTRIBUTE:
            yield from _attributes(place)
        case Spot.CONE:
            for name, word in words.CONES.items():
                yield _item(name, CompletionItemKind.Struct, detail=word.signature, doc=word.doc)
            yield from _sets(analysis, snippets)
        case Spot.DUAL:
            yield from _constraints(near)
        case Spot.PATH:
            yield from _paths(view, place)
        case Spot.IMPORTED:
            yield from _imported(view, place)
        case Spot.EXPRESSION:
            yield from _expression(analysis, place, near, snippets, "3")


def _expression(analysis: Analysis, place: Place, near: _Near, snippets: bool, rank: str) -> Iterator[Json | str]:
    yield from _arguments(analysis, place)
    yield from _locals(analysis, place, near.offset)
    if place.word == "return":
        yield from _constraints(near, "dual ")
        yield _item("value", CompletionItemKind.Constant, detail="the optimal value", sort="2value")
    yield from _declared(analysis, place, near, Space.VALUE, "2")
    yield from _declared(analysis, place, near, Kind.DIM, "3")
    yield from _functions(near, place, snippets, rank)
    yield _item("inf", CompletionItemKind.Constant, detail="infinity", sort="8inf")


def _declared(analysis: Analysis, place: Place, near: _Near, sort: Space | Kind, rank: str) -> Iterator[Json]:
    but = Kind.VAR if place.word == "derived" else None  # computed before solving
    defining = place.word in ("derived", "let")
    for name, mention, item in near.declared(sort, but):
        if not (defining and item.span.start <= near.offset <= item.span.end):
            yield _item(
                name,
                _KINDS[mention.kind],
                detail=f"{declaration_text(item, name)}{_facts(analysis, name)}",
                doc=item.doc or ROLES.get(mention.kind, ""),
                sort=f"{rank}{name}",
            )


def _facts(analysis: Analysis, name: str) -> str:
    expr = analysis.checked.typed.named(name)
    if expr is None or expr.facts.curvature.value == "constant":
        return ""
    shape = f" {show_shape(expr.shape)}" if expr.shape else ""
    return f"  ({expr.facts.curvature.value}{shape})"


def _locals(analysis: Analysis, place: Place, offset: int) -> Iterator[Json]:
    """Index variables and arguments that the item around binds, before the cursor or behind it."""
    piece = next(analysis.pieces_from(max(offset - 1, 0)), None)
    text = piece.text if piece is not None else ""
    names = dict.fromkeys(_BINDER.findall(text)) if place.word not in ("var", "dim", "param", "data") else {}
    for name in names:
        if (Space.VALUE, name) not in analysis.names.declared:
            yield _item(name, _KINDS[Kind.INDEX], detail="an index variable", sort=f"1{name}")
    item = analysis.item_at(offset)
    if isinstance(item, ast.FuncItem | ast.AtomItem):
        formals = [(f.name.name, one_line(f)) for f in item.formals]
    elif place.word in ("func", "atom"):
        formals = [(name, name) for name in _formal_names(place)]
    else:
        formals = []
    for name, shown in formals:
        yield _item(name, _KINDS[Kind.FORMAL], detail=f"{shown}: an argument", sort=f"1{name}")


def _formal_names(place: Place) -> Iterator[str]:
    """Names behind ``(`` or a comma in the head of a func that does not parse yet."""
    depth = 0
    for before, token in pairwise(place.before):
        depth += (before.type == "LPAR") - (before.type == "RPAR")
        if depth == 1 and before.type in ("LPAR", "COMMA") and token.type == "NAME":
            yield token.text


def _functions(near: _Near, place: Place, snippets: bool, rank: str) -> Iterator[Json | str]:
    for name, mention, item in near.declared(Space.FUNCTION):
        if not (isinstance(item, ast.AtomItem) and item.kind == "set"):
            kind = Kind.FUNC if mention.kind is Kind.UNKNOWN else mention.kind
            yield _function(name, kind, declaration_text(item, name), item.doc, snippets, f"2{name}")
    yield _built_in(place.word in ("derived", "value", "data"), snippets, rank)


@cache
def _built_in(numeric: bool, snippets: bool, rank: str) -> str:
    """The functions that no file declares, as they are sent."""
    found: list[Json] = []
    library = standard_library()
    if not numeric:
        for name in library.functions():
            record, *more = library.items(name)
            shown = atom_signature(record) + (f" (and {len(more)} more forms)" if more else "")
            found.append(_function(name, Kind.ATOM, shown, first_line(record.doc), snippets, f"{rank}5{name}"))
    for name, word in words.FUNCTIONS.items():
        found.append(_function(name, Kind.PRIMITIVE, word.signature, word.doc, snippets, f"{rank}6{name}"))
    if numeric:
        for name, word in words.NUMERIC.items():
            found.append(_function(name, Kind.NUMERIC, word.signature, word.doc, snippets, f"{rank}6{name}"))
    return dumps(found)[1:-1]


def _sets(analysis: Analysis, snippets: bool) -> Iterator[Json]:
    """The sets of the file and of the library: with brackets where an argument must stand in them."""
    library = standard_library()
    own = [i for (s, _), (_, i) in analysis.names.declared.items() if s is Space.FUNCTION]
    for item in (*own, *(library.items(name)[0] for name in library.sets())):
        if isinstance(item, ast.AtomItem) and item.kind == "set":
            name, doc = item.name.name, first_line(item.doc)
            asks = any(f.mode.value and f.default is None for f in item.formals)
            found = _function(name, Kind.ATOM, atom_signature(item), doc, snippets and asks, name)
            yield {**found, "kind": CompletionItemKind.Struct.value}


def _function(name: str, kind: Kind, signature: str, doc: str, snippets: bool, sort: str) -> Json:
    insert, data = f"{name}($1)" if snippets else "", {"name": name} if kind is Kind.ATOM else None
    return _item(name, _KINDS[kind], signature, doc, insert=insert, snippet=snippets, sort=sort, data=data)


def resolve(item: CompletionItem) -> CompletionItem:
    """All that there is to say of a standard atom: its forms, curvature and monotonicity."""
    data = item.data
    name = data.get("name") if isinstance(data, dict) else None
    if isinstance(name, str):
        kind = builtin_kind(name, frozenset(standard_library().names()))
        text = builtin_description(name, kind)
        item.documentation = MarkupContent(MarkupKind.Markdown, text) if text else item.documentation
    return item


def _arguments(analysis: Analysis, place: Place) -> Iterator[Json]:
    """Named arguments of the call around."""
    call = place.call
    if call is None or call.keyword or (place.before and place.before[-1].type not in ("LPAR", "COMMA")):
        return
    given = set(call.named)
    for name in argument_names(analysis, call.function):
        if name not in given:
            yield _item(
                f"{name} =",
                CompletionItemKind.Keyword,
                detail=f"an argument of {call.function}",
                insert=f"{name} = ",
                sort=f"4{name}",
            )


def argument_names(analysis: Analysis, function: str) -> list[str]:
    """Arguments that are usually given by name: those with a default, and ``axis`` and ``keepdims``."""
    found = analysis.names.declared.get((Space.FUNCTION, function))
    records = [found[1]] if found is not None else standard_library().items(function)
    names: dict[str, None] = {}
    for record in records:
        if isinstance(record, ast.AtomItem | ast.FuncItem):
            names |= dict.fromkeys(f.name.name for f in record.formals if f.default is not None)
        if isinstance(record, ast.AtomItem) and record.kind == "reduction":
            names |= dict.fromkeys(("axis", "keepdims"))
    word = words.FUNCTIONS.get(function) or words.NUMERIC.get(function)
    if found is None and word is not None:
        names |= dict.fromkeys(n for n in ("axis", "keepdims", "k", "dims") if re.search(rf"\b{n}\b", word.signature))
    return list(names)


def _attributes(place: Place) -> Iterator[Json]:
    variable = place.word == Role.VAR.value
    for name, word in words.ATTRIBUTES.items():
        if name == "in" and not variable:
            continue
        yield _item(name, CompletionItemKind.Keyword, detail=word.signature, doc=word.doc)


def _constraints(near: _Near, prefix: str = "") -> Iterator[Json]:
    for name, _, item in near.declared(Space.CONSTRAINT):
        yield _item(
            prefix + name,
            CompletionItemKind.Reference,
            detail=one_line(item, 60),
            sort=f"2{name}" if not prefix else f"3dual {name}",
        )


def _paths(view: View, place: Place) -> Iterator[Json]:
    path = view.analysis.path
    if path is None:
        return
    for file in dpp_files(path.parent, 200):
        if file != path:
            yield _item(file.relative_to(path.parent).as_posix(), CompletionItemKind.File)


def _imported(view: View, place: Place) -> Iterator[Json]:
    source = Source("", place.path)
    span = Span(source, 0, 0)
    line = ast.ImportItem(place.path, (), path_span=span, span=span)
    for item in exported(view.analysis.loader, line):
        yield _function(item.name.name, Kind.FUNC, one_line(item.name), item.doc, False, item.name.name)


def _word(name: str, word: words.Word, snippets: bool) -> Json:
    label = "subject to" if name == "subject" else name
    insert = _SNIPPETS[name] if snippets else ""
    kind = CompletionItemKind.Keyword
    return _item(label, kind, word.signature, word.doc, insert=insert, snippet=snippets, sort=f"0{name}")


def _keyword(name: str, word: words.Word) -> Json:
    insert = name if name in ("graph", "test") else f"{name}: "
    return _item(
        name,
        CompletionItemKind.Keyword,
        detail=word.signature,
        doc=word.doc,
        insert=insert,
    )
