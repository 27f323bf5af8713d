"""Roots of many increasing functions of one variable at once, each inside its own bracket."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dpplang.runtime.cones.cone import Array

_MAX_STEPS = 200


def increasing_root(function: Callable[[Array], tuple[Array, Array]], low: Array, high: Array) -> Array:
    """Solve f(ρ) = 0 by Newton steps, replaced by bisection wherever they leave the bracket or do not halve it.

    Args:
        function: ρ ``[N]`` ↦ (f, f′), f increasing; infinities are read by their sign.
        low, high: ``[N]``, f(low) ≤ 0 ≤ f(high).

    Returns:
        Roots to within a few units in the last place.
    """
    low, high = low.copy(), high.copy()
    at = 0.5 * (low + high)
    width = high - low
    for _ in range(_MAX_STEPS):
        value, slope = function(at)
        below = value < 0
        low = np.where(below, at, low)
        high = np.where(below, high, at)
        newton = at - value / slope
        sound = (newton >= low) & (newton <= high) & (np.abs(newton - at) <= 0.5 * width)
        step = np.where(sound, newton, 0.5 * (low + high))
        width = np.abs(step - at)
        at = step
        if np.all(width <= 2 * np.spacing(np.maximum(np.abs(at), 1e-300))):
            break
    return at
