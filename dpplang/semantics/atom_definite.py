"""What is proved of a matrix from its structure alone: symmetric, positive semidefinite, negative semidefinite."""

from __future__ import annotations

from dataclasses import replace

from dpplang.semantics.atom_constants import is_psd_literal, matrix
from dpplang.semantics.tree import Apply, Const, Expr, Range, Reduce, Ref, Size, Take


def is_symmetric(expr: Expr) -> bool:
    """Whether a matrix (or every matrix of a stack, over its last two axes) equals its transpose."""
    if len(expr.shape) < 2 or expr.shape[-1] != expr.shape[-2]:
        return False
    rows = matrix(expr)
    if rows is not None:
        return rows == tuple(zip(*rows, strict=True))
    match expr:
        case Ref(symbol=symbol):
            return any(symbol.has(a) for a in ("symmetric", "psd", "nsd", "diagonal"))
        case Take():
            return _keeps_symmetry(expr) and is_symmetric(expr.operand)
        case Apply(op="eye" | "full"):
            return True
        case Apply(op="diag", args=(operand,)):
            return len(operand.shape) == 1
        case Apply(op="add", args=(left, right)) if _is_transpose(left, right):
            return True
        case Apply(op="add" | "sub" | "mul" | "div", args=args):
            return all(is_symmetric(a) for a in args if a.shape)
        case Apply(op="neg" | "transpose" | "inv" | "sqrtm" | "abs" | "exp", args=(operand,)):
            return is_symmetric(operand)
        case Apply(op="kron", args=(left, right)):
            return is_symmetric(left) and is_symmetric(right)
        case Apply(op="outer", args=(left, right)):
            return same(left, right)
        case Apply(op="matmul"):
            inner = _congruence(expr)
            return inner == [] or (inner is not None and is_symmetric(inner[0]))
        case Reduce(op="sum", body=body):
            return is_symmetric(body)
        case _:
            return False


def is_psd(expr: Expr) -> bool:
    """Whether a matrix is proved positive semidefinite."""
    if len(expr.shape) < 2:
        return False
    rows = matrix(expr)
    if rows is not None:
        return is_symmetric(expr) and is_psd_literal(rows)
    match expr:
        case Ref(symbol=symbol):
            return symbol.has("psd") or (symbol.has("diagonal") and expr.facts.sign.is_nonneg)
        case Take():
            return _keeps_symmetry(expr) and is_psd(expr.operand)
        case Apply(op="eye"):
            return True
        case Apply(op="full"):
            return expr.shape[-1] == expr.shape[-2] and expr.facts.sign.is_nonneg
        case Apply(op="diag", args=(operand,)):
            return len(operand.shape) == 1 and operand.facts.sign.is_nonneg
        case Apply(op="add", args=(left, right)):
            return is_psd(left) and is_psd(right)
        case Apply(op="sub", args=(left, right)):
            return is_psd(left) and is_nsd(right)
        case Apply(op="neg", args=(operand,)):
            return is_nsd(operand)
        case Apply(op="transpose" | "inv" | "sqrtm", args=(operand,)):
            return is_psd(operand)
        case Apply(op="mul", args=(left, right)) if not left.shape:
            return _scaled(right, left)
        case Apply(op="mul" | "div", args=(left, right)) if not right.shape:
            return _scaled(left, right)
        case Apply(op="kron", args=(left, right)):
            return (is_psd(left) and is_psd(right)) or (is_nsd(left) and is_nsd(right))
        case Apply(op="outer", args=(left, right)):
            return same(left, right)
        case Apply(op="matmul"):
            inner = _congruence(expr)
            return inner == [] or (inner is not None and is_psd(inner[0]))
        case Reduce(op="sum", body=body):
            return is_psd(body)
        case _:
            return False


def is_nsd(expr: Expr) -> bool:
    """Whether a matrix is proved negative semidefinite."""
    if len(expr.shape) < 2:
        return False
    rows = matrix(expr)
    if rows is not None:
        return is_symmetric(expr) and is_psd_literal(tuple(tuple(-v for v in row) for row in rows))
    match expr:
        case Ref(symbol=symbol):
            return symbol.has("nsd") or (symbol.has("diagonal") and expr.facts.sign.is_nonpos)
        case Take():
            return _keeps_symmetry(expr) and is_nsd(expr.operand)
        case Apply(op="full"):
            return expr.shape[-1] == expr.shape[-2] and expr.facts.sign.is_nonpos
        case Apply(op="diag", args=(operand,)):
            return len(operand.shape) == 1 and operand.facts.sign.is_nonpos
        case Apply(op="add", args=(left, right)):
            return is_nsd(left) and is_nsd(right)
        case Apply(op="sub", args=(left, right)):
            return is_nsd(left) and is_psd(right)
        case Apply(op="neg", args=(operand,)):
            return is_psd(operand)
        case Apply(op="transpose" | "inv", args=(operand,)):
            return is_nsd(operand)
        case Apply(op="mul", args=(left, right)) if not left.shape:
            return _scaled(right, left, flip=True)
        case Apply(op="mul" | "div", args=(left, right)) if not right.shape:
            return _scaled(left, right, flip=True)
        case Apply(op="kron", args=(left, right)):
            return (is_psd(left) and is_nsd(right)) or (is_nsd(left) and is_psd(right))
        case Apply(op="matmul"):
            inner = _congruence(expr)
            return bool(inner) and is_nsd(inner[0])
        case Reduce(op="sum", body=body):
            return is_nsd(body)
        case _:
            return False


def _scaled(operand: Expr, factor: Expr, flip: bool = False) -> bool:
    sign = -factor.facts.sign if flip else factor.facts.sign
    return (sign.is_nonneg and is_psd(operand)) or (sign.is_nonpos and is_nsd(operand))


def _keeps_symmetry(expr: Take) -> bool:
    """Whether the last two axes of the operand are both kept, over one and the same range."""
    rows, columns = expr.items[-2:]
    return isinstance(rows, Range) and rows == columns


def _congruence(expr: Expr) -> list[Expr] | None:
    """``[M]`` if the product is BᵀMB, ``[]`` if it is BᵀB, None if it is neither."""
    factors = _factors(expr)
    while len(factors) >= 2 and _is_transpose(factors[0], factors[-1]):
        factors = factors[1:-1]
        if len(factors) <= 1:
            return factors
    return None


def _factors(expr: Expr) -> list[Expr]:
    match expr:
        case Apply(op="matmul", args=(left, right)) if len(expr.shape) == 2:
            return [*_factors(left), *_factors(right)]
        case Apply(op="transpose", args=(Apply(op="matmul", args=(left, right)) as product,)) if (
            len(product.shape) == 2
        ):
            return [
                *(_transposed(f) for f in reversed(_factors(right))),
                *(_transposed(f) for f in reversed(_factors(left))),
            ]
        case _:
            return [expr]


def _transposed(expr: Expr) -> Expr:
    match expr:
        case Apply(op="transpose", args=(operand,)):
            return operand
        case _:
            facts = replace(expr.facts, shape=tuple(reversed(expr.shape)))
            return Apply("transpose", (expr,), facts=facts, span=expr.span)


def _is_transpose(left: Expr, right: Expr) -> bool:
    match left, right:
        case Apply(op="transpose", args=(operand,)), _ if same(operand, right):
            return True
        case _, Apply(op="transpose", args=(operand,)) if same(operand, left):
            return True
        case _:
            return is_symmetric(left) and same(left, right)


def same(left: Expr, right: Expr) -> bool:
    """Whether two expressions are the same by structure."""
    if left is right:
        return True
    match left, right:
        case Const(), Const():
            return left.shape == right.shape and left.value == right.value
        case Size(), Size():
            return left.poly == right.poly
        case Ref(), Ref():
            return left.symbol is right.symbol
        case Take(), Take():
            return left.items == right.items and same(left.operand, right.operand)
        case Apply(), Apply():
            return (
                left.op == right.op
                and left.options == right.options
                and left.shape == right.shape
                and len(left.args) == len(right.args)
                and all(same(a, b) for a, b in zip(left.args, right.args, strict=True))
            )
        case _:
            return False


