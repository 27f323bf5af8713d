"""Read-outs by torch operations: the torch side of :mod:`dpplang.runtime.outputs`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dpplang.runtime.outputs import Readout, Term
from dpplang.runtime.status import LAST_OK


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """x ``[B, n]``, y ``[B, m]``, value ``[B]``; θ per parameter ``[B_k, size]``; the statuses as numbers ``[B]``."""

    x: Tensor
    y: Tensor
    value: Tensor
    theta: Sequence[Tensor]
    codes: Tensor

    @property
    def failed(self) -> Tensor:
        """Which elements failed ``[B]``."""
        return self.codes > LAST_OK

    def source(self, number: int) -> Tensor:
        match number:
            case 0:
                return self.x
            case 1:
                return self.y
            case 2:
                return self.value[:, None]
            case _:
                return self.x.new_ones((self.x.shape[0], 1))


def read(readout: Readout, parts: Parts) -> Tensor:
    """Values ``[B, size]``, differentiable in x, y, value and θ.

    Where coefficients depend on θ, failed elements are masked before and after the product: 0 · NaN in the reverse pass
    would spoil the gradient of a shared parameter.
    """
    batch = parts.x.shape[0]
    total: Tensor | None = None
    for term in readout.terms:
        source = parts.source(term.source)
        if term.touches:
            source = source.masked_fill(parts.failed[:, None], 0.0)
        entries = source.index_select(1, torch.from_numpy(term.columns))
        if term.constant is not None:
            entries = entries * _coefficients(term, torch.from_numpy(term.constant), parts.theta)
        if term.touches:
            entries = entries.masked_fill(parts.failed[:, None], float("nan"))
        if not term.in_order:
            rows = torch.from_numpy(term.rows)
            entries = entries.new_zeros((batch, readout.size)).index_add(1, rows, entries)
        total = entries if total is None else total + entries
    return parts.x.new_zeros((batch, readout.size)) if total is None else total


def _coefficients(term: Term, constant: Tensor, theta: Sequence[Tensor]) -> Tensor:
    """``[B or 1, entries]``"""
    total = constant[None]
    for touch in term.touches:
        moved = theta[touch.parameter][:, torch.from_numpy(touch.positions)] * torch.from_numpy(touch.factors)
        added = moved.new_zeros((moved.shape[0], constant.shape[0]))
        total = total + added.index_add(1, torch.from_numpy(touch.entries), moved)
    return total
