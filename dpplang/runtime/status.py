"""What became of one batch element."""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    """``ok`` ones have a solution; the rest are NaN in every output and give no gradient."""

    SOLVED = "solved"
    INACCURATE = "inaccurate"
    """The solver stopped short of its tolerance, but our own residuals are within ``accept_inaccurate``."""
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    ITERATION_LIMIT = "iteration limit"
    TIME_LIMIT = "time limit"
    NUMERICAL = "numerical trouble"
    NONCONVEX = "not convex"
    """The quadratic part of the objective has a negative eigenvalue at these parameters."""
    INVALID = "invalid data"
    """The problem data hold NaN or infinity at these parameters."""

    @property
    def code(self) -> int:
        """Its place among all; 0 is ``solved``, and up to 1 there is a solution."""
        return _PLACES[self]

    @property
    def ok(self) -> bool:
        return self in (Status.SOLVED, Status.INACCURATE)


CODES: tuple[Status, ...] = tuple(Status)
LAST_OK = max(place for place, status in enumerate(CODES) if status.ok)
"""Up to this number there is a solution."""
_PLACES = {status: place for place, status in enumerate(CODES)}
