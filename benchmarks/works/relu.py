"""The ReLU as a projection onto the nonnegative orthant."""

from __future__ import annotations

import cvxpy as cp
import torch

from benchmarks.work import Limit, Qp, Tensors, Twin, Work, traffic

TEXT = """
dim n
param x[n]
var y[n]
minimize sum_squares(y - x)
subject to
  floor: y >= 0
"""


def relu(batch: int, n: int = 10) -> Work:
    def build():
        x, y = cp.Parameter(n), cp.Variable(n)
        return cp.Problem(cp.Minimize(cp.sum_squares(y - x)), [y >= 0]), [x], [y]

    def qp(tensors: Tensors) -> Qp:
        return Qp(2 * torch.eye(n), -2 * tensors[0], -torch.eye(n), torch.zeros(n))

    return Work(
        name=f"relu-{batch}",
        title=f"ReLU n = {n}, " + ("single" if batch == 1 else f"batch {batch}"),
        goal=4.0,
        text=TEXT,
        draw=lambda: (torch.randn(batch, n) if batch > 1 else torch.randn(n),),
        twins=(Twin("", build),),
        plain_cones=True,
        limit=lambda t, a: Limit(traffic(t, a), 0.0, "reading and writing"),
        qp=qp,
    )
