"""``torch.func.vmap`` over a layer is one batched solve, under every other transform."""

from __future__ import annotations

import pytest
import torch
from torch.func import functional_call, grad, jacfwd, jacrev, jvp, vmap

import dpplang
from dpplang import SolveError
from dpplang.torch import Layer

TEXT = """
dim n
param Q[n, n] psd, c[n], s
derived S[n, n] = chol(Q)'
var x[n]
minimize 0.5 * sum_squares(S @ x) + c' @ x
subject to
  floor: x >= s
return s * x, dual floor
"""


@pytest.fixture
def layer() -> Layer:
    return Layer(dpplang.parse(TEXT))


@pytest.fixture
def values() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(5, 3, 3, generator=generator, dtype=torch.float64)
    c = torch.randn(5, 3, generator=generator, dtype=torch.float64)
    return root @ root.mT + torch.eye(3, dtype=torch.float64), c, torch.tensor(0.3, dtype=torch.float64)


def test_is_the_batch(layer, values) -> None:
    Q, c, s = values
    expected = layer(Q, c, s)
    x, dual, value, status = vmap(lambda Q, c: (*layer(Q, c, s), layer(Q, c, s).value, layer(Q, c, s).status))(Q, c)
    for found, name in ((x, 0), (dual, 1)):
        torch.testing.assert_close(found, expected[name], rtol=0, atol=1e-10)
    torch.testing.assert_close(value, expected.value, rtol=0, atol=1e-10)
    assert torch.equal(status, expected.status)


@pytest.mark.parametrize("dims", [(0, None), (None, 0), (0, 0), (2, 1)])
def test_any_mapped_dims(layer, values, dims) -> None:
    Q, c, s = values
    args = [t.movedim(0, d) if d is not None else t[0] for t, d in zip((Q, c), dims, strict=True)]
    found = vmap(lambda Q, c: layer(Q, c, s).x, in_dims=dims)(*args)
    expected = layer(*(t if d is not None else t[0] for t, d in zip((Q, c), dims, strict=True)), s).x
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)


def test_over_calls_that_have_batches_of_their_own(layer, values) -> None:
    Q, c, s = values
    cs = torch.stack((c, -c))
    torch.testing.assert_close(vmap(lambda c: layer(Q, c, s).x)(cs), layer(Q, cs, s).x, rtol=0, atol=1e-10)
    twice = vmap(vmap(lambda Q, c: layer(Q, c, s).x), in_dims=(None, 0))(Q, cs)
    torch.testing.assert_close(twice, layer(Q, cs, s).x, rtol=0, atol=1e-10)


def test_gradients_flow_out_of_it(layer, values) -> None:
    ours, theirs = ([t.clone().requires_grad_() for t in values] for _ in range(2))
    weights = torch.randn(5, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (vmap(lambda Q, c: layer(Q, c, ours[2])[0])(ours[0], ours[1]) * weights).sum().backward()
    (layer(*theirs)[0] * weights).sum().backward()
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.grad, b.grad, rtol=0, atol=1e-9)


def test_per_sample_gradients(layer, values) -> None:
    """``vmap(grad)``: a parameter that all share has a gradient for each."""
    Q, c, s = values

    def loss(s, Q, c):
        x, dual = layer(Q, c, s)
        return x.square().sum() + dual.sum()

    found = vmap(grad(loss, argnums=(0, 1, 2)), in_dims=(None, 0, 0))(s, Q, c)
    for i in range(5):
        each = grad(loss, argnums=(0, 1, 2))(s, Q[i], c[i])
        for a, b in zip(found, each, strict=True):
            torch.testing.assert_close(a[i], b, rtol=0, atol=1e-9)


def test_jacobians_and_tangents_of_each(layer, values) -> None:
    Q, c, s = values
    reverse = vmap(jacrev(lambda c, Q: layer(Q, c, s)[0]))(c, Q)
    forward = vmap(jacfwd(lambda c, Q: layer(Q, c, s)[0]))(c, Q)
    torch.testing.assert_close(reverse, forward, rtol=0, atol=1e-9)
    d = torch.ones(3, dtype=torch.float64)
    _, moved = vmap(lambda c, Q: jvp(lambda c: layer(Q, c, s)[0], (c,), (d,)))(c, Q)
    torch.testing.assert_close(moved, reverse @ d, rtol=0, atol=1e-9)
    outside = jacrev(lambda c: vmap(lambda Q, c: layer(Q, c, s)[0])(Q, c))(c)
    torch.testing.assert_close(outside[range(5), :, range(5)], reverse, rtol=0, atol=1e-9)


def test_ensembles(layer, values) -> None:
    """A stack of models in front of one layer: ``functional_call`` under ``vmap``."""
    Q, c, s = values
    model = torch.nn.Linear(3, 3, dtype=torch.float64)
    stacked = {name: torch.stack((p, 2 * p)) for name, p in model.named_parameters()}

    def run(parameters):
        return layer(Q, functional_call(model, parameters, (c,)), s).x

    found = vmap(run)(stacked)
    for i in range(2):
        torch.testing.assert_close(found[i], run({n: p[i] for n, p in stacked.items()}), rtol=0, atol=1e-9)


def test_failures_have_the_mapped_dim_in_their_index(layer) -> None:
    failing = Layer(dpplang.parse("param lo, hi\nvar x\nminimize x\nsubject to\n  a: x >= lo\n  b: x <= hi\n"))
    lo, hi = torch.tensor([0.0, 2.0]), torch.tensor([1.0, 1.0])
    with pytest.raises(SolveError, match="at batch index 1: infeasible"):
        vmap(lambda lo, hi: failing(lo, hi).x)(lo, hi)
    masked = Layer(
        dpplang.parse("param lo, hi\nvar x\nminimize x\nsubject to\n  a: x >= lo\n  b: x <= hi\n"), on_failure="nan"
    )
    found = vmap(lambda lo, hi: masked(lo, hi).x)(lo, hi)
    assert found[0] == 0 and found[1].isnan()
