"""Index environments as relations: one row per member of an index set, one integer column per index variable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from dpplang.lattice.dims import Poly
from dpplang.lowering.affine import Ints, ramp
from dpplang.semantics.tree import Condition, Logic, Test, TypedBinder


@dataclass(frozen=True, slots=True, eq=False)
class Env:
    """A table of index tuples.

    Attributes:
        rows: number of members.
        base: for every row, the row of the scope's base environment it belongs to.
        columns: values of the index variables, ``[rows]`` each.
    """

    rows: int
    base: Ints
    columns: Mapping[str, Ints] = field(default_factory=dict)

    @staticmethod
    def root(rows: int = 1) -> Env:
        return Env(rows, np.arange(rows))

    def take(self, rows: Ints, columns: Mapping[str, Ints] | None = None) -> Env:
        """Some of the rows, with all index variables or those given."""
        kept = self.columns if columns is None else columns
        return Env(rows.shape[0], self.base[rows], {name: column[rows] for name, column in kept.items()})


def evaluate(poly: Poly, sizes: Mapping[str, int], env: Env) -> Ints:
    """A polynomial's value in every row, ``[rows]``."""
    names: dict[str, Any] = {**sizes, **env.columns}
    return np.broadcast_to(np.asarray(poly.evaluate(names), np.int64), (env.rows,))


def project(env: Env, names: frozenset[str]) -> tuple[Env, Ints]:
    """The distinct rows of ``env`` in the index variables ``names`` (and the base row); for every old row, the new one.

    What depends on ``names`` alone is lowered in there: once for each value that occurs, and for no other.
    """
    code, columns = env.base, {name: c for name, c in env.columns.items() if name in names}
    for column in columns.values():
        low = int(column.min(initial=0))
        code = code * (int(column.max(initial=0)) - low + 1) + (column - low)
    if (code[1:] >= code[:-1]).all():  # index variables from the outside in: the usual case
        new = np.concatenate(([True], code[1:] != code[:-1]))[: env.rows]
        first, pointer = np.flatnonzero(new), np.cumsum(new) - 1
    else:
        _, first, pointer = np.unique(code, return_index=True, return_inverse=True)
    return env.take(first, columns), pointer


def groups(env: Env, names: frozenset[str]) -> list[tuple[dict[str, int], Ints]]:
    """The rows in which the index variables ``names`` have the same values, and those values."""
    columns = [env.columns[name] for name in sorted(names)]
    values, group = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
    return [
        (dict(zip(sorted(names), map(int, value), strict=True)), np.flatnonzero(group.reshape(-1) == k))
        for k, value in enumerate(values)
    ]


def extend(
    env: Env, binders: tuple[TypedBinder, ...], condition: Condition | None, sizes: Mapping[str, int]
) -> tuple[Env, Ints]:
    """Add index variables, later ones with ranges that may depend on earlier ones.

    Returns:
        The environment of all members that satisfy the condition, in lexicographic order within each old row; and for
        each of its rows the old row.
    """
    parent = np.arange(env.rows)  # without binders the environment stays what it is
    for binder in binders:
        start, stop = evaluate(binder.start, sizes, env), evaluate(binder.stop, sizes, env)
        counts = np.maximum(stop - start, 0)
        rows = np.repeat(np.arange(env.rows), counts)
        columns = {name: column[rows] for name, column in env.columns.items()}
        columns[binder.name] = np.repeat(start, counts) + ramp(counts)
        env = Env(rows.shape[0], env.base[rows], columns)
        parent = parent[rows]
    if condition is not None:
        keep = np.flatnonzero(holds(condition, sizes, env))
        env = env.take(keep)
        parent = parent[keep]
    return env, parent


def holds(condition: Condition, sizes: Mapping[str, int], env: Env) -> NDArray[np.bool_]:
    """Whether a condition holds, per row."""
    match condition:
        case Test(op, left, right):
            a, b = evaluate(left, sizes, env), evaluate(right, sizes, env)
            compare = {
                "==": np.equal, "!=": np.not_equal, "<": np.less,
                "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
            }  # fmt: skip
            return compare[op](a, b)
        case Logic(op, parts):
            values = [holds(part, sizes, env) for part in parts]
            if op == "not":
                return ~values[0]
            return np.logical_and.reduce(values) if op == "and" else np.logical_or.reduce(values)
        case _:
            assert_never(condition)
