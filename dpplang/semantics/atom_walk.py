"""The parts of a typed expression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from dpplang.semantics.tree import (
    Apply,
    AtomCall,
    Const,
    DualRef,
    Expr,
    OptimalValue,
    Reduce,
    Ref,
    Size,
    Take,
)


def children(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly below."""
    match expr:
        case Apply(args=args) | AtomCall(args=args):
            return args
        case Take(operand=operand):
            return (operand,)
        case Reduce(body=body):
            return (body,)
        case Const() | Size() | Ref() | DualRef() | OptimalValue():
            return ()
        case _:
            assert_never(expr)


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and everything below it, each shared part once."""
    stack, seen = [expr], set[int]()
    while stack:
        current = stack.pop()
        if id(current) not in seen:
            seen.add(id(current))
            yield current
            stack.extend(children(current))
