"""Constants that are known while a program is checked: numbers and literal matrices."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import cast

from dpplang.semantics.tree import Apply, Const, Expr, Size

_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": lambda a, b: a / b,
    "pow": math.pow,
}
MAX_LITERAL_ORDER = 64
"""Literal matrices above this order are not factorized while checking: time there is bounded."""


def number(expr: Expr) -> float | None:
    """The value of a scalar expression of literals, or None if it is not known before sizes and data are."""
    match expr:
        case Const(value=value):
            return None if isinstance(value, tuple) else float(value)
        case Size(poly=poly):
            return None if poly.constant is None else float(poly.constant)
        case Apply(op="neg", args=(operand,)) if not expr.shape:
            value = number(operand)
            return None if value is None else -value
        case Apply(op=op, args=(left, right)) if op in _ARITHMETIC and not expr.shape:
            a, b = number(left), number(right)
            return None if a is None or b is None else arithmetic(op, a, b)
        case _:
            return None


def integer(expr: Expr) -> int | None:
    """The value of a scalar expression of literals if it is a whole number."""
    value = number(expr)
    return int(value) if value is not None and value.is_integer() else None


def matrix(expr: Expr) -> tuple[tuple[float, ...], ...] | None:
    """The rows of a literal matrix, or None."""
    match expr:
        case Const(value=tuple() as rows) if len(expr.shape) == 2:
            return tuple(flat(row) for row in rows)
        case Apply(op="stack", args=parts) if len(expr.shape) == 2:
            rows = tuple(_row(part) for part in parts)
            return None if None in rows else tuple(row for row in rows if row is not None)
        case Apply(op="neg", args=(operand,)) if len(expr.shape) == 2:
            rows = matrix(operand)
            return None if rows is None else tuple(tuple(-entry for entry in row) for row in rows)
        case _:
            return None


def _row(expr: Expr) -> tuple[float, ...] | None:
    match expr:
        case Const(value=tuple() as entries) if len(expr.shape) == 1:
            return flat(entries)
        case Apply(op="stack", args=parts) if len(expr.shape) == 1:
            entries = tuple(number(part) for part in parts)
            return None if None in entries else tuple(entry for entry in entries if entry is not None)
        case _:
            return None


def flat(value: object) -> tuple[float, ...]:
    """Entries of a number or of a nested literal, row-major."""
    if isinstance(value, tuple):
        parts = cast("tuple[object, ...]", value)
        return tuple(entry for part in parts for entry in flat(part))
    return (float(cast("float", value)),)


def is_psd_literal(rows: tuple[tuple[float, ...], ...]) -> bool:
    """Whether a symmetric matrix of numbers is positive semidefinite: a Cholesky factorization whose zero pivots
    (to 1e-10 of the largest diagonal entry) must come with zero columns."""
    order = len(rows)
    if order > MAX_LITERAL_ORDER:
        return False
    schur = [list(row) for row in rows]
    tolerance = 1e-10 * max((abs(schur[i][i]) for i in range(order)), default=0.0)
    for k in range(order):
        pivot = schur[k][k]
        column = [schur[i][k] for i in range(k + 1, order)]
        if pivot < -tolerance or (pivot <= tolerance and any(abs(c) > tolerance for c in column)):
            return False
        if pivot > tolerance:
            for i in range(k + 1, order):
                for j in range(k + 1, order):
                    schur[i][j] -= schur[i][k] * schur[k][j] / pivot if i != k else 0.0
    return True


def arithmetic(op: str, left: float, right: float) -> float | None:
    """``add sub mul div pow`` of two numbers; None where it has no value."""
    try:
        return _ARITHMETIC[op](left, right)
    except (ArithmeticError, ValueError):
        return None
