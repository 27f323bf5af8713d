"""What is measured: a program of ours, its data, and the same problem in the words of the peers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import torch

Tensors: TypeAlias = tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class Qp:
    """minimize ½ xᵀQx + qᵀx subject to Gx ≤ h, Ax = b. What the batch shares has no batch dim; A, b may be None."""

    Q: torch.Tensor
    q: torch.Tensor
    G: torch.Tensor
    h: torch.Tensor
    A: torch.Tensor | None = None
    b: torch.Tensor | None = None


@dataclass(frozen=True)
class Twin:
    """The same problem in CVXPY.

    Attributes:
        form: how it is written, where there is more than one way.
        build: → (problem, parameters, variables); the first variable is what is compared.
        convert: the work's tensors to the parameters' values, differentiably.
    """

    form: str
    build: Callable[[], tuple[Any, list[Any], list[Any]]]
    convert: Callable[[Tensors], Tensors] = lambda tensors: tensors


@dataclass(frozen=True)
class Limit:
    """What no implementation can avoid: ``bytes`` read and written once, ``flops`` of one factorization."""

    bytes: float
    flops: float
    words: str


@dataclass(frozen=True)
class Work:
    """One row of the table.

    Attributes:
        name: for the command line. title: for the table. goal: the ratio to the fastest peer that is asked for.
        text: a program that takes the tensors of ``draw`` in order, and returns what is compared first.
        draw: the tensors; gradients are wanted for all of them. data: values of ``data`` declarations.
        twins: for cvxpylayers and DiffAPQP. qp: the tensors as a QP, for the specialised peers; None if it is none.
        symmetric: positions of tensors whose gradients are symmetrized to be compared (peers read a triangle).
        plain_cones: whether a cone or a sign stands on a plain variable, which cvxpylayers + Moreau drops.
        limit: given the tensors and our answer.
    """

    name: str
    title: str
    goal: float
    text: str
    draw: Callable[[], Tensors]
    twins: tuple[Twin, ...]
    limit: Callable[[Tensors, torch.Tensor], Limit]
    data: Mapping[str, np.ndarray] = field(default_factory=dict)
    qp: Callable[[Tensors], Qp] | None = None
    symmetric: tuple[int, ...] = ()
    plain_cones: bool = False


def traffic(tensors: Tensors, answer: torch.Tensor, *more: np.ndarray) -> float:
    """Bytes of the inputs read and their gradients written, of the answer written and its gradient read."""
    return 16.0 * (sum(t.numel() for t in tensors) + answer.numel()) + 8.0 * sum(m.size for m in more)
