"""From an interior point to a solution: Newton steps on the optimality conditions in (x, y, v), v = s − λ."""

from __future__ import annotations

import numpy as np

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.smooth.face import Face
from dpplang.runtime.smooth.jets import Jet
from dpplang.runtime.smooth.newton import Iterate, Residual, measure
from dpplang.runtime.smooth.numbers import Numbers, times

_EXACT = 1e-13  # relative residual that is not worth another step


def polish(numbers: Numbers, at: Iterate, steps: int = 5) -> tuple[Iterate, Array]:
    """Steps that are taken where they make the residual smaller. What comes out is complementary to the last digit:
    s and λ are the projections of v and −v onto the cones and their duals. A step that leaves the domain of a term has
    a residual that is no number, and is not taken.

    Returns:
        The point, and its relative residual ``[B]``.
    """
    with np.errstate(all="ignore"):
        here, jet, residual = _at(numbers, at.x, at.y, at.s - at.lam)
        found, error = here, residual.error
        elements = np.arange(numbers.batch)
        for _ in range(steps if here.s.shape[1] else 0):
            face = Face(numbers, jet, here.s - here.lam)
            dx, dy, dv = face.newton(residual.x, residual.e, residual.s)
            here, jet, residual = _at(numbers, here.x + dx, here.y + dy, here.s - here.lam + dv)
            better = residual.error < error[elements]
            found.put(elements[better], here.at(better))
            error[elements[better]] = residual.error[better]
            left = np.flatnonzero(better & (residual.error > _EXACT))
            if not left.size:
                break
            if left.size < elements.size:
                elements, numbers = elements[left], numbers.select(left)
                here, jet, residual = _at(numbers, here.x[left], here.y[left], (here.s - here.lam)[left])
    return found, error


def _at(numbers: Numbers, x: Array, y: Array, v: Array) -> tuple[Iterate, Jet, Residual]:
    """The point with z, ν, s and λ as x and v say, and its residual."""
    z = times(numbers.M, x) + numbers.r
    jet = numbers.jet(z)
    sound = np.isfinite(v)
    s = numbers.form.barrier.product.project(np.where(sound, v, 0.0)) if v.shape[1] else v
    here = Iterate(x, z, jet.gradient, y, s, s - np.where(sound, v, 0.0))
    return here, jet, measure(numbers, here, jet)
