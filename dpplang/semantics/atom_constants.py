"""Constants that are known while a program is checked: numbers, literal matrices, whether ``requires:`` holds of
them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import assert_never, cast

from dpplang.semantics.tree import Apply, Const, Expr, Size
from dpplang.syntax import ast

_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": lambda a, b: a / b,
    "pow": math.pow,
}
_OPERATOR = {"+": "add", "-": "sub", "*": "mul", "/": "div", "^": "pow"}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

_NOT_NUMBERS = (ast.Generator, ast.Comparison, ast.BoolOp, ast.Not)

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
            return None if a is None or b is None else _arithmetic(op, a, b)
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


def holds(condition: ast.Condition, values: Mapping[str, float]) -> bool | None:
    """Whether ``requires:`` holds; None if it speaks of something that has no value here."""
    match condition:
        case ast.Comparison():
            numbers = [_evaluate(operand, values) for operand in condition.operands]
            if any(value is None for value in numbers):
                return None
            known = [value for value in numbers if value is not None]
            return all(
                _COMPARE[op](left, right)
                for op, left, right in zip(condition.ops, known[:-1], known[1:], strict=True)
            )
        case ast.BoolOp():
            parts = [holds(part, values) for part in condition.parts]
            decisive = condition.op == "or"
            if decisive in parts:
                return decisive
            return None if None in parts else not decisive
        case ast.Not():
            part = holds(condition.part, values)
            return None if part is None else not part
        case _:
            assert_never(condition)


def _evaluate(expr: ast.Expr, values: Mapping[str, float]) -> float | None:
    match expr:
        case ast.Number(value=value):
            return value
        case ast.Name(name="inf"):
            return math.inf
        case ast.Name(name=name):
            return values.get(name)
        case ast.Unary(op=op, operand=operand):
            value = _evaluate(operand, values)
            return None if value is None else -value if op == "-" else value
        case ast.Binary(op=op, left=left, right=right) if op in _OPERATOR:
            a, b = _evaluate(left, values), _evaluate(right, values)
            return None if a is None or b is None else _arithmetic(_OPERATOR[op], a, b)
        case ast.Call(function=ast.Ident(name="floor"), arguments=(argument,)):
            value = None if isinstance(argument, _NOT_NUMBERS) else _evaluate(argument, values)
            return None if value is None or not math.isfinite(value) else float(math.floor(value))
        case _:
            return None


def _arithmetic(op: str, left: float, right: float) -> float | None:
    try:
        return _ARITHMETIC[op](left, right)
    except (ArithmeticError, ValueError):
        return None
