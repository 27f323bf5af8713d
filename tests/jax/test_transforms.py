"""Every transform of JAX through the layer, and what is composed of them: against the torch layer, and each other."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

jax = pytest.importorskip("jax", reason="JAX is missing: `pip install dpplang[jax]`")
jnp = jax.numpy

from dpplang.core.errors import DppError  # noqa: E402
from dpplang.jax import Layer  # noqa: E402
from dpplang.jax.call import Call  # noqa: E402
from dpplang.torch import Layer as TorchLayer  # noqa: E402
from tests.jax.programs import FLOOR, by_torch, floor_values, parsed, weights_for  # noqa: E402

NAMES = ("out0", "x", "dual.floor", "value")
compiled = pytest.mark.parametrize("compile_", [lambda f: f, jax.jit], ids=["eager", "jit"])


@pytest.fixture(scope="module")
def layer() -> Layer:
    return Layer(parsed(FLOOR))


@pytest.fixture
def values() -> dict:
    return {k: jnp.asarray(v) for k, v in floor_values().items()}


@pytest.fixture
def solves(monkeypatch) -> list:
    """The batch of every solve that is made."""
    found = []
    solved = Call._solved

    def spy(self, values):
        solution = solved(self, values)
        found.append(solution.codes.shape)
        return solution

    monkeypatch.setattr(Call, "_solved", spy)
    return found


def loss(layer, weights, values):
    solution = layer(**values)
    return sum((jnp.asarray(w) * solution[name]).sum() for name, w in weights.items())


def close(ours, theirs, atol=1e-10) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=atol)


@compiled
@pytest.mark.parametrize("names", [NAMES, *((n,) for n in NAMES)], ids=str)
def test_outputs_and_gradients_are_those_of_torch(layer, compile_, names) -> None:
    values = floor_values()
    weights = weights_for(parsed(FLOOR), values, names)
    outputs, gradients = by_torch(parsed(FLOOR), values, weights)
    given = {k: jnp.asarray(v) for k, v in values.items()}
    solution = compile_(layer)(**given)
    for name in names:
        close(solution[name], outputs[name])
    for name, gradient in compile_(jax.grad(partial(loss, layer, weights)))(given).items():
        close(gradient, gradients[name])


@compiled
def test_gradients_against_central_differences(layer, values, compile_) -> None:
    weights = weights_for(parsed(FLOOR), floor_values(), NAMES)
    f = compile_(partial(loss, layer, weights))
    found = compile_(jax.grad(partial(loss, layer, weights)))(values)
    rng = np.random.default_rng(4)
    for name, value in values.items():
        direction = rng.standard_normal(value.shape)
        direction = direction + direction.swapaxes(-1, -2) if name == "Q" else direction
        ahead, behind = ({**values, name: value + sign * 1e-5 * direction} for sign in (1, -1))
        close((f(ahead) - f(behind)) / 2e-5, np.sum(found[name] * direction), 1e-6)


@compiled
def test_forward_mode_is_the_transpose_of_reverse_mode(layer, values, compile_) -> None:
    weights = weights_for(parsed(FLOOR), floor_values(), NAMES)
    rng = np.random.default_rng(5)
    directions = {k: jnp.asarray(rng.standard_normal(v.shape)) for k, v in values.items()}
    f = partial(loss, layer, weights)
    gradient = compile_(jax.grad(f))(values)
    _, moved = compile_(lambda v, d: jax.jvp(f, (v,), (d,)))(values, directions)
    close(moved, sum(jnp.vdot(gradient[k], directions[k]) for k in values))
    _, linear = jax.linearize(f, values)
    close(compile_(linear)(directions), moved)
    (back,) = jax.linear_transpose(linear, directions)(1.0)
    for k in values:
        close(back[k], gradient[k])


@compiled
def test_jacobians(layer, values, compile_) -> None:
    def f(c):
        return layer(values["Q"][0], c, -1.0)[0]

    reverse, forward = (compile_(j(f))(values["c"][0]) for j in (jax.jacrev, jax.jacfwd))
    close(reverse, forward)
    assert jnp.abs(reverse).max() > 1e-2
    inner = compile_(jax.vmap(jax.jacfwd(lambda c, Q: layer(Q, c, -1.0)[0])))(values["c"], values["Q"])
    close(inner, compile_(jax.vmap(jax.jacrev(lambda c, Q: layer(Q, c, -1.0)[0])))(values["c"], values["Q"]))
    close(inner[0], reverse)
    outer = compile_(jax.jacrev(lambda c: layer(values["Q"], c, -1.0)[0]))(values["c"])
    close(outer[np.arange(5), :, np.arange(5)], inner)


@compiled
def test_vmap_is_one_batched_solve(layer, values, solves, compile_) -> None:
    expected = layer(**values)
    solves.clear()
    found = compile_(jax.vmap(layer, in_axes=(0, 0, None)))(values["Q"], values["c"], values["s"])
    assert solves == [(5,)]
    for name in NAMES:
        close(found[name], expected[name])
    assert found.status.shape == (5,) and repr(found) == "Result(5 solved; out0 [5, 3], dual.floor [5, 3])"


@pytest.mark.parametrize("axes", [(0, None), (None, 0), (0, 0), (2, 1), (-1, -1)])
def test_any_mapped_axes(layer, values, axes) -> None:
    own = (values["Q"], values["c"])
    args = [a[0] if d is None else jnp.moveaxis(a, 0, d) for a, d in zip(own, axes, strict=True)]
    found = jax.vmap(lambda Q, c: layer(Q, c, values["s"]).x, in_axes=axes)(*args)
    close(found, layer(*(a[0] if d is None else a for a, d in zip(own, axes, strict=True)), values["s"]).x)


def test_vmap_over_calls_that_have_batches_of_their_own(layer, values, solves) -> None:
    Q, c, s = values.values()
    cs = jnp.stack((c, -c))
    expected = layer(Q, cs, s).x
    solves.clear()
    close(jax.vmap(lambda c: layer(Q, c, s).x)(cs), expected)
    close(jax.vmap(jax.vmap(lambda Q, c: layer(Q, c, s).x), in_axes=(None, 0))(Q, cs), expected)
    close(
        jax.vmap(lambda s: layer(Q, c, s).x)(jnp.stack((s, 2 * s))), jnp.stack([layer(Q, c, k * s).x for k in (1, 2)])
    )
    assert solves[:3] == [(2, 5), (2, 5), (2, 5)]


@compiled
def test_gradients_of_vmap_and_vmap_of_gradients(layer, values, solves, compile_) -> None:
    """A parameter that all share has one gradient outside of ``vmap``, and one for each inside; one solve in either."""
    Q, c, s = values.values()

    def one(s, Q, c):
        out, dual = layer(Q, c, s)
        return (out**2).sum() + dual.sum()

    alone = [jax.grad(one, argnums=(0, 1, 2))(s, Q[i], c[i]) for i in range(5)]
    solves.clear()
    each = compile_(jax.vmap(jax.grad(one, argnums=(0, 1, 2)), in_axes=(None, 0, 0)))(s, Q, c)
    assert solves == [(5,)]
    for i in range(5):
        for found, expected in zip(each, alone[i], strict=True):
            close(found[i], expected)
    solves.clear()
    total = compile_(jax.grad(lambda s: jax.vmap(one, in_axes=(None, 0, 0))(s, Q, c).sum()))(s)
    assert solves == [(5,)]
    close(total, each[0].sum())


def test_tangents_under_vmap(layer, values) -> None:
    Q, c, s = values.values()
    d = jnp.ones(3)
    _, moved = jax.vmap(lambda c, Q: jax.jvp(lambda c: layer(Q, c, s)[0], (c,), (d,)))(c, Q)
    close(moved, jax.vmap(jax.jacrev(lambda c, Q: layer(Q, c, s)[0]))(c, Q) @ d)
    _, shared = jax.vmap(lambda c, Q: jax.jvp(lambda s: layer(Q, c, s)[0], (s,), (1.0,)))(c, Q)
    close(shared, jax.jvp(lambda s: layer(Q, c, s)[0], (s,), (1.0,))[1])


@compiled
def test_one_solve_for_a_value_and_all_its_derivatives(layer, values, solves, compile_) -> None:
    Q, c, s = values.values()
    f = partial(loss, layer, weights_for(parsed(FLOOR), floor_values(), NAMES))
    value_and_grad = compile_(jax.value_and_grad(f))
    solves.clear()
    value_and_grad(values)
    assert len(solves) == 1
    compile_(jax.jacrev(lambda c: layer(Q, c, s)[0]))(c)
    assert len(solves) == 2
    again = {**values, "c": c + 1e-9}  # another solution, however near
    close(value_and_grad(again)[0], f(again), 1e-13)


@pytest.mark.parametrize("wrap", [jax.checkpoint, lambda f: jax.jit(jax.checkpoint(jax.jit(f)))], ids=["remat", "both"])
def test_checkpoint(layer, values, wrap) -> None:
    f = partial(loss, layer, weights_for(parsed(FLOOR), floor_values(), NAMES))
    expected, found = jax.grad(f)(values), jax.grad(wrap(f))(values)
    for k in values:
        close(found[k], expected[k])


def test_scan_and_cond(layer, values) -> None:
    """Forty solves in a row, whose derivatives come in the opposite order; more than a bounded memory need hold."""
    Q, c, s = values["Q"][0], values["c"][0], values["s"]

    def step(c):
        return jax.lax.cond(c[0] > 10, lambda c: c, lambda c: c - 0.05 * layer(Q, c, s).x, c)

    def rolled(c):
        return jax.lax.scan(lambda c, _: (step(c), None), c, None, length=40)[0].sum()

    def unrolled(c):
        for _ in range(40):
            c = c - 0.05 * layer(Q, c, s).x
        return c.sum()

    close(jax.jit(jax.grad(rolled))(c), jax.grad(unrolled)(c))


SECOND = """
dim n
param Q[n, n] psd, c[n], s, r pos
var x[n]
minimize quad_form(x, Q) + 0.3 * sum_squares(x) + c' @ x
subject to
  floor: x >= s
  ball:  norm2(x) <= r
return s * x, dual ball
"""


def _bent(solution, sin):
    """A loss whose second derivative has every kind of term."""
    out, dual = solution
    return sin(out).sum() + (dual**2).sum() + (solution.value * out.sum()).sum()


@pytest.fixture(scope="module")
def hessian() -> tuple:
    """Values, and the Hessian that torch has, by blocks of parameters."""
    rng = np.random.default_rng(0)
    root = rng.standard_normal((2, 3, 3))
    Q, c = root @ root.swapaxes(1, 2) + np.eye(3), rng.standard_normal((2, 3))
    values = (Q, c, np.array(-0.5), np.array(0.4))
    theirs = TorchLayer(parsed(SECOND))
    blocks = torch.func.hessian(lambda *v: _bent(theirs(*v), torch.sin), argnums=(0, 1, 2, 3))(
        *map(torch.tensor, values)
    )
    assert min(float(b.abs().max()) for row in blocks for b in row) > 1e-3
    return values, blocks


@compiled
@pytest.mark.parametrize("inner", [jax.jacfwd, jax.jacrev])
@pytest.mark.parametrize("outer", [jax.jacfwd, jax.jacrev])
def test_second_derivatives_are_those_of_torch(hessian, compile_, inner, outer) -> None:
    (values, blocks), layer = hessian, Layer(parsed(SECOND))
    values = tuple(map(jnp.asarray, values))
    every = tuple(range(4))
    found = compile_(outer(inner(lambda *v: _bent(layer(*v), jnp.sin), argnums=every), argnums=every))(*values)
    for row, expected in zip(found, blocks, strict=True):
        for block, other in zip(row, expected, strict=True):
            close(block, other, 1e-9)


@compiled
def test_second_derivatives_under_vmap(hessian, compile_) -> None:
    Q, c, s, r = map(jnp.asarray, hessian[0])
    layer = Layer(parsed(SECOND))

    def one(Q, c, s):
        return _bent(layer(Q, c, s, r), jnp.sin)

    each = compile_(jax.vmap(jax.hessian(one, argnums=(1, 2)), in_axes=(0, 0, None)))(Q, c, s)
    for i in range(2):
        alone = jax.hessian(one, argnums=(1, 2))(Q[i], c[i], s)
        for row, expected in zip(each, alone, strict=True):
            for block, other in zip(row, expected, strict=True):
                close(block[i], other)
    total = compile_(jax.hessian(lambda s: jax.vmap(one, in_axes=(0, 0, None))(Q, c, s).sum()))(s)
    close(total, each[1][1].sum())


def test_second_derivatives_without_x64(hessian) -> None:
    (values, blocks), layer = hessian, Layer(parsed(SECOND))
    with jax.enable_x64(False):
        given = [jnp.asarray(v, "float32") for v in values]
        found = jax.jit(jax.hessian(lambda c: _bent(layer(given[0], c, *given[2:]), jnp.sin)))(given[1])
        assert found.dtype == "float32"
    np.testing.assert_allclose(found, blocks[1][1], rtol=0, atol=1e-4 * float(blocks[1][1].abs().max()))


@compiled
def test_no_second_derivative_through_derived_parameters_and_no_third(layer, values, compile_) -> None:
    """What does not move a derived parameter has one, with others to be differentiated for."""
    Q, c, s = (values[k][0] if k != "s" else values[k] for k in values)
    with pytest.raises(DppError, match="respect to `Q` goes through the derived parameter `S`, which has first"):
        compile_(jax.hessian(lambda Q: layer(Q, c, s).x.sum()))(Q)
    gradient, step = jax.grad(lambda c: (layer(Q, c, -1.0).x ** 2).sum()), 1e-5
    _, found = compile_(lambda c: jax.jvp(gradient, (c,), (c,)))(c)
    close(found, (gradient((1 + step) * c) - gradient((1 - step) * c)) / (2 * step), 1e-6)
    with pytest.raises(DppError, match="a layer has derivatives of order 1 and 2"):
        compile_(jax.grad(lambda c: jax.hessian(lambda c: layer(Q, c, -1.0).x.sum())(c).sum()))(c)


def test_what_is_linear_in_a_derivative_can_be_differentiated(layer, values) -> None:
    """A Gauss–Newton product JᵀJv is linear in v: its derivative with respect to v is no second one."""
    Q, c, s = (values[k][0] if k != "s" else values[k] for k in values)
    f = partial(lambda c: layer(Q, c, s).x)

    def product(v):
        _, moved = jax.jvp(f, (c,), (v,))
        return jax.vjp(f, c)[1](moved)[0]

    J = jax.jacrev(f)(c)
    close(jax.jacrev(product)(c), J.T @ J)
    close(jax.jacfwd(product)(c), J.T @ J)
    close(jax.jit(jax.jacrev(product))(c), J.T @ J)
