"""The way back: variables, duals and the expressions of ``return`` as read-outs of (x, y, value, 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from dpplang.asa.program import OutputMap
from dpplang.core.errors import InternalError
from dpplang.lowering.affine import Affine, Ints, concatenate_terms, empty, variables
from dpplang.lowering.constraints import DualMap
from dpplang.lowering.env import Env
from dpplang.lowering.expressions import Lowering
from dpplang.lowering.indices import parts
from dpplang.lowering.scope import Scope
from dpplang.lowering.stuffing import affine_map
from dpplang.semantics.tree import DualRef, Expr, OptimalValue, TypedBinder


@dataclass(frozen=True, slots=True, eq=False)
class NamedDual:
    """A named constraint's dual, the sum of the maps; ``box``: first value and extent of its index variables, ``env``:
    their values; ``shape``: of one member's dual."""

    maps: tuple[DualMap, ...]
    shape: tuple[int, ...]
    env: Env
    box: tuple[tuple[int, int], ...]


def index_box(binders: tuple[TypedBinder, ...], env: Env, sizes: Mapping[str, int]) -> tuple[tuple[int, int], ...]:
    """First value and extent of every index variable; of one whose range depends on another, over its members."""
    box: list[tuple[int, int]] = []
    for binder in binders:
        if binder.start.names | binder.stop.names <= sizes.keys():
            low, high = int(binder.start.evaluate(sizes)), int(binder.stop.evaluate(sizes))
        else:
            column = env.columns[binder.name]
            low, high = (int(column.min()), int(column.max()) + 1) if column.size else (0, 0)
        box.append((low, max(high - low, 0)))
    return tuple(box)


def dual_form(dual: NamedDual, first_rows: Mapping[int, int], n: int) -> Affine:
    """The dual as a form over (x, y, …): variable number n + row. Members that a condition leaves out are zero.

    Args:
        first_rows: of every block, by ``id``.
    """
    place: Ints = np.zeros(dual.env.rows, np.int64)
    for column, (low, extent) in zip(dual.env.columns.values(), dual.box, strict=True):
        place = place * extent + (column - low)
    size = prod(dual.shape)
    shape = (1, *(extent for _, extent in dual.box), *dual.shape)
    terms = [empty(shape)]
    for part in dual.maps:
        member, inner = np.divmod(part.target, max(size, 1))
        entry = place[member] * size + inner
        par = np.full(entry.shape[0], -1, np.int64) if part.par is None else part.par
        row = first_rows.get(id(part.block), 0) + part.row
        terms.append(Affine(shape, entry, n + row, par, part.weight))
    return concatenate_terms(shape, terms)


def output(name: str, form: Affine, n: int, m: int, n_theta: int) -> OutputMap:
    """A form ``[1, *shape]`` over (x, y, value) as a read-out; what has no variable goes with the constant 1."""
    if form.rows != 1:
        raise InternalError(f"the output `{name}` has {form.rows} rows")
    column = np.where(form.var < 0, n + m + 1, form.var)
    k = form.entry.shape[0]
    values = affine_map(np.arange(k), form.par, form.coefficient, k, n_theta)
    return OutputMap(name, form.own, form.entry.astype(np.int64), column.astype(np.int64), values)


def output_form(expr: Expr, lowering: Lowering, scope: Scope, duals: Mapping[str, Affine], value: int) -> Affine:
    """An expression of ``return``: duals and the optimal value (number ``value``) are further variables behind x."""
    builder = lowering.builder
    before = builder.n, len(builder.blocks)
    for node in _leaves(expr):
        match node:
            case DualRef(constraint):
                scope.memo[node, scope.base, False] = duals[constraint]
            case OptimalValue():
                scope.memo[node, scope.base, False] = variables(np.array([value]))
            case _:
                pass
    form = lowering.lower(expr, scope.base, scope)
    if (builder.n, len(builder.blocks)) != before:
        raise InternalError(f"`return` is not affine ({expr.span})")
    return form


def _leaves(expr: Expr) -> list[Expr]:
    """Every node below an expression that has no parts."""
    found: list[Expr] = []
    stack = [expr]
    while stack:
        below = parts(node := stack.pop())
        stack.extend(below)
        if not below:
            found.append(node)
    return found
