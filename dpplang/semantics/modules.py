"""Functions and atoms of a file, its own and imported ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dpplang.core.diagnostics import Label
from dpplang.semantics.damage import damage
from dpplang.semantics.library import Library
from dpplang.semantics.loader import MAX_IMPORT_DEPTH, Loader
from dpplang.semantics.memo import Memo
from dpplang.semantics.report import Mistake, Report, mistake, suggestions
from dpplang.semantics.scope import POISON, FileScope, Function
from dpplang.syntax import ast
from dpplang.syntax.parser import parse


@dataclass(frozen=True, slots=True)
class _Module:
    """A file that was read: its scope, and the records of its atoms, own and imported, which mean what they do in
    ``library``."""

    scope: FileScope
    atoms: dict[str, list[ast.AtomItem]]
    library: Library


class Modules:
    """Reads imports depth first; each file once, however many import it."""

    def __init__(self, report: Report, library: Library, memo: Memo | None = None) -> None:
        self._report = report
        self._memo = memo
        self._library = library
        self._done: dict[Path, _Module] = {}
        self._open: list[Path] = []

    def scope_of(self, file: ast.File, loader: Loader) -> FileScope:
        """The scope of a file with its functions and atoms; tensors are not in it yet."""
        return self._scope(file, loader).scope

    def _scope(self, file: ast.File, loader: Loader) -> _Module:
        scope = FileScope(self._library)
        atoms: dict[str, list[ast.AtomItem]] = {}
        first: dict[str, ast.Ident] = {}
        homes: dict[int, Library] = {}
        for item in file.items:
            if isinstance(item, ast.ImportItem):
                self._import(item, loader, scope, atoms, homes, first)
        for item in file.items:
            if isinstance(item, ast.FuncItem) and self._unique(item.name, first):
                scope.functions[item.name.name] = Function(item, scope)
            elif isinstance(item, ast.AtomItem):
                atoms.setdefault(item.name.name, []).append(item)
        library = self._library
        records = [a for group in atoms.values() for a in group]
        if records:
            known = self._memo
            library, found = (
                self._library.extended(records, homes)
                if known is None
                else known.extended(self._library, records, homes)
            )
            self._report.add(*found)
            scope.library = library
            scope.own_atoms = frozenset(a for a in atoms if a not in self._library.names())
        return _Module(scope, atoms, library)

    def _import(
        self,
        item: ast.ImportItem,
        loader: Loader,
        scope: FileScope,
        atoms: dict[str, list[ast.AtomItem]],
        homes: dict[int, Library],
        first: dict[str, ast.Ident],
    ) -> None:
        try:
            module = self._file(item, loader)
        except Mistake as error:
            self._report.add(*error.diagnostics)
            for name in item.names:
                scope.functions.setdefault(name.name, POISON)
            return
        exported = module.scope.functions
        for name in item.names:
            if name.name in module.atoms:
                atoms.setdefault(name.name, []).extend(module.atoms[name.name])
                homes.update((id(record), module.library) for record in module.atoms[name.name])
            elif name.name in exported:
                if self._unique(name, first):
                    scope.functions[name.name] = exported[name.name]
            else:
                known = [*exported, *module.atoms]
                self._report.add(
                    *mistake(
                        "NAM114",
                        f"`{item.path}` has no `func` or `atom` named `{name.name}`",
                        name.span,
                        fixes=suggestions(name.name, known, name.span),
                    ).diagnostics
                )
                scope.functions.setdefault(name.name, POISON)

    def _file(self, item: ast.ImportItem, loader: Loader) -> _Module:
        source, inner, path = loader.load(item.path, item.path_span)
        if path in self._open:
            chain = " → ".join(p.name for p in (*self._open[self._open.index(path) :], path))
            raise mistake("NAM113", f"files import each other in a circle: {chain}", item.path_span)
        if path in self._done:
            return self._done[path]
        if len(self._open) >= MAX_IMPORT_DEPTH:
            raise mistake("NAM113", f"imports are nested more than {MAX_IMPORT_DEPTH} deep", item.path_span)
        parsed = parse(source) if self._memo is None else self._memo.parse(source)
        self._report.add(*parsed.diagnostics)
        for other in parsed.file.items:
            if not isinstance(other, ast.FuncItem | ast.AtomItem | ast.ImportItem):
                self._report.add(
                    *mistake(
                        "NAM120",
                        "a file that is imported holds `func`, `atom` and import items only",
                        other.span,
                        secondary=(Label(item.path_span, "imported here"),),
                    ).diagnostics
                )
        self._open.append(path)
        try:
            self._done[path] = self._scope(parsed.file, inner)
            for name in damage(parsed.file).functions:  # it did not parse, and that is said
                self._done[path].scope.functions.setdefault(name, POISON)
        finally:
            self._open.pop()
        return self._done[path]

    def _unique(self, ident: ast.Ident, first: dict[str, ast.Ident]) -> bool:
        earlier = first.setdefault(ident.name, ident)
        if earlier is ident:
            return True
        self._report.add(
            *mistake(
                "NAM102",
                f"function `{ident.name}` is defined twice",
                ident.span,
                secondary=(Label(earlier.span, "first here"),),
            ).diagnostics
        )
        return False
