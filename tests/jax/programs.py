"""Programs and data for the tests of the JAX layer, and what the torch layer makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

import dpplang
from dpplang.torch import Layer as TorchLayer

FLOOR = """
dim n
param Q[n, n] psd, c[n], s
derived S[n, n] = chol(Q)'
var x[n]
minimize 0.5 * sum_squares(S @ x) + c' @ x
subject to
  floor: x >= s
return s * x, dual floor
"""

INTERVAL = "param lo, hi\nvar x\nminimize x\nsubject to\n  a: x >= lo\n  b: x <= hi\nreturn x\n"


def floor_values(batch: tuple[int, ...] = (5,), seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((*batch, 3, 3))
    return {"Q": root @ root.swapaxes(-1, -2) + np.eye(3), "c": rng.standard_normal((*batch, 3)), "s": np.array(0.3)}


def by_torch(
    source: object, values: Mapping[str, np.ndarray], weights: Mapping[str, np.ndarray], **options: object
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Outputs by name, and the gradients of Σ ⟨weights[name], output[name]⟩ by parameter."""
    tensors = {k: torch.from_numpy(np.array(v, dtype=np.float64)).requires_grad_() for k, v in values.items()}
    solution = TorchLayer(source, **options)(**tensors)
    loss = sum(((solution[k] * torch.from_numpy(np.asarray(w))).sum() for k, w in weights.items()), torch.zeros(()))
    loss.backward()
    outputs = {k: solution[k].detach().numpy() for k in weights}
    return outputs, {k: (np.zeros(t.shape) if t.grad is None else t.grad.numpy()) for k, t in tensors.items()}


def weights_for(source: object, values: Mapping[str, np.ndarray], names: Sequence[str], seed: int = 1) -> dict:
    """Random upstream gradients, of the shapes of the outputs."""
    solution = TorchLayer(source)(**values)
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(solution[name].shape) for name in names}


def parsed(text: str) -> dpplang.Problem:
    return dpplang.parse(text)
