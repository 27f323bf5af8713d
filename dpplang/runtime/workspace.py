"""A batch while it is being solved: which elements have an answer, and what it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.detail import Detail
from dpplang.runtime.found import Found
from dpplang.runtime.status import Status


class Workspace:
    """Answers so far. An element is open until it is solved or refused.

    Attributes:
        x, y, s: ``[B, n]``, ``[B, m]``, ``[B, m]``; NaN where there is no solution. objective: ½xᵀPx + qᵀx ``[B]``.
        status: ``[B]`` of :class:`Status`. details: by element, of those that were not simply solved.
        ok: ``[B]``, which elements have a solution.
    """

    def __init__(self, batch: int, n: int, m: int) -> None:
        self._shape = batch, n, m
        self._started = False
        self._closed = np.zeros(batch, dtype=bool)
        self.ok = np.zeros(batch, dtype=bool)
        self.status: NDArray[np.object_] = np.full(batch, Status.SOLVED, dtype=object)
        self.details: dict[int, Detail] = {}
        self.x = self.y = self.s = self.objective = np.empty(0)
        if not batch:
            self._start()

    def open(self) -> NDArray[np.intp]:
        """Elements without an answer."""
        return np.flatnonzero(~self._closed)

    def refuse(self, element: int, status: Status, detail: Detail) -> None:
        """Close an element without a solution."""
        self._start()
        self._closed[element] = True
        self.status[element], self.details[element] = status, detail

    def refuse_nonfinite(self, name: str, values: Array, parameters: Sequence[int]) -> None:
        """Close the elements where a part of the data ``[1|B, size]`` holds NaN or infinity: no solver may see them."""
        with np.errstate(all="ignore"):
            if np.isfinite(values.sum()):
                return
        bad = ~np.isfinite(values).all(axis=1)
        for element in np.flatnonzero(np.broadcast_to(bad, self._closed.shape)):
            note = f"{name} holds NaN or infinity"
            self.refuse(int(element), Status.INVALID, Detail(parameters=tuple(parameters), note=note))

    def take(self, found: Found) -> None:
        """Enter what a method has solved."""
        if found.elements.size == self._shape[0] and not self._started:
            self._started = True
            self.x, self.y, self.s, self.objective = found.x, found.y, found.s, found.objective
            self._closed[:] = self.ok[:] = True
            return
        self.put(found.elements, found.x, found.y, found.s, found.objective)

    def put(self, elements: NDArray[np.intp], x: Array, y: Array, s: Array, objective: Array) -> None:
        """Enter solutions."""
        self._start()
        self.x[elements], self.y[elements], self.s[elements], self.objective[elements] = x, y, s, objective
        self._closed[elements] = self.ok[elements] = True

    def _start(self) -> None:
        if not self._started:
            batch, n, m = self._shape
            self._started = True
            self.x, self.y, self.s = (
                np.full((batch, n), np.nan),
                np.full((batch, m), np.nan),
                np.full((batch, m), np.nan),
            )
            self.objective = np.full(batch, np.nan)
