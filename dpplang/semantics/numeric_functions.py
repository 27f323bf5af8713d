"""The numeric library: functions of constants and parameters, computed before the problem is solved.

They stand in ``derived``, in an atom's ``value``, and wherever all arguments are constant. Each entry gives the op of
docs/internals.md, the shape and the sign.
"""

from __future__ import annotations

from collections.abc import Callable

from dpplang.lattice.dims import Shape, show_shape, smaller
from dpplang.lattice.sign import Sign
from dpplang.semantics.arguments import Called, axis_of, flag, reduced
from dpplang.semantics.arithmetic import declaration_labels, spread_shape
from dpplang.semantics.atom_constants import integer, number
from dpplang.semantics.build import numeric, reshaped
from dpplang.semantics.report import mistake
from dpplang.semantics.tree import Expr

SignRule = Callable[[Sign], Sign]


def _nonneg(_: Sign) -> Sign:
    return Sign.NONNEG


def _same(sign: Sign) -> Sign:
    return sign


def _unknown(_: Sign) -> Sign:
    return Sign.UNKNOWN


def _absolute(sign: Sign) -> Sign:
    return Sign.ZERO if sign is Sign.ZERO else Sign.NONNEG


def _zero_stays(sign: Sign) -> Sign:
    return Sign.ZERO if sign is Sign.ZERO else Sign.UNKNOWN


ELEMENTWISE: dict[str, SignRule] = {
    "exp": _nonneg,
    "log": _unknown,
    "log1p": _same,
    "sqrt": _absolute,
    "abs": _absolute,
    "sign": _same,
    "tanh": _same,
    "sigmoid": _nonneg,
    "sin": _zero_stays,
    "cos": _unknown,
    "floor": lambda s: Sign.NONNEG if s is Sign.NONNEG else s,
}

REDUCTIONS: dict[str, SignRule] = {
    "max": _same,
    "min": _same,
    "prod": lambda s: s if s in (Sign.ZERO, Sign.NONNEG) else Sign.UNKNOWN,
    "norm1": _absolute,
    "norm_fro": _absolute,
    "norm_inf": _absolute,
    "norm2": _absolute,
}

SHAPE_KEEPING: dict[str, SignRule] = {"softmax": _nonneg, "sort": _same}
MATRIX_TO_MATRIX: dict[str, SignRule] = {"chol": _unknown, "inv": _unknown, "sqrtm": _unknown, "logm": _unknown}
MATRIX_TO_VECTOR: dict[str, SignRule] = {"eigvalsh": _unknown, "svdvals": _nonneg}
MATRIX_TO_SCALAR: dict[str, SignRule] = {"det": _unknown, "logdet": _unknown}
NUMERIC_NAMES = frozenset(
    {"where", "maximum", "minimum", "solve", "power"}
    | ELEMENTWISE.keys()
    | REDUCTIONS.keys()
    | SHAPE_KEEPING.keys()
    | MATRIX_TO_MATRIX.keys()
    | MATRIX_TO_VECTOR.keys()
    | MATRIX_TO_SCALAR.keys()
)
"""Every name of the numeric library that is no affine primitive."""


def apply_numeric(call: Called) -> Expr:
    """A call of a numeric function by name.

    Raises:
        Mistake: arguments or shapes that do not fit.
    """
    name = call.name
    if name in ELEMENTWISE:
        operand = call.bind(("x",), 1)["x"]
        return numeric(name, (operand,), operand.shape, ELEMENTWISE[name](operand.facts.sign), call.span)
    if name in REDUCTIONS:
        return _reduction(call)
    if name in SHAPE_KEEPING:
        return _along(call)
    if name in ("maximum", "minimum"):
        return _extremum(call)
    if name == "where":
        return _where(call)
    if name == "solve":
        return _solve(call)
    if name == "power":
        bound = call.bind(("x", "p"), 2)
        return power(bound["x"], bound["p"], call)
    return _matrix(call)


def power(base: Expr, exponent: Expr, call: Called) -> Expr:
    """``base ^ exponent`` of constants and parameters, elementwise."""
    shape = spread_shape("^", base, exponent, call.span, call.name_span)
    value, whole = number(exponent), integer(exponent)
    odd = whole is not None and whole % 2 == 1
    # A power that is no odd whole number is nonnegative wherever it is defined.
    nonneg = base.facts.sign.is_nonneg or (value is not None and not odd)
    sign = Sign.NONNEG if nonneg else base.facts.sign if odd else Sign.UNKNOWN
    return numeric("pow", (base, exponent), shape, sign, call.span)


def _reduction(call: Called) -> Expr:
    bound = call.bind(("x", "axis", "keepdims"), 1)
    operand = bound["x"]
    axis = axis_of(bound.get("axis"), operand, call.name)
    sign = REDUCTIONS[call.name](operand.facts.sign)
    shape = reduced(operand.shape, axis, False)
    result = numeric(call.name, (operand,), shape, sign, call.span, (("axis", axis),))
    return reshaped(result, reduced(operand.shape, axis, flag(bound.get("keepdims"), "`keepdims`")), call.span)


def _along(call: Called) -> Expr:
    bound = call.bind(("x", "axis"), 1)
    operand = bound["x"]
    axis = axis_of(bound.get("axis"), operand, call.name)
    if axis is None and len(operand.shape) == 1:
        axis = 0
    sign = SHAPE_KEEPING[call.name](operand.facts.sign)
    return numeric(call.name, (operand,), operand.shape, sign, call.span, (("axis", axis),))


def _extremum(call: Called) -> Expr:
    args = call.positional(2)
    result = args[0]
    for other in args[1:]:
        shape = spread_shape(call.name, result, other, call.span, call.name_span)
        a, b = result.facts.sign, other.facts.sign
        flip = call.name == "minimum"
        sign = -_larger(-a, -b) if flip else _larger(a, b)
        result = numeric(call.name, (result, other), shape, sign, call.span)
    return result


def _larger(a: Sign, b: Sign) -> Sign:
    if a.is_nonneg or b.is_nonneg:
        return Sign.ZERO if a.is_nonpos and b.is_nonpos else Sign.NONNEG
    return Sign.NONPOS if a.is_nonpos and b.is_nonpos else Sign.UNKNOWN


def _where(call: Called) -> Expr:
    bound = call.bind(("condition", "x", "y"), 3)
    condition, then, other = bound["condition"], bound["x"], bound["y"]
    shape: Shape = spread_shape("where", then, other, call.span, call.name_span)
    if condition.shape and shape and condition.shape != shape:
        spread_shape("where", condition, then if then.shape else other, call.span, call.name_span)
    return numeric(
        "where",
        (condition, then, other),
        shape or condition.shape,
        then.facts.sign.join(other.facts.sign),
        call.span,
    )


def _solve(call: Called) -> Expr:
    bound = call.bind(("A", "b"), 2)
    matrix, right = bound["A"], bound["b"]
    _check_square(call, matrix)
    if not 1 <= len(right.shape) <= 2 or right.shape[0] != matrix.shape[0]:
        raise mistake(
            "SHP503",
            f"`solve` of {show_shape(matrix.shape)} and {show_shape(right.shape)}: the numbers of rows differ",
            call.span,
            secondary=declaration_labels(matrix, right),
        )
    return numeric("solve", (matrix, right), right.shape, Sign.UNKNOWN, call.span)


def _matrix(call: Called) -> Expr:
    operand = call.bind(("X",), 1)["X"]
    name = call.name
    if name == "svdvals" and len(operand.shape) == 2:
        return numeric(name, (operand,), (smaller(*operand.shape),), Sign.NONNEG, call.span)
    _check_square(call, operand)
    if name in MATRIX_TO_MATRIX:
        return numeric(name, (operand,), operand.shape, MATRIX_TO_MATRIX[name](operand.facts.sign), call.span)
    if name in MATRIX_TO_VECTOR:
        sign = MATRIX_TO_VECTOR[name](operand.facts.sign)
        return numeric(name, (operand,), operand.shape[:-1], sign, call.span)
    return numeric(name, (operand,), operand.shape[:-2], MATRIX_TO_SCALAR[name](operand.facts.sign), call.span)


def _check_square(call: Called, operand: Expr) -> None:
    if len(operand.shape) < 2 or operand.shape[-1] != operand.shape[-2]:
        raise mistake(
            "SHP504",
            f"`{call.name}` takes a square matrix, not shape {show_shape(operand.shape)}",
            operand.span,
            show_shape(operand.shape),
            secondary=declaration_labels(operand),
        )
