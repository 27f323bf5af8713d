"""qpth (OptNet): a batched primal-dual interior-point method on dense matrices."""

from __future__ import annotations

import torch

from benchmarks.work import Tensors, Work


def layer(work: Work):
    from qpth.qp import QPFunction

    solve = QPFunction(verbose=-1)

    def call(tensors: Tensors):
        qp = work.qp(tensors)
        none = torch.empty(0)
        A, b = (none, none) if qp.A is None else (qp.A, qp.b)
        x = solve(qp.Q, qp.q, qp.G, qp.h, A, b)
        return x if qp.q.dim() > 1 else x[0]

    return call
