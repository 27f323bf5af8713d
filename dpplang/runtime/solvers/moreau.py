"""Moreau, an interior-point method (Nobel, Diamond, Barratt), where it is installed: ``pip install dpplang[moreau]``.

Called directly, with every cone as rows of A; its own differentiation and its batches are not used, and what it says is
judged like every solver's answer. It takes P whole and both matrices row by row.
"""

from __future__ import annotations

import threading
from typing import Any

import moreau as binding
import numpy as np

from dpplang.asa.cones import Cones
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.options import Options
from dpplang.runtime.solvers.protocol import VERDICTS, Answer, Structure, doubt
from dpplang.runtime.status import Status

moreau: Any = binding  # partly a compiled module


class Moreau:
    def __init__(self, structure: Structure, options: Options, sceptical: bool = False) -> None:
        P, A = structure.P, structure.A
        self._shape = A.shape
        off = np.flatnonzero(P.indices != P.columns)
        rows = np.concatenate((P.indices, P.columns[off]))
        columns = np.concatenate((P.columns, P.indices[off]))
        order = np.lexsort((columns, rows))
        self._P_entries = np.concatenate((np.arange(P.indices.size), off))[order]
        self._A_entries = np.lexsort((A.columns, A.indices))
        self._patterns = (
            *_by_rows(rows[order], columns[order], P.shape[0]),
            *_by_rows(A.indices[self._A_entries], A.columns[self._A_entries], A.shape[0]),
        )
        self._cones = _cones(structure.cones)
        self._settings = _settings(options, sceptical)
        self._local = threading.local()

    def solve(self, P: Array, q: Array, A: Array, b: Array) -> Answer:
        solver = self._solver()
        solver.setup(P[self._P_entries][None], A[self._A_entries][None])
        found, info = solver.solve(q[None], b[None]), solver.info
        status = VERDICTS.get(info.status[0].name, Status.NUMERICAL)
        x, y, s = (np.array(part[0], dtype=np.float64) for part in (found.x, found.z, found.s))
        return Answer(status, x, y, s, float(info.obj_val[0]), int(np.max(info.iterations)))

    def _solver(self) -> Any:
        """Each thread's own: a solver keeps the values it was set up with."""
        solver = getattr(self._local, "solver", None)
        if solver is None:
            m, n = self._shape
            solver = moreau.CompiledSolver(n, m, *self._patterns, self._cones, self._settings)
            self._local.solver = solver
        return solver


def _by_rows(rows: Any, columns: Any, count: int) -> tuple[Any, Any]:
    """Row pointers and column indices of entries that are sorted by rows."""
    return np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=count)))), columns


def _cones(cones: Cones) -> Any:
    return moreau.Cones(
        num_zero_cones=cones.zero,
        num_nonneg_cones=cones.nonneg,
        so_cone_dims=list(cones.soc),
        psd_dims=list(cones.psd),
        num_exp_cones=cones.exp,
        power_alphas=list(cones.pow),
    )


def _settings(options: Options, sceptical: bool) -> Any:
    interior = moreau.IPMSettings(
        tol_gap_abs=options.tolerance, tol_gap_rel=options.tolerance, tol_feas=options.tolerance
    )
    if sceptical:
        doubt(interior)
    settings = moreau.Settings(solver="ipm", device="cpu", batch_size=1, verbose=options.verbose, ipm_settings=interior)
    if options.max_iterations is not None:
        settings.max_iter = options.max_iterations
    if options.time_limit is not None:
        settings.time_limit = options.time_limit
    return settings
