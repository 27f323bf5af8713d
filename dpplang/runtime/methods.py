"""Methods for special kinds of programs, tried in this order ahead of the conic solver.

| kind | method | what it saves |
|---|---|---|
| strictly convex quadratic, linear constraints, ≤ 2500 rows | `quadratic` | the loop over elements; shared factors |
| other linear and quadratic programs, variables × rows ≤ 12,000 | `polyhedral` | an interior point; polishing |
| exp, log, entropy, powers … as costs; linear, SOC and PSD cones, ≤ 400 rows | `smooth` | that loop; the graphs |
| variables that only name expressions with constant coefficients | `reduced` | those variables and their rows |

A method takes a whole batch, and answers only for elements whose optimality it has verified. What is left goes to
:mod:`dpplang.runtime.conic`, which has an interior-point method for batches of second-order cones of its own
(:mod:`dpplang.runtime.condensed`), for whole programs and for reduced ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.program import Program
from dpplang.runtime.data_map import Data
from dpplang.runtime.found import Found, Refused
from dpplang.runtime.options import Options
from dpplang.runtime.quadratic.dense import Planned
from dpplang.runtime.quadratic.method import QuadraticMethod
from dpplang.runtime.quadratic.polyhedral import PolyhedralMethod
from dpplang.runtime.reduced import ReducedMethod
from dpplang.runtime.smooth.method import SmoothMethod


class Method(Protocol):
    def solve(self, data: Data, elements: NDArray[np.intp]) -> Sequence[Found | Refused]:
        """Solve the given elements of a batch; those in none of the results are left to others."""
        ...


class Methods:
    """The methods that take a program, in order. Each is prepared when a batch comes as far as it."""

    def __init__(self, program: Program, planned: Planned, options: Options) -> None:
        self._makers: tuple[Callable[[], Method | None], ...] = (
            lambda: QuadraticMethod.of(planned, options),
            lambda: PolyhedralMethod.of(planned, options),
            lambda: SmoothMethod.of(program, options),
            lambda: ReducedMethod.of(planned, options),
        )
        if options.solver != "auto":
            self._makers = ()
        self._made: dict[int, Method | None] = {}

    def __iter__(self) -> Iterator[Method]:
        for k, make in enumerate(self._makers):
            if k not in self._made:
                self._made[k] = make()
            method = self._made[k]
            if method is not None:
                yield method
