"""Names that are declared and never used."""

from __future__ import annotations

from collections.abc import Iterator

from dpplang.core.diagnostics import Diagnostic, Severity
from dpplang.semantics.lints.memory import Memory
from dpplang.semantics.report import diagnose
from dpplang.semantics.tree import Model
from dpplang.syntax import ast
from dpplang.syntax.walk import walk

_KINDS = {ast.DimItem: "dim", ast.DataItem: "data", ast.ParamItem: "param", ast.VarItem: "var"}


def unused(file: ast.File, model: Model, memory: Memory) -> Iterator[Diagnostic]:
    """LNT101. A variable that stands in ``return`` alone is used there, and reported as one that nothing determines."""
    used = memory.names(file.items, names_used)
    if memory.names(file.items, _names_declared) <= used:
        return
    returned = any(isinstance(item, ast.ReturnItem) for item in file.items)
    for kind, ident in (each for item in file.items for each in _declared(item)):
        if ident.name in used:
            continue
        if kind == "param" and ident.name in ast.PLAIN_ATTRIBUTES:
            note = f"an attribute follows the shape without a comma: `{_before(file, ident)} {ident.name}`"
            yield _unused(kind, ident, note)
        elif kind == "var" and not returned:
            yield _unused(kind, ident, "it is returned all the same, with a value that nothing determines")
        else:
            yield _unused(kind, ident)


def _unused(kind: str, ident: ast.Ident, note: str = "") -> Diagnostic:
    return diagnose(
        "LNT101",
        f"`{kind} {ident.name}` is never used",
        ident.span,
        notes=(note,) if note else (),
        help=("leave it out",) if not note else (),
        severity=Severity.WARNING,
    )


def _names_declared(item: ast.AnyItem) -> Iterator[str]:
    return (ident.name for _, ident in _declared(item))


def _declared(item: ast.AnyItem) -> Iterator[tuple[str, ast.Ident]]:
    match item:
        case ast.DimItem() | ast.DataItem() | ast.ParamItem() | ast.VarItem():
            for declaration in item.declarations:
                yield _KINDS[type(item)], declaration.name
        case ast.DerivedItem():
            yield "derived", item.declaration.name
        case ast.LetItem():
            yield "let", item.declaration.name
        case ast.FuncItem():
            yield "func", item.name
        case ast.AtomItem():
            yield "atom", item.name
        case ast.ImportItem():
            for name in item.names:
                yield "import", name
        case _:
            pass


def names_used(item: ast.AnyItem) -> Iterator[str]:
    """Names that an item uses: of tensors and sizes, and of functions it calls."""
    own = item.name.name if isinstance(item, ast.FuncItem | ast.AtomItem) else None
    for node in walk(item):
        match node:
            case ast.Name(name=name):
                yield name
            case ast.Call(function=function) if function.name != own:
                yield function.name
            case ast.Membership(cone=cone) if cone.name != own:
                yield cone.name
            case _:
                pass


def _before(file: ast.File, ident: ast.Ident) -> str:
    """The name that stands before one in its declaration."""
    for item in file.items:
        if isinstance(item, ast.ParamItem):
            names = [d.name for d in item.declarations]
            if ident in names and names.index(ident):
                return names[names.index(ident) - 1].name
    return "p"
