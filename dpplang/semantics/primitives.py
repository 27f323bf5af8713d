"""The affine primitives that are called by name: their shapes (NumPy's meaning), signs and options.

Every function takes the call with typed arguments and gives the node, or raises :class:`Mistake`. The table is
at the end;
docs/internals.md lists what lowering makes of each op.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import isqrt

from dpplang.core.diagnostics import Label
from dpplang.lattice.curvature import Monotonicity
from dpplang.lattice.dims import Poly, Shape, show_shape, size
from dpplang.lattice.sign import Sign
from dpplang.semantics.arguments import Called, axis_of, flag, reduced, size_of, sizes_of, static_int
from dpplang.semantics.arithmetic import (
    combine,
    declaration_labels,
    operand_labels,
    shapes_differ,
    spread_shape,
    transposed,
)
from dpplang.semantics.build import affine, bilinear, reshaped, taken
from dpplang.semantics.report import Mistake, mistake
from dpplang.semantics.tree import Apply, Expr, Facts, Range, Reason

Rule = Callable[[Called], Expr]
ONE = Poly.const(1)
MAX_ORDER = 1000
"""Of a matrix that is written out row by row."""


def wrong_rank(call: Called, operand: Expr, wanted: str) -> Mistake:
    return mistake(
        "SHP504",
        f"`{call.name}` takes {wanted}, not shape {show_shape(operand.shape)}",
        operand.span,
        show_shape(operand.shape),
        secondary=declaration_labels(operand),
    )


def _sum(call: Called) -> Expr:
    bound = call.bind(("x", "axis", "keepdims"), 1)
    operand = bound["x"]
    op = "mean" if call.name == "mean" else "sum"
    axis = axis_of(bound.get("axis"), operand, call.name)
    shape = reduced(operand.shape, axis, False)
    total = operand if not operand.shape else affine(op, (operand,), shape, call.span, options=(("axis", axis),))
    return reshaped(total, reduced(operand.shape, axis, flag(bound.get("keepdims"), "`keepdims`")), call.span)


def _cumsum(call: Called) -> Expr:
    bound = call.bind(("x", "axis"), 1)
    operand = bound["x"]
    axis = axis_of(bound.get("axis"), operand, call.name)
    if axis is None and len(operand.shape) > 1:
        operand = reshaped(operand, (size(operand.shape),), call.span)
    if not operand.shape:
        raise wrong_rank(call, operand, "a vector or a matrix")
    return affine("cumsum", (operand,), operand.shape, call.span, options=(("axis", axis or 0),))


def _diff(call: Called) -> Expr:
    bound = call.bind(("x", "k", "axis"), 1)
    operand = bound["x"]
    if not operand.shape:
        raise wrong_rank(call, operand, "a vector or a matrix")
    order = static_int(bound["k"], "`k`") if "k" in bound else 1
    if order < 1:
        raise mistake("SHP514", "the order `k` of a difference must be at least 1", bound["k"].span, str(order))
    # NumPy's default is the last axis, CVXPY's the first; they differ for matrices only, where the axis must be named.
    axis = axis_of(bound.get("axis"), operand, call.name)
    if axis is None:
        if len(operand.shape) > 1:
            raise mistake(
                "SHP513",
                "`diff` of a matrix needs an `axis`",
                call.span,
                help=(
                    (
                        "`axis = 0` subtracts rows, `axis = 1` columns (NumPy's default is the last axis, "
                        "CVXPY's the first)"
                    ),
                ),
            )
        axis = 0
    length = operand.shape[axis] - order
    if length.constant is not None and length.constant < 0:
        raise mistake("SHP505", f"a difference of order {order} of {operand.shape[axis]} entries is empty", call.span)
    shape = (*operand.shape[:axis], length, *operand.shape[axis + 1 :])
    return affine(
        "diff",
        (operand,),
        shape,
        call.span,
        sign=Sign.ZERO if operand.facts.sign is Sign.ZERO else Sign.UNKNOWN,
        monotone=(Monotonicity.UNKNOWN,),
        options=(("axis", axis), ("k", order)),
    )


def _diag(call: Called) -> Expr:
    operand = call.bind(("x",), 1)["x"]
    match operand.shape:
        case (n,):
            return affine("diag", (operand,), (n, n), call.span)
        case (m, n) if m == n:
            return affine("diag", (operand,), (n,), call.span)
        case _:
            raise wrong_rank(call, operand, "a vector or a square matrix")


def _square(call: Called, operand: Expr) -> Poly:
    if len(operand.shape) != 2 or operand.shape[0] != operand.shape[1]:
        raise wrong_rank(call, operand, "a square matrix")
    return operand.shape[0]


def _trace(call: Called) -> Expr:
    operand = call.bind(("X",), 1)["X"]
    _square(call, operand)
    return affine("trace", (operand,), (), call.span)


def _upper_tri(call: Called) -> Expr:
    operand = call.bind(("X",), 1)["X"]
    n = _square(call, operand)
    if n.constant is None:
        raise mistake(
            "SHP514",
            f"`upper_tri` of a {n} × {n} matrix has n(n − 1)/2 entries, which is no size the language can write",
            call.span,
            help=("use `sum(X[i, j] for i in n, j in n if i < j)`, or a matrix of a known size",),
        )
    order = n.constant
    return affine("upper_tri", (operand,), (Poly.const(order * (order - 1) // 2),), call.span)


def _vec_to_upper_tri(call: Called) -> Expr:
    """The upper triangular matrix whose entries, row by row, these are; ``strict`` leaves its diagonal zero."""
    bound = call.bind(("x", "strict"), 1)
    operand, strict = bound["x"], flag(bound.get("strict"), "`strict`")
    if len(operand.shape) != 1:
        raise wrong_rank(call, operand, "a vector")
    length, shift = operand.shape[0].constant, 1 if strict else -1
    order = 0 if length is None else (isqrt(8 * length + 1) + shift) // 2
    if length is None or order * (order - shift) // 2 != length or not 0 < order <= MAX_ORDER:
        formula = "n(n − 1)/2" if strict else "n(n + 1)/2"
        raise mistake(
            "SHP514",
            f"`vec_to_upper_tri` takes {formula} entries for a known n of at most {MAX_ORDER}",
            operand.span,
            show_shape(operand.shape),
            secondary=declaration_labels(operand),
        )
    rows: list[Expr] = []
    start = 0
    for row in range(order):
        count = order - row - strict
        entries = taken(operand, (Range(Poly.const(start), Poly.const(start + count)),), call.span)
        zeros = Apply(
            "full",
            (),
            (("value", 0.0),),
            facts=Facts((Poly.const(order - count),), Sign.ZERO),
            span=call.span,
            reason=Reason("zeros"),
        )
        rows.append(join(call, [part for part in (zeros, entries) if part.shape[0] != Poly.const(0)], "hstack"))
        start += count
    return join(call, rows, "vstack")


def _squeeze(call: Called) -> Expr:
    """Without the axes whose size is 1 whatever the dims are."""
    operand = call.bind(("x",), 1)["x"]
    return reshaped(operand, tuple(axis for axis in operand.shape if axis != ONE), call.span)


def _vec(call: Called) -> Expr:
    operand = call.bind(("x",), 1)["x"]
    return reshaped(operand, (size(operand.shape),), call.span)


def _reshape(call: Called) -> Expr:
    args = call.positional(2)
    operand, shape = args[0], sizes_of(args[1:])
    if size(shape) != size(operand.shape):
        raise mistake(
            "SHP501",
            f"{show_shape(operand.shape)} has {size(operand.shape)} entries, {show_shape(shape)} has {size(shape)}",
            call.span,
            secondary=declaration_labels(operand),
            notes=("`reshape` keeps the number of entries; it is row-major, as in NumPy",),
        )
    return reshaped(operand, shape, call.span)


def _transpose(call: Called) -> Expr:
    return transposed(call.bind(("X",), 1)["X"], call.span)


def join(call: Called, parts: Sequence[Expr], op: str) -> Expr:
    """``hstack`` and ``vstack`` of parts, with NumPy's meaning."""
    if op == "vstack":
        shapes = [(ONE, *(p.shape or (ONE,))) if len(p.shape) < 2 else p.shape for p in parts]
        axis = 0
    else:
        shapes = [p.shape or (ONE,) for p in parts]
        axis = 0 if len(shapes[0]) == 1 else 1
    return affine(op, parts, _joined(call, parts, shapes, axis), call.span)


def _joined(call: Called, parts: Sequence[Expr], shapes: Sequence[Shape], axis: int) -> Shape:
    for (left, a), (right, b) in pairwise(zip(parts, shapes, strict=True)):
        if len(a) != len(b) or a[:axis] + a[axis + 1 :] != b[:axis] + b[axis + 1 :]:
            raise mistake(
                "SHP512",
                f"`{call.name}` does not fit {show_shape(left.shape)} and {show_shape(right.shape)}",
                call.span,
                secondary=operand_labels(left, right),
                notes=(f"sizes may differ along axis {axis} only",),
            )
    total = sum((s[axis] for s in shapes), Poly())
    return (*shapes[0][:axis], total, *shapes[0][axis + 1 :])


def _hstack(call: Called) -> Expr:
    return join(call, call.positional(), "hstack")


def _vstack(call: Called) -> Expr:
    return join(call, call.positional(), "vstack")


def _concatenate(call: Called) -> Expr:
    axis = next((v for k, v in call.keywords if k.name == "axis"), None)
    others = tuple((k, v) for k, v in call.keywords if k.name != "axis")
    parts = Called(call.name, call.args, others, call.span, call.name_span).positional()
    if not parts[0].shape:
        raise wrong_rank(call, parts[0], "vectors or matrices")
    along = axis_of(axis, parts[0], call.name) or 0
    return join(call, parts, "vstack" if along == 0 and len(parts[0].shape) == 2 else "hstack")


def _stack(call: Called) -> Expr:
    return stacked(call.positional(), call)


def stacked(parts: Sequence[Expr], call: Called) -> Expr:
    """A new leading axis over parts of one shape."""
    for left, right in pairwise(parts):
        if left.shape != right.shape:
            raise mistake(
                "SHP512",
                f"the elements have different shapes: {show_shape(left.shape)} and {show_shape(right.shape)}",
                call.span,
                secondary=operand_labels(left, right),
            )
    return affine("stack", parts, (Poly.const(len(parts)), *parts[0].shape), call.span)


def _bmat(call: Called) -> Expr:
    raise mistake("SHP512", "`bmat` takes a list of rows of blocks: `bmat([[A, B], [C, D]])`", call.span)


def _elementwise_product(call: Called) -> Expr:
    bound = call.bind(("x", "y"), 2)
    left, right = bound["x"], bound["y"]
    return bilinear("mul", left, right, spread_shape("*", left, right, call.span, call.name_span), call.span)


def _matmul(call: Called) -> Expr:
    bound = call.bind(("x", "y"), 2)
    return combine("@", bound["x"], bound["y"], call.span, call.name_span)


def _inner(call: Called) -> Expr:
    bound = call.bind(("x", "y"), 2)
    left, right = bound["x"], bound["y"]
    if left.shape != right.shape:
        raise shapes_differ(f"`{call.name}` needs equal shapes", left, right, call.span)
    if not left.shape:
        return bilinear("mul", left, right, (), call.span)
    flat = (size(left.shape),)
    return bilinear("matmul", reshaped(left, flat, left.span), reshaped(right, flat, right.span), (), call.span)


def _vectors(call: Called) -> tuple[Expr, Expr]:
    bound = call.bind(("x", "y"), 2)
    for operand in (bound["x"], bound["y"]):
        if len(operand.shape) != 1:
            raise wrong_rank(call, operand, "two vectors")
    return bound["x"], bound["y"]


def _outer(call: Called) -> Expr:
    left, right = _vectors(call)
    return bilinear("outer", left, right, left.shape + right.shape, call.span)


def _convolve(call: Called) -> Expr:
    left, right = _vectors(call)
    return bilinear("convolve", left, right, (left.shape[0] + right.shape[0] - 1,), call.span)


def _kron(call: Called) -> Expr:
    bound = call.bind(("A", "B"), 2)
    left, right = bound["A"], bound["B"]
    for operand in (left, right):
        if len(operand.shape) != 2:
            raise wrong_rank(call, operand, "two matrices")
    shape = (left.shape[0] * right.shape[0], left.shape[1] * right.shape[1])
    return bilinear("kron", left, right, shape, call.span)


def _partial(call: Called) -> Expr:
    bound = call.bind(("X", "dims", "axis"), 2)
    operand, dims = bound["X"], sizes_of((bound["dims"],))
    axis = static_int(bound["axis"], "`axis`") if "axis" in bound else 0
    order = _square(call, operand)
    if size(dims) != order:
        raise mistake(
            "SHP501",
            f"the product of the subsystems' sizes {show_shape(dims)} is {size(dims)}, the matrix is {order} × {order}",
            call.span,
            secondary=(Label(bound["dims"].span, str(size(dims))), *declaration_labels(operand)),
        )
    if not 0 <= axis < len(dims):
        raise mistake("SHP513", f"there is no subsystem {axis}: there are {len(dims)}", call.span)
    kept = size(dims[:axis] + dims[axis + 1 :]) if call.name == "partial_trace" else order
    return affine(call.name, (operand,), (kept, kept), call.span, options=(("dims", dims), ("axis", axis)))


def _filled(call: Called) -> Expr:
    value = 1.0 if call.name == "ones" else 0.0
    shape = sizes_of(call.positional(0))
    sign = Sign.NONNEG if value else Sign.ZERO
    return Apply(
        "full", (), (("value", value),), facts=Facts(shape, sign), span=call.span, reason=Reason("a constant array")
    )


def _eye(call: Called) -> Expr:
    n = size_of(call.bind(("n",), 1)["n"])
    return Apply("eye", (), facts=Facts((n, n), Sign.NONNEG), span=call.span, reason=Reason("the identity matrix"))


def _perspective(call: Called) -> Expr:
    from dpplang.semantics.perspective import perspective  # loaded where there is one

    return perspective(call)


STACKING = frozenset(("hstack", "vstack", "concatenate", "stack"))
"""Those that take their parts as arguments or as one list."""

PRIMITIVES: dict[str, Rule] = {
    "sum": _sum,
    "mean": _sum,
    "cumsum": _cumsum,
    "diff": _diff,
    "diag": _diag,
    "trace": _trace,
    "upper_tri": _upper_tri,
    "vec_to_upper_tri": _vec_to_upper_tri,
    "vec": _vec,
    "squeeze": _squeeze,
    "reshape": _reshape,
    "transpose": _transpose,
    "hstack": _hstack,
    "vstack": _vstack,
    "concatenate": _concatenate,
    "stack": _stack,
    "bmat": _bmat,
    "multiply": _elementwise_product,
    "matmul": _matmul,
    "inner": _inner,
    "vdot": _inner,
    "dot": _inner,
    "outer": _outer,
    "convolve": _convolve,
    "conv": _convolve,
    "kron": _kron,
    "partial_trace": _partial,
    "partial_transpose": _partial,
    "ones": _filled,
    "zeros": _filled,
    "eye": _eye,
    "perspective": _perspective,
}

FOREIGN: dict[str, str] = {
    "norm": "norm2",
    "normNuc": "norm_nuc",
    "nuclear_norm": "norm_nuc",
    "normInf": "norm_inf",
    "sum_entries": "sum",
    "mul_elemwise": "multiply",
    "elementwise_multiply": "multiply",
    "ravel": "vec",
    "flatten": "vec",
    "identity": "eye",
    "block": "bmat",
    "tr": "trace",
    "logsumexp": "log_sum_exp",
    "logdet": "log_det",
    "relu": "pos",
    "power_of": "power",
    "sumsq": "sum_squares",
}
"""Names that users of CVXPY and NumPy try first, and ours."""
