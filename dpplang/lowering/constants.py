"""Operations on constants: the numeric library, with the rows of the environment as its batch."""

from __future__ import annotations

import numpy as np

from dpplang.asa.evaluate import evaluate
from dpplang.asa.numeric import Numeric, Option
from dpplang.core.errors import InternalError
from dpplang.lowering.affine import Affine, Floats
from dpplang.semantics.tree import Apply


def apply_numeric(node: Apply, args: tuple[Affine, ...], shape: tuple[int, ...]) -> Floats:
    """``[N, *shape]`` from constant operands ``[N, *own]``; options are plain values."""
    rows = args[0].rows
    values = [a.dense() for a in args]
    if rows > 1 and all((v == v[:1]).all() for v in values):  # a factorization is made once, not once per member
        values = [v[:1] for v in values]
    leaves = tuple(Numeric("ref", (), a.own, (("name", str(k)),)) for k, a in enumerate(args))
    numeric = Numeric(node.op, leaves, shape, tuple((k, _option(v)) for k, v in node.options))
    result = evaluate(numeric, {str(k): v for k, v in enumerate(values)}, np)
    return np.broadcast_to(np.asarray(result, np.float64), (rows, *shape))


def filled(node: Apply, rows: int, shape: tuple[int, ...]) -> Floats | None:
    """``full`` and ``eye`` in every row; None for other operations."""
    match node.op:
        case "full":
            value = node.option("value", 0.0)
            if not isinstance(value, int | float):
                raise InternalError(f"a number was expected, not {value!r}")
            return np.full((rows, *shape), float(value))
        case "eye":
            return np.broadcast_to(np.eye(shape[0], shape[1]), (rows, *shape))
        case _:
            return None


def _option(value: object) -> Option:
    if isinstance(value, tuple):
        return tuple(_option(v) for v in value)
    if value is None or isinstance(value, int | float | bool | str):
        return value
    raise InternalError(f"{value!r} is no static option")
