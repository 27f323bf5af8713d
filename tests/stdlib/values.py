"""Values of records by the numeric library: an atom's ``value:`` at given arguments, elementwise and along an axis."""

from __future__ import annotations

import numpy as np

from dpplang.asa.evaluate import evaluate
from dpplang.lowering.numeric import to_numeric
from dpplang.semantics.tree import Atom, AtomCall


def sizes_of(atom: Atom, arguments: list[np.ndarray]) -> dict[str, int]:
    """The atom's dims at arguments of its formals' own shapes."""
    return {
        str(extent): length
        for formal, argument in zip(atom.formals, arguments, strict=True)
        for extent, length in zip(formal.symbol.shape, np.shape(argument), strict=True)
    }


def value_of(atom: Atom, arguments: list[np.ndarray]) -> np.ndarray:
    """The record's value at its arguments: of the formals' own shapes, or (elementwise) of any."""
    assert atom.value is not None
    values = {f.symbol.name: np.asarray(a, dtype=float) for f, a in zip(atom.formals, arguments, strict=True)}
    sizes = {} if atom.kind == "elementwise" else sizes_of(atom, arguments)
    return np.asarray(evaluate(to_numeric(atom.value, sizes), values, np))


def value_at(call: AtomCall, arguments: list[np.ndarray]) -> np.ndarray:
    """The value of a call whose first arguments are arrays; the axis is the call's."""
    if call.atom.kind != "reduction":
        return value_of(call.atom, arguments)
    first, *rest = (np.asarray(a, dtype=float) for a in arguments)
    if call.axis is None:
        return value_of(call.atom, [first.reshape(-1), *rest])
    lines = np.moveaxis(first, call.axis, -1)
    found = np.array([value_of(call.atom, [line, *rest]) for line in lines.reshape(-1, lines.shape[-1])])
    whole = found.reshape(*lines.shape[:-1], *found.shape[1:])
    return np.moveaxis(whole, -1, call.axis) if found.ndim > 1 else whole
