"""Where an unsafe rewrite's assumption holds, it too keeps the solution; and an atom that multiplies its arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cvxpy as cp
import numpy as np
import pytest

import dpplang
from dpplang.core.diagnostics import Applicability
from dpplang.core.edits import mend
from dpplang.core.source import Source
from dpplang.pipeline import Compilation

RNG = np.random.default_rng(3)
FACTOR = RNG.standard_normal((3, 3))
VALUES = {
    "P": FACTOR @ FACTOR.T + np.eye(3),
    "R": RNG.standard_normal((3, 3)),
    "b": RNG.standard_normal(3),
    "p": np.asarray(0.7),
    "g": np.asarray(0.4),
}
TIGHT = {"tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11}
HEAD = "dim n\nparam P[n, n] psd, R[n, n], b[n], p nonneg, g pos\nvar x[n]\n"
ATOM = (
    "atom weighted(x, param w nonneg) {\n  curvature: convex\n  value: w * abs(x)\n"
    "  graph {\n    minimize w * abs(x)\n  }\n}\n"
)
Build = Callable[[cp.Variable, Any], tuple[Any, list[Any]]]


class Numbers:
    def __init__(self) -> None:
        self.__dict__.update({k: float(v) if v.ndim == 0 else v for k, v in VALUES.items()})


CASES: dict[str, tuple[str, Applicability, Build]] = {
    "form in a constraint": (
        "minimize sum_squares(x - b)\nsubject to\n  quad_form(x - 1, P) <= 0.5\n",
        Applicability.UNSAFE,
        lambda x, m: (cp.sum_squares(x - m.b), [cp.quad_form(x - 1, m.P) <= 0.5]),
    ),
    "a weight that may be zero": (
        "minimize sum_squares(x - b) + p * sum(huber(x, M = g))\n",
        Applicability.UNSAFE,
        lambda x, m: (cp.sum_squares(x - m.b) + m.p * cp.sum(cp.huber(x, m.g)), []),
    ),
    "a func in a func": (
        "func one(z[n]) = p * norm2(R @ z)\nfunc two(z[n]) = one(z) + one(2 * z)\nminimize sum_squares(x - b) + two(x)\n",
        Applicability.UNSAFE,
        lambda x, m: (cp.sum_squares(x - m.b) + 3 * m.p * cp.norm2(m.R @ x), []),
    ),
    "an atom that multiplies": (
        "minimize sum_squares(x - b) + sum(weighted(x[i] - p * b[i], p) for i in n)\n",
        Applicability.SAFE,
        lambda x, m: (cp.sum_squares(x - m.b) + m.p * cp.norm1(x - m.p * m.b), []),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_solution_is_that_of_the_program_as_it_was(name: str) -> None:
    statement, applicability, build = CASES[name]
    text = (ATOM if "weighted" in statement else "") + HEAD + statement
    unsafe = applicability is Applicability.UNSAFE
    mended = mend(Source("m.dpp", text), lambda source: Compilation(source).diagnostics, unsafe=unsafe)
    assert {one.fix.applicability for one in mended.applied} == {applicability}
    problem = dpplang.parse(mended.source.text)
    x = cp.Variable(3)
    objective, constraints = build(x, Numbers())
    cp.Problem(cp.Minimize(objective), constraints).solve(solver=cp.CLARABEL, **TIGHT)
    ours = problem.solve({k: v for k, v in VALUES.items() if k in problem.parameters}, dims={"n": 3})
    np.testing.assert_allclose(ours.x, x.value, atol=1e-5)
