"""cvxpylayers, with diffcp (SCS) or Moreau behind it.

CVXPY 1.9 hands Moreau cones on plain variables (y ≥ 0, X ⪰ 0, a norm of a variable) apart from the rows of A, and
cvxpylayers 1.2 never reads them: it solves the problem without them and says nothing. ``keep_cones`` has CVXPY leave
them among the rows, so that there is a right answer to compare with.
"""

from __future__ import annotations

from benchmarks.work import Tensors, Twin


def layer(twin: Twin, solver: str | None, keep_cones: bool = False, **solver_args: float):
    from cvxpylayers.torch import CvxpyLayer

    if keep_cones:
        from cvxpy.reductions.solvers.conic_solvers.moreau_conif import MOREAU

        MOREAU.DIR_CONE_KINDS = frozenset()
    problem, parameters, variables = twin.build()
    made = CvxpyLayer(problem, parameters=parameters, variables=variables, solver=solver, solver_args=solver_args)

    def call(tensors: Tensors):
        first, *_ = made(*twin.convert(tensors))
        return first

    return call
