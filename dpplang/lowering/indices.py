"""Which index variables a typed expression depends on: the rest is lowered once, not once per member."""

from __future__ import annotations

from functools import lru_cache
from typing import assert_never

from dpplang.lattice.dims import Poly
from dpplang.semantics.tree import (
    Apply,
    AtomCall,
    Condition,
    Const,
    DualRef,
    Expr,
    Logic,
    OptimalValue,
    Range,
    Reduce,
    Ref,
    Size,
    Take,
    Test,
    TypedBinder,
)


@lru_cache(maxsize=65536)
def free_names(expr: Expr) -> frozenset[str]:
    """Names (dims and index variables) that occur in ``expr`` and are not bound by a generator inside it."""
    match expr:
        case Const() | Ref() | DualRef() | OptimalValue():
            return frozenset()
        case Size(poly):
            return _indices(poly)
        case Take(operand, items):
            return free_names(operand).union(*(_item(i) for i in items))
        case Apply(_, args):
            return frozenset().union(*(free_names(a) for a in args))
        case AtomCall():
            return frozenset().union(*(free_names(a) for a in expr.args), *(_indices(p) for _, p in expr.sizes))
        case Reduce(_, body, binders, condition):
            inner = free_names(body) | (_condition(condition) if condition is not None else frozenset())
            for binder in reversed(binders):
                inner = (inner - {binder.name}) | _binder(binder)
            return inner
        case _:
            assert_never(expr)


def _item(item: Poly | Range) -> frozenset[str]:
    return _indices(item.start) | _indices(item.stop) if isinstance(item, Range) else _indices(item)


def _binder(binder: TypedBinder) -> frozenset[str]:
    return _indices(binder.start) | _indices(binder.stop)


def _condition(condition: Condition) -> frozenset[str]:
    match condition:
        case Test(_, left, right):
            return _indices(left) | _indices(right)
        case Logic(_, parts):
            return frozenset().union(*(_condition(p) for p in parts))
        case _:
            assert_never(condition)


def _indices(poly: Poly) -> frozenset[str]:
    return poly.names
