"""Where the size of an axis comes from: the declared tensor, and the axis of it, that an expression has it of."""

from __future__ import annotations

from dpplang.semantics.tree import Apply, AtomCall, Expr, Range, Reduce, Ref, Role, Symbol, Take

_SAME_SHAPE = frozenset(
    ("neg", "exp", "log", "sqrt", "abs", "sign", "tanh", "sigmoid", "cumsum", "inv", "sqrtm", "pow", "softmax")
)
_ENTRYWISE = frozenset(("add", "sub", "mul", "div", "maximum", "minimum", "where"))


def origin(expr: Expr, axis: int) -> tuple[Symbol, int] | None:
    """The tensor, and its axis, that gives an axis of an expression its size.

    Args:
        axis: from 0 to the rank of the expression, exclusive.

    Returns:
        None where the size is made on the way (a stack, a shape that is written out).
    """
    while True:
        if axis >= len(expr.shape):
            return None
        match expr:
            case Ref(symbol=symbol):
                return None if symbol.role is Role.FORMAL else (symbol, axis)
            case Apply(op="transpose", args=(operand,)):
                expr, axis = operand, len(operand.shape) - 1 - axis
            case Apply(op="matmul", args=(left, right)):
                outer = len(left.shape) - 1
                expr, axis = (left, axis) if axis < outer else (right, axis - outer + 1)
            case Apply(op=op, args=args) if op in _ENTRYWISE or (op in _SAME_SHAPE and args):
                expr = next((a for a in args if a.shape == expr.shape), args[0])
            case AtomCall(args=args) if any(a.shape == expr.shape for a in args):
                expr = next(a for a in args if a.shape == expr.shape)
            case Take(operand=operand, items=items):
                kept = [i for i, item in enumerate(items) if isinstance(item, Range)]
                expr, axis = operand, kept[axis]
            case Reduce(op="sum" | "max" | "min", body=body):
                expr = body
            case _:
                return None
