"""Values of small numeric expressions in plain Python, for sampling an atom's contract while a program is checked.

The checker may not load NumPy. Vectors are flat tuples; what needs linear algebra is :class:`Unsupported`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dpplang.lattice.dims import Poly
from dpplang.semantics.atom_constants import flat
from dpplang.semantics.tree import Apply, Const, Constraint, Expr, Kind, Range, Ref, Size, Take


class Unsupported(Exception):
    """An operation that plain Python does not serve here."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """Entries row-major."""

    shape: tuple[int, ...]
    entries: tuple[float, ...]


MAX_ENTRIES = 1000

_UNARY: dict[str, Callable[[float], float]] = {
    "neg": operator.neg,
    "abs": abs,
    "exp": math.exp,
    "log": lambda v: -math.inf if v == 0 else math.log(v),
    "log1p": lambda v: -math.inf if v == -1 else math.log1p(v),
    "sqrt": math.sqrt,
    "sign": lambda v: float((v > 0) - (v < 0)),
    "tanh": math.tanh,
    "sigmoid": lambda v: 1 / (1 + math.exp(-v)) if v >= 0 else math.exp(v) / (1 + math.exp(v)),
    "sin": math.sin,
    "cos": math.cos,
    "floor": math.floor,
    "not": lambda v: float(not v),
}
_BINARY: dict[str, Callable[[float, float], float]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": lambda a, b: math.copysign(math.inf, a) if b == 0 and a else a / b,
    "pow": math.pow,
    "maximum": max,
    "minimum": min,
    "le": operator.le,
    "lt": operator.lt,
    "ge": operator.ge,
    "gt": operator.gt,
    "eq": operator.eq,
    "ne": operator.ne,
    "and": lambda a, b: float(bool(a and b)),
    "or": lambda a, b: float(bool(a or b)),
}
_REDUCTION: dict[str, Callable[[tuple[float, ...]], float]] = {
    "sum": math.fsum,
    "mean": lambda v: math.fsum(v) / len(v),
    "max": max,
    "min": min,
    "prod": math.prod,
    "norm1": lambda v: math.fsum(map(abs, v)),
    "norm_inf": lambda v: max(map(abs, v)),
    "norm_fro": lambda v: math.hypot(*v),
}


def evaluate(expr: Expr, values: Mapping[str, Tensor], sizes: Mapping[str, int]) -> Tensor | None:
    """The value at given arguments; None where it is not defined (overflow, division by zero, a root of a negative
    number).

    Raises:
        Unsupported: the expression uses an operation on matrices, or another atom.
    """
    try:
        return _evaluate(expr, values, sizes)
    except (ArithmeticError, ValueError):
        return None


def satisfied(relation: Constraint, values: Mapping[str, Tensor], sizes: Mapping[str, int]) -> bool:
    """Whether a domain relation holds.

    Raises:
        Unsupported: it is not a plain ``==`` or ``<=``.
    """
    if relation.kind not in (Kind.LE, Kind.ZERO) or relation.binders:
        raise Unsupported("its domain is not a plain inequality")
    left, right = (evaluate(p, values, sizes) for p in relation.parts)
    if left is None or right is None:
        return False
    holds = operator.le if relation.kind is Kind.LE else operator.eq
    return all(map(holds, *_spread(left, right)))


def _evaluate(expr: Expr, values: Mapping[str, Tensor], sizes: Mapping[str, int]) -> Tensor:
    shape = tuple(int(p.evaluate(sizes)) for p in expr.shape)
    if math.prod(shape) > MAX_ENTRIES:
        raise Unsupported("its value is too large")
    match expr:
        case Const(value=value):
            return Tensor(shape, flat(value))
        case Size(poly=poly):
            return Tensor((), (float(poly.evaluate(sizes)),))
        case Ref(symbol=symbol):
            return values[symbol.name]
        case Take(operand=operand, items=items):
            return Tensor(shape, _taken(_evaluate(operand, values, sizes), items, sizes))
        case Apply(op=op, args=args):
            return Tensor(shape, _applied(expr, op, [_evaluate(a, values, sizes) for a in args], shape))
        case _:
            raise Unsupported("its value uses another atom")


def _taken(operand: Tensor, items: tuple[Poly | Range, ...], sizes: Mapping[str, int]) -> tuple[float, ...]:
    positions = [0]
    for item, extent in zip(items, operand.shape, strict=True):
        start = int((item.start if isinstance(item, Range) else item).evaluate(sizes))
        stop = int(item.stop.evaluate(sizes)) if isinstance(item, Range) else start + 1
        positions = [p * extent + i for p in positions for i in range(start, stop)]
    return tuple(operand.entries[p] for p in positions)


def _spread(left: Tensor, right: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    count = max(len(left.entries), len(right.entries))
    return tuple(t.entries * count if len(t.entries) == 1 else t.entries for t in (left, right))  # type: ignore[return-value]


def _matmul(left: Tensor, right: Tensor) -> tuple[float, ...]:
    """A vector counts as a row on the left and as a column on the right."""
    inner, columns = left.shape[-1], right.shape[1] if len(right.shape) == 2 else 1
    return tuple(
        math.fsum(map(operator.mul, left.entries[i : i + inner], right.entries[j::columns]))
        for i in range(0, len(left.entries), inner)
        for j in range(columns)
    )


def _applied(expr: Apply, op: str, args: list[Tensor], shape: tuple[int, ...]) -> tuple[float, ...]:
    count = math.prod(shape)
    if op in _UNARY and len(args) == 1:
        return tuple(map(_UNARY[op], args[0].entries))
    if op in _BINARY and len(args) == 2:
        return tuple(map(_BINARY[op], *_spread(*args)))
    if op in _REDUCTION and expr.option("axis") is None:
        return (_REDUCTION[op](args[0].entries),)
    match op, args:
        case "norm2", [operand] if expr.option("axis") is None and len(operand.shape) == 1:
            return (math.hypot(*operand.entries),)
        case "where", [test, then, other]:
            picks = [t.entries * count if len(t.entries) == 1 else t.entries for t in (test, then, other)]
            return tuple(b if a else c for a, b, c in zip(*picks, strict=True))
        case "matmul", [left, right]:
            return _matmul(left, right)
        case "transpose", [operand] if len(operand.shape) == 1:
            return operand.entries
        case ("reshape" | "spread"), [operand]:
            return operand.entries * (count if len(operand.entries) == 1 else 1)
        case ("hstack" | "stack"), _ if len(shape) == 1:
            return tuple(entry for a in args for entry in a.entries)
        case "sort", [operand] if len(operand.shape) == 1:
            return tuple(sorted(operand.entries))
        case "full", []:
            return (float(expr.option("value", 0.0)),) * count  # type: ignore[arg-type]
        case _:
            raise Unsupported(f"its value uses `{op}`")
