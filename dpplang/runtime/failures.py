"""Why batch elements have no solution, in the words of the source.

An infeasible element comes with multipliers y that prove it (Farkas): Aᵀy = 0, y ∈ K*, bᵀy < 0. The rows that y
weighs most are the constraints that cannot hold together. An unbounded one comes with a direction along which the
objective falls forever.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from dpplang.asa.program import Program
from dpplang.core.errors import Failure
from dpplang.runtime.blame import heaviest_rows, heaviest_variables
from dpplang.runtime.certificate import sparsest
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.detail import Detail
from dpplang.runtime.solved import Solved
from dpplang.runtime.status import Status


def explain(program: Program, solved: Solved) -> tuple[Failure, ...]:
    """One failure for each element without a solution, with its position in the batch as its index ``(i,)``."""
    return tuple(_failure(program, solved, int(i)) for i in np.flatnonzero(~solved.ok))


def _failure(program: Program, solved: Solved, i: int) -> Failure:
    status: Status = solved.status[i]
    detail = solved.details.get(i, Detail())
    return Failure((i,), status.value, _reasons(program, solved, i, status, detail))


def _reasons(program: Program, solved: Solved, i: int, status: Status, detail: Detail) -> tuple[str, ...]:
    match status:
        case Status.INFEASIBLE:
            return _conflict(program, solved, i, detail.certificate)
        case Status.UNBOUNDED:
            return _escape(program, detail.certificate)
        case Status.ITERATION_LIMIT:
            return (
                f"stopped after {detail.iterations} iterations with relative residuals {detail.residuals}",
                "more `max_iterations`, a larger `tolerance`, or better scaled data may help",
            )
        case Status.TIME_LIMIT:
            return (f"stopped after {detail.iterations} iterations with relative residuals {detail.residuals}",)
        case Status.NUMERICAL if detail.note:
            return (f"{detail.note}; relative residuals {detail.residuals}", "the data may be badly scaled")
        case Status.NUMERICAL:
            return (
                f"the solver made no more progress, with relative residuals {detail.residuals}",
                "the data may be badly scaled, or the problem may have no interior",
            )
        case Status.NONCONVEX:
            return (f"the objective is not convex: {detail.note}{_blame(program, detail)}",)
        case Status.INVALID:
            return (f"{detail.note}{_blame(program, detail)}",)
        case Status.SOLVED | Status.INACCURATE:
            return ()


def _blame(program: Program, detail: Detail) -> str:
    names = [f"`{program.parameters[k].name}`" for k in detail.parameters]
    return f"; it depends on {', '.join(names)}" if names else ""


def _conflict(program: Program, solved: Solved, i: int, certificate: Array | None) -> tuple[str, ...]:
    """The constraints that a certificate of infeasibility weighs most.

    A row counts with |yᵢ| times the size of the data it multiplies, so that scaling a row changes nothing. What the
    user wrote is named first; rows of declarations and atoms are named where they carry as much.
    """
    if certificate is None or not np.isfinite(certificate).all():
        return ()
    data = solved.data
    b = data.b[i if data.b.shape[0] > 1 else 0]
    entries = data.A[i if data.A.shape[0] > 1 else 0]
    A = sp.csc_matrix((entries, program.A.indices, program.A.indptr), shape=program.A.shape)
    size = np.abs(b)
    np.maximum.at(size, program.A.indices, np.abs(entries))
    weights = np.abs(sparsest(certificate, A, b, program.cones, size)) * size
    words = heaviest_rows(program, weights)
    if len(words) == 1:
        return (f"{words[0]} cannot hold",)
    return ("these cannot hold together: " + ", ".join(words),) if words else ()


def _escape(program: Program, ray: Array | None) -> tuple[str, ...]:
    """The variables that move along a direction of unboundedness."""
    if ray is None or not np.isfinite(ray).all():
        return ()
    names = heaviest_variables(program, np.abs(ray))
    if not names:
        return ()
    direction = "grows" if program.sense == "maximize" else "falls"
    what = ", ".join(names)
    return (f"nothing keeps {what} from running off to infinity while the objective {direction}",)
