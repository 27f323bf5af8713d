"""What one file says of functions, atoms and sets: what it defines, imports and calls, by offset and without its tree.

So little is kept of files that are not open that hundreds of them can be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dpplang.core.source import Source
from dpplang.lsp.names import Mention, Space, mentions
from dpplang.syntax import ast
from dpplang.syntax.parser import parse


@dataclass(frozen=True, slots=True)
class Use:
    """A name at [start, end).

    Attributes:
        owner: of an argument that is named in a call, the function; of anything else empty.
        defines: it is a ``func``'s or atom's own. line: of an import, the position among the file's imports; else -1.
    """

    start: int
    end: int
    owner: str = ""
    defines: bool = False
    line: int = -1


@dataclass(frozen=True, slots=True)
class Record:
    """A ``func``, or one record of an atom. ``formals``: by name, every place in it that means that argument."""

    is_func: bool
    formals: Mapping[str, tuple[tuple[int, int], ...]]


@dataclass(frozen=True, slots=True)
class Uses:
    """Of one text.

    Attributes:
        functions: mentions of functions, atoms and sets by name; arguments: those of arguments that are named in calls.
        records: what the file defines, by name. imports: path and names of each import line, in order.
        broken: the 1-based line of the first syntax error; 0 if there is none.
        is_library: it holds nothing that an imported file may not hold.
    """

    functions: Mapping[str, tuple[Use, ...]]
    arguments: Mapping[str, tuple[Use, ...]]
    records: Mapping[str, tuple[Record, ...]]
    imports: tuple[tuple[str, frozenset[str]], ...]
    broken: int
    is_library: bool


def uses_of(text: str) -> Uses:
    parsed = parse(Source("", text))
    functions: dict[str, list[Use]] = {}
    arguments: dict[str, list[Use]] = {}
    records: dict[str, list[Record]] = {}
    imports: list[tuple[str, frozenset[str]]] = []
    for item in parsed.file.items:
        own = mentions(item)
        for mention in own:
            start, end = mention.span.start, mention.span.end
            if mention.space is Space.FUNCTION:
                line = len(imports) if isinstance(item, ast.ImportItem) else -1
                defines = mention.declares and line < 0
                functions.setdefault(mention.name, []).append(Use(start, end, defines=defines, line=line))
            elif mention.space is Space.ARGUMENT:
                arguments.setdefault(mention.name, []).append(Use(start, end, str(mention.owner)))
        if isinstance(item, ast.ImportItem):
            imports.append((item.path, frozenset(n.name for n in item.names)))
        elif isinstance(item, ast.FuncItem | ast.AtomItem):
            records.setdefault(item.name.name, []).append(_record(item, own))
    errors = [d for d in parsed.diagnostics if d.is_error]
    return Uses(
        {name: tuple(found) for name, found in functions.items()},
        {name: tuple(found) for name, found in arguments.items()},
        {name: tuple(found) for name, found in records.items()},
        tuple(imports),
        min((d.primary.span.line if d.primary else 1 for d in errors), default=0),
        all(isinstance(i, ast.FuncItem | ast.AtomItem | ast.ImportItem) for i in parsed.file.items),
    )


def _record(item: ast.FuncItem | ast.AtomItem, own: tuple[Mention, ...]) -> Record:
    formals: dict[str, tuple[tuple[int, int], ...]] = {}
    for formal in item.formals:
        places = [(m.span.start, m.span.end) for m in own if m.space is Space.LOCAL and m.owner is formal.name]
        formals[formal.name.name] = tuple(dict.fromkeys(places))
    return Record(isinstance(item, ast.FuncItem), formals)
