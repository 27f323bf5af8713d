"""Lowering costs what its terms cost: bounds in time and memory, generous enough for a loaded machine."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np

from dpplang.lowering.lower import lower
from tests.lowering.solving import assert_well_formed, model_of

DENSE_QP = """
dim n, m
param S[n, n], q[n], G[m, n], h[m]
var x[n]
minimize 0.5 * sum_squares(S @ x) + q' @ x
subject to
  ineq: G @ x <= h
return x, dual ineq
"""
MPC = """
dim T = 100, n, m
param A[n, n], B[n, m], x0[n]
data q[n] nonneg, r[m] nonneg
var x[T + 1, n], u[T, m]
minimize sum(sum(q * x[t + 1]^2) + sum(r * u[t]^2) for t in T)
subject to
  init:          x[0] == x0
  step[t in T]:  x[t + 1] == A @ x[t] + B @ u[t]
  lim[t in T]:   -0.5 <= u[t] <= 0.5
return u[0], dual step
"""


def best_of(runs: int, work) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def test_dense_qp_of_two_million_parameters() -> None:
    model = model_of(DENSE_QP)
    sizes = {"n": 1000, "m": 1000}
    tracemalloc.start()
    program = lower(model, sizes, {})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 320e6
    assert program.A.nnz == 2_001_000
    assert program.P.nnz == 1000  # the square of S x is one of a copy, so P does not depend on S
    assert program.P.values.matrix.nnz == 0
    assert best_of(2, lambda: lower(model, sizes, {})) < 1.5


def test_mpc_has_one_block_a_line_and_only_its_nonzeros() -> None:
    model = model_of(MPC)
    n, m, T = 10, 4, 100
    data = {"q": np.ones(n), "r": np.ones(m)}
    program = lower(model, {"n": n, "m": m, "T": T}, data)
    assert_well_formed(program)
    assert len(program.rows) == 4
    assert program.A.nnz == n + T * (n + n * n + n * m) + 2 * T * m
    assert program.A.values.matrix.nnz == T * (n * n + n * m)
    assert program.P.nnz == T * (n + m)
    assert best_of(3, lambda: lower(model, {"n": n, "m": m, "T": T}, data)) < 0.2


def test_time_grows_with_the_terms_alone() -> None:
    """Ten thousand logistic losses are one graph, lowered once."""
    model = model_of("""
    dim N, n
    param X[N, n], lam pos
    data y[N]
    var beta[n]
    minimize sum(logistic(-y[i] * (X[i]' @ beta)) for i in N) + lam * sum_squares(beta)
    """)
    small, large = (best_of(2, lambda N=N: lower(model, {"N": N, "n": 20}, {"y": np.ones(N)})) for N in (100, 10_000))
    assert large < 2.0
    assert large < 100 * max(small, 5e-3)
