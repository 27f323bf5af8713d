"""What names mean at a place: declared tensors, dims, index variables, lets, arguments of a ``func``; and functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

from dpplang.semantics.report import Spelling
from dpplang.semantics.tree import Atom, Condition, Expr, TypedBinder
from dpplang.syntax import ast


class Library(Protocol):
    """The atoms in scope (see :mod:`dpplang.semantics.library`)."""

    def lookup(self, name: str) -> tuple[Atom, ...]: ...

    def names(self) -> Iterable[str]: ...

    def functions(self) -> Iterable[str]: ...

    def sets(self) -> Iterable[str]: ...


@dataclass(frozen=True, slots=True)
class Poison:
    """A name that is declared, but whose declaration is wrong: using it is no further mistake."""


Later: TypeAlias = ast.Ident
"""A name that is declared further down, where it is declared."""

Binding: TypeAlias = Expr | Poison | Later
POISON = Poison()


@dataclass(frozen=True, slots=True)
class Function:
    """A ``func`` and the file whose names its body sees."""

    item: ast.FuncItem
    file: FileScope


@dataclass(slots=True)
class FileScope:
    """The names of one file; filled in while its declarations are read, and only then.

    ``library`` holds the standard atoms with the file's own and imported ones, which ``own_atoms`` lists. ``requires``
    is the condition on the constants around, inside the record of an atom.
    """

    library: Library
    names: dict[str, Binding] = field(default_factory=dict[str, "Binding"])
    functions: dict[str, Function | Poison] = field(default_factory=dict[str, "Function | Poison"])
    own_atoms: frozenset[str] = frozenset()
    spelling: Spelling = field(default_factory=Spelling)
    requires: ast.Condition | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """A file's names, what is bound on top of them, and the members of the index sets around.

    Attributes:
        numeric: a ``derived`` value or an atom's ``value``: functions of the numeric library apply to anything.
        returning: ``dual`` and ``value`` may stand here.
    """

    file: FileScope
    local: Mapping[str, Binding] = field(default_factory=dict[str, "Binding"])
    binders: tuple[TypedBinder, ...] = ()
    conditions: tuple[Condition, ...] = ()
    numeric: bool = False
    returning: bool = False

    def lookup(self, name: str) -> Binding | None:
        return self.local.get(name) or self.file.names.get(name)

    def bind(self, name: str, binding: Binding) -> Scope:
        return replace(self, local={**self.local, name: binding})

    def visible(self) -> list[str]:
        return [*self.local, *self.file.names]
