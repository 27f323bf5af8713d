"""The layer from source text: sizes and data bound by calls, derived parameters, copies, misuse."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

import dpplang
from dpplang.core.errors import BindError, DiagnosticsError
from dpplang.torch import Layer

torch.set_num_threads(1)

RELU = """
dim n
param x[n]
var y[n]
minimize sum_squares(y - x)
subject to
  floor: y >= 0
return y
"""

QP = """
dim n, m, p
param Q[n, n] psd, q[n]
param A[p, n], b[p]
param G[m, n], h[m]
derived S[n, n] = chol(Q)'
var x[n]
minimize 0.5 * sum_squares(S @ x) + q' @ x
subject to
  eq:   A @ x == b
  ineq: G @ x <= h
return x, dual ineq
"""

LASSO = """
dim m, n
data X[m, n], y[m]
param lam nonneg
var w[n]
minimize sum_squares(X @ w - y) + lam * norm1(w)
"""


def _qp(batch: tuple[int, ...] = (), seed: int = 0) -> dict[str, torch.Tensor]:
    """Feasible data with two active inequalities or so."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(shape, dtype=torch.float64, generator=generator)

    n, m, p = 4, 5, 2
    root, inside = draw(*batch, n, n), draw(*batch, n)
    A, G = draw(*batch, p, n), draw(m, n)
    return {
        "Q": root @ root.mT + 0.5 * torch.eye(n, dtype=torch.float64),
        "q": 3 * draw(*batch, n),
        "A": A,
        "b": (A @ inside[..., None])[..., 0],
        "G": G,
        "h": (G @ inside[..., None])[..., 0] + 0.1 + draw(*batch, m).abs(),
    }


def test_relu():
    layer = Layer(dpplang.parse(RELU))
    x = torch.tensor([[1.0, -2.0, 3.0], [-1.0, 2.0, 0.5]], requires_grad=True)
    (y,) = layer(x)
    torch.testing.assert_close(y, x.detach().relu(), atol=1e-4, rtol=0)
    y.sum().backward()
    torch.testing.assert_close(x.grad, (x.detach() > 0).float(), atol=1e-4, rtol=0)


def test_one_layer_serves_many_sizes():
    layer = Layer(dpplang.parse(RELU))
    for n in (3, 5, 3):
        assert layer(torch.ones(n)).y.shape == (n,)
    assert len(layer._programs._runners) == 2
    assert layer.program(torch.ones(5)).n_theta == 5


def test_gradcheck_of_the_quadratic_program():
    """Q moves symmetrically, as a psd parameter can; its gradient reaches it through the Cholesky factor."""
    layer = Layer(dpplang.parse(QP), tolerance=1e-12)
    values = _qp((2,))

    def f(Q, q, A, b, G, h):
        sol = layer(0.5 * (Q + Q.mT), q, A, b, G, h)
        return sol.x, sol.dual.ineq, sol.dual.eq, sol.value

    inputs = tuple(v.requires_grad_() for v in values.values())
    assert torch.autograd.gradcheck(f, inputs, eps=1e-6, atol=1e-4, rtol=1e-3, fast_mode=True, check_forward_ad=True)


def test_gradient_of_the_quadratic_program_is_symmetric_and_matches_numpy():
    problem = dpplang.parse(QP)
    values = {k: v.requires_grad_() for k, v in _qp((3,)).items()}
    sol = Layer(problem)(**values)
    weight = torch.randn(sol.x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    (weight * sol.x).sum().backward()
    torch.testing.assert_close(values["Q"].grad, values["Q"].grad.mT)
    theirs = problem.solve({k: v.detach().numpy() for k, v in values.items()}).backward({"x": weight.numpy()})
    for name, gradient in theirs.items():
        assert gradient.shape == tuple(values[name].shape)
        np.testing.assert_allclose(values[name].grad, gradient, rtol=1e-7, atol=1e-9)


def test_data_come_with_the_layer_or_with_the_call():
    generator = np.random.default_rng(0)
    X, y = generator.standard_normal((12, 3)), generator.standard_normal(12)
    lam = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    bound = Layer(dpplang.parse(LASSO), data={"X": X, "y": torch.tensor(y)})(lam)
    free = Layer(dpplang.parse(LASSO))
    torch.testing.assert_close(free(lam, X=X, y=y).w, bound.w)
    torch.testing.assert_close(free(lam, X=X, y=-y).w, -bound.w, atol=1e-6, rtol=0)
    bound.w.sum().backward()
    step = 1e-5
    layer = Layer(dpplang.parse(LASSO), data={"X": X, "y": y}, tolerance=1e-11)
    change = (layer(0.3 + step).w.sum() - layer(0.3 - step).w.sum()) / (2 * step)
    assert abs(lam.grad.item() - change.item()) < 1e-4


def test_every_variable_and_dual_is_there_and_return_orders():
    sol = Layer(dpplang.parse(QP))(**_qp())
    x, ineq = sol
    assert x is sol.x
    assert sol.names == ("x", "dual.ineq")
    assert sol.dual.eq.shape == (2,) and sol.value.shape == ()
    torch.testing.assert_close(ineq, sol.dual.ineq)


def test_a_cholesky_factor_that_does_not_exist_names_item_and_element():
    values = _qp((3,))
    values["Q"][1, 0] = values["Q"][1, :, 0] = 0.0
    with pytest.raises(BindError, match=r"`S` is not defined at batch index 1: a Cholesky factor"):
        Layer(dpplang.parse(QP))(**values)
    values["Q"][1, 0, 0] = -1.0
    with pytest.raises(BindError, match=r"`Q` is declared psd, but its smallest eigenvalue is -1 at batch index 1"):
        Layer(dpplang.parse(QP))(**values)


def test_names_and_shapes_that_do_not_fit():
    layer, values = Layer(dpplang.parse(QP)), _qp()
    with pytest.raises(BindError, match=r"there is no parameter `qq`"):
        layer(**values, qq=values["q"])
    with pytest.raises(BindError, match=r"`S` is derived"):
        layer(**values, S=values["Q"])
    with pytest.raises(BindError):
        layer(**{**values, "q": torch.zeros(7)})
    with pytest.raises(BindError):
        layer(values["Q"])


def test_a_program_with_errors_does_not_become_a_layer(tmp_path):
    (tmp_path / "bad.dpp").write_text("var x\nminimize log(x)\n")
    with pytest.raises(DiagnosticsError):
        Layer(tmp_path / "bad.dpp")
    with pytest.raises(DiagnosticsError, match="nothing"):
        Layer(tmp_path / "nothing.dpp")


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"]
)
def test_copies_of_a_layer_from_source(duplicate, tmp_path):
    (tmp_path / "relu.dpp").write_text(RELU)
    layer = Layer(tmp_path / "relu.dpp", dims={"n": 3}, on_failure="nan")
    x = torch.tensor([1.0, -2.0, 3.0])
    before = layer(x).y
    twin = duplicate(layer)
    (tmp_path / "relu.dpp").unlink()
    torch.testing.assert_close(twin(x).y, before)
    assert twin.dims == {"n": 3} and twin.on_failure == "nan"


def test_repr_names_the_program():
    assert "solver='auto'" in repr(Layer(dpplang.parse(RELU, "relu.dpp"))) and "relu.dpp" in repr(
        Layer(dpplang.parse(RELU, "relu.dpp"))
    )


def test_inference_mode_and_a_program_without_parameters():
    with torch.inference_mode():
        assert Layer(dpplang.parse(RELU))(torch.ones(3)).y.shape == (3,)
    sol = Layer(dpplang.parse("var x\nminimize (x - 2)^2\nreturn x"))()
    torch.testing.assert_close(sol.x, torch.tensor(2.0), atol=1e-4, rtol=0)
    assert not sol.x.requires_grad and sol.status.shape == ()


def test_eigenvalues_of_what_is_not_finite_are_blamed_on_the_first_operation():
    layer = Layer(
        dpplang.parse("param P[2, 2] symmetric\nderived e[2] = eigvalsh(log(P))\nvar x[2]\nminimize sum_squares(x - e)")
    )
    good = torch.tensor([[1.0, 2.0], [2.0, 3.0]])
    assert layer(good).x.shape == (2,)
    with pytest.raises(BindError, match=r"`e` is not defined at batch index 1: a logarithm of -1 at entry \[0, 0\]"):
        layer(torch.stack([good, -good]))


def test_a_shared_parameter_beside_failed_elements():
    """An infeasible element neither raises nor spoils the sum of the others' gradients, through a derived parameter."""
    text = "param lo, hi, c\nderived scale = exp(c)\nvar x\nminimize scale * x\nsubject to\n  low: lo <= x\n  high: x <= hi\nreturn x"
    c = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    lo = torch.tensor([0.3, 5.0, 1.0], dtype=torch.float64, requires_grad=True)
    sol = Layer(dpplang.parse(text), on_failure="nan")(lo, 2.0, c)
    sol.value.nansum().backward()
    torch.testing.assert_close(c.grad, torch.exp(c.detach()) * 1.3, atol=1e-6, rtol=0)
    torch.testing.assert_close(
        lo.grad, torch.exp(c.detach()) * torch.tensor([1.0, 0.0, 1.0]).double(), atol=1e-6, rtol=0
    )
