"""What lints found of a text's items, constraints and expressions, for as long as these are in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from dpplang.core.diagnostics import Diagnostic
from dpplang.semantics.atom_walk import walk
from dpplang.semantics.lints.keys import fingerprint
from dpplang.semantics.lints.unused import names_used
from dpplang.semantics.tree import Constraint, Expr, Ref, Symbol
from dpplang.syntax import ast


@dataclass(slots=True)
class _Noted:
    """Of one constraint. It keeps what the constraint is made of from being given away, and its ``id`` with it."""

    constraint: Constraint
    fingerprint: int
    quiet: bool = False


@dataclass(slots=True)
class Memory:
    """What is remembered of the last version of one text. It never changes an answer.

    Nodes are known by ``id``, and never change; that a constraint says nothing of note is kept, a warning never.
    """

    _used: dict[int, tuple[ast.AnyItem, frozenset[str]]] = field(
        default_factory=dict[int, "tuple[ast.AnyItem, frozenset[str]]"]
    )
    _symbols: dict[int, tuple[Expr, frozenset[Symbol]]] = field(
        default_factory=dict[int, "tuple[Expr, frozenset[Symbol]]"]
    )
    _noted: dict[int, _Noted] = field(default_factory=dict[int, _Noted])
    _before: Memory | None = None

    def begin(self) -> None:
        """Another version is looked at: what was not asked of the last is forgotten."""
        self._before = Memory(self._used, self._symbols, self._noted)
        self._used, self._symbols, self._noted = {}, {}, {}

    def end(self) -> None:
        self._before = None

    def used(self, item: ast.AnyItem) -> frozenset[str]:
        """Names that an item uses."""
        found = self._used.get(id(item))
        if found is None:
            before = None if self._before is None else self._before._used.get(id(item))
            found = self._used[id(item)] = before or (item, frozenset(names_used(item)))
        return found[1]

    def symbols(self, expr: Expr) -> frozenset[Symbol]:
        """Symbols that stand in an expression."""
        found = self._symbols.get(id(expr))
        if found is None:
            before = None if self._before is None else self._before._symbols.get(id(expr))
            inside = before or (expr, frozenset(e.symbol for e in walk(expr) if isinstance(e, Ref)))
            found = self._symbols[id(expr)] = inside
        return found[1]

    def fingerprint(self, constraint: Constraint) -> int:
        """Equal for constraints that say the same, and hardly ever for others."""
        return self._of(constraint).fingerprint

    def unless_quiet(
        self, constraint: Constraint, look: Callable[[Constraint], Iterator[Diagnostic]]
    ) -> tuple[Diagnostic, ...]:
        """What ``look`` finds, which is the same function for every constraint of a memory."""
        noted = self._of(constraint)
        if noted.quiet:
            return ()
        found = tuple(look(constraint))
        noted.quiet = not found
        return found

    def _of(self, constraint: Constraint) -> _Noted:
        # By its parts: a constraint without a name is made anew when those before it are counted anew
        key = id(constraint.parts)
        noted = self._noted.get(key)
        if noted is None and self._before is not None:
            noted = self._before._noted.get(key)
        if noted is None or not _same_but_name(noted.constraint, constraint):
            noted = _Noted(constraint, fingerprint(constraint))
        self._noted[key] = noted
        return noted


def _same_but_name(one: Constraint, other: Constraint) -> bool:
    return one is other or (
        one.parts is other.parts
        and one.span is other.span
        and one.kind is other.kind
        and one.binders is other.binders
        and one.condition is other.condition
        and one.cone == other.cone
        and one.cone_args is other.cone_args
        and one.chained == other.chained
    )
