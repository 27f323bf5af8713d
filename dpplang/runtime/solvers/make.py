"""Which solver serves a program."""

from __future__ import annotations

from dpplang.core.errors import InternalError
from dpplang.runtime.options import Options
from dpplang.runtime.solvers.protocol import Solver, Structure


def make_solver(structure: Structure, options: Options, sceptical: bool = False) -> Solver:
    """The solver that ``options.solver`` names, for this structure; each is imported only when it is used.

    Args:
        sceptical: take much less for a proof of infeasibility.
    """
    if structure.A.shape[0] == 0:
        from dpplang.runtime.solvers.unconstrained import Unconstrained

        return Unconstrained(structure)
    match options.solver:
        case "auto" | "clarabel":
            from dpplang.runtime.solvers.clarabel import Clarabel

            return Clarabel(structure, options, sceptical)
        case "scs":
            from dpplang.runtime.solvers.scs import Scs

            return Scs(structure, options, sceptical)
        case "moreau":
            from dpplang.runtime.solvers.moreau import Moreau

            return Moreau(structure, options, sceptical)
        case other:
            raise InternalError(f"no solver {other!r}")
