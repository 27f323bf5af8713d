"""Values of records by the numeric library: an atom's ``value:`` at given arguments, elementwise and along an axis."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dpplang.asa.evaluate import evaluate
from dpplang.asa.numeric import Numeric
from dpplang.semantics.tree import Apply, Atom, AtomCall, Const, Expr, Range, Ref, Size, Take


def numeric(expr: Expr, sizes: Mapping[str, int]) -> Numeric:
    """A typed expression over formals, whose names it refers to."""
    shape = tuple(int(p.evaluate(sizes)) for p in expr.shape)
    match expr:
        case Const(value=value):
            return Numeric("const", (), shape, (("value", value),))
        case Size(poly=poly):
            return Numeric("const", (), shape, (("value", float(poly.evaluate(sizes))),))
        case Ref(symbol=symbol):
            return Numeric("ref", (), shape, (("name", symbol.name),))
        case Take(operand=operand, items=items):
            bounds = tuple(
                (i.start.evaluate(sizes), i.stop.evaluate(sizes)) if isinstance(i, Range) else i.evaluate(sizes)
                for i in items
            )
            return Numeric("take", (numeric(operand, sizes),), shape, (("items", bounds),))
        case Apply(op=op, args=args, options=options):
            return Numeric(op, tuple(numeric(a, sizes) for a in args), shape, options)
        case _:
            raise AssertionError(f"a value is made of primitives, not of {expr}")


def value_of(atom: Atom, arguments: list[np.ndarray]) -> np.ndarray:
    """The record's value at its arguments: of the formals' own shapes, or (elementwise) of any."""
    assert atom.value is not None
    sizes: dict[str, int] = {}
    values: dict[str, np.ndarray] = {}
    for formal, argument in zip(atom.formals, arguments, strict=True):
        array = np.asarray(argument, dtype=float)
        if atom.kind != "elementwise":
            sizes.update({str(p): n for p, n in zip(formal.symbol.shape, array.shape, strict=True)})
        values[formal.symbol.name] = array
    return np.asarray(evaluate(numeric(atom.value, sizes), values, np))


def value_at(call: AtomCall, arguments: list[np.ndarray]) -> np.ndarray:
    """The value of a call whose first arguments are arrays; the axis is the call's."""
    if call.atom.kind != "reduction":
        return value_of(call.atom, arguments)
    first, *rest = (np.asarray(a, dtype=float) for a in arguments)
    if call.axis is None:
        return value_of(call.atom, [first.reshape(-1), *rest])
    lines = np.moveaxis(first, call.axis, -1)
    flat = [value_of(call.atom, [line, *rest]) for line in lines.reshape(-1, lines.shape[-1])]
    return np.array(flat).reshape(lines.shape[:-1])
