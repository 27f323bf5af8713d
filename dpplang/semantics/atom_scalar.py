"""Values of small numeric expressions in plain Python, for sampling an atom's contract while a program is checked.

The checker may not load NumPy: sizes are bounded, and what is beyond them is :class:`Unsupported`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise

from dpplang.semantics import atom_matrices as matrices
from dpplang.semantics import atom_tensor as tensors
from dpplang.semantics.atom_constants import flat
from dpplang.semantics.atom_tensor import Entries, Tensor, scalar
from dpplang.semantics.members import holds
from dpplang.semantics.tree import (
    Apply,
    AtomCall,
    Condition,
    Const,
    Constraint,
    Expr,
    Kind,
    Range,
    Reduce,
    Ref,
    Size,
    Take,
    TypedBinder,
)

Sizes = Mapping[str, int]


class Unsupported(Exception):
    """An operation that plain Python does not serve here."""


MAX_ENTRIES = 1000
MAX_ORDER = 16
TOLERANCE = 1e-9

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
    "floor": lambda v: v if math.isinf(v) else float(math.floor(v)),
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
_REDUCTION: dict[str, Callable[[Entries], float]] = {
    "sum": math.fsum,
    "mean": lambda v: math.fsum(v) / len(v),
    "max": max,
    "min": min,
    "prod": math.prod,
    "norm1": lambda v: math.fsum(map(abs, v)),
    "norm2": lambda v: math.hypot(*v),
    "norm_inf": lambda v: max(map(abs, v)),
    "norm_fro": lambda v: math.hypot(*v),
}


def _softmax(line: Entries) -> Sequence[float]:
    grown = [math.exp(v - max(line)) for v in line]
    return [g / math.fsum(grown) for g in grown]


_SCAN: dict[str, Callable[[Entries], Sequence[float]]] = {
    "cumsum": lambda v: tuple(accumulate(v)),
    "sort": sorted,
    "softmax": _softmax,
}
_SPECTRAL: dict[str, Callable[[float], float]] = {
    "sqrtm": lambda v: math.sqrt(v if abs(v) > TOLERANCE else 0.0),
    "logm": math.log,
}


def evaluate(expr: Expr, values: Mapping[str, Tensor], sizes: Sizes) -> Tensor | None:
    """The value at given arguments; None where it is not defined (overflow, division by zero, a root of a negative
    number, an inverse of a singular matrix).

    Raises:
        Unsupported: the expression is too large.
    """
    try:
        return _evaluate(expr, values, sizes)
    except (ArithmeticError, ValueError):
        return None


def is_undefined(expr: Expr, values: Mapping[str, Tensor], sizes: Sizes) -> bool:
    """Whether the expression has no value there, mathematically; an overflow is none of that.

    Raises:
        Unsupported: the expression is too large.
    """
    try:
        _evaluate(expr, values, sizes)
    except OverflowError:
        return False
    except (ArithmeticError, ValueError):
        return True
    return False


def satisfied(relation: Constraint, values: Mapping[str, Tensor], sizes: Sizes) -> bool:
    """Whether a domain relation holds.

    Raises:
        Unsupported: it is no plain ``==``, ``<=`` or ``>>``.
    """
    if relation.kind is Kind.CONE or relation.binders:
        raise Unsupported("its domain is no plain inequality")
    left, right = (evaluate(p, values, sizes) for p in relation.parts)
    if left is None or right is None:
        return False
    count = max(len(left.entries), len(right.entries))
    pairs = list(zip(tensors.spread(left, count), tensors.spread(right, count), strict=True))
    match relation.kind:
        case Kind.LE:
            return all(a <= b for a, b in pairs)
        case Kind.ZERO:
            return all(abs(a - b) <= TOLERANCE * (1 + abs(a)) for a, b in pairs)
        case _:
            gap = Tensor(left.shape or right.shape, tuple(a - b for a, b in pairs))
            return matrices.eigen(_small(gap).rows)[0][0] >= -TOLERANCE


def _small(matrix: Tensor) -> Tensor:
    if max(matrix.shape) > MAX_ORDER:
        raise Unsupported("its matrices are too large")
    return matrix


def _evaluate(expr: Expr, values: Mapping[str, Tensor], sizes: Sizes) -> Tensor:
    shape = tuple(int(p.evaluate(sizes)) for p in expr.shape)
    if math.prod(shape) > MAX_ENTRIES:
        raise Unsupported("its value is too large")
    match expr:
        case Const(value=value):
            return Tensor(shape, flat(value))
        case Size(poly=poly):
            return scalar(poly.evaluate(sizes))
        case Ref(symbol=symbol):
            return values[symbol.name]
        case Take(operand=operand, items=items):
            picks = [_range(i, sizes) if isinstance(i, Range) else int(i.evaluate(sizes)) for i in items]
            return tensors.taken(_evaluate(operand, values, sizes), picks, shape)
        case Apply(args=args):
            return _applied(expr, [_evaluate(a, values, sizes) for a in args], shape)
        case Reduce():
            return _reduced(expr, values, sizes, shape)
        case AtomCall():
            return _called(expr, [_evaluate(a, values, sizes) for a in expr.args], sizes, shape)
        case _:
            raise Unsupported("its value is no expression of numbers")


def _range(item: Range, sizes: Sizes) -> range:
    return range(int(item.start.evaluate(sizes)), int(item.stop.evaluate(sizes)))


# --- index sets and atoms ----------------------------------------------------------------------------------------


def _reduced(expr: Reduce, values: Mapping[str, Tensor], sizes: Sizes, shape: tuple[int, ...]) -> Tensor:
    members = [_evaluate(expr.body, values, inner) for inner in index_members(expr.binders, expr.condition, sizes)]
    if not members:
        return Tensor(shape, (0.0,) * math.prod(shape))
    if expr.op in ("hstack", "vstack"):
        return _joined(expr.op, members, shape)
    fold = _REDUCTION[expr.op]
    return Tensor(shape, tuple(fold(entries) for entries in zip(*(m.entries for m in members), strict=True)))


def index_members(binders: tuple[TypedBinder, ...], condition: Condition | None, sizes: Sizes) -> Iterator[Sizes]:
    if not binders:
        if condition is None or holds(condition, sizes):
            yield sizes
        return
    first, *rest = binders
    start, stop = int(first.start.evaluate(sizes)), int(first.stop.evaluate(sizes))
    if stop - start > MAX_ENTRIES:
        raise Unsupported("its index sets are too large")
    for index in range(start, stop):
        yield from index_members(tuple(rest), condition, {**sizes, first.name: index})


def _called(call: AtomCall, args: list[Tensor], sizes: Sizes, shape: tuple[int, ...]) -> Tensor:
    """Another atom, by its value."""
    value, names = call.atom.value, [f.symbol.name for f in call.atom.formals]
    if value is None:
        raise Unsupported(f"`{call.atom.name}` has no value")
    inner = {name: int(poly.evaluate(sizes)) for name, poly in call.sizes}
    if call.atom.kind == "elementwise":
        count = math.prod(shape)
        columns = [tensors.spread(a, count) for a in args]
        found = [_evaluate(value, _named(names, map(scalar, entry)), inner) for entry in zip(*columns, strict=True)]
        return Tensor(shape, tuple(t.entries[0] for t in found))
    if call.axis is not None:
        vectors = [Tensor((len(line),), line) for line in tensors.lines(args[0], call.axis)]
        results = [_evaluate(value, _named(names, [vector, *args[1:]]), inner) for vector in vectors]
        if results and results[0].shape:
            return tensors.from_lines([t.entries for t in results], shape, call.axis)
        return Tensor(shape, tuple(t.entries[0] for t in results))
    flattened = [
        a.reshape((len(a.entries),)) if f.any_shape or (call.atom.kind == "reduction" and not i) else a
        for i, (f, a) in enumerate(zip(call.atom.formals, args, strict=True))
    ]
    return _evaluate(value, _named(names, flattened), inner)


def _named(names: list[str], args: Sequence[Tensor] | map[Tensor]) -> dict[str, Tensor]:
    return dict(zip(names, args, strict=True))


# --- primitives --------------------------------------------------------------------------------------------------


def _applied(expr: Apply, args: list[Tensor], shape: tuple[int, ...]) -> Tensor:
    op, axis = expr.op, expr.option("axis")
    along = axis if isinstance(axis, int) else None
    if op in _UNARY and len(args) == 1:
        return Tensor(shape, tuple(map(_UNARY[op], args[0].entries)))
    if op in _BINARY and len(args) == 2:
        count = math.prod(shape)
        return Tensor(shape, tuple(map(_BINARY[op], *(tensors.spread(a, count) for a in args))))
    if op in _REDUCTION and not (op == "norm2" and along is None and len(args[0].shape) == 2):
        return tensors.reduced(args[0], along, _REDUCTION[op])
    if op in _SCAN:
        return tensors.scanned(args[0], along, _SCAN[op])
    if op in ("hstack", "vstack", "stack"):
        return _joined(op, args, shape)
    return _matrix(expr, args, shape) if args and len(args[0].shape) == 2 else _other(expr, args, shape)


def _joined(op: str, parts: Sequence[Tensor], shape: tuple[int, ...]) -> Tensor:
    if op == "stack" or len(shape) == 1:
        return Tensor(shape, tuple(entry for part in parts for entry in part.entries))
    if op == "vstack":
        rows = [p if len(p.shape) > 1 else p.reshape((1, len(p.entries))) for p in parts]
        return tensors.stacked(rows, 0, shape)
    return tensors.stacked(parts, 1, shape)


def _other(expr: Apply, args: list[Tensor], shape: tuple[int, ...]) -> Tensor:
    match expr.op, args:
        case "where", [test, then, other]:
            picks = [tensors.spread(t, math.prod(shape)) for t in (test, then, other)]
            return Tensor(shape, tuple(b if a else c for a, b, c in zip(*picks, strict=True)))
        case "matmul", [left, right]:
            return tensors.product(left, right, shape)
        case "transpose" | "reshape", [operand]:
            return operand.reshape(shape)
        case "spread", [operand]:
            return Tensor(shape, operand.entries * math.prod(shape))
        case "diff", [operand]:
            return _difference(expr, operand)
        case "outer", [left, right]:
            return Tensor(shape, tuple(a * b for a in left.entries for b in right.entries))
        case "diag", [operand]:
            n = len(operand.entries)
            return Tensor(shape, tuple(operand.entries[i] if i == j else 0.0 for i in range(n) for j in range(n)))
        case "full", []:
            return Tensor(shape, (float(expr.option("value", 0.0)),) * math.prod(shape))  # type: ignore[arg-type]
        case "eye", []:
            return Tensor(shape, tuple(float(i == j) for i in range(shape[0]) for j in range(shape[1])))
        case _:
            raise Unsupported(f"its value uses `{expr.op}`")


def _difference(expr: Apply, operand: Tensor) -> Tensor:
    axis, order = expr.option("axis"), expr.option("k", 1)
    found = operand
    for _ in range(order if isinstance(order, int) else 1):
        found = tensors.scanned(found, axis if isinstance(axis, int) else 0, lambda v: [b - a for a, b in pairwise(v)])
    return found


def _matrix(expr: Apply, args: list[Tensor], shape: tuple[int, ...]) -> Tensor:
    first = args[0]
    match expr.op, args:
        case "transpose", [_]:
            return tensors.of_rows(matrices.transpose(first.rows), shape)
        case "diag", [_]:
            return Tensor(shape, tuple(row[i] for i, row in enumerate(first.rows)))
        case "trace", [_]:
            return scalar(math.fsum(row[i] for i, row in enumerate(first.rows)))
        case "eigvalsh", [_]:
            return Tensor(shape, tuple(matrices.eigen(_small(first).rows)[0]))
        case "svdvals", [_]:
            return Tensor(shape, tuple(matrices.singular_values(_small(first).rows)))
        case "norm2", [_]:
            return scalar(matrices.singular_values(_small(first).rows)[0])
        case "sqrtm" | "logm", [_]:
            return tensors.of_rows(matrices.spectral(_small(first).rows, _SPECTRAL[expr.op]), shape)
        case "chol", [_]:
            return tensors.of_rows(matrices.cholesky(_small(first).rows), shape)
        case "logdet", [_]:
            return scalar(math.fsum(map(_UNARY["log"], matrices.eigen(_small(first).rows)[0])))
        case "det", [_]:
            return scalar(matrices.eliminate(_small(first).rows, [[] for _ in first.rows])[0])
        case "inv", [_]:
            identity = [[float(i == j) for j in range(first.shape[0])] for i in range(first.shape[0])]
            return tensors.of_rows(matrices.eliminate(_small(first).rows, identity)[1], shape)
        case "solve", [_, right]:
            columns = [[v] for v in right.entries] if len(right.shape) == 1 else right.rows
            return tensors.of_rows(matrices.eliminate(_small(first).rows, columns)[1], shape)
        case _:
            return _other(expr, args, shape)
