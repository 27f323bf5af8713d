"""Which index variables a typed expression depends on: it is lowered once for each of their values."""

from __future__ import annotations

from typing import assert_never

from dpplang.lattice.dims import Poly, Shape
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

Names = frozenset[str]
_NONE: Names = frozenset()


class Dependence:
    """Names (dims and index variables) that occur in expressions and that no generator inside binds."""

    def __init__(self) -> None:
        self._free: dict[Expr, Names] = {}
        self._ragged: dict[Expr, Names] = {}

    def free(self, expr: Expr) -> Names:
        """Names that occur anywhere in ``expr``."""
        if expr not in self._free:
            below = _NONE.union(*map(self.free, parts(expr)))
            self._free[expr] = _unbound(expr, below | _own(expr)) | _in_shape(expr.shape)
        return self._free[expr]

    def ragged(self, expr: Expr) -> Names:
        """Names that the shape of ``expr`` or of a part of it depends on."""
        if expr not in self._ragged:
            below = _NONE.union(*map(self.ragged, parts(expr)))
            self._ragged[expr] = _unbound(expr, below) | _in_shape(expr.shape)
        return self._ragged[expr]


def parts(expr: Expr) -> tuple[Expr, ...]:
    """What a node stands on."""
    match expr:
        case Const() | Ref() | DualRef() | OptimalValue() | Size():
            return ()
        case Take(operand, _):
            return (operand,)
        case Apply(_, args) | AtomCall(args=args):
            return args
        case Reduce(_, body, _, _):
            return (body,)
        case _:
            assert_never(expr)


def _own(expr: Expr) -> Names:
    """Names that stand in the node itself."""
    match expr:
        case Size(poly):
            return poly.names
        case Take(_, items):
            return _NONE.union(*map(_item, items))
        case AtomCall(sizes=sizes):
            return _NONE.union(*(poly.names for _, poly in sizes))
        case Reduce(_, _, _, condition) if condition is not None:
            return _condition(condition)
        case _:
            return _NONE


def _unbound(expr: Expr, names: Names) -> Names:
    if isinstance(expr, Reduce):
        for binder in reversed(expr.binders):
            names = (names - {binder.name}) | _binder(binder)
    return names


def _item(item: Poly | Range) -> Names:
    return item.start.names | item.stop.names if isinstance(item, Range) else item.names


def _binder(binder: TypedBinder) -> Names:
    return binder.start.names | binder.stop.names


def _in_shape(shape: Shape) -> Names:
    return _NONE.union(*(axis.names for axis in shape))


def _condition(condition: Condition) -> Names:
    match condition:
        case Test(_, left, right):
            return left.names | right.names
        case Logic(_, parts):
            return _NONE.union(*map(_condition, parts))
        case _:
            assert_never(condition)
