"""proxsuite's QPLayer: ProxQP on dense matrices, one after the other."""

from __future__ import annotations

import torch

from benchmarks.work import Tensors, Work


def layer(work: Work):
    from proxsuite.torch.qplayer import QPFunction

    solve = QPFunction(structural_feasibility=True)

    def call(tensors: Tensors):
        qp = work.qp(tensors)
        none = torch.empty(0)
        lower = torch.full_like(qp.h.detach(), -1e20)
        A, b = (none, none) if qp.A is None else (qp.A, qp.b)
        x, *_ = solve(qp.Q, qp.q, A, b, qp.G, lower, qp.h)
        return x if qp.q.dim() > 1 else x[0]

    return call
