"""The paper's dense QP: gradients for the quadratic term, q, G and h."""

from __future__ import annotations

import cvxpy as cp
import torch

from benchmarks.work import Limit, Qp, Tensors, Twin, Work, traffic

TEXT = """
dim n, m
param {declaration}, q[n], G[m, n], h[m]
var x[n]
minimize 0.5 * {term} + q' @ x
subject to
  ineq: G @ x <= h
return x
"""
WRITTEN = {"factor": ("S[n, n]", "sum_squares(S @ x)"), "quad_form": ("Q[n, n] psd", "quad_form(x, Q)")}


def draw(n: int, batch: int, form: str) -> Tensors:
    """(Q or its factor S, q, G, h), about half of the inequalities active."""
    L = torch.randn(batch, n, n)
    Q = L @ L.mT / n + 0.1 * torch.eye(n)
    x0, G = torch.randn(batch, n), torch.randn(batch, n, n)
    h = (G @ x0[..., None])[..., 0] + torch.rand(batch, n)
    first = torch.linalg.cholesky(Q).mT.contiguous() if form == "factor" else Q
    return first, torch.randn(batch, n), G, h


def dense_qp(n: int, batch: int, form: str) -> Work:
    """n variables and n inequalities; ``form`` is how the quadratic term is written: ``factor`` or ``quad_form``."""

    def build(written: str):
        x = cp.Variable(n, name="x")
        S = cp.Parameter((n, n)) if written == "factor" else cp.Parameter((n, n), PSD=True)
        q, G, h = cp.Parameter(n), cp.Parameter((n, n)), cp.Parameter(n)
        quadratic = cp.sum_squares(S @ x) if written == "factor" else cp.quad_form(x, S)
        return cp.Problem(cp.Minimize(0.5 * quadratic + q @ x), [G @ x <= h]), [S, q, G, h], [x]

    def quadratic(tensors: Tensors) -> torch.Tensor:
        return tensors[0].mT @ tensors[0] if form == "factor" else tensors[0]

    def factor(tensors: Tensors) -> torch.Tensor:
        return tensors[0] if form == "factor" else torch.linalg.cholesky(tensors[0]).mT

    def limit(tensors: Tensors, answer: torch.Tensor) -> Limit:
        flops = batch * (n**3 / 3 + (n**3 if form == "factor" else 0))
        return Limit(traffic(tensors, answer), flops, "a Cholesky factor of Q" + (" = SᵀS" if form == "factor" else ""))

    declaration, term = WRITTEN[form]
    return Work(
        name=f"dense-qp-{n}-{'quad' if form == 'quad_form' else form}",
        title=f"dense QP n = p = {n}, batch {batch}, `{term}`",
        goal=4.0,
        text=TEXT.format(declaration=declaration, term=term),
        draw=lambda: draw(n, batch, form),
        twins=(
            Twin("sum_squares", lambda: build("factor"), lambda t: (factor(t), *t[1:])),
            Twin("quad_form", lambda: build("quad_form"), lambda t: (quadratic(t), *t[1:])),
        ),
        limit=limit,
        qp=lambda t: Qp(quadratic(t), *t[1:]),
        symmetric=(0,) if form == "quad_form" else (),
    )
