"""The torch layer over programs lowered by hand: gradients, batches, dtypes, failures, copies."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

from dpplang.core.errors import BindError, SolveError
from dpplang.runtime.runner import Runner
from dpplang.torch import Layer
from tests.bind.programs import box, interval, least

torch.set_num_threads(1)
TIGHT = {"tolerance": 1e-11}
G = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)


def _rand(*shape, grad=True, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator).requires_grad_(grad)


def test_names_positions_and_unpacking():
    layer = Layer(box())
    sol = layer(g=G, z=0.3, lower=0.5)
    again = layer(G, 0.3, lower=0.5)
    x, dual = sol
    torch.testing.assert_close(x, again.x)
    assert x is sol.x and dual is sol["dual.floor"]
    torch.testing.assert_close(dual, sol.dual.floor)
    assert sol.names == ("x", "dual.floor")
    assert sol.value.shape == () and int(sol.status) == 0 and sol.status_names[0] == "solved"
    assert repr(sol) == "Result(solved; x [3], dual.floor [3])"
    torch.testing.assert_close(x, torch.maximum(G * np.exp(0.3), torch.tensor(0.5 / np.exp(0.3))), atol=1e-7, rtol=0)


@pytest.mark.parametrize("outputs", [("x",), ("dual.floor",), ("value",), ("x", "dual.floor", "value")])
def test_gradcheck_through_derived_parameters(outputs):
    layer = Layer(box(), **TIGHT)

    def f(g, z, lower):
        sol = layer(g, z, lower)
        return tuple(sol[name] for name in outputs)

    inputs = (_rand(2, 1, 3), _rand(3, seed=1), torch.tensor(0.2, dtype=torch.float64, requires_grad=True))
    assert torch.autograd.gradcheck(f, inputs, eps=1e-5, atol=1e-5, rtol=1e-4, check_forward_ad=True)


def test_gradcheck_of_an_output_with_parametrized_coefficients_and_a_matrix():
    layer = Layer(least(), **TIGHT)

    def f(root, c, t):
        matrix = root @ root.T + torch.eye(2, dtype=torch.float64)
        sol = layer(Q=matrix, c=c, lo=-0.1, t=t.abs())
        return sol.out0, sol.x, sol.dual.low

    inputs = (_rand(2, 2), _rand(3, 2, seed=2), _rand(2, 1, seed=3))
    assert torch.autograd.gradcheck(f, inputs, eps=1e-5, atol=1e-5, rtol=1e-4, check_forward_ad=True)


def test_agrees_with_the_numpy_face():
    values = {"g": _rand(4, 3), "z": _rand(seed=1), "lower": _rand(4, seed=2)}
    ours = Layer(box())(**values)
    theirs = Runner(box()).solve({k: v.detach().numpy() for k, v in values.items()})
    np.testing.assert_allclose(ours.x.detach(), theirs.x)
    ours.x.sum().backward()
    for name, gradient in theirs.backward({"x": np.ones((4, 3))}).items():
        np.testing.assert_allclose(values[name].grad, gradient, atol=1e-12)


def test_a_shared_parameter_gets_the_sum_of_the_batchs_gradients():
    layer = Layer(box())
    g, z = _rand(5, 3), torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
    layer(g, z, 0.1).x.sum().backward()
    apart = torch.full((5,), 0.2, dtype=torch.float64, requires_grad=True)
    layer(g, apart, 0.1).x.sum().backward()
    torch.testing.assert_close(z.grad, apart.grad.sum())


def test_symmetric_parameters_get_symmetric_gradients():
    Q = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.float64, requires_grad=True)
    Layer(least())(Q, _rand(2), -5.0, 1.0).x[0].backward()
    torch.testing.assert_close(Q.grad, Q.grad.T)
    assert Q.grad.abs().max() > 1e-3


def test_gradients_only_where_asked():
    layer = Layer(box())
    wanted = []
    adjoint = layer._programs.runner(()).engine.adjoint

    def spy(solved, dx, dy, dvalue, flags):
        wanted.append((dx is not None, dy is not None, dvalue is not None, tuple(flags)))
        return adjoint(solved, dx, dy, dvalue, flags)

    layer._programs.runner(()).engine.adjoint = spy
    lower = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    layer(G, 0.2, lower).x.sum().backward()
    layer(G, _rand(), 0.1).value.backward()
    assert wanted == [
        (True, False, False, (False, False, True, False, False)),
        (False, False, True, (False, True, False, True, True)),
    ]


def test_nothing_is_differentiated_without_grad():
    layer = Layer(box())
    with torch.no_grad():
        sol = layer(_rand(3), 0.1, 0.1)
    assert not sol.x.requires_grad and sol.x.grad_fn is None
    assert not layer(G, 0.1, 0.1).x.requires_grad


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_dtype_in_is_dtype_out(dtype):
    g = torch.tensor([1.0, -2.0, 3.0], dtype=dtype, requires_grad=True)
    sol = Layer(box())(g, torch.zeros((), dtype=dtype), 0.5)
    assert sol.x.dtype == sol.value.dtype == sol.dual.floor.dtype == dtype
    sol.x.sum().backward()
    assert g.grad.dtype == dtype
    torch.testing.assert_close(g.grad, torch.tensor([1.0, 0.0, 1.0], dtype=dtype), atol=1e-2, rtol=0)


def test_mixed_dtypes_promote_and_integers_give_way():
    layer = Layer(box())
    assert layer(G, torch.zeros((), dtype=torch.float32), 1).x.dtype == torch.float64
    assert layer(torch.tensor([1, 2, 3]), torch.zeros((), dtype=torch.float32), 1).x.dtype == torch.float32
    assert layer(torch.tensor([1, 2, 3]), 0, 1).x.dtype == torch.get_default_dtype()
    assert layer(G.numpy(), 0.0, 1.0).x.dtype == torch.float64
    assert layer(G.float().numpy(), 0.0, 1.0).x.dtype == torch.float32


def test_a_python_number_keeps_its_precision():
    """0.1 beside float32 tensors is 0.1, not the float32 nearest to it."""
    layer = Layer(box(1), **TIGHT)
    sol = layer(torch.tensor([-1.0]), 0.0, 0.1)
    assert abs(float(sol._parts.x.detach()) - 0.1) < 1e-10


def test_two_batch_dims_and_none():
    layer = Layer(box())
    sol = layer(_rand(4, 1, 3), _rand(5), 0.1)
    assert sol.x.shape == (4, 5, 3) and sol.value.shape == (4, 5) and sol.status.shape == (4, 5)
    assert sol.failed.shape == (4, 5) and not sol.failed.any()
    assert layer(G, 0.1, 0.1).x.shape == (3,)
    assert layer(G[None], 0.1, 0.1).x.shape == (1, 3)


def test_an_empty_batch():
    g = torch.zeros(0, 3, dtype=torch.float64, requires_grad=True)
    z = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    sol = Layer(box())(g, z, 0.1)
    assert sol.x.shape == (0, 3) and sol.status.shape == (0,)
    sol.x.sum().backward()
    assert g.grad.shape == (0, 3) and z.grad == 0


def test_failures_raise_with_their_indices():
    lo = torch.tensor([[0.0, 5.0], [1.0, 1.0]])
    with pytest.raises(SolveError, match="low") as error:
        Layer(interval())(lo, torch.tensor(2.0))
    assert error.value.indices == ((0, 1),)


def test_failures_as_nan_leave_the_others_and_shared_gradients_alone():
    lo = torch.tensor([0.0, 5.0, 1.0], requires_grad=True)
    hi = torch.tensor(2.0, requires_grad=True)
    sol = Layer(interval(), on_failure="nan")(lo, hi)
    assert sol.x[1].isnan() and sol.value[1].isnan()
    assert [sol.status_names[int(i)] for i in sol.status] == ["solved", "infeasible", "solved"]
    assert sol.failed.tolist() == [False, True, False]
    sol.x.nansum().backward()
    torch.testing.assert_close(lo.grad, torch.tensor([1.0, 0.0, 1.0]), atol=1e-5, rtol=0)
    torch.testing.assert_close(hi.grad, torch.tensor(0.0), atol=1e-5, rtol=0)


def test_parametrized_coefficients_of_failed_elements_do_not_spoil_shared_gradients():
    """NaN · 0 in the reverse of a product is NaN unless the failed element is masked."""
    Q, c = torch.eye(2, dtype=torch.float64), _rand(2, 2, grad=False)
    t = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    layer = Layer(least(), on_failure="nan")
    Q = torch.stack([Q, torch.zeros_like(Q)])  # the second is unbounded: a linear objective over a half line
    sol = layer(Q, -c.abs(), 0.0, t)
    assert sol.failed.tolist() == [False, True]
    sol.out0.nansum().backward()
    assert t.grad.isfinite() and t.grad != 0


def test_upstream_gradients_of_failed_elements_are_ignored():
    lo = torch.tensor([0.0, 5.0], requires_grad=True)
    sol = Layer(interval(), on_failure="nan")(lo, torch.tensor(2.0))
    (sol.x**2).sum().backward()
    assert lo.grad.isfinite().all() and lo.grad[1] == 0


def test_functional_transforms():
    layer = Layer(box(), **TIGHT)
    z = torch.tensor(0.2, dtype=torch.float64)

    def f(z):
        return layer(G, z, 0.1).x.sum()

    reverse = torch.func.grad(f)(z)
    _, forward = torch.func.jvp(f, (z,), (torch.ones_like(z),))
    torch.testing.assert_close(reverse, forward)
    step = 1e-5
    torch.testing.assert_close(reverse, (f(z + step) - f(z - step)) / (2 * step), atol=1e-5, rtol=0)


def test_jacobians():
    layer = Layer(box(), **TIGHT)
    expected = torch.diag((_box(G) > _box(G).min()).double()) * np.exp(0.2)
    g = G.clone()
    for jacobian in (
        torch.func.jacrev,
        torch.func.jacfwd,
        lambda f: lambda g: torch.autograd.functional.jacobian(f, g),
    ):
        torch.testing.assert_close(jacobian(lambda g: layer(g, 0.2, 0.1).x)(g), expected, atol=1e-6, rtol=0)


def _box(g):
    return torch.maximum(g * np.exp(0.2), torch.tensor(0.1 * np.exp(-0.2)))


def test_a_tensor_changed_in_place_before_backward_is_noticed():
    g = G.clone().requires_grad_()
    sol = Layer(box())(g, 0.1, 0.1)
    with torch.no_grad():
        g.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        sol.x.sum().backward()


def test_bad_values_are_explained():
    layer = Layer(least())
    Q, c = torch.eye(2), torch.zeros(4, 2)
    with pytest.raises(BindError, match=r"did you mean `lo`"):
        layer(Q, c, low=0.0, t=1.0)
    with pytest.raises(BindError, match=r"`t` is declared nonneg, but is -0\.3 at batch index 3"):
        layer(Q, c, 0.0, torch.tensor([0.0, 1.0, 2.0, -0.3]))
    with pytest.raises(BindError, match="smallest eigenvalue is -1"):
        layer(torch.tensor([[1.0, 2.0], [2.0, 1.0]]), c, 0.0, 1.0)
    with pytest.raises(BindError, match="`c` is NaN at batch index 2, entry"):
        layer(Q, torch.where(torch.arange(4)[:, None] == 2, torch.nan, c), 0.0, 1.0)
    with pytest.raises(BindError, match=r"`Q` of shape \[2, 3\] has size 3 along axis 1"):
        layer(torch.ones(2, 3), c, 0.0, 1.0)
    with pytest.raises(BindError, match=r"not an array of real numbers: its dtype is torch\.complex64"):
        layer(Q.to(torch.complex64), c, 0.0, 1.0)
    with pytest.raises(BindError, match="not an array of real numbers"):
        layer(Q, c, "zero", 1.0)


def test_a_derived_parameter_that_overflows_is_explained():
    with pytest.raises(BindError, match="`w` is not defined at batch index 1: an exponential of 1000, which overflows"):
        Layer(box())(G, torch.tensor([0.0, 1000.0]), 0.1)


def test_misspelt_options():
    with pytest.raises(BindError, match="tolerance"):
        Layer(box(), tolerence=1e-3)
    with pytest.raises(BindError, match="clarabel"):
        Layer(box(), solver="clarabell")
    with pytest.raises(BindError, match="did you mean `raise`"):
        Layer(box(), on_failure="rais")
    with pytest.raises(BindError, match="compiled program has its dims"):
        Layer(box(), dims={"n": 3})


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"]
)
def test_copies(duplicate):
    layer = Layer(box(), on_failure="nan", tolerance=1e-7)
    before = layer(G, 0.3, 0.5).x
    twin = duplicate(torch.nn.Sequential(layer))[0]
    assert twin is not layer and twin.on_failure == "nan" and twin.options == layer.options
    torch.testing.assert_close(twin(G, 0.3, 0.5).x, before)


def test_a_saved_program_as_a_source(tmp_path):
    Runner(box()).save(tmp_path / "box.npz")
    torch.testing.assert_close(Layer(tmp_path / "box.npz")(G, 0.3, 0.5).x, Layer(box())(G, 0.3, 0.5).x)


def test_in_a_training_loop():
    """Learn the log-scale z that makes x match: a layer among other modules and an optimizer."""
    layer, z = Layer(box()), torch.nn.Parameter(torch.zeros((), dtype=torch.float64))
    optimizer = torch.optim.Adam([z], lr=0.1)
    target = torch.maximum(G * np.exp(0.7), torch.tensor(0.1 / np.exp(0.7)))
    for _ in range(100):
        optimizer.zero_grad()
        (layer(G, z, 0.1).x - target).square().sum().backward()
        optimizer.step()
    assert abs(z.item() - 0.7) < 1e-2


def test_parameters_of_sparse_layout():
    sol = Layer(box())(G.to_sparse(), 0.3, 0.5)
    torch.testing.assert_close(sol.x, Layer(box())(G, 0.3, 0.5).x)
