"""Random convex programs: products with the Hessian are central differences of gradients."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import dpplang
from dpplang.runtime.warn import DerivativeWarning
from dpplang.torch import Layer
from tests.lowering.test_random_gradients import BATCH, N, program, symmetric, values

STEP = 1e-5


def tensors(arrays: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(v) for name, v in arrays.items()}


@pytest.mark.slow
@given(st.data(), st.integers(0, 1000))
@settings(max_examples=25, deadline=None, phases=[Phase.generate])
def test_second_derivatives(data, seed: int) -> None:
    text, rng = program(data.draw), np.random.default_rng(seed + 1)
    if "von_neumann" in text:
        return  # its graph is a quadrature, too ill-conditioned to be differenced twice
    constants = {"C": rng.standard_normal((N, N)), "d": rng.standard_normal(N)}
    layer = Layer(dpplang.parse(text), data=constants, refine=3)
    theta = values(rng)
    shapes = {"x": (N,), "X": (N, N), "S": (N, N), "u": (N,), "value": ()}
    upstream = tensors(symmetric({name: rng.standard_normal((BATCH, *shape)) for name, shape in shapes.items()}))
    direction = tensors(symmetric({name: rng.standard_normal(v.shape) for name, v in theta.items()}))

    def along(step: float, again: bool = False) -> np.ndarray:
        """Derivatives of the loss of every element in the direction, the first or the second, ``[BATCH]``."""
        moved = {name: (torch.from_numpy(v) + step * direction[name]).requires_grad_() for name, v in theta.items()}
        sol = layer(**moved)
        loss = sum(((getattr(sol, name)) * u).sum() for name, u in upstream.items())
        for more in (again, False) if again else (False,):
            found = torch.autograd.grad(loss, list(moved.values()), create_graph=more, allow_unused=True)
            pairs = [(g, direction[name]) for name, g in zip(moved, found, strict=True) if g is not None]
            each = sum((g * d).reshape(BATCH, -1).sum(1) for g, d in pairs)
            loss = each.sum()
        return each.detach().numpy()

    with warnings.catch_warnings():
        warnings.simplefilter("error", DerivativeWarning)
        try:
            second = along(0.0, again=True)
            coarse, fine = ((along(h) - along(-h)) / (2 * h) for h in (4 * STEP, STEP))
        except DerivativeWarning:
            return  # a kink, which is said aloud: no derivative to compare with
    smooth = np.abs(coarse - fine) <= 1e-5 * (1 + np.abs(fine))  # else the step crosses a kink
    np.testing.assert_allclose(second[smooth], fine[smooth], rtol=1e-4, atol=1e-4, err_msg=text)
