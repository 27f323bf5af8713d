"""Moreau called directly: its own torch layer over CSR entries, no canonicalization in front."""

from __future__ import annotations

import torch

from benchmarks.work import Tensors, Work


def layer(work: Work, method: str):
    """``method``: ``auto`` (an active-set method for small QPs) or ``ipm``."""
    import moreau
    from moreau.torch import Solver

    solvers = {}

    def call(tensors: Tensors):
        qp = work.qp(tensors)
        rows = qp.G if qp.A is None else torch.cat((qp.A, qp.G), dim=-2)
        rhs = qp.h if qp.b is None else torch.cat((qp.b, qp.h), dim=-1)
        keep_P, keep_A = _pattern(qp.Q), _pattern(rows)
        batch = max(qp.q.shape[0] if qp.q.dim() > 1 else 1, 1)
        if not solvers:
            equalities = 0 if qp.A is None else qp.A.shape[-2]
            cones = moreau.Cones(num_zero_cones=equalities, num_nonneg_cones=qp.G.shape[-2])
            settings = moreau.Settings(solver=method, device="cpu", batch_size=batch, enable_grad=True)
            solvers["one"] = Solver(qp.q.shape[-1], rows.shape[-2], *_csr(keep_P), *_csr(keep_A), cones, settings)
        q, b = (v if v.dim() > 1 else v.expand(batch, -1) for v in (qp.q, rhs))
        P, A = (M[..., keep] for M, keep in ((qp.Q, keep_P), (rows, keep_A)))
        x = solvers["one"].solve(P, A, q, b).x
        return x if tensors[0].dim() > 1 or qp.q.dim() > 1 else x[0]

    return call


def _pattern(matrix: torch.Tensor) -> torch.Tensor:
    """Dense if it comes in a batch; the nonzeros of one that is shared."""
    return torch.ones(matrix.shape[-2:], dtype=torch.bool) if matrix.dim() > 2 else matrix != 0


def _csr(keep: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Row pointers and column indices of a pattern."""
    return torch.cat((torch.zeros(1, dtype=torch.int64), keep.sum(dim=1).cumsum(0))), keep.nonzero()[:, 1].contiguous()
