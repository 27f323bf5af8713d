"""A primal–dual interior-point method for linear and second-order cones, over a whole batch at once.

Mehrotra's predictor and corrector from an infeasible start, with Nesterov–Todd scaling and a quadratic objective
(Vandenberghe 2010, "The CVXOPT linear and quadratic cone program solvers"). It need not go far: a Newton step on the
optimality conditions (:mod:`dpplang.runtime.refine`) carries its answer to rounding error. It says nothing of programs
without a solution: what does not converge is left to the conic solver.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.condensed.layout import Layout, dot
from dpplang.runtime.condensed.matrix import largest
from dpplang.runtime.condensed.stiffness import Scaling, Stiffness, reach
from dpplang.runtime.condensed.systems import Matrices, Systems
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.data_map import Data
from dpplang.runtime.options import Options
from dpplang.runtime.threads import cores, each

_NEAR = 1e-8
_CHUNK = 1 << 16  # entries of factors that are worked on together
_STEPS = 40  # at most: what takes longer has no strict interior, or no solution
_INSIDE = 0.985  # share of the way to the boundary that a step may go
_SHARP = 1e-3  # residual from which on every step needs all its digits
_STUCK = 1e-3  # the second step so short is the last


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """q ``[n, B]`` and b ``[rows, B]`` of a batch, and their largest entries ``[2, B]``, beside its matrices."""

    matrices: Matrices
    q: Array
    b: Array
    sizes: Array

    @staticmethod
    def of(systems: Systems, data: Data, batch: int) -> Numbers:
        q = np.array(np.broadcast_to(data.q.T, (data.q.shape[1], batch)))
        b = systems.plan.layout.spread(np.broadcast_to(data.b, (batch, data.b.shape[1])))
        return Numbers(systems.at(data.P, data.A), q, b, np.stack((largest(q), largest(b))))

    @property
    def batch(self) -> int:
        return self.q.shape[1]

    def select(self, elements: NDArray[np.intp]) -> Numbers:
        return Numbers(
            self.matrices.select(elements), self.q[:, elements], self.b[:, elements], self.sizes[:, elements]
        )


@dataclass(slots=True, eq=False)
class Point:
    """x ``[n, B]``, y and s ``[rows, B]``."""

    x: Array
    y: Array
    s: Array

    def at(self, elements: NDArray[np.intp]) -> Point:
        return Point(self.x[:, elements], self.y[:, elements], self.s[:, elements])

    def put(self, elements: NDArray[np.intp], other: Point) -> None:
        self.x[:, elements], self.y[:, elements], self.s[:, elements] = other.x, other.y, other.s


def minimize(
    numbers: Numbers, target: float, steps: int | None = None, deadline: float = math.inf
) -> tuple[Point, NDArray[np.bool_]]:
    """Solve a batch until relative residuals and gap are below ``target``.

    Args:
        steps: at most so many. deadline: by ``time.monotonic``.

    Returns:
        The points, and which elements converged ``[B]``.
    """
    with np.errstate(all="ignore"):
        here = _start(numbers)
        found = Point(here.x.copy(), here.y.copy(), here.s.copy())
        converged = np.zeros(numbers.batch, dtype=bool)
        elements, short = np.arange(numbers.batch), np.zeros(numbers.batch, dtype=int)
        for _ in range(min(_STEPS, steps or _STEPS) + 1):
            residual = _residual(numbers, here)
            done = residual.error < target
            stop = done | ~np.isfinite(residual.error) | (short > 1)
            if stop.any():
                out = np.flatnonzero(done)
                found.put(elements[out], here.at(out))
                converged[elements[out]] = True
                left = np.flatnonzero(~stop)
                if not left.size:
                    break
                elements, numbers, here, short = elements[left], numbers.select(left), here.at(left), short[left]
                residual = residual.at(left)
            if time.monotonic() > deadline:
                break
            length = _step(numbers, here, residual)
            short = short + (length < _STUCK)
    return found, converged


def _start(numbers: Numbers) -> Point:
    """The least-squares point of A x + s = b, with s and y moved into their cones."""
    layout = numbers.matrices.plan.layout
    stiffness = Stiffness.one(layout, numbers.batch)
    x, y = numbers.matrices.factorize(stiffness).solve(-numbers.q, numbers.b, numbers.b.copy())
    s = -y
    s[layout.equal] = 0.0
    _move_inside(layout, s)
    _move_inside(layout, y)
    return Point(x, y, s)


def _move_inside(layout: Layout, v: Array) -> None:
    """Well inside its cone, each for itself: to move all by what one needs takes half as many steps again."""
    np.maximum(v[layout.bounds], 1.0, out=v[layout.bounds])
    if layout.count:
        soc = layout.soc(v)
        soc[:, 0] = np.maximum(soc[:, 0], 1 + np.sqrt(dot(soc[:, 1:], soc[:, 1:])))


@dataclass(frozen=True, slots=True, eq=False)
class _Residual:
    """Px + Aᵀy + q, Ax + s − b, sᵀy, and the largest of all relative to its terms ``[B]``."""

    dual: Array
    primal: Array
    gap: Array
    error: Array

    def at(self, elements: NDArray[np.intp]) -> _Residual:
        return _Residual(self.dual[:, elements], self.primal[:, elements], self.gap[elements], self.error[elements])


def _residual(numbers: Numbers, at: Point) -> _Residual:
    Px, Aty, Ax = (
        numbers.matrices.P.times(at.x),
        numbers.matrices.A.transposed_times(at.y),
        numbers.matrices.A.times(at.x),
    )
    dual, primal = Px + Aty, Ax + at.s
    dual += numbers.q
    primal -= numbers.b
    gap = np.einsum("ib,ib->b", at.s, at.y)
    value = np.abs(np.einsum("ib,ib->b", at.x, Px)) + np.abs(np.einsum("ib,ib->b", at.x, numbers.q))
    sizes = numbers.sizes
    error = np.maximum(largest(dual) / (1 + np.maximum(sizes[0], largest(Aty))), gap / (1 + value))
    np.maximum(error, largest(primal) / (1 + np.maximum(sizes[1], largest(Ax))), out=error)
    return _Residual(dual, primal, gap, error)


def _step(numbers: Numbers, at: Point, residual: _Residual) -> Array:
    """Move the point; how far each element went ``[B]``."""
    layout = numbers.matrices.plan.layout
    scaling = Scaling(layout, at.s, at.y)
    point = scaling.point
    newton = _Newton(numbers, scaling, residual)
    # The predictor: ℓ∘(W⁻¹ds + W dy) = −ℓ∘ℓ.
    ahead = newton.direction(point, False)
    length = np.minimum(1.0, reach(layout, point, ahead.scaled_y, ahead.scaled_s))
    centre = (1 - length) ** 3 * residual.gap / layout.degree
    bent = scaling.product(ahead.scaled_s, ahead.scaled_y)
    bent[layout.bounds] -= centre
    layout.soc(bent)[:, 0] -= centre
    step = newton.direction(point + scaling.divide(bent), bool((residual.error < _SHARP).any()))
    length = np.minimum(1.0, _INSIDE * reach(layout, point, step.scaled_y, step.scaled_s))
    dy = scaling.inward(step.scaled_y)
    dy[layout.equal] = step.multipliers
    ds = -residual.primal - step.Adx
    ds[layout.equal] = 0.0
    at.x += length * step.dx
    at.y += length * dy
    at.s += length * ds
    return length


@dataclass(frozen=True, slots=True, eq=False)
class _Direction:
    """dx, A dx, W dy, W⁻¹ds, and dy on the equations."""

    dx: Array
    Adx: Array
    scaled_y: Array
    scaled_s: Array
    multipliers: Array


class _Newton:
    """The linearized conditions at a point: its residuals vanish, and ℓ∘(W⁻¹ds + W dy) = −d."""

    def __init__(self, numbers: Numbers, scaling: Scaling, residual: _Residual) -> None:
        self._matrices, self._scaling, self._residual = numbers.matrices, scaling, residual
        self._step = numbers.matrices.factorize(scaling.stiffness)
        self._missed = scaling.inward(residual.primal)

    def direction(self, divided: Array, sharply: bool) -> _Direction:
        """For u = ``divided``, ℓ∘u = d: W dy = W⁻¹A dx + W⁻¹r − u with the residual r of A x + s = b.

        Args:
            sharply: whether what the condensed system loses by its range of stiffness is sought again.
        """
        P, A, scaling, step = self._matrices.P, self._matrices.A, self._scaling, self._step
        equal = self._matrices.plan.layout.equal
        dual, primal = self._residual.dual, self._residual.primal
        force = divided - self._missed
        dx, multipliers = step.condensed(A.transposed_times(scaling.inward(force)) - dual, -primal[equal])
        Adx = A.times(dx)
        inward = scaling.inward(Adx)
        if sharply:
            dy = scaling.inward(inward - force)
            dy[equal] = multipliers
            missed = dual + P.times(dx) + A.transposed_times(dy)
            more, again = step.condensed(-missed, -primal[equal] - Adx[equal])
            dx, multipliers = dx + more, multipliers + again
            Adx = A.times(dx)
            inward = scaling.inward(Adx)
        return _Direction(dx, Adx, inward - force, -self._missed - inward, multipliers)


class Interior:
    """The method for one structure."""

    def __init__(self, systems: Systems) -> None:
        self._systems = systems

    def solve(
        self, data: Data, elements: NDArray[np.intp], options: Options
    ) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
        """x ``[k, n]``, y, s ``[k, m]`` near the solutions of some elements, and where they are ``[k]``."""
        deadline, plan = options.deadline(elements.size), self._systems.plan
        size = max(64, _CHUNK // plan.elimination.slots)
        chunks = [elements[start : start + size] for start in range(0, elements.size, size)]

        def solve(chunk: NDArray[np.intp]) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
            numbers = Numbers.of(self._systems, data.rows(chunk), chunk.size)
            at, converged = minimize(numbers, _NEAR, options.max_iterations, deadline)
            return at.x.T, plan.layout.gathered(at.y), plan.layout.gathered(at.s), converged

        parts = each(solve, chunks, options.threads or cores())
        x, y, s, converged = (np.concatenate(part) for part in zip(*parts, strict=True))
        return x, y, s, converged
