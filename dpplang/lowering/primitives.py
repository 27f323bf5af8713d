"""The affine primitives on sparse forms ``[N, *shape]``: a layout is a gather, a sum a scatter, a product a join."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from dpplang.core.errors import InternalError
from dpplang.lowering.affine import Affine, Ints, concatenate_terms, empty, is_pair, join, product, wide
from dpplang.lowering.grids import ABSENT, Grid, Line, line_of
from dpplang.semantics.tree import Apply

Shape = tuple[int, ...]
Primitive = Callable[[Apply, tuple[Affine, ...], Shape], Affine]
"""(node, operands ``[N, *own]``, the result's own shape) → ``[N, *shape]``."""


def positions(form: Affine) -> Ints:
    """The entries' own positions, to be rearranged and handed to ``gather``."""
    return np.arange(form.size).reshape(form.shape)


def spread(form: Affine, shape: Shape) -> Affine:
    """A scalar member to a shape; others are left alone."""
    if form.own == shape:
        return form
    if form.own:
        raise InternalError(f"cannot spread {form.own} to {shape}")
    lifted = np.arange(form.rows).reshape(form.rows, *(1,) * len(shape))
    return form.gather(np.broadcast_to(lifted, (form.rows, *shape)))


def repeat_rows(form: Affine, rows: Ints) -> Affine:
    """The form whose row r is this one's row ``rows[r]``."""
    size, n = prod(form.own), rows.shape[0]
    if form.rows == 1 and n == 1:
        return form
    if form.rows == 1:  # the usual case, without a sort
        entry = (np.arange(n)[:, None] * size + form.entry).ravel()
        var, par = np.tile(form.var, n), np.tile(form.par, n)
        return Affine((n, *form.own), entry, var, par, np.tile(form.coefficient, n))
    return form.gather((rows[:, None] * size + np.arange(size)).reshape(n, *form.own))


def _add(node: Apply, args: tuple[Affine, ...], shape: Shape) -> Affine:
    left, right = (spread(a, shape) for a in args)
    return left + (right if node.op == "add" else -right)


def _neg(node: Apply, args: tuple[Affine, ...], shape: Shape) -> Affine:
    return -args[0]


def _mul(node: Apply, args: tuple[Affine, ...], shape: Shape) -> Affine:
    left, right = (spread(a, shape) for a in args)
    return multiply(left, right)


def multiply(left: Affine, right: Affine) -> Affine:
    """Entrywise product of equal shapes."""
    if left.is_constant:
        left, right = right, left
    if right.is_constant and right.entry.shape[0] == right.size:
        return left.scale(right.dense())
    i, j = join(left.entry, right.entry, left.size)
    return product(left.shape, left.entry[i], left, i, right, j)


def _div(node: Apply, args: tuple[Affine, ...], shape: Shape) -> Affine:
    left, right = (spread(a, shape) for a in args)
    with np.errstate(divide="ignore"):  # what is infinite is blamed where it is used
        return left.scale(1.0 / right.dense())


def _matmul(node: Apply, args: tuple[Affine, ...], shape: Shape) -> Affine:
    left, right = args
    rows, inner = left.rows, left.own[-1]
    a = left.reshape(rows, prod(left.own[:-1]), inner)
    b = right.reshape(rows, inner, prod(right.own[1:]))
    return contract(a, b).reshape(rows, *shape)


def contract(a: Affine, b: Affine) -> Affine:
    """``[N, i, l]`` times ``[N, l, j]``: a join on (member, l)."""
    grid = _matrix_times_vector(a, b) or _vector_times_matrix(a, b)
    if grid is not None:
        shape = (1, a.shape[1], b.shape[2])
        return Affine.of(shape, empty(shape).loose, (grid,))
    rows, height, inner = a.shape
    width = b.shape[2]
    a_row, a_rest = np.divmod(wide(a.entry, max(rows * inner, rows * height * width)), max(height * inner, 1))
    a_i, a_l = np.divmod(a_rest, max(inner, 1))
    b_outer, b_j = np.divmod(b.entry, max(width, 1))  # b's (member, l) is its outer index already
    i, j = join(a_row * inner + a_l, b_outer, rows * inner)
    target = (a_row[i] * height + a_i[i]) * width + b_j[j]
    return product((rows, height, width), target, a, i, b, j)


def _matrix_times_vector(a: Affine, b: Affine) -> Grid | None:
    """The terms of a whole matrix of parameters times as many variables; None for another product."""
    rows, height, inner = a.shape
    matrix, vector = _whole_matrix(a), _plain_variables(b) if b.shape[2] == 1 else None
    if rows != 1 or matrix is None or vector is None:
        return None
    par = Line(matrix.par.start, inner * matrix.par.inner, matrix.par.inner)
    return Grid(height, inner, Line(0, 1), vector, par, matrix.coefficient)


def _vector_times_matrix(a: Affine, b: Affine) -> Grid | None:
    """The same with the variables on the left."""
    rows, inner, width = b.shape
    matrix, vector = _whole_matrix(b), _plain_variables(a) if a.shape[1] == 1 else None
    if rows != 1 or matrix is None or vector is None:
        return None
    var, par = Line(vector.start, 0, vector.inner), matrix.par
    return Grid(width, inner, Line(0, 1), var, Line(par.start, par.inner, width * par.inner), matrix.coefficient)


def _whole_matrix(form: Affine) -> Grid | None:
    """The grid of a form that is nothing but a block of θ, entry by entry."""
    if len(form.grids) != 1 or form.loose[0].shape[0]:
        return None
    (grid,) = form.grids
    plain = grid.height == 1 and grid.is_run and grid.size == form.size and grid.var == ABSENT
    return grid if plain else None


def _plain_variables(form: Affine) -> Line | None:
    """The line of a form whose entries are variables, evenly numbered, and nothing else."""
    entry, var, par, coefficient = form.loose
    if form.grids or entry.shape[0] != form.size or not form.size or var[0] < 0 or is_pair(var[:1]).any():
        return None
    if not (coefficient == 1).all() or (par >= 0).any() or not np.array_equal(entry, np.arange(form.size)):
        return None
    return line_of(var)


def _sum(node: Apply, args: tuple[Affine, ...], shape: Shape) -> Affine:
    form = args[0]
    axis = node.option("axis")
    if axis is None:
        target = np.repeat(np.arange(form.rows), prod(form.own))
        total = form.scatter(target, (form.rows, *shape))
    else:
        kept = np.arange(form.rows * _without(form.own, _int(axis))).reshape(_dropped(form.shape, _int(axis) + 1))
        target = np.broadcast_to(np.expand_dims(kept, _int(axis) + 1), form.shape)
        total = form.scatter(np.ascontiguousarray(target), (form.rows, *shape))
    if node.op == "sum":
        return total
    count = prod(form.own) if axis is None else form.own[_int(axis)]
    return total.scale(1.0 / max(count, 1))


def _int(value: object) -> int:
    if not isinstance(value, int):
        raise InternalError(f"an integer option was expected, not {value!r}")
    return value


def _dropped(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1 :]


def _without(shape: Shape, axis: int) -> int:
    return prod(_dropped(shape, axis))


def _axis(node: Apply, form: Affine) -> int:
    axis = node.option("axis", 0)
    return (0 if axis is None else _int(axis)) + 1


def _cumsum(node: Apply, args: tuple[Affine, ...], shape: Shape) -> Affine:
    return _along(args[0], _axis(node, args[0]), np.tril(np.ones((args[0].shape[_axis(node, args[0])],) * 2)))


def _diff(node: Apply, args: tuple[Affine, ...], shape: Shape) -> Affine:
    axis = _axis(node, args[0])
    order = _int(node.option("k", 1))
    return _along(args[0], axis, np.diff(np.eye(args[0].shape[axis]), n=order, axis=0))


def _along(form: Affine, axis: int, matrix: np.ndarray) -> Affine:
    """Multiply by a constant matrix along one axis."""
    moved = np.moveaxis(positions(form), axis, -1)
    flat = form.gather(moved.reshape(-1, form.shape[axis]))
    out, into = np.nonzero(matrix)
    outer, inner = np.divmod(wide(flat.entry, prod(flat.shape[:-1]) * matrix.shape[0]), form.shape[axis])
    i, j = join(inner, into.astype(np.int64), form.shape[axis])
    entry = outer[i] * matrix.shape[0] + out[j]
    result = Affine(
        (*moved.shape[:-1], matrix.shape[0]),
        entry, flat.var[i], flat.par[i], flat.coefficient[i] * matrix[out[j], into[j]],
    )  # fmt: skip
    return result.gather(np.moveaxis(positions(result), -1, axis))


def _transpose(node: Apply, args: tuple[Affine, ...], shape: Shape) -> Affine:
    form = args[0]
    axes = (0, *range(len(form.shape) - 1, 0, -1))
    return form.gather(positions(form).transpose(axes))


def _reshape(node: Apply, args: tuple[Affine, ...], shape: Shape) -> Affine:
    return args[0].reshape(args[0].rows, *shape)


def _spread(node: Apply, args: tuple[Affine, ...], shape: Shape) -> Affine:
    return spread(args[0], shape)


def _diag(node: Apply, args: tuple[Affine, ...], shape: Shape) -> Affine:
    form = args[0]
    if len(form.own) == 2:
        return form.gather(np.diagonal(positions(form), axis1=1, axis2=2))
    n = form.own[0]
    target = (np.arange(form.rows)[:, None] * n + np.arange(n)) * n + np.arange(n)
    return form.scatter(target, (form.rows, n, n))


def _trace(node: Apply, args: tuple[Affine, ...], shape: Shape) -> Affine:
    diagonal = _diag(node, args, ())
    return diagonal.scatter(np.repeat(np.arange(diagonal.rows), diagonal.own[0]), (diagonal.rows,))


def _upper_tri(node: Apply, args: tuple[Affine, ...], shape: Shape) -> Affine:
    i, j = np.triu_indices(args[0].own[0], 1)
    return args[0].gather(positions(args[0])[:, i, j])


def _stack(node: Apply, args: tuple[Affine, ...], shape: Shape) -> Affine:
    """``hstack``, ``vstack``, ``stack``: concatenation along one axis of the result."""
    if node.op == "stack":
        parts = [a.reshape(a.rows, 1, *a.own) for a in args]
        return concatenate(parts, 1)
    if node.op == "hstack":
        parts = [a if a.own else a.reshape(a.rows, 1) for a in args]
        return concatenate(parts, 1 if len(parts[0].own) == 1 else 2)
    parts = [a.reshape(a.rows, 1, a.size // max(a.rows, 1)) if len(a.own) < 2 else a for a in args]
    return concatenate(parts, 1)


def concatenate(parts: list[Affine], axis: int) -> Affine:
    """Along an axis of ``[N, …]``."""
    length = sum(p.shape[axis] for p in parts)
    shape = (*parts[0].shape[:axis], length, *parts[0].shape[axis + 1 :])
    place = np.arange(prod(shape)).reshape(shape)
    moved: list[Affine] = []
    start = 0
    for part in parts:
        index = (slice(None),) * axis + (slice(start, start + part.shape[axis]),)
        moved.append(part.scatter(np.ascontiguousarray(place[index]), shape))
        start += part.shape[axis]
    return concatenate_terms(shape, moved)


def _outer(node: Apply, args: tuple[Affine, ...], shape: Shape) -> Affine:
    left, right = args
    rows, m, n = left.rows, prod(left.own), prod(right.own)
    return contract(left.reshape(rows, m, 1), right.reshape(rows, 1, n)).reshape(rows, *shape)


def _kron(node: Apply, args: tuple[Affine, ...], shape: Shape) -> Affine:
    left, right = args
    a, b = (f.own if len(f.own) == 2 else (1, f.size // max(f.rows, 1)) for f in args)
    flat = _outer(node, (left, right), (a[0], a[1], b[0], b[1]))
    return flat.gather(positions(flat).transpose(0, 1, 3, 2, 4)).reshape(left.rows, *shape)


def _convolve(node: Apply, args: tuple[Affine, ...], shape: Shape) -> Affine:
    m, n = (f.own[0] if f.own else 1 for f in args)
    outer = _outer(node, args, (m, n))
    lag = np.arange(m)[:, None] + np.arange(n)
    target = np.arange(outer.rows)[:, None, None] * (m + n - 1) + lag
    return outer.scatter(target, (outer.rows, *shape))


def _partial(node: Apply, args: tuple[Affine, ...], shape: Shape) -> Affine:
    """``partial_trace`` and ``partial_transpose`` of a matrix on a tensor product of spaces of sizes ``dims``."""
    form = args[0]
    dims = tuple(_int(d) for d in _tuple(node.option("dims")))
    axis = _int(node.option("axis", 0))
    place = positions(form).reshape(form.rows, *dims, *dims)
    row, column = 1 + axis, 1 + len(dims) + axis
    if node.op == "partial_transpose":
        return form.gather(np.swapaxes(place, row, column).reshape(form.rows, *shape))
    diagonal = np.diagonal(place, axis1=row, axis2=column)
    picked = form.gather(np.ascontiguousarray(diagonal))
    target = np.repeat(np.arange(picked.size // dims[axis]), dims[axis])
    return picked.scatter(target, (form.rows, *shape))


def _tuple(value: object) -> tuple[object, ...]:
    if not isinstance(value, tuple):
        raise InternalError(f"a tuple was expected, not {value!r}")
    return value


PRIMITIVES: dict[str, Primitive] = {
    "add": _add, "sub": _add, "neg": _neg, "mul": _mul, "div": _div, "matmul": _matmul, "transpose": _transpose,
    "sum": _sum, "mean": _sum, "cumsum": _cumsum, "diff": _diff, "diag": _diag, "trace": _trace, "hstack": _stack,
    "vstack": _stack, "stack": _stack, "reshape": _reshape, "spread": _spread, "outer": _outer, "kron": _kron,
    "convolve": _convolve, "upper_tri": _upper_tri, "partial_trace": _partial, "partial_transpose": _partial,
}  # fmt: skip
"""The operations that are affine in an argument, by name."""

PRODUCTS = frozenset({"mul", "matmul", "outer", "kron", "convolve"})
