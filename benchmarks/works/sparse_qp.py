"""The paper's sparse QP: Q, A and G of 1 % nonzeros are constants, gradients for q, b and h."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla
import torch

from benchmarks.work import Limit, Qp, Tensors, Twin, Work, traffic

TEXT = """
dim n, m, p
data Q[n, n] psd, A[p, n], G[m, n]
param q[n], b[p], h[m]
var x[n]
minimize 0.5 * quad_form(x, Q) + q' @ x
subject to
  eq:   A @ x == b
  ineq: G @ x <= h
return x
"""
DENSITY = 0.01


def constants(n: int, p: int, m: int) -> tuple[sp.csc_matrix, sp.csc_matrix, sp.csc_matrix]:
    """Q ``[n, n]`` positive definite, A ``[p, n]`` of full rank, G ``[m, n]``."""
    rng = np.random.default_rng(0)

    def sparse(rows: int, density: float) -> sp.csc_matrix:
        return sp.random(rows, n, density=density, random_state=rng, data_rvs=rng.standard_normal, format="csc")

    root = sparse(n, np.sqrt(DENSITY / n))
    Q = sp.csc_matrix(root.T @ root + 0.1 * sp.eye(n))
    A = sp.csc_matrix(sparse(p, DENSITY) + sp.eye(p, n))
    return Q, A, sparse(m, DENSITY)


def sparse_qp(n: int, p: int, m: int, batch: int) -> Work:
    """n variables, p equalities, m inequalities."""
    Q, A, G = constants(n, p, m)

    def draw() -> Tensors:
        x0 = torch.randn(batch, n)
        b = torch.from_numpy((A @ x0.numpy().T).T.copy())
        h = torch.from_numpy((G @ x0.numpy().T).T.copy()) + torch.rand(batch, m)
        return torch.randn(batch, n), b, h

    def build():
        x = cp.Variable(n, name="x")
        q, b, h = cp.Parameter(n, name="q"), cp.Parameter(p, name="b"), cp.Parameter(m, name="h")
        objective = cp.Minimize(0.5 * cp.quad_form(x, cp.psd_wrap(Q)) + q @ x)
        return cp.Problem(objective, [A @ x == b, G @ x <= h]), [q, b, h], [x]

    def dense() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        first, second, third = (torch.from_numpy(M.toarray()) for M in (Q, A, G))
        return first, second, third

    def qp(tensors: Tensors) -> Qp:
        first, second, third = dense()
        q, b, h = tensors
        return Qp(first, q, third, h, second, b)

    def limit(tensors: Tensors, answer: torch.Tensor) -> Limit:
        system = sp.block_array([[Q, A.T], [A, -1e-8 * sp.eye(p)]], format="csc")
        lower = np.diff(spla.splu(system, permc_spec="COLAMD").L.indptr).astype(float)
        values = [M.data for M in (Q, A, G)]
        return Limit(traffic(tensors, answer, *values), float(np.sum(lower**2)), "one sparse LU of [Q Aᵀ; A 0], shared")

    return Work(
        name=f"sparse-qp-{p}",
        title=f"sparse QP n = p = {n} at 1 %, {p} equalities, batch {batch}",
        goal=4.0,
        text=TEXT,
        draw=draw,
        twins=(Twin("", build),),
        limit=limit,
        data={"Q": Q.toarray(), "A": A.toarray(), "G": G.toarray()},
        qp=qp,
    )
