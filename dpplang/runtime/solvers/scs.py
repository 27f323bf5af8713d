"""SCS, a splitting method (O'Donoghue 2021). Quadratic objectives are native; PSD rows go in by lower triangles.

SCS takes the lower triangle of a symmetric matrix column by column, which is the upper triangle row by row; ours is
the upper triangle column by column. Rows are permuted on the way in and back on the way out.
"""

from __future__ import annotations

import numpy as np
import scs
from numpy.typing import NDArray

from dpplang.asa.cones import Cones, svec_indices, svec_size
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.options import Options
from dpplang.runtime.solvers.protocol import SCEPTICAL, Answer, Pattern, Structure
from dpplang.runtime.status import Status

_STATUS = {
    1: Status.SOLVED,
    -1: Status.UNBOUNDED,
    -2: Status.INFEASIBLE,
    -6: Status.UNBOUNDED,
    -7: Status.INFEASIBLE,
}
_LIMIT = 2  # "solved inaccurate": a limit was reached
_ITERATIONS = 100_000


class Scs:
    def __init__(self, structure: Structure, options: Options, sceptical: bool = False) -> None:
        self._order = scs_order(structure.cones)
        self._P, self._A = structure.P, structure.A
        # CSC entries of A with permuted rows: ``entries`` puts ours into that order.
        place = np.empty_like(self._order)
        place[self._order] = np.arange(self._order.size)
        rows, columns = place[self._A.indices], self._A.columns
        self._entries = np.lexsort((rows, columns))
        self._permuted = Pattern(self._A.shape, self._A.indptr, rows[self._entries].astype(np.int32))
        self._cone = scs_cones(structure.cones)
        self._limit = options.max_iterations or _ITERATIONS
        self._settings = {
            "verbose": options.verbose,
            "eps_abs": options.tolerance,
            "eps_rel": options.tolerance,
            "max_iters": self._limit,
            "time_limit_secs": options.time_limit or 0.0,
        }
        if sceptical:
            self._settings["eps_infeas"] = SCEPTICAL

    def solve(self, P: Array, q: Array, A: Array, b: Array) -> Answer:
        data = {"A": self._permuted.matrix(A[self._entries]), "b": b[self._order], "c": q}
        if P.size:
            data["P"] = self._P.matrix(P)
        solution = scs.SCS(data, self._cone, **self._settings).solve()
        info = solution["info"]
        y, s = np.empty_like(b), np.empty_like(b)
        y[self._order], s[self._order] = solution["y"], solution["s"]
        status = _STATUS.get(info["status_val"], Status.NUMERICAL)
        if info["status_val"] == _LIMIT:
            status = Status.ITERATION_LIMIT if info["iter"] >= self._limit else Status.TIME_LIMIT
        return Answer(status, solution["x"], y, s, info["pobj"], info["iter"])


def scs_order(cones: Cones) -> NDArray[np.intp]:
    """``[m]``: position in our order of each of SCS's rows."""
    parts = [np.arange(cones.zero + cones.nonneg + sum(cones.soc))]
    start = parts[0].size
    for order in cones.psd:
        row, column = svec_indices(order)
        parts.append(start + np.lexsort((column, row)))
        start += svec_size(order)
    parts.append(np.arange(start, cones.rows))
    return np.concatenate(parts)


def scs_cones(cones: Cones) -> dict[str, object]:
    return {
        "z": cones.zero,
        "l": cones.nonneg,
        "q": list(cones.soc),
        "s": list(cones.psd),
        "ep": cones.exp,
        "p": list(cones.pow),
    }
