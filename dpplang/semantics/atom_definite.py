"""What is proved of a matrix from its structure alone: symmetric, positive semidefinite, negative semidefinite.

Expressions share parts (a ``let`` used twice is one object), so what has been found of a part is kept: time is
linear in the number of distinct parts, not of paths to them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dpplang.semantics.atom_constants import is_psd_literal, matrix
from dpplang.semantics.tree import Apply, Const, Expr, Range, Reduce, Ref, Size, Take

MAX_FACTORS = 32
"""A product of more factors is taken as it stands."""


def is_symmetric(expr: Expr) -> bool:
    """Whether a matrix (or every matrix of a stack, over its last two axes) is proved to equal its transpose."""
    return _Search().is_symmetric(expr)


def is_psd(expr: Expr) -> bool:
    """Whether a matrix is proved positive semidefinite."""
    return _Search().is_psd(expr)


def is_nsd(expr: Expr) -> bool:
    """Whether a matrix is proved negative semidefinite."""
    return _Search().is_nsd(expr)


class _Search:
    """One question, with what has been found of the parts on the way, by their ``id`` (beside them, so that they
    live on)."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], tuple[Expr, bool]] = {}

    def _once(self, question: str, expr: Expr, answer: Callable[[Expr], bool]) -> bool:
        key = (question, id(expr))
        if key not in self._found:
            square = len(expr.shape) >= 2 and expr.shape[-1] == expr.shape[-2]
            self._found[key] = expr, square and answer(expr)
        return self._found[key][1]

    def is_symmetric(self, expr: Expr) -> bool:
        return self._once("symmetric", expr, self._symmetric)

    def is_psd(self, expr: Expr) -> bool:
        return self._once("psd", expr, self._psd)

    def is_nsd(self, expr: Expr) -> bool:
        return self._once("nsd", expr, self._nsd)

    def _symmetric(self, expr: Expr) -> bool:
        rows = matrix(expr)
        if rows is not None:
            return rows == tuple(zip(*rows, strict=True))
        match expr:
            case Ref(symbol=symbol):
                return any(symbol.has(a) for a in ("symmetric", "psd", "nsd", "diagonal"))
            case Take():
                return _keeps_symmetry(expr) and self.is_symmetric(expr.operand)
            case Apply(op="eye" | "full"):
                return True
            case Apply(op="diag", args=(operand,)):
                return len(operand.shape) == 1
            case Apply(op="add", args=(left, right)) if self._is_transpose(left, right):
                return True
            case Apply(op="add" | "sub" | "mul" | "div", args=args):
                return all(self.is_symmetric(a) for a in args if a.shape)
            case Apply(op="neg" | "transpose" | "inv" | "sqrtm" | "logm" | "abs" | "exp", args=(operand,)):
                return self.is_symmetric(operand)
            case Apply(op="kron", args=(left, right)):
                return self.is_symmetric(left) and self.is_symmetric(right)
            case Apply(op="outer", args=(left, right)):
                return same(left, right)
            case Apply(op="matmul"):
                inner = self._congruence(expr)
                return inner == [] or (inner is not None and self.is_symmetric(inner[0]))
            case Reduce(op="sum", body=body):
                return self.is_symmetric(body)
            case _:
                return False

    def _psd(self, expr: Expr) -> bool:
        rows = matrix(expr)
        if rows is not None:
            return self.is_symmetric(expr) and is_psd_literal(rows)
        match expr:
            case Ref(symbol=symbol):
                return symbol.has("psd") or (symbol.has("diagonal") and expr.facts.sign.is_nonneg)
            case Take():
                return _keeps_symmetry(expr) and self.is_psd(expr.operand)
            case Apply(op="eye"):
                return True
            case Apply(op="full"):
                return expr.shape[-1] == expr.shape[-2] and expr.facts.sign.is_nonneg
            case Apply(op="diag", args=(operand,)):
                return len(operand.shape) == 1 and operand.facts.sign.is_nonneg
            case Apply(op="add", args=(left, right)):
                return self.is_psd(left) and self.is_psd(right)
            case Apply(op="sub", args=(left, right)):
                return self.is_psd(left) and self.is_nsd(right)
            case Apply(op="neg", args=(operand,)):
                return self.is_nsd(operand)
            case Apply(op="transpose" | "inv" | "sqrtm", args=(operand,)):
                return self.is_psd(operand)
            case Apply(op="mul", args=(left, right)) if not left.shape:
                return self._scaled(right, left)
            case Apply(op="mul" | "div", args=(left, right)) if not right.shape:
                return self._scaled(left, right)
            case Apply(op="kron", args=(left, right)):
                return (self.is_psd(left) and self.is_psd(right)) or (self.is_nsd(left) and self.is_nsd(right))
            case Apply(op="outer", args=(left, right)):
                return same(left, right)
            case Apply(op="matmul"):
                inner = self._congruence(expr)
                return inner == [] or (inner is not None and self.is_psd(inner[0]))
            case Reduce(op="sum", body=body):
                return self.is_psd(body)
            case _:
                return False

    def _nsd(self, expr: Expr) -> bool:
        rows = matrix(expr)
        if rows is not None:
            return self.is_symmetric(expr) and is_psd_literal(tuple(tuple(-v for v in row) for row in rows))
        match expr:
            case Ref(symbol=symbol):
                return symbol.has("nsd") or (symbol.has("diagonal") and expr.facts.sign.is_nonpos)
            case Take():
                return _keeps_symmetry(expr) and self.is_nsd(expr.operand)
            case Apply(op="full"):
                return expr.shape[-1] == expr.shape[-2] and expr.facts.sign.is_nonpos
            case Apply(op="diag", args=(operand,)):
                return len(operand.shape) == 1 and operand.facts.sign.is_nonpos
            case Apply(op="add", args=(left, right)):
                return self.is_nsd(left) and self.is_nsd(right)
            case Apply(op="sub", args=(left, right)):
                return self.is_nsd(left) and self.is_psd(right)
            case Apply(op="neg", args=(operand,)):
                return self.is_psd(operand)
            case Apply(op="transpose" | "inv", args=(operand,)):
                return self.is_nsd(operand)
            case Apply(op="mul", args=(left, right)) if not left.shape:
                return self._scaled(right, left, flip=True)
            case Apply(op="mul" | "div", args=(left, right)) if not right.shape:
                return self._scaled(left, right, flip=True)
            case Apply(op="kron", args=(left, right)):
                return (self.is_psd(left) and self.is_nsd(right)) or (self.is_nsd(left) and self.is_psd(right))
            case Apply(op="matmul"):
                inner = self._congruence(expr)
                return bool(inner) and self.is_nsd(inner[0])
            case Reduce(op="sum", body=body):
                return self.is_nsd(body)
            case _:
                return False

    def _scaled(self, operand: Expr, factor: Expr, flip: bool = False) -> bool:
        sign = -factor.facts.sign if flip else factor.facts.sign
        return (sign.is_nonneg and self.is_psd(operand)) or (sign.is_nonpos and self.is_nsd(operand))

    def _congruence(self, expr: Expr) -> list[Expr] | None:
        """``[M]`` if the product is BᵀMB, ``[]`` if it is BᵀB, None if it is neither."""
        factors = _factors(expr, MAX_FACTORS)
        while len(factors) >= 2 and self._is_transpose(factors[0], factors[-1]):
            factors = factors[1:-1]
            if len(factors) <= 1:
                return factors
        return None

    def _is_transpose(self, left: Expr, right: Expr) -> bool:
        match left, right:
            case Apply(op="transpose", args=(operand,)), _ if same(operand, right):
                return True
            case _, Apply(op="transpose", args=(operand,)) if same(operand, left):
                return True
            case _:
                return same(left, right) and self.is_symmetric(left)


def _keeps_symmetry(expr: Take) -> bool:
    """Whether the last two axes of the operand are both kept, over one and the same range."""
    rows, columns = expr.items[-2:]
    return isinstance(rows, Range) and rows == columns


def _factors(expr: Expr, limit: int) -> list[Expr]:
    """The factors of a product of matrices, transposes of products written out; ``[expr]`` beyond the limit."""
    match expr:
        case Apply(op="matmul", args=(left, right)) if len(expr.shape) == 2 and limit > 1:
            first = _factors(left, limit - 1)
            return [*first, *_factors(right, limit - len(first))]
        case Apply(op="transpose", args=(Apply(op="matmul") as product,)) if len(product.shape) == 2:
            return [_transposed(factor) for factor in reversed(_factors(product, limit))]
        case _:
            return [expr]


def _transposed(expr: Expr) -> Expr:
    match expr:
        case Apply(op="transpose", args=(operand,)):
            return operand
        case _:
            facts = replace(expr.facts, shape=tuple(reversed(expr.shape)))
            return Apply("transpose", (expr,), facts=facts, span=expr.span)


def same(left: Expr, right: Expr) -> bool:
    """Whether two expressions are the same by structure."""
    agreed: set[tuple[int, int]] = set()
    pairs = [(left, right)]
    while pairs:
        a, b = pairs.pop()
        if a is b or (id(a), id(b)) in agreed:
            continue
        agreed.add((id(a), id(b)))
        parts = _alike(a, b)
        if parts is None:
            return False
        pairs.extend(parts)
    return True


def _alike(left: Expr, right: Expr) -> list[tuple[Expr, Expr]] | None:
    """The pairs of parts that have to agree, where two expressions agree at their tops; else None."""
    match left, right:
        case Const(), Const():
            return [] if left.shape == right.shape and left.value == right.value else None
        case Size(), Size():
            return [] if left.poly == right.poly else None
        case Ref(), Ref():
            return [] if left.symbol is right.symbol else None
        case Take(), Take():
            return [(left.operand, right.operand)] if left.items == right.items else None
        case Apply(), Apply():
            top = (left.op, left.options, left.shape, len(left.args))
            agree = top == (right.op, right.options, right.shape, len(right.args))
            return list(zip(left.args, right.args, strict=True)) if agree else None
        case _:
            return None
