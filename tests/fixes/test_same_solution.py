"""A safe fix keeps the solution and its gradient: random programs that are not DPP, mended, against CVXPY.

The oracle never sees the fix: it is the original problem, solved for numbers. Gradients of the mended program with
respect to the original parameters, through whatever was derived, against central differences of the oracle.
"""

from __future__ import annotations

from typing import Any

import cvxpy as cp
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, assume, event, given, settings
from hypothesis import strategies as st

import dpplang
from dpplang.core.edits import mend
from dpplang.core.source import Source
from dpplang.pipeline import Compilation
from dpplang.torch import Layer
from tests.fixes.programs import OUTPUTS, Program, Values, programs, values

TIGHT = {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12}


def check_program(program: Program, numbers: Values) -> None:
    """Mend, and compare the solution; the gradient too where it exists."""
    before = Compilation(Source("m.dpp", program.text)).diagnostics
    codes = sorted({d.code for d in before if d.is_error})
    assert all(code.startswith("DPP") for code in codes), (program.text, codes)
    mended = mend(Source("m.dpp", program.text), lambda source: Compilation(source).diagnostics)
    left = [d for d in mended.diagnostics if d.is_error]
    event(f"codes: {', '.join(codes) or 'none'}")
    assert not left, (program.text, mended.source.text, [d.message for d in left])
    assume(codes)
    expected, m = solved(program, numbers)
    assume(expected is not None)
    ours = dpplang.parse(mended.source.text).solve({**numbers}, options={"tolerance": 1e-10, "solver": "clarabel"})
    for name in OUTPUTS:
        np.testing.assert_allclose(ours[name], getattr(m, name).value, atol=2e-5, err_msg=mended.source.text)
    if program.smooth:
        check_gradient(program, mended.source.text, numbers)


def solved(program: Program, numbers: Values) -> tuple[float | None, Any]:
    problem, m = program.problem(numbers)
    try:
        problem.solve(solver=cp.CLARABEL, **TIGHT)
    except cp.SolverError:
        return None, m
    return (problem.value if problem.status == cp.OPTIMAL else None), m


def check_gradient(program: Program, text: str, numbers: Values) -> None:
    rng = np.random.default_rng(7)
    weights = {name: rng.standard_normal(np.shape(getattr(program.problem(numbers)[1], name))) for name in OUTPUTS}
    direction = {k: rng.standard_normal(v.shape) for k, v in numbers.items() if k != "C"}
    direction["P"] = direction["P"] + direction["P"].T

    def moved(step: float) -> float:
        value, m = solved(program, {k: v + step * direction[k] if k in direction else v for k, v in numbers.items()})
        assume(value is not None)
        return sum(float(np.sum(weights[name] * getattr(m, name).value)) for name in OUTPUTS)

    slopes = [(moved(h) - moved(-h)) / (2 * h) for h in (1e-4, 5e-5)]
    assume(abs(slopes[0] - slopes[1]) < 1e-3 * (1 + abs(slopes[0])))  # elsewhere the oracle has no derivative to give
    tensors = {k: torch.tensor(v, requires_grad=k != "C") for k, v in numbers.items()}
    solution = Layer(dpplang.parse(text), solver="clarabel")(**tensors)
    loss = sum((torch.as_tensor(weights[name]) * getattr(solution, name)).sum() for name in OUTPUTS)
    gradients = torch.autograd.grad(loss, [tensors[k] for k in direction], allow_unused=True)
    pairs = zip(direction.values(), gradients, strict=True)
    ours = sum(float((g * torch.as_tensor(along)).sum()) for along, g in pairs if g is not None)
    assert abs(ours - slopes[1]) < 2e-3 * (1 + abs(slopes[1])), (text, ours, slopes)


QUIET = settings(
    deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)


@pytest.mark.filterwarnings("ignore")
@given(programs(smooth=True), st.integers(0, 10_000))
@settings(QUIET, max_examples=8)
def test_mended_programs_have_the_same_solution_and_gradient(program: Program, seed: int) -> None:
    check_program(program, values(seed))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@given(programs(), st.integers(0, 10_000))
@settings(QUIET, max_examples=80)
def test_many_mended_programs_have_the_same_solution_and_gradient(program: Program, seed: int) -> None:
    check_program(program, values(seed))
