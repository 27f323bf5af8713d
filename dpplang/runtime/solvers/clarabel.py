"""Clarabel, an interior-point method (Goulart, Chen). Native quadratic objectives; its cones are in our order."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import clarabel as binding
import numpy as np
import scipy.sparse as sp

from dpplang.asa.cones import Cones
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.options import Options
from dpplang.runtime.solvers.protocol import VERDICTS, Answer, Structure, doubt
from dpplang.runtime.status import Status

clarabel: Any = binding  # a compiled module without type stubs


class Clarabel:
    def __init__(self, structure: Structure, options: Options, sceptical: bool = False) -> None:
        self._structure = structure
        self._cones = _cones(structure.cones)
        self._settings, self._patient, self._cautious = (_settings(options) for _ in range(3))
        self._patient.static_regularization_constant = 1e-6
        self._cautious.max_step_fraction = 0.9
        self._unlimited = options.max_iterations is None
        # What is near the solution and no nearer is a good place for Newton's steps to start from.
        self._modest = _settings(replace(options, tolerance=max(options.tolerance, min(1e3 * options.tolerance, 1e-6))))
        if sceptical:
            for settings in (self._settings, self._patient, self._modest, self._cautious):
                doubt(settings)
        self._local = threading.local()

    def solve(self, P: Array, q: Array, A: Array, b: Array) -> Answer:
        quadratic, linear = self._matrices()
        quadratic.data, linear.data = P, A
        solution, short = clarabel.DefaultSolver(quadratic, q, linear, b, self._cones, self._settings).solve(), False
        if str(solution.status) not in VERDICTS:
            # Stuck, which happens early with exponential and power cones, and with second-order cones where it loses in
            # the last steps what it had. More regularization of its linear systems helps, or to ask for less.
            for settings in (self._patient, self._modest):
                again = clarabel.DefaultSolver(quadratic, q, linear, b, self._cones, settings).solve()
                if str(again.status) in VERDICTS:
                    solution, short = again, settings is self._modest
                    break
        elif self._unlimited and VERDICTS[str(solution.status)] is Status.ITERATION_LIMIT:
            # Once in a while iterates run into the boundary of a semidefinite cone early and stay there.
            again = clarabel.DefaultSolver(quadratic, q, linear, b, self._cones, self._cautious).solve()
            solution = again if str(again.status) in VERDICTS else solution
        status = VERDICTS.get(str(solution.status), Status.NUMERICAL)
        return Answer(
            Status.NUMERICAL if short and status is Status.SOLVED else status,
            np.array(solution.x),
            np.array(solution.z),
            np.array(solution.s),
            solution.obj_val,
            solution.iterations,
        )

    def _matrices(self) -> tuple[sp.csc_matrix, sp.csc_matrix]:
        """Each thread's own pair of matrices, whose entries are set before every solve (the solver copies them)."""
        pair = getattr(self._local, "pair", None)
        if pair is None:
            P, A = self._structure.P, self._structure.A
            pair = (P.matrix(np.zeros(P.indices.size)), A.matrix(np.zeros(A.indices.size)))
            self._local.pair = pair
        return pair


def _cones(cones: Cones) -> list[object]:
    made: list[object] = []
    if cones.zero:
        made.append(clarabel.ZeroConeT(cones.zero))
    if cones.nonneg:
        made.append(clarabel.NonnegativeConeT(cones.nonneg))
    made.extend(clarabel.SecondOrderConeT(k) for k in cones.soc)
    made.extend(clarabel.PSDTriangleConeT(k) for k in cones.psd)
    made.extend(clarabel.ExponentialConeT() for _ in range(cones.exp))
    made.extend(clarabel.PowerConeT(a) for a in cones.pow)
    return made


def _settings(options: Options) -> Any:
    settings = clarabel.DefaultSettings()
    settings.verbose = options.verbose
    settings.max_threads = 1  # the batch is what runs in parallel
    settings.presolve_enable = False  # every row must come back with its multiplier
    settings.chordal_decomposition_enable = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = options.tolerance
    if options.max_iterations is not None:
        settings.max_iter = options.max_iterations
    if options.time_limit is not None:
        settings.time_limit = options.time_limit
    return settings
