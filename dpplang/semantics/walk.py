"""What the parts of the inference share: the walk over expressions, and what is counted while it goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from dpplang.core.source import Span
from dpplang.lattice.dims import Poly
from dpplang.semantics.members import MAX_ALL_STEPS
from dpplang.semantics.report import Report
from dpplang.semantics.scope import Scope
from dpplang.semantics.tree import Expr
from dpplang.syntax import ast

if TYPE_CHECKING:
    from dpplang.semantics.memo import Memo

MAX_NODES = 100_000
"""Expressions typed in one program, ``func`` bodies counted at every call: checking takes bounded time and memory."""
MAX_NESTING = 180
"""Levels of nesting, through ``func`` calls: whatever walks typed trees stays within Python's recursion."""


@dataclass(frozen=True, slots=True)
class Inlined:
    """A ``func`` call and what it stands for."""

    name: str
    span: Span
    body: Expr


@dataclass(slots=True)
class State:
    """What is counted and kept while one program is typed.

    Attributes:
        nodes: expressions typed so far. depth: levels of nesting now.
        called: functions that were inlined somewhere.
        stack: functions being inlined, outermost first.
        overflowed: a bound was exceeded, and that was reported.
        index_names: how often each name has been an index variable.
        strayed: indices that leave an axis of a size, as they were reported.
        memo: what is remembered of an earlier version of the program, if it is checked again and again.
        steps: what is left for the searches for members of index sets.
        inlined: by ``id`` of the body's expression, the call that it stands for (the entry keeps it alive).
    """

    nodes: int = 0
    depth: int = 0
    called: set[str] = field(default_factory=set[str])
    stack: tuple[ast.FuncItem, ...] = ()
    overflowed: bool = False
    index_names: dict[str, int] = field(default_factory=dict[str, int])
    strayed: set[tuple[Poly, Poly]] = field(default_factory=set[tuple[Poly, Poly]])
    memo: Memo | None = None
    steps: Iterator[int] = field(default_factory=lambda: iter(range(MAX_ALL_STEPS)))
    inlined: dict[int, Inlined] = field(default_factory=dict[int, Inlined])

    def fresh_index(self, name: str) -> str:
        """A name for an index variable that no other in the program has: ``t``, then ``t.1`` …"""
        count = self.index_names.get(name, 0)
        self.index_names[name] = count + 1
        return f"{name}.{count}" if count else name


class Walk(Protocol):
    """The inference, as its parts see it."""

    report: Report
    state: State

    def infer(self, node: ast.Expr | ast.Condition, scope: Scope) -> Expr | None:
        """The typed expression; None if it (or what it uses) is wrong, which is then reported."""
        ...


def reserve_index_names(state: State, names: list[str]) -> None:
    """Names of dims are not to be taken by index variables: both live in one space of polynomials' names."""
    for name in names:
        state.index_names.setdefault(name, 1)
