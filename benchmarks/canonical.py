"""Parameters → data: the canonicalization map of the dense QP alone, beside cvxpylayers' and a copy of the bytes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.measure import MOST
from benchmarks.work import Tensors
from benchmarks.works.dense_qp import dense_qp


@dataclass(frozen=True)
class Canonical:
    n: int
    batch: int
    form: str
    goal: float = 10.0

    @property
    def name(self) -> str:
        return f"map-{'quad' if self.form == 'quad_form' else self.form}"

    @property
    def title(self) -> str:
        return f"parameters → data of the dense QP n = p = {self.n}, batch {self.batch}, {self.form}"

    def labels(self) -> dict[str, Callable[[Tensors], Callable[[], int]]]:
        twin = 0 if self.form == "factor" else 1
        found = {
            "dpplang": self._ours,
            "cvxpylayers + Moreau": lambda t: self._cvxpylayers(t, twin, "MOREAU"),
            "copy of the same bytes": lambda t: _copy(self._ours(t)()),
        }
        if self.form == "factor":
            found["cvxpylayers + diffcp"] = lambda t: self._cvxpylayers(t, twin, None)
        return found

    def run(self, label: str, budget: float) -> dict[str, object]:
        torch.manual_seed(0)
        tensors = dense_qp(self.n, self.batch, self.form).draw()
        start = time.perf_counter()
        work = self.labels()[label](tensors)
        size = work()
        first = time.perf_counter() - start
        times: list[float] = []
        while len(times) < 5 or (sum(times) < budget and len(times) < MOST):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        found = {"forward": 1e3 * statistics.median(times), "backward": 0.0, "runs": len(times), "first": first}
        return {**found, "memory": size / 2**20}

    def _ours(self, tensors: Tensors) -> Callable[[], int]:
        import dpplang
        from dpplang.runtime.data_map import DataMap

        problem = dpplang.parse(dense_qp(self.n, self.batch, self.form).text)
        program = problem.compile(shapes=dict(zip(problem.parameters, (t.shape for t in tensors), strict=True)))
        map_ = DataMap.of(program)
        theta = tuple(t.reshape(self.batch, -1).numpy() for t in tensors)

        def run() -> int:
            data = map_.at(theta)
            return sum(part.nbytes for part in (data.P, data.q, data.A, data.b, data.d))

        return run

    def _cvxpylayers(self, tensors: Tensors, form: int, solver: str | None) -> Callable[[], int]:
        from cvxpylayers.torch import CvxpyLayer
        from cvxpylayers.torch.cvxpylayer import _flatten_and_batch_params

        problem, parameters, variables = dense_qp(self.n, self.batch, "factor").twins[form].build()
        made = CvxpyLayer(problem, parameters=parameters, variables=variables, solver=solver)
        maps = [m for m in (made._P_scipy, made._q_scipy, made._A_scipy) if m is not None]

        def run() -> int:
            batch = made.ctx.validate_params(list(tensors))
            stacked = _flatten_and_batch_params(tensors, made.ctx, batch).numpy()
            return sum((m @ stacked).nbytes for m in maps)

        return run


def _copy(size: int) -> Callable[[], int]:
    source = np.random.default_rng(0).standard_normal(size // 8)

    def run() -> int:
        return source.copy().nbytes

    return run


WORKS: dict[str, Canonical] = {w.name: w for w in (Canonical(128, 128, "factor"), Canonical(128, 128, "quad_form"))}
