"""What solving a batch gives: solutions, statuses, and what is known of the elements that have none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.data_map import Data
from dpplang.runtime.derivative import Sensitivity
from dpplang.runtime.detail import Detail
from dpplang.runtime.found import Found


@dataclass(frozen=True, eq=False)
class Solved:
    """A batch of solutions.

    Attributes:
        x, y, s: ``[B, n]``, ``[B, m]``, ``[B, m]``; NaN for elements that failed.
        value: ``[B]``, in the user's sense.
        status: ``[B]`` of :class:`Status` (an object array).
        ok: ``[B]``, which elements have a solution.
        theta: the parameters it was solved for. data: the problem data at them.
        details: by position in the batch, for elements that were not simply solved.
        founds: what special methods solved, with their own derivatives.
    """

    x: Array
    y: Array
    s: Array
    value: Array
    status: NDArray[np.object_]
    ok: NDArray[np.bool_]
    theta: tuple[Array, ...]
    data: Data
    details: dict[int, Detail]
    founds: tuple[Found, ...] = field(repr=False)
    _sensitivity: Callable[[Solved], Sensitivity] = field(repr=False)

    @property
    def batch(self) -> int:
        return self.x.shape[0]

    @cached_property
    def is_whole(self) -> bool:
        """Whether all elements have a solution."""
        return bool(self.ok.all())

    @property
    def codes(self) -> NDArray[np.int64]:
        """The statuses as numbers ``[B]``: places in :data:`dpplang.runtime.status.CODES`."""
        return np.fromiter((s.code for s in self.status), np.int64, self.status.size)

    @cached_property
    def sensitivity(self) -> Sensitivity:
        """The factorized optimality system, made when a derivative is first asked for and kept for the next."""
        return self._sensitivity(self)
