"""A call of a record as instances of its graph: one for every entry, every position beside an axis, or one alone."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from dpplang.lowering.affine import Affine
from dpplang.lowering.primitives import positions, repeat_rows, spread
from dpplang.semantics.tree import AtomCall

Layout = Callable[[Affine], Affine]
"""From the instances' results to the call's ``[N, *shape]``."""


def members(call: AtomCall, args: list[Affine], shape: tuple[int, ...]) -> tuple[list[Affine], Layout]:
    """Arguments with one row per instance, and how the instances' results are laid out as ``[N, *shape]``."""
    atom, rows = call.atom, args[0].rows if args else 1
    if atom.kind == "elementwise":
        count = rows * prod(shape)
        spread_args = [spread(a, shape).reshape(count) for a in args]
        return spread_args, lambda form: form.reshape(rows, *shape)
    if call.axis is not None:
        return _along_axis(call, args, shape)
    found: list[Affine] = []
    for formal, arg in zip(atom.formals, args, strict=True):
        first = atom.kind == "reduction" and formal is atom.formals[0]
        flat = first or formal.any_shape
        found.append(arg.reshape(rows, prod(arg.own)) if flat else arg)
    return found, lambda form: form.reshape(rows, *shape)


def _along_axis(call: AtomCall, args: list[Affine], shape: tuple[int, ...]) -> tuple[list[Affine], Layout]:
    """A reduction's instances: every position of the other axes."""
    first, *others = args
    axis = (call.axis or 0) + 1
    moved = np.moveaxis(positions(first), axis, -1)
    rest = moved.shape[:-1]
    vectors = first.gather(np.ascontiguousarray(moved)).reshape(prod(rest), first.shape[axis])
    repeat = np.repeat(np.arange(first.rows), prod(rest[1:]))
    found = [vectors, *(repeat_rows(o, repeat) for o in others)]

    def layout(form: Affine) -> Affine:
        if not form.own:
            return form.reshape(first.rows, *shape)
        place = np.arange(form.size).reshape(*rest, *form.own)
        return form.gather(np.ascontiguousarray(np.moveaxis(place, -1, axis))).reshape(first.rows, *shape)

    return found, layout
