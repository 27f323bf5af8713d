"""The way back: variables, duals and the expressions of ``return`` as read-outs of (x, y, value, 1)."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from dpplang.asa.program import OutputMap
from dpplang.core.errors import InternalError
from dpplang.lowering.affine import Affine, Ints
from dpplang.lowering.constraints import DualMap
from dpplang.lowering.stuffing import affine_map

if TYPE_CHECKING:
    from dpplang.lowering.env import Env
    from dpplang.semantics.tree import TypedBinder


@dataclass(frozen=True, slots=True, eq=False)
class NamedDual:
    """A named constraint's dual: ``extents`` (start, size) of its binders, the members' rows in them."""

    map: DualMap
    env: Env
    binders: tuple[TypedBinder, ...]


def dual_form(dual: NamedDual, first_row: int, n: int) -> Affine:
    """The dual as a form over (x, y, …): variable number n + row. Members that a condition leaves out are zero."""
    columns = [dual.env.columns[b.name] for b in dual.binders]
    lows = [int(c.min()) if c.size else 0 for c in columns]
    extents = tuple(int(c.max()) - low + 1 if c.size else 0 for c, low in zip(columns, lows, strict=True))
    place: Ints = np.zeros(dual.env.rows, np.int64)
    for column, low, extent in zip(columns, lows, extents, strict=True):
        place = place * extent + (column - low)
    size = prod(dual.map.shape)
    member, inner = np.divmod(dual.map.target, max(size, 1))
    entry = place[member] * size + inner
    none = np.full(entry.shape[0], -1, np.int64)
    return Affine((1, *extents, *dual.map.shape), entry, n + first_row + dual.map.row, none, dual.map.weight)


def output(name: str, form: Affine, n: int, m: int, n_theta: int) -> OutputMap:
    """A form ``[1, *shape]`` over (x, y, value) as a read-out; what has no variable goes with the constant 1."""
    if form.rows != 1:
        raise InternalError(f"the output `{name}` has {form.rows} rows")
    column = np.where(form.var < 0, n + m + 1, form.var)
    k = form.entry.shape[0]
    values = affine_map(np.arange(k), form.par, form.coefficient, k, n_theta)
    return OutputMap(name, form.own, form.entry.astype(np.int64), column.astype(np.int64), values)
