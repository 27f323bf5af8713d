"""A primal–dual Newton method for smooth programs, over a whole batch at once.

The optimality conditions, with z = Mx + r and multipliers ν = ∇f(z), y, λ,

    Px + q + Mᵀν + Eᵀy + Gᵀλ = 0,   ν = ∇f(z),   z = Mx + r,   Ex = e,   Gx + s = h,   s∘λ = τe,   s, λ ∈ K,

are linearized in all variables, τ is driven to 0 as Mehrotra's predictor says, and a step is shortened until the
residual falls. z is a variable of its own, so that it can start inside the domain of f wherever x is (Boyd,
Vandenberghe, "Convex Optimization", §10.3 and §11.7). Without rows G it is Newton's method, and converges like it. All
residuals but two are linear, so that shortening a step multiplies no matrix.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.options import Options
from dpplang.runtime.smooth.barrier import Scaling
from dpplang.runtime.smooth.jets import Jet
from dpplang.runtime.smooth.numbers import Numbers, times, transposed_times

_OWN, _SMALL = 1e-3, 1e-8  # weight of a residual relative to its own term, and the share of the largest that counts
_STEPS, _HALVINGS = 80, 30
_DECREASE = 0.01  # share of the linear model's decrease that a step must achieve
_INSIDE, _FURTHER = 0.99, 0.9999  # shares of the way to the boundary of a cone, and of the domain, that a step may go
_PATIENCE = 20  # steps after which the residual must have halved
_TINY = 1e-14  # regularization of the linear systems, relative to their largest diagonal entry


@dataclass(slots=True, eq=False)
class Iterate:
    """x ``[B, n]``; z, ν ``[B, V]``; y ``[B, p]``; s, λ ``[B, rows of G]``."""

    x: Array
    z: Array
    nu: Array
    y: Array
    s: Array
    lam: Array

    def at(self, elements: NDArray[np.intp] | NDArray[np.bool_]) -> Iterate:
        return Iterate(*(getattr(self, f.name)[elements] for f in fields(self)))

    def put(self, elements: NDArray[np.intp], other: Iterate) -> None:
        for f in fields(self):
            getattr(self, f.name)[elements] = getattr(other, f.name)

    def moved(self, step: Iterate, length: Array) -> Iterate:
        """A step of ``length`` ``[B]``."""
        a = length[:, None]
        return Iterate(*(getattr(self, f.name) + a * getattr(step, f.name) for f in fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class Residual:
    """Of the conditions but sλ = τ, in their order; ``error`` ``[B]`` is the largest, relative, with the gap."""

    x: Array
    nu: Array
    z: Array
    e: Array
    s: Array
    error: Array

    @property
    def linear(self) -> Array:
        """Σ of squares of those that shrink in proportion to a step, ``[B]``."""
        return sum((_square(r) for r in (self.z, self.e, self.s)), _square(self.x))


def minimize(numbers: Numbers, target: float, options: Options, found: Iterate | None = None) -> Iterate:
    """Drive relative residuals below ``target``, from ``found`` if it is given, within the options' limits of
    iterations and time; what the iterates are worth, :func:`measure` says.
    """
    deadline = options.deadline(numbers.batch)
    if found is None:
        found = start(numbers)
    elements = np.arange(numbers.batch)
    here, last, mark = found, np.full(numbers.batch, np.inf), np.full(numbers.batch, np.inf)
    best = last
    with np.errstate(all="ignore"):
        for count in range(1, min(_STEPS, options.max_iterations or _STEPS) + 1):
            jet = numbers.jet(here.z)
            residual = measure(numbers, here, jet)
            error = residual.error
            better = error < best
            found.put(elements[better], here.at(better))
            best = np.where(better, error, best)
            done = (error < target) | ((error < 1e-9) & (error > 0.5 * last)) | ~np.isfinite(error)
            if count % _PATIENCE == 0:
                done |= best > 0.5 * mark
                mark = best
            if done.all() or time.monotonic() > deadline:
                break
            if 2 * np.count_nonzero(done) >= done.size:
                left = np.flatnonzero(~done)
                elements, numbers, here = elements[left], numbers.select(left), here.at(left)
                last, mark, best = error[left], mark[left], best[left]
                continue
            last = error
            here = _step(numbers, here, jet, residual)
    return found


def start(numbers: Numbers) -> Iterate:
    """x = 0 and z inside the domain."""
    B, form = numbers.batch, numbers.form
    x = np.zeros((B, form.kept.size))
    z = np.broadcast_to(numbers.r, (B, numbers.r.shape[1])).copy()
    if form.positive.size:
        z[:, form.positive] = np.maximum(z[:, form.positive], 1.0)
    barrier = form.barrier
    s = barrier.inside(np.broadcast_to(numbers.h, (B, numbers.h.shape[1])))
    lam = np.broadcast_to(barrier.identity, s.shape).copy()
    return Iterate(x, z, numbers.jet(z).gradient, np.zeros((B, numbers.e.shape[1])), s, lam)


def measure(numbers: Numbers, at: Iterate, jet: Jet) -> Residual:
    Px = (numbers.P @ at.x[:, :, None])[..., 0]
    parts = [transposed_times(numbers.M, at.nu)]
    if numbers.e.shape[1]:
        parts.append(transposed_times(numbers.E, at.y))
    if numbers.h.shape[1]:
        parts.append(transposed_times(numbers.G, at.lam))
    x = sum(parts, Px + numbers.q)
    nu = jet.gradient - at.nu
    Mx = times(numbers.M, at.x)
    z = Mx + numbers.r - at.z
    Ex = times(numbers.E, at.x)
    Gx = times(numbers.G, at.x)
    e, s = Ex - numbers.e, Gx + at.s - numbers.h
    quadratic, linear = np.abs(np.sum(at.x * Px, axis=1)), np.abs(np.sum(at.x * numbers.q, axis=1))
    size = _largest(at.nu)
    # A term whose multiplier is small beside the others' still has its own argument to find.
    own = np.abs(nu) / (np.abs(at.nu) + _SMALL * (1 + size)[:, None])
    dual = np.maximum(_largest(x, nu) / (1 + _largest(Px, *parts)), _OWN * _largest(own))
    primal = _largest(z, e, s) / (1 + _largest(Mx, Ex, Gx, at.s))
    gap = np.sum(at.s * at.lam, axis=1) / (1 + np.maximum(quadratic, linear))
    return Residual(x, nu, z, e, s, np.maximum(np.maximum(dual, primal), gap))


def _step(numbers: Numbers, at: Iterate, jet: Jet, residual: Residual) -> Iterate:
    """One step: the direction, how far it may go, and how far it goes."""
    system = _System(numbers, at, jet, residual)
    barrier, scaling = numbers.form.barrier, system.scaling
    length = np.full(at.x.shape[0], 2.0)
    centre: _Centre | None = None
    if scaling is not None:
        square = scaling.product(scaling.point, scaling.point)
        ahead = system.direction(square)
        reach = np.minimum(1.0, scaling.reach(ahead.s, ahead.lam))[:, None]
        mean = np.sum(scaling.point**2, axis=1, keepdims=True) / barrier.degree
        ends = scaling.point + reach * ahead.s, scaling.point + reach * ahead.lam
        there = np.sum(ends[0] * ends[1], axis=1, keepdims=True) / barrier.degree
        target = np.clip(there / mean, 0.0, 1.0) ** 3 * mean * barrier.identity
        # Mehrotra's correction holds for a whole step; of one that is cut short it would spoil the descent.
        bent = reach**2 * scaling.product(ahead.s, ahead.lam)
        step = system.direction(square + bent - target)
        length = scaling.reach(step.s, step.lam)
        centre = _Centre(scaling, step.s, step.lam, target)
        step.s, step.lam = scaling.s_outward(step.s), scaling.lam_outward(step.lam)
    else:
        step = system.direction(at.s)
    inside = numbers.form.positive
    if inside.size:
        length = np.minimum(_INSIDE * length, _FURTHER * _reach(at.z[:, inside], step.z[:, inside], limit=2.0))
    else:
        length = _INSIDE * length
    length = np.minimum(1.0, length)
    if numbers.form.curved:
        length = _shortened(numbers, at, step, length, residual, centre)
    return at.moved(step, length)


@dataclass(frozen=True, slots=True, eq=False)
class _Centre:
    """How s∘λ moves along a step, in scaled coordinates, and where it is to go."""

    scaling: Scaling
    s: Array
    lam: Array
    target: Array

    def off(self, length: Array) -> Array:
        """Square of the distance after a step of ``length`` ``[B, 1]``."""
        point = self.scaling.point
        return _square(self.scaling.product(point + length * self.s, point + length * self.lam) - self.target)


def _shortened(
    numbers: Numbers, at: Iterate, step: Iterate, length: Array, residual: Residual, centre: _Centre | None
) -> Array:
    """Halve the steps until each residual falls, ``[B]``."""
    linear = residual.linear
    before = linear + _square(residual.nu)
    if centre is not None:
        before = before + centre.off(np.zeros((1, 1)))
    for _ in range(_HALVINGS):
        a = length[:, None]
        bent = numbers.jet(at.z + a * step.z).gradient - at.nu - a * step.nu
        after = (1 - length) ** 2 * linear + _square(bent)
        if centre is not None:
            after = after + centre.off(a)
        worse = ~(after <= (1 - _DECREASE * length) ** 2 * before)
        # At rounding error nothing falls any more, and nothing needs to.
        worse &= residual.error > 1e-10
        if not worse.any():
            break
        length = np.where(worse, 0.5 * length, length)
    return length


class _System:
    """The linearized conditions at an iterate, reduced to [H, Eᵀ; E, 0] with H = P + Mᵀf″M + (NG)ᵀNG."""

    def __init__(self, numbers: Numbers, at: Iterate, jet: Jet, residual: Residual) -> None:
        self._numbers, self._jet, self._residual = numbers, jet, residual
        H = numbers.P + jet.hessian(numbers.M)
        self.scaling = None
        if at.s.shape[1]:
            self.scaling = numbers.form.barrier.scaling(at.s, at.lam)
            self._rows = self.scaling.rows(numbers.G)
            self._missed = self.scaling.s_inward(residual.s)
            H = H + self._rows @ self._rows.swapaxes(1, 2)
        self._matrix = bordered(H, numbers.E)
        # What the stationarity in x takes from eliminating z and ν
        self._forced = residual.nu + jet.times(residual.z)

    def direction(self, product: Array) -> Iterate:
        """The step, with s and λ in scaled coordinates, that makes ℓ∘ℓ fall by ``product`` to first order and all other
        residuals vanish."""
        numbers, residual, scaling = self._numbers, self._residual, self.scaling
        g = -residual.x - transposed_times(numbers.M, self._forced)
        u = product
        if scaling is not None:
            u = scaling.divide(product)
            g -= transposed_times(self._rows, self._missed - u)
        n = g.shape[1]
        solved = solve(self._matrix, np.concatenate((g, -residual.e), axis=1))
        dx = solved[:, :n]
        dz = times(numbers.M, dx) + residual.z
        ds = dlam = product
        if scaling is not None:
            ds = -self._missed - times(self._rows, dx)
            dlam = -u - ds
        return Iterate(dx, dz, residual.nu + self._jet.times(dz), solved[:, n:], ds, dlam)


def bordered(H: Array, Et: Array) -> Array:
    """[H, Eᵀ; E, 0] ``[B, n + p, n + p]``, regularized a little so that it is never exactly singular."""
    B, n, p = H.shape[0], H.shape[1], Et.shape[2]
    size = np.abs(np.einsum("bii->bi", H)).max(axis=1, initial=0.0)
    size = _TINY * np.where(np.isfinite(size) & (size > 0), size, 1.0)
    out = np.zeros((B, n + p, n + p))
    out[:, :n, :n] = H
    out[:, :n, n:], out[:, n:, :n] = Et, Et.swapaxes(1, 2)
    diagonal = np.arange(n + p)
    out[:, diagonal, diagonal] += np.where(diagonal < n, size[:, None], -size[:, None])
    return np.where(np.isfinite(out), out, 0.0) if not np.isfinite(out).all() else out


def solve(matrices: Array, rhs: Array) -> Array:
    """Solutions ``[B, N]`` of ``matrices`` ``[B, N, N]`` at ``rhs`` ``[B, N]``; NaN where a matrix is singular."""
    try:
        return np.asarray(np.linalg.solve(matrices, rhs[..., None])[..., 0], dtype=np.float64)
    except np.linalg.LinAlgError:
        if rhs.shape[0] == 1:
            return np.full_like(rhs, np.nan)
        return np.concatenate([solve(matrices[i : i + 1], rhs[i : i + 1]) for i in range(rhs.shape[0])])


def _reach(v: Array, dv: Array, limit: float) -> Array:
    """The longest step ``[B]``, at most ``limit``, that keeps v + step · dv ≥ 0."""
    ratio = np.where(dv < 0, -v / np.where(dv < 0, dv, -1.0), limit)
    return np.minimum(ratio.min(axis=1, initial=limit), limit)


def _square(r: Array) -> Array:
    return np.einsum("bi,bi->b", r, r)


def _largest(*vectors: Array) -> Array:
    out = np.zeros(vectors[0].shape[0])
    for v in vectors:
        out = np.maximum(out, np.abs(v).max(axis=1, initial=0.0))
    return out
