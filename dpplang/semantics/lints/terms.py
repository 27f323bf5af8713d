"""What an expression adds up."""

from __future__ import annotations

from collections.abc import Iterator

from dpplang.semantics.tree import Apply, Expr, Reduce


def terms(expr: Expr) -> Iterator[Expr]:
    """The terms of a sum, signs left aside; of a sum over an index set the terms of its members."""
    match expr:
        case Apply(op="add" | "sub" | "neg" | "spread", args=args):
            for arg in args:
                yield from terms(arg)
        case Reduce(op="sum", body=body):
            yield from terms(body)
        case _:
            yield expr
