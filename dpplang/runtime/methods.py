"""Methods for special kinds of programs, tried in this order ahead of the conic solver.

| kind | method | what it saves |
|---|---|---|
| strictly convex quadratic, linear constraints, ≤ 2500 rows | `quadratic` | the loop over elements; shared factors |
| other linear and quadratic programs, variables × rows ≤ 12,000 | `polyhedral` | an interior point; polishing |
| exp, log, entropy, powers … as costs; linear, SOC and PSD cones, ≤ 400 rows | `smooth` | that loop; the graphs |
| variables that only name expressions with constant coefficients | `reduced` | those variables and their rows |

A method takes a whole batch, and answers only for elements whose optimality it has verified.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.program import Program
from dpplang.runtime.data_map import Data, DataMap
from dpplang.runtime.found import Found
from dpplang.runtime.options import Options
from dpplang.runtime.quadratic.dense import Planned
from dpplang.runtime.quadratic.method import QuadraticMethod
from dpplang.runtime.quadratic.polyhedral import PolyhedralMethod
from dpplang.runtime.reduced import ReducedMethod
from dpplang.runtime.smooth.method import SmoothMethod
from dpplang.runtime.solvers.protocol import Structure


class Method(Protocol):
    def solve(self, data: Data, elements: NDArray[np.intp]) -> list[Found]:
        """Solve the given elements of a batch; those in none of the results are left to others."""
        ...


def methods_for(program: Program, structure: Structure, map_: DataMap, options: Options) -> tuple[Method, ...]:
    """The methods that take this program, in order."""
    if options.solver != "auto":
        return ()
    planned = Planned(structure, map_)
    found = (
        QuadraticMethod.of(planned, options),
        PolyhedralMethod.of(planned, options),
        SmoothMethod.of(program, options),
        ReducedMethod.of(planned, options),
    )
    return tuple(method for method in found if method is not None)
