"""Adjoint and tangent as the engine gives them: S applied between push and pull, and a word where they are not unique.

A singular optimality system need not matter: multipliers of constraints that no parameter moves may be as undetermined
as they like. What matters is whether the undetermined direction z₀ is seen from outside: by the upstream gradient (then
the output is not unique), or by the parameters, ∂θ of ⟨z₀, F⟩ ≠ 0 (then the solution has a kink there). Only then is
DIF601 reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.program import Program
from dpplang.runtime.blame import read_columns, undetermined
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.derivative import Derivative, Point
from dpplang.runtime.derivative_smoothed import Secants
from dpplang.runtime.solved import Solved
from dpplang.runtime.warn import warn_singular

_SEEN = 1e-6  # relative size from which an undetermined direction counts as seen


class Remarks:
    """What is said of a program's derivatives, each thing once: training calls them ten thousand times."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._said: set[tuple[str, ...]] = set()

    def undetermined(self, free: tuple[Array, Array], seen: NDArray[np.bool_], names: Sequence[str] = ()) -> None:
        """DIF601 for elements ``[B]``, where the parameters ``names`` see the directions ``free``."""
        if seen.any() and tuple(names) not in self._said:
            self._said.add(tuple(names))
            warn_singular(names, undetermined(self.program, free[0][seen], free[1][seen]), self.program.name)


def adjoint(
    derivative: Derivative,
    point: Point,
    solved: Solved,
    dx: Array | None,
    dy: Array | None,
    dvalue: Array | None,
    wanted: Sequence[bool],
    remarks: Remarks,
) -> tuple[Array | None, ...]:
    """Gradients with respect to θ; the optimal value alone needs no S."""
    g, h = np.zeros_like(point.x) if dx is None else dx, np.zeros_like(point.y) if dy is None else dy
    if dx is None and dy is None:
        return derivative.pull(point, g, h, dvalue, wanted)
    sensitivity = solved.sensitivity
    if isinstance(sensitivity, Secants):
        r, t, x, y = sensitivity.secant(g, h)
        parts = [derivative.pull(replace(point, x=x, y=y), r, t, None, wanted)]
        if dvalue is not None:
            parts.append(derivative.pull(point, np.zeros_like(r), np.zeros_like(t), dvalue, wanted))
        return tuple(None if p[0] is None else np.sum(p, axis=0) for p in zip(*parts, strict=True))
    r, t = sensitivity(g, h)
    free = sensitivity.free
    if free is not None:
        seen = _seen(free, g, h)
        scale = _SEEN * (1 + max(np.abs(point.x).max(initial=0.0), np.abs(point.y).max(initial=0.0)))
        pulled = derivative.pull(point, *free, None, wanted)
        moved = [p is not None and np.abs(p).max(initial=0.0) > scale for p in pulled]
        kinked = [parameter.name for parameter, moves in zip(remarks.program.parameters, moved, strict=True) if moves]
        remarks.undetermined(free, seen | (_size(*free) > 0) if kinked else seen, kinked)
    return derivative.pull(point, r, t, dvalue, wanted)


def tangent(
    derivative: Derivative, point: Point, solved: Solved, dtheta: Sequence[Array | None], remarks: Remarks
) -> tuple[Array, Array, Array]:
    """(dx, dy, dvalue) in a direction dθ."""
    g, h, dvalue = derivative.push(point, dtheta)
    dx, dy = solved.sensitivity(-g, -h)
    free = solved.sensitivity.free
    if free is not None:
        read = np.abs(free[0][:, read_columns(remarks.program)]).max(axis=1, initial=0.0)
        remarks.undetermined(free, _seen(free, g, h) | (read > _SEEN * _size(*free)))
    return dx, dy, dvalue


def _seen(free: tuple[Array, Array], g: Array, h: Array) -> NDArray[np.bool_]:
    """Elements ``[B]`` whose undetermined direction is not orthogonal to (g, h)."""
    inner = np.abs(np.sum(free[0] * g, axis=1) + np.sum(free[1] * h, axis=1))
    return inner > _SEEN * _size(*free) * _size(g, h)


def _size(r: Array, t: Array) -> Array:
    return np.sqrt(np.sum(r * r, axis=1) + np.sum(t * t, axis=1))
