"""Compiling the dense QP: seconds from a text, or a CVXPY problem, to a layer; and the memory that takes.

What ours puts off until the first solve shows in a row of its own.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.work import Tensors
from benchmarks.works.dense_qp import dense_qp

if TYPE_CHECKING:
    from dpplang.runtime.runner import Runner


@dataclass(frozen=True)
class Compiling:
    """S, G ∈ ℝⁿˣⁿ: 2n² parameter entries."""

    n: int
    goal: float = 5.0

    @property
    def name(self) -> str:
        return f"compile-{self.n}"

    @property
    def title(self) -> str:
        return f"compile the dense QP n = {self.n}"

    def labels(self) -> dict[str, Callable[[], object]]:
        return {
            "dpplang": lambda: self._ours("factor"),
            "dpplang, quad_form": lambda: self._ours("quad_form"),
            "cvxpylayers + Moreau, sum_squares": lambda: self._cvxpylayers(0, "MOREAU"),
            "cvxpylayers + Moreau, quad_form": lambda: self._cvxpylayers(1, "MOREAU"),
            "cvxpylayers + diffcp, sum_squares": lambda: self._cvxpylayers(0, None),
            "dpplang, and a first solve": lambda: self._ours("factor").solve(*self._values()),
        }

    def _values(self) -> Tensors:
        """One element of the dense QP."""
        return tuple(t[0] for t in dense_qp(self.n, 1, "factor").draw())

    def run(self, label: str, budget: float) -> dict[str, object]:
        """Imports come before the clock: they are paid once in a process, whatever it compiles."""
        make = self.labels()[label]
        if label.startswith("dpplang"):
            import dpplang.lowering.lower
            import dpplang.pipeline
            import dpplang.runtime.runner  # noqa: F401
        else:
            from cvxpylayers.torch import CvxpyLayer  # noqa: F401
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        made = make()
        seconds = time.perf_counter() - start
        memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        del made
        return {"forward": 1e3 * seconds, "backward": 0.0, "runs": 1, "first": seconds, "memory": memory}

    def _ours(self, form: str) -> Runner:
        import dpplang

        n, problem = self.n, dpplang.parse(dense_qp(self.n, 1, form).text)
        first = "S" if form == "factor" else "Q"
        return problem.runner(shapes={first: (n, n), "q": (n,), "G": (n, n), "h": (n,)})

    def _cvxpylayers(self, form: int, solver: str | None) -> object:
        from cvxpylayers.torch import CvxpyLayer

        problem, parameters, variables = dense_qp(self.n, 1, "factor").twins[form].build()
        return CvxpyLayer(problem, parameters=parameters, variables=variables, solver=solver)


WORKS: dict[str, Compiling] = {work.name: work for work in (Compiling(300), Compiling(1000))}
