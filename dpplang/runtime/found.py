"""Elements of a batch that a method has solved or refused, ahead of the conic solver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.detail import Detail
from dpplang.runtime.status import Status

Apply = Callable[[Array, Array], tuple[Array, Array]]
"""S of :mod:`dpplang.runtime.kkt`: (g ``[k, n]``, h ``[k, m]``) → (r, t)."""


@dataclass(frozen=True, slots=True, eq=False)
class Refused:
    """An element of a batch that a method knows to have no solution, or none within the limits that were set."""

    element: int
    status: Status
    detail: Detail


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Solutions whose optimality has been verified to the tolerance.

    Attributes:
        elements: ``[k]``, which of the batch. x, y, s: ``[k, n]``, ``[k, m]``, ``[k, m]``, in their cones.
        objective: ½xᵀPx + qᵀx ``[k]``.
        sensitivity: S at these solutions, by factors that are at hand.
        weak: ``[k]``, where S is not to be trusted, because the solution lies on a kink: it must be derived anew.
        free: what the optimality system leaves undetermined, as :class:`dpplang.runtime.derivative.Sensitivity` has it.
    """

    elements: NDArray[np.intp]
    x: Array
    y: Array
    s: Array
    objective: Array
    sensitivity: Apply
    weak: NDArray[np.bool_]
    free: Callable[[], tuple[Array, Array] | None] = lambda: None
