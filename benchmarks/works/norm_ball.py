"""Denoising with a norm, an ℓ₁ term and a ball."""

from __future__ import annotations

import cvxpy as cp
import torch

from benchmarks.work import Limit, Tensors, Twin, Work, traffic

TEXT = """
dim n
param c[n], lam nonneg
var x[n]
minimize norm2(x - c) + lam * norm1(x)
subject to
  ball: norm2(x) <= 1
"""


def norm_ball(batch: int, n: int = 20) -> Work:
    def draw() -> Tensors:
        lead = (batch,) if batch > 1 else ()
        return 2 * torch.randn(*lead, n), 0.1 + 0.2 * torch.rand(lead)

    def build():
        c, lam, x = cp.Parameter(n), cp.Parameter(nonneg=True), cp.Variable(n)
        return cp.Problem(cp.Minimize(cp.norm2(x - c) + lam * cp.norm1(x)), [cp.norm2(x) <= 1]), [c, lam], [x]

    return Work(
        name=f"norm-ball-{batch}",
        title=f"norm + ℓ₁ with a ball, n = {n}, " + ("single" if batch == 1 else f"batch {batch}"),
        goal=2.0,
        text=TEXT,
        draw=draw,
        twins=(Twin("", build),),
        plain_cones=True,
        limit=lambda t, a: Limit(traffic(t, a), batch * n**3 / 3, "a dense factor of order n"),
    )
