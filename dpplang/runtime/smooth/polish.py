"""Which bounds hold with equality at an optimum, and the linear system that solutions and derivatives there share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.smooth.jets import Jet
from dpplang.runtime.smooth.newton import Iterate, measure, solve
from dpplang.runtime.smooth.numbers import Numbers, times


def active_system(numbers: Numbers, jet: Jet, active: NDArray[np.bool_]) -> Array:
    """[H, Eᵀ, GᵀD; E, 0, 0; DG, 0, D − I] ``[B, n + p + rows of G, …]`` with D = diag(active), symmetric."""
    H = numbers.P + jet.hessian(numbers.M)
    n, p, rows = H.shape[1], numbers.E.shape[2], active.shape[1]
    if not (p or rows):
        return H
    out = np.zeros((H.shape[0], n + p + rows, n + p + rows))
    out[:, :n, :n] = H
    G = numbers.G * active[:, None]
    for Kt, columns in ((numbers.E, slice(n, n + p)), (G, slice(n + p, None))):
        out[:, :n, columns], out[:, columns, :n] = Kt, Kt.swapaxes(1, 2)
    diagonal = np.arange(n + p, n + p + rows)
    out[:, diagonal, diagonal] = active - 1.0
    return out


def consistent(numbers: Numbers, at: Iterate) -> Iterate:
    """The same point with z, ν and s as x and the multipliers say; bounds are active or their multiplier is 0."""
    z = times(numbers.M, at.x) + numbers.r
    gap = numbers.h - times(numbers.G, at.x)
    active = at.lam > at.s
    return Iterate(at.x, z, numbers.jet(z).gradient, at.y, np.where(active, 0.0, gap), np.where(active, at.lam, 0.0))


def polish(numbers: Numbers, at: Iterate, steps: int = 2) -> tuple[Iterate, Array]:
    """Newton steps with the active bounds as equations: what an interior-point method leaves near a bound goes onto it.

    Returns:
        The point, and its relative residual ``[B]``.
    """
    here = consistent(numbers, at)
    jet = numbers.jet(here.z)
    residual = measure(numbers, here, jet)
    rows = here.s.shape[1]
    n, p = here.x.shape[1], here.y.shape[1]
    for _ in range(steps if rows else 0):
        active = here.lam > 0
        gap = times(numbers.G, here.x) - numbers.h
        rhs = np.concatenate((-residual.x, -residual.e, np.where(active, -gap, 0.0)), axis=1)
        moved = solve(active_system(numbers, jet, active), rhs)
        x, y = here.x + moved[:, :n], here.y + moved[:, n : n + p]
        lam = np.where(active, here.lam + moved[:, n + p :], 0.0)
        z = times(numbers.M, x) + numbers.r
        s = np.where(active, 0.0, numbers.h - times(numbers.G, x))
        trial = Iterate(x, z, numbers.jet(z).gradient, y, s, lam)
        trial_jet = numbers.jet(z)
        found = measure(numbers, trial, trial_jet)
        better = found.error < residual.error
        better &= (lam >= 0).all(axis=1) & (s >= 0).all(axis=1)
        if not better.any():
            break
        at_better = np.flatnonzero(better)
        here.put(at_better, trial.at(at_better))
        jet = numbers.jet(here.z)
        residual = measure(numbers, here, jet)
    sane = (here.s >= 0).all(axis=1) & (here.lam >= 0).all(axis=1)
    return here, np.where(sane, residual.error, np.inf)
