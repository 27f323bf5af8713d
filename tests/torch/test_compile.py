"""``torch.compile`` goes around a layer; what would freeze a solution into a record is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn

import dpplang
from dpplang.core.errors import BindError, DppError
from dpplang.torch import Layer

TEXT = """
dim n, m
param A[m, n], b[m], lam nonneg
derived L = lam^2 + 1
var x[n]
minimize sum_squares(A @ x - b) + L * norm1(x)
subject to
  top: x <= 1
return x, dual top
"""


def values(seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    A, b = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((5, 3), (5,)))
    return [v.requires_grad_() for v in (A, b, torch.tensor(0.1 + seed, dtype=torch.float64))]


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(5, 5, dtype=torch.float64)
        self.layer = Layer(dpplang.parse(TEXT))

    def forward(self, A: Tensor, b: Tensor, lam: Tensor) -> Tensor:
        sol = self.layer(2 * A, self.linear(b), lam)
        return (sol.x.sin().sum() + sol.dual.top.sum()) * sol.value


@pytest.mark.slow
def test_a_compiled_model_is_the_model(caplog) -> None:
    torch._dynamo.reset()
    model = Model()
    compiled = torch.compile(model, backend="aot_eager")
    for seed in range(3):
        given = values(seed)
        found, expected = compiled(*given), model(*given)
        torch.testing.assert_close(found, expected)
        inputs = [*given, *model.parameters()]
        for one, other in zip(torch.autograd.grad(found, inputs), torch.autograd.grad(expected, inputs), strict=True):
            torch.testing.assert_close(one, other)
    assert not [r for r in caplog.records if r.levelname == "ERROR"]
    breaks = torch._dynamo.utils.counters["graph_break"]
    assert breaks and all("disable" in reason for reason in breaks), breaks  # nothing of the solver was traced


@pytest.mark.slow
def test_a_whole_graph_is_refused_with_the_reason() -> None:
    torch._dynamo.reset()
    layer = Layer(dpplang.parse(TEXT))
    whole = torch.compile(lambda *given: layer(*given).x, backend="eager", fullgraph=True)
    with pytest.raises(Exception, match="outside of the graph"):
        whole(*values())


def test_the_compiler_is_not_loaded_for_those_who_do_not_compile() -> None:
    program = (
        "import sys, torch, dpplang\nfrom dpplang.torch import Layer\n"
        f"sol = Layer(dpplang.parse({TEXT!r}))(torch.eye(3), torch.ones(3), 0.1)\n"
        "assert sol.x.shape == (3,)\nassert 'torch._dynamo' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_records_of_operations_are_refused() -> None:
    layer = Layer(dpplang.parse(TEXT))
    A, b, lam = (v.detach() for v in values())
    with pytest.raises(DppError, match=r"`torch.jit.trace` would record .* frozen"):
        torch.jit.trace(lambda b: layer(A, b, lam).x, (b,))
    with pytest.raises(DppError, match=r"`torch.export` would record"):
        torch.export.export(layer, (A, b, lam), strict=False)


def test_tensors_without_numbers_are_refused() -> None:
    A, b, lam = (v.detach() for v in values())
    with pytest.raises(BindError, match="on the device `meta` tensors have none"):
        Layer(dpplang.parse(TEXT))(A.to("meta"), b, lam)
