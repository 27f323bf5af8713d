"""Second derivatives: Hessians in every mode, against central differences of gradients and against one another."""

from __future__ import annotations

import functools
import warnings

import pytest
import torch
from torch import Tensor
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vmap

import dpplang
from dpplang import Smoothed
from dpplang.core.errors import DppError
from dpplang.torch import Layer
from tests.bind.programs import interval

torch.set_num_threads(1)

PROGRAMS = {
    "quadratic": """
dim n, m, p
param Q[n, n] psd, q[n], G[m, n], h[m], A[p, n], b[p]
var x[n]
minimize quad_form(x, Q) + q' @ x
subject to
  ineq: G @ x <= h
  A @ x == b
return x, dual ineq
""",
    "norms": """
dim n
param a[n], t pos, B[n, n]
var x[n]
minimize sum_squares(B @ x - a) + norm2(x - 2 * a)
subject to
  c: norm2(x) <= t
return x, dual c
""",
    "matrix": """
dim n
param C[n, n] symmetric, t pos
var X[n, n] symmetric
maximize -sum_squares(X - C) - t * lambda_max(X)
subject to
  X in psd
  trace(X) == t
return X
""",
    "exponentials": """
dim n
param c[n], t pos
var x[n]
minimize c' @ x + t * sum_squares(x)
subject to
  e: sum(exp(x)) <= 2
return x, dual e
""",
    "entropy": """
dim n
param c[n], t pos
var x[n]
minimize c' @ x - t * sum(entr(x))
subject to
  e: sum(x) == 1
return t * x, dual e
""",
    "logistic": """
dim N, n
param X[N, n], y[N], reg pos
derived yX[n] = X' @ y
var th[n]
minimize sum(logistic(X @ th)) - yX' @ th + reg * sum_squares(th)
return th
""",
    "powers": """
dim n
param c[n] pos, t pos
var x[n]
maximize 2 * geo_mean(x) - c' @ x
subject to
  pnorm(x, 3) <= t
return x
""",
    "derived": """
dim n
param S[n, n] psd, mu[n], gamma pos
derived L[n, n] = sqrt(gamma) * chol(S)'
var w[n]
maximize mu' @ w - sum_squares(L @ w)
subject to
  budget: sum(w) == 1
  w >= 0
return w, dual budget
""",
}


def values(name: str, seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    def definite(n: int) -> Tensor:
        root = normal(n, n)
        return root @ root.mT + torch.eye(n, dtype=torch.float64)

    def number(value: float) -> Tensor:
        return torch.tensor(value, dtype=torch.float64)

    match name:
        case "quadratic":
            return [definite(4), normal(4), normal(3, 4), 0.3 * normal(3), normal(1, 4), normal(1)]
        case "norms":
            return [normal(4), number(0.7), normal(4, 4)]
        case "matrix":
            C = normal(3, 3)
            return [C + C.mT, number(0.8)]
        case "exponentials":
            return [normal(3) - 1, number(0.6)]
        case "entropy":
            return [normal(3), number(0.6)]
        case "logistic":
            return [normal(6, 3), normal(6).sigmoid(), number(0.3)]
        case "powers":
            return [0.3 * normal(3).sigmoid(), number(1.6)]
        case _:
            return [definite(3), normal(3), number(0.7)]


def case(name: str, **options) -> tuple[functools.partial[Tensor], Tensor]:
    """A loss of one flat vector that reads all outputs and the value, and the vector."""
    layer = Layer(dpplang.parse(PROGRAMS[name]), **options)
    given = values(name)
    return functools.partial(loss, layer, [v.shape for v in given]), torch.cat([v.reshape(-1) for v in given])


def loss(layer: Layer, shapes: list[torch.Size], flat: Tensor) -> Tensor:
    sizes = [s.numel() for s in shapes]
    given = [part.reshape(s) for part, s in zip(flat.split(sizes), shapes, strict=True)]
    symmetric = {"Q", "C", "S"}
    names = layer._programs._source.parameters
    sol = layer(**{n: 0.5 * (v + v.mT) if n in symmetric else v for n, v in zip(names, given, strict=True)})
    outs = [sol[name] for name in sol.names]
    weights = [torch.cos(torch.arange(o.numel(), dtype=o.dtype) + 1).reshape(o.shape) for o in outs]
    inner = sum((w * o).sum() for w, o in zip(weights, outs, strict=True))
    return inner**2 + sum(torch.sin(o).sum() for o in outs) + sol.value * (1 + 0.3 * inner)


def differences(f, at: Tensor, step: float = 1e-4) -> Tensor:
    """Rows of the Jacobian of ∇f by central differences of order 4."""
    rows = []
    for e in step * torch.eye(at.numel(), dtype=at.dtype):
        ahead, behind = grad(f)(at + e) - grad(f)(at - e), grad(f)(at + 2 * e) - grad(f)(at - 2 * e)
        rows.append((8 * ahead - behind) / (12 * step))
    return torch.stack(rows)


@pytest.mark.parametrize("name", PROGRAMS)
def test_hessian_is_the_difference_of_gradients(name: str) -> None:
    f, at = case(name, tolerance=1e-11, refine=3)
    found = torch.autograd.functional.hessian(f, at)
    size = found.abs().max()
    assert size > 0.1
    assert (found - differences(f, at)).abs().max() < 2e-6 * size
    assert (found - found.T).abs().max() < 1e-9 * size


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_mode_gives_the_same(name: str) -> None:
    """Reverse over reverse, forward over reverse, reverse over forward, forward over forward."""
    f, at = case(name)
    plain = torch.autograd.functional.hessian(f, at)
    for transform in (hessian(f), jacrev(jacrev(f)), jacrev(jacfwd(f)), jacfwd(jacfwd(f))):
        torch.testing.assert_close(transform(at), plain, rtol=1e-9, atol=1e-9 * float(plain.abs().max()))


@pytest.mark.parametrize("solver", ["clarabel", "scs"])
@pytest.mark.parametrize("name", ["quadratic", "logistic", "norms"])
def test_whatever_method_solves(name: str, solver: str) -> None:
    expected = torch.autograd.functional.hessian(*case(name))
    found = torch.autograd.functional.hessian(*case(name, solver=solver, refine=4))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))


def test_products_cost_no_hessian() -> None:
    """Hessian times vector, both ways round."""
    f, at = case("norms")
    v = torch.linspace(-1, 1, at.numel(), dtype=at.dtype)
    expected = torch.autograd.functional.hessian(f, at) @ v
    _, forward = jvp(grad(f), (at,), (v,))
    _, reverse = torch.autograd.functional.vhp(f, at, v)
    torch.testing.assert_close(forward, expected)
    torch.testing.assert_close(reverse, expected)


BATCHED = """
dim n
param Q[n, n] psd, c[n], s
derived S[n, n] = chol(Q)'
var x[n]
minimize 0.5 * sum_squares(S @ x) + c' @ x + norm2(x - 2)
subject to
  floor: x >= s
return s * x, dual floor
"""


@pytest.fixture
def batch() -> tuple[Layer, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(5, 3, 3, generator=generator, dtype=torch.float64)
    c = torch.randn(5, 3, generator=generator, dtype=torch.float64)
    s = torch.tensor(0.3, dtype=torch.float64)
    return Layer(dpplang.parse(BATCHED)), root @ root.mT + torch.eye(3, dtype=torch.float64), c, s


def test_batch_and_shared_parameters(batch) -> None:
    """The Hessian of a sum over the batch is that of every element; a shared parameter's is summed."""
    layer, Q, c, s = batch

    def f(Q, c, s):
        sol = layer(Q, c, s)
        return (sol.x**3).sum(-1) + (sol.value * sol.dual.floor.sum(-1)) ** 2

    whole = hessian(lambda c, s: f(Q, c, s).sum(), argnums=(0, 1))(c, s)
    alone = [hessian(f, argnums=(1, 2))(Q[i], c[i], s) for i in range(5)]
    for i, (cc, cs) in enumerate(h[0] for h in alone):
        torch.testing.assert_close(whole[0][0][i, :, i], cc, rtol=1e-8, atol=1e-8)
        torch.testing.assert_close(whole[0][1][i], cs, rtol=1e-8, atol=1e-8)
        assert whole[0][0][i, :, (i + 1) % 5].abs().max() < 1e-12
    torch.testing.assert_close(whole[1][1], sum(h[1][1] for h in alone), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("dims", [(0, 0, None), (None, 0, None), (0, 0, 0)])
def test_per_sample_hessians(batch, dims) -> None:
    layer, Q, c, s = batch
    given = [Q, c, s.expand(5) * torch.linspace(0.5, 1.5, 5, dtype=s.dtype)]
    args = [v if d == 0 else v[0] for v, d in zip(given, dims, strict=True)]

    def f(Q, c, s):
        sol = layer(Q, c, s)
        return (sol.x**3).sum() + (sol.value * sol.dual.floor.sum()) ** 2

    for transform in (hessian, lambda f, argnums: jacfwd(jacfwd(f, argnums), argnums)):
        found = vmap(transform(f, argnums=(1, 2)), in_dims=dims)(*args)
        for i in range(5):
            expected = hessian(f, argnums=(1, 2))(*(v[i] if d == 0 else v for v, d in zip(args, dims, strict=True)))
            for one, other in zip(found, expected, strict=True):
                for part, wanted in zip(one, other, strict=True):
                    torch.testing.assert_close(part[i], wanted, rtol=1e-8, atol=1e-8)


def test_gradgradcheck(batch) -> None:
    layer, Q, c, s = batch
    inputs = (c[:2].clone().requires_grad_(), s.clone().requires_grad_())

    def f(c, s):
        sol = layer(Q[:2], c, s)
        return sol.x, sol.dual.floor, sol.value

    assert torch.autograd.gradgradcheck(f, inputs, check_fwd_over_rev=True, check_rev_over_rev=True)


def test_learning_through_a_gradient_step(batch) -> None:
    """Meta-learning: the step of an inner descent through the layer is itself learned."""
    layer, Q, c, s = batch
    rate = torch.tensor(0.05, dtype=torch.float64, requires_grad=True)

    def after(rate: Tensor) -> Tensor:
        inner = c.clone().requires_grad_()
        first = (layer(Q, inner, s).x - 1).square().sum()
        (slope,) = torch.autograd.grad(first, inner, create_graph=True)
        return (layer(Q, inner - rate * slope, s).x - 1).square().sum()

    (found,) = torch.autograd.grad(after(rate), rate)
    with torch.no_grad():
        h = 1e-5
    numeric = (after(rate + h) - after(rate - h)).detach() / (2 * h)
    torch.testing.assert_close(found, numeric, rtol=1e-6, atol=1e-6)
    assert found != 0


def test_modules_and_single_precision(batch) -> None:
    layer, Q, c, s = batch
    args = [t.to(torch.float32) for t in (Q, c, s)]
    f = lambda c: functional_call(layer, {}, (args[0], c, args[2])).x.pow(2).sum()  # noqa: E731
    found = hessian(f)(args[1])
    assert found.dtype == torch.float32
    expected = hessian(lambda c: layer(Q, c, s).x.pow(2).sum())(c)
    torch.testing.assert_close(found.double(), expected, rtol=1e-3, atol=1e-3)


def test_elements_that_failed_have_none() -> None:
    lo = torch.tensor([0.5, 5.0], dtype=torch.float64, requires_grad=True)
    hi = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    sol = Layer(interval(), on_failure="nan")(lo, hi)
    (first,) = torch.autograd.grad(sol.x.nansum() ** 3, lo, create_graph=True)
    second = torch.autograd.grad(first.sum(), (lo, hi), allow_unused=True)
    assert first.isfinite().all() and first[1] == 0
    assert all(part is None or part.isfinite().all() for part in second)
    assert second[0][1] == 0 and second[0][0] != 0


def test_the_least_squares_derivative_has_a_second_one() -> None:
    expected = torch.autograd.functional.hessian(*case("quadratic"))
    found = torch.autograd.functional.hessian(*case("quadratic", derivative="least_squares"))
    torch.testing.assert_close(found, expected)


def test_differences_over_a_distance_have_none(batch) -> None:
    _, Q, c, s = batch
    layer = Layer(dpplang.parse(BATCHED), derivative=Smoothed(tau=1e-3))
    c = c.clone().requires_grad_()
    (first,) = torch.autograd.grad(layer(Q, c, s).x.sum(), c, create_graph=True)
    with pytest.raises(DppError, match=r'derivative="smoothed".*cannot itself be differentiated'):
        torch.autograd.grad(first.sum(), c)


def test_third_derivatives_are_refused_in_words(batch) -> None:
    layer, Q, c, s = batch
    with pytest.raises(DppError, match="derivatives of order 1 and 2"):
        jacrev(hessian(lambda c: layer(Q[0], c, s).x.pow(2).sum()))(c[0])


def test_a_gradient_that_is_not_differentiated_keeps_no_graph(batch) -> None:
    layer, Q, c, s = batch
    c = c.clone().requires_grad_()
    (first,) = torch.autograd.grad(layer(Q, c, s).x.sum(), c)
    assert not first.requires_grad


APEX = """
dim n
param a[n]
var x[n], u[n]
minimize norm2(x)^2 + sum_squares(u - a) - sum(sqrt(u))
return x, u
"""


def test_a_norm_at_zero_is_no_trouble() -> None:
    """The cone of ‖x‖² as norm2(x)^2 is at its apex when x = 0: a kink of the projection, none of the solution."""
    layer = Layer(dpplang.parse(APEX))
    a = torch.tensor([1.0, 2.0], dtype=torch.float64)

    def f(a):
        sol = layer(a)
        return sol.x.sum() + sol.u.pow(2).sum() + sol.value

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.testing.assert_close(hessian(f)(a), differences(f, a), rtol=1e-6, atol=1e-6)
