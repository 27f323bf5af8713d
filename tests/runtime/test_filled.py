"""Dense blocks straight from θ are those of the entries; and what is not finite is seen without the entries."""

from __future__ import annotations

import numpy as np
import pytest

import dpplang
from dpplang.runtime.data_map import Data
from dpplang.runtime.engine import Engine
from dpplang.runtime.quadratic.dense import Planned
from dpplang.runtime.solvers.protocol import Structure
from dpplang.runtime.status import Status

N, BATCH = 48, 160
OBJECTIVES = {
    "form": ("Q[n, n] psd", "quad_form(x, Q)"),
    "twice": ("Q[n, n] psd", "quad_form(x, Q) + sum_squares(x)"),
    "factor": ("Q[n, n]", "sum_squares(Q @ x)"),
    "transposed": ("Q[n, n]", "sum_squares(Q' @ x)"),
}
ROWS = {
    "plain": "G @ x <= h",
    "transposed": "G' @ x <= h",
    "scaled": "-2 * (G @ x) <= h",
    "with more": "G @ x <= h\n  x <= 3",
    "of a part": "G[0:20] @ x <= h[0:20]",
    "with a constant": "G @ x + x <= h",
}


def program(objective: str, rows: str) -> dpplang.asa.program.Program:
    declaration, term = OBJECTIVES[objective]
    text = f"dim n\nparam {declaration}, q[n], G[n, n], h[n]\nvar x[n]\nminimize 0.5 * ({term}) + q' @ x\nsubject to\n  {ROWS[rows]}\n"
    return dpplang.parse(text).compile(dims={"n": N})


def theta(shared: bool) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(0)
    L = rng.normal(size=(BATCH, N, N))
    Q = L @ L.swapaxes(1, 2) / N + np.eye(N)
    G = rng.normal(size=(1 if shared else BATCH, N * N))
    return Q.reshape(BATCH, -1), rng.normal(size=(BATCH, N)), G, np.ones((BATCH, N))


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_blocks_are_those_of_the_entries(objective: str, rows: str, shared: bool) -> None:
    made = program(objective, rows)
    planned = Planned(Structure.of(made), made)
    values = theta(shared)
    whole = planned.map.at(values)
    assert whole.pending("P") or whole.pending("A")
    P, A = (planned.map.part(name).at(values) for name in ("P", "A"))
    kept = np.arange(5, BATCH)
    data, formed = whole.rows(kept), Data(P, whole.q, A, whole.b, whole.d).rows(kept)
    found = planned.plan.matrices(data)
    expected = planned.plan.matrices(formed)
    np.testing.assert_allclose(found.P, expected.P, atol=1e-12)
    np.testing.assert_allclose(np.broadcast_to(found.At, expected.At.shape), expected.At, atol=1e-14)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_what_is_not_finite_is_refused(bad: float) -> None:
    """1e300 is a number: that element may have a solution or none, and the others have theirs."""
    made, values = program("form", "plain"), theta(False)
    values[2][7, 11] = bad
    solved = Engine(made).solve(values)
    others = np.delete(np.arange(BATCH), 7)
    assert solved.ok[others].all()
    assert (solved.status[7] is Status.INVALID) == (not np.isfinite(bad))
