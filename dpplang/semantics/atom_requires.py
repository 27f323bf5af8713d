"""``requires:`` conditions on constant arguments, decided of what is known of them while a program is checked.

A number is known exactly. Inside a record whose own ``requires:`` says ``1 <= p < inf``, all that is known of ``p`` is
that range; a call in its graph may rely on it. So conditions are evaluated over ranges, in three-valued logic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from dpplang.semantics.atom_constants import arithmetic
from dpplang.syntax import ast

_OPERATOR = {"+": "add", "-": "sub", "*": "mul", "/": "div", "^": "pow"}
_MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
_NOT_NUMBERS = (ast.Generator, ast.Comparison, ast.BoolOp, ast.Not)


@dataclass(frozen=True, slots=True)
class Known:
    """A constant between ``low`` and ``high``, without the ends that are ``open``."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    @classmethod
    def exactly(cls, value: float) -> Known:
        return cls(value, value)

    @property
    def value(self) -> float | None:
        """The number, if there is only one."""
        return self.low if self.low == self.high else None

    def meet(self, other: Known) -> Known:
        """What is known if both are."""
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, closed = min((self.high, not self.high_open), (other.high, not other.high_open))
        return Known(low, high, low_open, not closed)


def holds(condition: ast.Condition, known: Mapping[str, Known]) -> bool | None:
    """Whether a condition holds of every constant that is as known; None if of some it does and of some it does not."""
    match condition:
        case ast.Comparison():
            sides = [_evaluate(operand, known) for operand in condition.operands]
            links = [_compare(op, a, b) for op, a, b in zip(condition.ops, sides[:-1], sides[1:], strict=True)]
            return _all(links)
        case ast.BoolOp():
            parts = [holds(part, known) for part in condition.parts]
            if condition.op == "and":
                return _all(parts)
            return True if True in parts else None if None in parts else False
        case ast.Not():
            part = holds(condition.part, known)
            return None if part is None else not part
        case _:
            assert_never(condition)


def implied(condition: ast.Condition | None) -> dict[str, Known]:
    """What is known of every constant that a condition bounds, if it holds: ``1 <= p < inf and q == 1``."""
    found: dict[str, Known] = {}
    match condition:
        case ast.Comparison():
            for op, left, right in zip(condition.ops, condition.operands[:-1], condition.operands[1:], strict=True):
                for name, bound in (*_bound(left, op, right), *_bound(right, _MIRROR.get(op, ""), left)):
                    found[name] = found.get(name, Known()).meet(bound)
        case ast.BoolOp(op="and"):
            for part in condition.parts:
                for name, bound in implied(part).items():
                    found[name] = found.get(name, Known()).meet(bound)
        case _:
            pass
    return found


def _bound(left: ast.Expr, op: str, right: ast.Expr) -> list[tuple[str, Known]]:
    limit = _evaluate(right, {})
    if not isinstance(left, ast.Name) or left.name == "inf" or limit is None or limit.value is None:
        return []
    value = limit.value
    match op:
        case "==":
            return [(left.name, Known.exactly(value))]
        case "<" | "<=":
            return [(left.name, Known(high=value, high_open=op == "<"))]
        case ">" | ">=":
            return [(left.name, Known(low=value, low_open=op == ">"))]
        case _:
            return []


def _all(parts: list[bool | None]) -> bool | None:
    return False if False in parts else None if None in parts else True


def _compare(op: str, left: Known | None, right: Known | None) -> bool | None:
    if left is None or right is None:
        return None
    match op:
        case "<":
            return _below(left, right, strictly=True)
        case "<=":
            return _below(left, right, strictly=False)
        case ">" | ">=":
            return _compare(_MIRROR[op], right, left)
        case "==" | "!=":
            apart = _below(left, right, strictly=True) or _below(right, left, strictly=True)
            equal = False if apart else True if left.value is not None and left.value == right.value else None
            return equal if op == "==" or equal is None else not equal
        case _:
            return None


def _below(left: Known, right: Known, strictly: bool) -> bool | None:
    """Whether every ``left`` is below every ``right``; None if only some are."""
    touching_is_below = left.high_open or right.low_open or not strictly
    if left.high < right.low or (left.high == right.low and touching_is_below):
        return True
    touching_is_above = left.low_open or right.high_open or strictly
    return False if left.low > right.high or (left.low == right.high and touching_is_above) else None


def _evaluate(expr: ast.Expr, known: Mapping[str, Known]) -> Known | None:
    match expr:
        case ast.Number(value=value):
            return Known.exactly(value)
        case ast.Name(name="inf"):
            return Known.exactly(math.inf)
        case ast.Name(name=name):
            return known.get(name)
        case _:
            value = _number(expr, known)
            return None if value is None else Known.exactly(value)


def _number(expr: ast.Expr, known: Mapping[str, Known]) -> float | None:
    match expr:
        case ast.Number() | ast.Name():
            found = _evaluate(expr, known)
            return None if found is None else found.value
        case ast.Unary(op=op, operand=operand):
            value = _number(operand, known)
            return None if value is None else -value if op == "-" else value
        case ast.Binary(op=op, left=left, right=right) if op in _OPERATOR:
            a, b = _number(left, known), _number(right, known)
            return None if a is None or b is None else arithmetic(_OPERATOR[op], a, b)
        case ast.Call(function=ast.Ident(name="floor"), arguments=(argument,)):
            value = None if isinstance(argument, _NOT_NUMBERS) else _number(argument, known)
            return None if value is None or not math.isfinite(value) else float(math.floor(value))
        case _:
            return None
