"""The shapes that a ``quadratic:`` entry may have, for its proof and for lowering."""

from __future__ import annotations

from dataclasses import dataclass

from dpplang.semantics.atom_walk import walk
from dpplang.semantics.tree import Apply, Expr, Ref, Symbol


@dataclass(frozen=True, slots=True)
class QuadraticForm:
    """factor · xᵀ·matrix·x / divisor, with x a formal (all entries, or one by one for ``x * x``).

    ``matrix``, ``factor`` and ``divisor`` are None where they are not there; none of them depends on x.
    """

    argument: Symbol
    matrix: Expr | None = None
    factor: Expr | None = None
    divisor: Expr | None = None


def quadratic_form(expr: Expr, convex: frozenset[str]) -> QuadraticForm | None:
    """Read a ``quadratic:`` entry; None if it is none of the forms of docs/language.md §7."""
    match expr:
        case Apply(op="div", args=(inner, divisor)) if not _mentions(divisor, convex):
            form = _core(inner, convex)
            return form and QuadraticForm(form.argument, form.matrix, form.factor, divisor)
        case Apply(op="mul", args=(factor, inner)) if not _mentions(factor, convex):
            form = _core(inner, convex)
            return form and QuadraticForm(form.argument, form.matrix, factor)
        case _:
            return _core(expr, convex)


def is_quadratic_form(expr: Expr, convex: frozenset[str]) -> bool:
    return quadratic_form(expr, convex) is not None


def _core(expr: Expr, convex: frozenset[str]) -> QuadraticForm | None:
    """``x * x``, ``x' @ x`` and ``x' @ P @ x``."""
    match expr:
        case Apply(op="mul", args=(Ref(symbol=left), Ref(symbol=right))) if left is right and left.name in convex:
            return QuadraticForm(left)
        case Apply(op="matmul", args=(Apply(op="matmul", args=(row, matrix)), column)) if not _mentions(matrix, convex):
            symbol = _vector(row, column)
            return QuadraticForm(symbol, matrix) if symbol is not None and symbol.name in convex else None
        case Apply(op="matmul", args=(row, column)):
            symbol = _vector(row, column)
            return QuadraticForm(symbol) if symbol is not None and symbol.name in convex else None
        case _:
            return None


def _vector(row: Expr, column: Expr) -> Symbol | None:
    """The formal x of ``x' … x``, where the transpose of a vector may have been dropped."""
    inner = row.args[0] if isinstance(row, Apply) and row.op == "transpose" else row
    match inner, column:
        case Ref(symbol=left), Ref(symbol=right) if left is right:
            return left
        case _:
            return None


def _mentions(expr: Expr, names: frozenset[str]) -> bool:
    return any(isinstance(e, Ref) and e.symbol.name in names for e in walk(expr))
