"""What is known of a batch element that has no solution, or not simply one."""

from __future__ import annotations

from dataclasses import dataclass

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.residuals import Residuals


@dataclass(frozen=True, slots=True, eq=False)
class Detail:
    """What is known of an element that was not simply solved.

    Attributes:
        certificate: multipliers y ``[m]`` that prove infeasibility, or a direction x ``[n]`` that proves unboundedness.
        residuals: our own, where the solver stopped short. iterations: how many it took.
        note: more about it, in words.
        parameters: positions of the parameters at fault, where they are known.
    """

    certificate: Array | None = None
    residuals: Residuals | None = None
    iterations: int = 0
    note: str = ""
    parameters: tuple[int, ...] = ()
