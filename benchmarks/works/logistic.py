"""Logistic regression: gradients for every sample and for the weight of the ridge."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import torch

from benchmarks.work import Limit, Tensors, Twin, Work, traffic

TEXT = """
dim N, n
param X[N, n], lam pos
data y[N]
var beta[n]
minimize sum(logistic(-y[i] * (X[i]' @ beta)) for i in N) + lam * sum_squares(beta)
"""


def logistic(batch: int, N: int = 100, n: int = 20) -> Work:
    labels = np.sign(np.random.default_rng(0).standard_normal(N))

    def draw() -> Tensors:
        lead = (batch,) if batch > 1 else ()
        return torch.randn(*lead, N, n), 0.1 + torch.rand(lead)

    def build():
        X, lam, beta = cp.Parameter((N, n)), cp.Parameter(nonneg=True), cp.Variable(n)
        loss = cp.sum(cp.logistic(-cp.multiply(labels, X @ beta))) + lam * cp.sum_squares(beta)
        return cp.Problem(cp.Minimize(loss)), [X, lam], [beta]

    return Work(
        name=f"logistic-{batch}",
        title=f"logistic regression N = {N}, n = {n}, " + ("single" if batch == 1 else f"batch {batch}"),
        goal=2.0,
        text=TEXT,
        draw=draw,
        twins=(Twin("", build),),
        limit=lambda t, a: Limit(traffic(t, a), batch * (N * n**2 + n**3 / 3), "one Newton step"),
        data={"y": labels},
    )
