"""The nearest density matrix: positive semidefinite, trace one."""

from __future__ import annotations

import cvxpy as cp
import torch

from benchmarks.work import Limit, Tensors, Twin, Work, traffic

TEXT = """
dim n
param C[n, n] symmetric
var X[n, n] psd
minimize sum_squares(X - C)
subject to
  unit: trace(X) == 1
"""


def density(batch: int, n: int = 8) -> Work:
    def draw() -> Tensors:
        C = torch.randn(*((batch,) if batch > 1 else ()), n, n)
        return ((C + C.mT) / 2,)

    def build():
        C, X = cp.Parameter((n, n), symmetric=True), cp.Variable((n, n), PSD=True)
        return cp.Problem(cp.Minimize(cp.sum_squares(X - C)), [cp.trace(X) == 1]), [C], [X]

    return Work(
        name=f"density-{batch}",
        title=f"nearest density matrix {n} × {n}, " + ("single" if batch == 1 else f"batch {batch}"),
        goal=2.0,
        text=TEXT,
        draw=draw,
        twins=(Twin("", build),),
        plain_cones=True,
        limit=lambda t, a: Limit(traffic(t, a), batch * 9 * n**3, "one eigendecomposition"),
        symmetric=(0,),
    )
