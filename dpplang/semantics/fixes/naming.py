"""Names for what a rewrite introduces: ``p_inv``, ``pq``, ``exp_p``."""

from __future__ import annotations

from dpplang.syntax import ast

_SHORT = 2


def joined(node: ast.Expr, suffix: str = "") -> str:
    """A name for the value of an expression, with a word behind it: ``p`` and ``inv`` give ``p_inv``."""
    base = _name(node) or ""
    if not suffix:
        return base or "d"
    return f"{base}_{suffix}" if base else suffix


def _name(node: ast.Expr) -> str | None:
    match node:
        case ast.Name(name=name):
            return name
        case ast.Index(operand=operand) | ast.Transpose(operand=operand):
            return _name(operand)
        case ast.Unary(operand=operand):
            inner = _name(operand)
            return f"{inner}_neg" if inner and node.op == "-" else inner
        case ast.Binary(op="*" | "@", left=left, right=right):
            names = [n for n in (_name(left), _name(right)) if n]
            return paired(*names) if len(names) == 2 else next(iter(names), None)
        case ast.Binary(op="/", left=left, right=right):
            below = _name(right)
            if isinstance(left, ast.Number):
                return f"{below}_inv" if below else None
            above = _name(left)
            return f"{above}_over_{below}" if above and below else above or below
        case ast.Binary(op="^", left=left, right=right):
            base = _name(left)
            squared = isinstance(right, ast.Number) and right.value == 2
            return f"{base}_{'sq' if squared else 'pow'}" if base else None
        case ast.Call(function=function, arguments=(argument, *_)) if isinstance(argument, ast.Expr):
            inner = _name(argument)
            return f"{function.name}_{inner}" if inner and len(inner) <= 12 else f"{function.name}_value"
        case _:
            return None


def paired(left: str, right: str) -> str:
    """``pq``, or ``gamma_p``."""
    return left + right if len(left) <= _SHORT and len(right) <= _SHORT else f"{left}_{right}"
