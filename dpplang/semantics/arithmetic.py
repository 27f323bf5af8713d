"""Typing of the operators: ``+ - * / @ ^ '``, with the messages where shapes do not fit."""

from __future__ import annotations

import math
from collections.abc import Callable

from dpplang.core.diagnostics import Applicability, Label
from dpplang.core.source import Span
from dpplang.lattice.dims import Shape, show_shape
from dpplang.semantics.atom_constants import number
from dpplang.semantics.build import (
    affine,
    bilinear,
    constant,
    difference,
    polynomial,
    quotient,
    size_node,
)
from dpplang.semantics.origins import origin
from dpplang.semantics.report import Mistake, mistake, replacement
from dpplang.semantics.tree import Const, Expr, Ref, Size, TypedBinder

_FOLD: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": lambda a, b: math.pow(a, b),
}


def combine(op: str, left: Expr, right: Expr, span: Span, op_span: Span, binders: tuple[TypedBinder, ...] = ()) -> Expr:
    """``left op right`` for ``+ - * / @``; sizes and numbers are folded.

    Raises:
        Mistake: the shapes do not fit.
    """
    if op == "@":
        return matmul(left, right, span, op_span)
    folded = fold(op, left, right, span, binders)
    if folded is not None:
        return folded
    shape = spread_shape(op, left, right, span, op_span)
    match op:
        case "+":
            return affine("add", (left, right), shape, span)
        case "-":
            return difference(left, right, shape, span)
        case "*":
            return bilinear("mul", left, right, shape, span)
        case _:
            if number(right) == 0:
                raise mistake("SHP515", "this has no value: division by zero", right.span, "zero")
            return quotient(left, right, shape, span)


def fold(op: str, left: Expr, right: Expr, span: Span, binders: tuple[TypedBinder, ...] = ()) -> Expr | None:
    """The result where both sides are plain numbers or sizes and it is known; else None."""
    if not isinstance(left, Const | Size) or not isinstance(right, Const | Size):
        return None
    a, b = polynomial(left), polynomial(right)
    if a is not None and b is not None and op in ("+", "-", "*") and (a.constant is None or b.constant is None):
        poly = a + b if op == "+" else a - b if op == "-" else a * b
        return size_node(poly, span, binders)
    x, y = number(left), number(right)
    if x is None or y is None or op not in _FOLD:
        return None
    try:
        value = _FOLD[op](x, y)
    except (ArithmeticError, ValueError):
        reason = "division by zero" if op == "/" else f"{x:g}{op}{y:g} is not a number"
        raise mistake("SHP515", f"this constant has no value: {reason}", span, reason) from None
    return None if math.isnan(value) else constant(value, span)


def spread_shape(op: str, left: Expr, right: Expr, span: Span, op_span: Span) -> Shape:
    """Shape of an elementwise operation: a scalar spreads, otherwise shapes are equal.

    Raises:
        Mistake: they are not.
    """
    a, b = left.shape, right.shape
    if not a or a == b:
        return b
    if not b:
        return a
    if op == "*" and contracted(a, b) is not None:
        fix = replacement("write `@`", op_span, "@", Applicability.UNSAFE)
        raise mistake(
            "SHP502",
            f"`*` is elementwise and does not fit {show_shape(a)} and {show_shape(b)}; the matrix product `@` does",
            op_span,
            "elementwise",
            secondary=operand_labels(left, right),
            fixes=(fix,),
        )
    raise shapes_differ(f"`{op}` needs equal shapes, or a scalar on one side", left, right, op_span)


def shapes_differ(what: str, left: Expr, right: Expr, span: Span) -> Mistake:
    a, b = left.shape, right.shape
    notes = []
    labels = operand_labels(left, right)
    if len(a) == len(b):
        axis = next(i for i, (m, n) in enumerate(zip(a, b, strict=True)) if m != n)
        sides = (f"{_size(left, axis)} on the left", f"{_size(right, axis)} on the right")
        notes = [f"axis {axis} is {' and '.join(sides)}"]
        labels = distinct_labels(labels, axis_labels((left, axis), (right, axis)))
    return mistake("SHP501", f"{what}: {show_shape(a)} and {show_shape(b)}", span, secondary=labels, notes=notes)


def _size(operand: Expr, axis: int) -> str:
    """``m (axis 0 of `A`)``, where the operand is not that tensor itself."""
    found = None if isinstance(operand, Ref) else origin(operand, axis)
    if found is None:
        return str(operand.shape[axis])
    symbol, place = found
    whose = f"axis {place} of `{symbol.name}`" if len(symbol.shape) > 1 else f"`{symbol.name}`"
    return f"{operand.shape[axis]} (from {whose})"


def axis_labels(*axes: tuple[Expr, int]) -> tuple[Label, ...]:
    """Where the tensors were declared that these axes of expressions have their sizes of."""
    found = [origin(operand, axis) for operand, axis in axes]
    return tuple(Label(o[0].span, f"`{o[0].name}` is {show_shape(o[0].shape)}") for o in found if o is not None)


def distinct_labels(*groups: tuple[Label, ...]) -> tuple[Label, ...]:
    """Labels, the first of each place."""
    kept: dict[tuple[str, int, int], Label] = {}
    for label in (label for group in groups for label in group):
        kept.setdefault((label.span.source.name, label.span.start, label.span.end), label)
    return tuple(kept.values())


def operand_labels(*operands: Expr) -> tuple[Label, ...]:
    """The shape of every operand, where it stands and where it was declared."""
    here = [Label(o.span, f"{show_shape(o.shape)}") for o in operands]
    return (*here, *declaration_labels(*operands))


def declaration_labels(*operands: Expr) -> tuple[Label, ...]:
    """Where the tensors that the operands are were declared."""
    found: list[Label] = []
    for operand in operands:
        if isinstance(operand, Ref) and operand.symbol.span != operand.span:
            label = Label(operand.symbol.span, f"`{operand.symbol.name}` is {show_shape(operand.shape)}")
            if label not in found:
                found.append(label)
    return tuple(found)


def contracted(a: Shape, b: Shape) -> Shape | None:
    """Shape of ``a @ b``, or None if it does not fit."""
    if not 1 <= len(a) <= 2 or not 1 <= len(b) <= 2 or a[-1] != b[0]:
        return None
    return a[:-1] + b[1:]


def matmul(left: Expr, right: Expr, span: Span, op_span: Span) -> Expr:
    """``left @ right`` of vectors and matrices.

    Raises:
        Mistake: a scalar, a tensor of higher rank, or inner sizes that differ.
    """
    shape = contracted(left.shape, right.shape)
    if shape is not None:
        return bilinear("matmul", left, right, shape, span)
    if not left.shape or not right.shape:
        raise mistake(
            "SHP503",
            "`@` contracts vectors and matrices; one side is a scalar",
            op_span,
            secondary=operand_labels(left, right),
            fixes=(replacement("write `*`", op_span, "*", Applicability.SAFE),),
        )
    high = next((o for o in (left, right) if len(o.shape) > 2), None)
    if high is not None:
        raise mistake(
            "SHP503",
            f"`@` contracts vectors and matrices; this has shape {show_shape(high.shape)}",
            high.span,
            show_shape(high.shape),
            secondary=declaration_labels(high),
            help=("take a slice first: `A[t] @ x`",),
        )
    last = len(left.shape) - 1
    inner, outer = _size(left, last), _size(right, 0)
    raise mistake(
        "SHP503",
        f"inner sizes differ: `@` of {show_shape(left.shape)} and {show_shape(right.shape)} contracts "
        f"{left.shape[-1]} with {right.shape[0]}",
        op_span,
        secondary=distinct_labels(operand_labels(left, right), axis_labels((left, last), (right, 0))),
        notes=(f"the last axis on the left is {inner}, the first on the right {outer}",) * ("(" in inner + outer),
        help=_transpose_help(left, right),
    )


def _transpose_help(left: Expr, right: Expr) -> tuple[str, ...]:
    if len(left.shape) == 2 and contracted(left.shape[::-1], right.shape) is not None:
        return (f"the transpose on the left fits: `{_text(left)}' @ {_text(right)}`",)
    if len(right.shape) == 2 and contracted(left.shape, right.shape[::-1]) is not None:
        return (f"the transpose on the right fits: `{_text(left)} @ {_text(right)}'`",)
    return ()


def _text(expr: Expr) -> str:
    text = expr.span.text
    return text if text.replace("_", "a").isalnum() else f"({text})"


def transposed(operand: Expr, span: Span) -> Expr:
    """``x'``: of a scalar or a vector, itself.

    Raises:
        Mistake: rank above two.
    """
    match operand.shape:
        case () | (_,):
            return operand
        case (rows, columns):
            return affine("transpose", (operand,), (columns, rows), span)
        case shape:
            raise mistake(
                "SHP504",
                f"`'` transposes matrices; this has shape {show_shape(shape)}",
                span,
                show_shape(shape),
                secondary=declaration_labels(operand),
            )


def spread(operand: Expr, shape: Shape, span: Span) -> Expr:
    """A scalar over a shape; anything else as it is."""
    return operand if operand.shape or not shape else affine("spread", (operand,), shape, span)
