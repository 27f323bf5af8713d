"""The JAX layer: names, batches, dtypes, failures, errors, copies, pytrees, threads, training."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="JAX is missing: `pip install dpplang[jax]`")
jnp = jax.numpy

from dpplang.core.errors import BindError, SolveError  # noqa: E402
from dpplang.jax import Layer  # noqa: E402
from tests.bind.programs import box, interval, least  # noqa: E402
from tests.jax.programs import FLOOR, INTERVAL, by_torch, floor_values, parsed  # noqa: E402

G = np.array([1.0, -2.0, 3.0])
FAILED = (jax.errors.JaxRuntimeError, ValueError)  # JAX raises either for an error of the host


def test_names_positions_and_unpacking():
    layer = Layer(box())
    g = jnp.asarray(G)
    sol = layer(g=g, z=0.3, lower=0.5)
    x, dual = sol
    assert x is sol.x and dual is sol["dual.floor"] and sol.names == ("x", "dual.floor")
    np.testing.assert_array_equal(x, layer(g, 0.3, lower=0.5)[0])
    assert sol.value.shape == () and int(sol.status) == 0 and sol.status_names[0] == "solved"
    assert repr(sol) == "Result(solved; x [3], dual.floor [3])" and repr(layer) == "Layer('m.dpp', solver='auto')"
    np.testing.assert_allclose(x, np.maximum(G * np.exp(0.3), 0.5 / np.exp(0.3)), atol=1e-9)
    with pytest.raises(AttributeError, match="has no `y`"):
        _ = sol.y


def test_parameters_by_name_as_a_pytree():
    layer = Layer(box())
    parameters = {"g": jnp.asarray(G), "z": jnp.asarray(0.2), "lower": jnp.asarray(0.1)}
    gradients = jax.grad(lambda p: layer(**p).x.sum())(parameters)
    assert jax.tree.structure(gradients) == jax.tree.structure(parameters)
    _, expected = by_torch(box(), {k: np.asarray(v) for k, v in parameters.items()}, {"x": np.ones(3)})
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, expected[name], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "batches", [((4, 1), (5,), ()), ((1,), (), (3,)), ((2, 1, 1), (1, 3, 1), (4,)), ((0,), (), (1,))]
)
@pytest.mark.parametrize("compile_", [lambda f: f, jax.jit], ids=["eager", "jit"])
def test_batch_dims_broadcast(batches, compile_):
    rng = np.random.default_rng(0)
    values = {
        "g": rng.standard_normal((*batches[0], 3)),
        "z": rng.standard_normal(batches[1]),
        "lower": rng.random(batches[2]),
    }
    full = np.broadcast_shapes(*batches)
    outputs, gradients = by_torch(box(), values, {"x": np.ones((*full, 3)), "value": np.ones(full)})
    layer = Layer(box())

    def f(values):
        solution = layer(**values)
        return solution.x.sum() + solution.value.sum(), solution

    (_, solution), found = compile_(jax.value_and_grad(f, has_aux=True))({k: jnp.asarray(v) for k, v in values.items()})
    assert solution.x.shape == (*full, 3) and solution.status.shape == full
    np.testing.assert_allclose(solution.x, outputs["x"], rtol=0, atol=1e-10)
    for name in values:
        np.testing.assert_allclose(found[name], gradients[name], rtol=0, atol=1e-10)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_dtype_in_is_dtype_out(dtype):
    g = jnp.asarray(G, dtype=dtype)
    zero, half = jnp.zeros((), dtype), jnp.asarray(0.5, dtype)
    layer = Layer(box())
    for compile_ in (lambda f: f, jax.jit):
        sol = compile_(layer)(g, zero, half)
        assert sol.x.dtype == sol.value.dtype == sol.dual.floor.dtype == dtype
        gradient = compile_(jax.grad(lambda g: layer(g, zero, half).x.sum()))(g)
        assert gradient.dtype == dtype
        np.testing.assert_allclose(np.asarray(gradient, float), [1.0, 0.0, 1.0], atol=1e-2)


def test_gradients_have_the_dtype_of_each_parameter():
    layer = Layer(box())
    given = (jnp.asarray(G, "float32"), jnp.zeros((), "float64"), jnp.asarray(1, "int32"))
    assert layer(*given).x.dtype == "float64"
    first, second = jax.grad(lambda g, z: layer(g, z, given[2]).x.sum(), argnums=(0, 1))(*given[:2])
    assert first.dtype == "float32" and second.dtype == "float64"
    assert layer(jnp.asarray([1, 2, 3]), 0, 1).x.dtype == jnp.result_type(float)
    assert layer(G, 0.0, 1.0).x.dtype == "float64" and layer(np.float32(G), 0.0, 1.0).x.dtype == "float32"


@pytest.mark.parametrize("compile_", [lambda f: f, jax.jit], ids=["eager", "jit"])
def test_without_x64_all_between_is_double_precision(compile_):
    """A matrix whose Cholesky factor float32 cannot find: float32 in and out, and right to float32's last digits."""
    rng = np.random.default_rng(0)
    root = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    values = {"Q": np.float32(root @ np.diag([1.0, 1e-3, 1e-6]) @ root.T), "c": np.float32(rng.standard_normal(3))}
    exact = by_torch(parsed(FLOOR), {**values, "s": np.array(0.3)}, {"x": np.ones(3)})
    with jax.enable_x64(False):
        layer, given = Layer(parsed(FLOOR)), {k: jnp.asarray(v) for k, v in values.items()}
        x = compile_(lambda v: layer(**v, s=0.3).x)(given)
        found = compile_(jax.grad(lambda v: layer(**v, s=0.3).x.sum()))(given)
        assert x.dtype == "float32" and found["Q"].dtype == "float32"
    np.testing.assert_allclose(x, exact[0]["x"], rtol=1e-6)
    for k in values:
        np.testing.assert_allclose(found[k], exact[1][k], rtol=1e-5, atol=1e-6)


def test_constants_keep_their_precision():
    """0.1 beside float32 arrays is 0.1, not the float32 nearest to it: 1e8 · (0.1 − float32(0.1)) shows in the result."""
    layer = Layer(parsed("param a, b\nvar x\nminimize (x - 100000000 * (a - b))^2\nreturn x\n"))
    with jax.enable_x64(False):
        x = jax.jit(lambda b: layer(0.1, b).x)(jnp.asarray(0.1, "float32"))
    assert abs(float(x) - 1e8 * (0.1 - float(np.float32(0.1)))) < 1e-5


def test_failures_raise_with_their_indices():
    lo = jnp.asarray([[0.0, 5.0], [1.0, 1.0]])
    with pytest.raises(SolveError, match="low") as error:
        Layer(interval())(lo, jnp.asarray(2.0))
    assert error.value.indices == ((0, 1),)
    layer = Layer(parsed(INTERVAL))
    with pytest.raises(SolveError, match="at batch index 1: infeasible"):
        jax.vmap(layer)(jnp.asarray([0.0, 2.0]), jnp.asarray([1.0, 1.0]))
    with pytest.raises(
        FAILED, match=r"(?s)SolveError: 1 of 2 problems were not solved\n  at batch index 1: infeasible; these"
    ):
        jax.block_until_ready(jax.jit(jax.vmap(layer))(jnp.asarray([0.0, 2.0]), jnp.asarray([1.0, 1.0])))


@pytest.mark.parametrize("compile_", [lambda f: f, jax.jit], ids=["eager", "jit"])
@pytest.mark.parametrize("mapped", [False, True])
def test_failures_as_nan_leave_the_others_and_shared_gradients_alone(compile_, mapped):
    lo, hi = jnp.asarray([0.0, 5.0, 1.0]), jnp.asarray(2.0)
    layer = Layer(interval(), on_failure="nan")
    solve = jax.vmap(layer, in_axes=(0, None)) if mapped else layer
    sol = compile_(solve)(lo, hi)
    assert [sol.status_names[i] for i in sol.status.tolist()] == ["solved", "infeasible", "solved"]
    assert sol.failed.tolist() == [False, True, False] and np.isnan(sol.x[1]) and np.isnan(sol.value[1])
    found = compile_(jax.grad(lambda lo, hi: jnp.nansum(solve(lo, hi).x), argnums=(0, 1)))(lo, hi)
    np.testing.assert_allclose(found[0], [1.0, 0.0, 1.0], atol=1e-9)
    np.testing.assert_allclose(found[1], 0.0, atol=1e-9)
    spoilt = compile_(jax.grad(lambda lo: (solve(lo, hi).x ** 2).sum()))(lo)  # whose upstream gradient is NaN
    np.testing.assert_allclose(spoilt, [0.0, 0.0, 2.0], atol=1e-9)


def test_parametrized_coefficients_of_failed_elements_do_not_spoil_shared_gradients():
    Q = jnp.stack([jnp.eye(2), jnp.zeros((2, 2))])  # the second is unbounded: a linear objective over a half line
    c = -jnp.asarray(np.random.default_rng(0).random((2, 2)))
    layer = Layer(least(), on_failure="nan")
    found = jax.jit(jax.grad(lambda t: jnp.nansum(layer(Q, c, 0.0, t).out0)))(jnp.asarray(1.5))
    assert np.isfinite(found) and found != 0


def test_bad_values_are_explained():
    layer = Layer(least())
    Q, c = jnp.eye(2), jnp.zeros((4, 2))
    with pytest.raises(BindError, match=r"did you mean `lo`"):
        layer(Q, c, low=0.0, t=1.0)
    with pytest.raises(BindError, match=r"`t` is declared nonneg, but is -0\.3 at batch index 3"):
        layer(Q, c, 0.0, jnp.asarray([0.0, 1.0, 2.0, -0.3]))
    with pytest.raises(BindError, match="smallest eigenvalue is -1"):
        layer(jnp.asarray([[1.0, 2.0], [2.0, 1.0]]), c, 0.0, 1.0)
    with pytest.raises(BindError, match=r"`Q` of shape \[2, 3\] has size 3 along axis 1"):
        layer(jnp.ones((2, 3)), c, 0.0, 1.0)
    with pytest.raises(BindError, match=r"batch dims do not broadcast"):
        layer(Q, c, 0.0, jnp.ones(3))
    with pytest.raises(BindError, match=r"not an array of real numbers: its dtype is complex128"):
        layer(Q.astype(complex), c, 0.0, 1.0)
    with pytest.raises(BindError, match="not an array of real numbers"):
        layer(Q, c, "zero", 1.0)
    with pytest.raises(BindError, match="not an array of real numbers: its dtype is key"):
        layer(Q, c, 0.0, jax.random.key(0))


def test_shapes_and_names_are_checked_when_a_function_is_traced_and_values_when_it_runs():
    layer = Layer(least())
    Q, c = jnp.eye(2), jnp.zeros((4, 2))
    with pytest.raises(BindError, match=r"has size 3 along axis 1"):
        jax.eval_shape(lambda Q: layer(Q, c, 0.0, 1.0), jnp.ones((2, 3)))
    solve = jax.jit(lambda t: layer(Q, c, 0.0, t).x)
    solve(jnp.asarray(1.0))
    with pytest.raises(FAILED, match=r"BindError: \n.*`t` is declared nonneg, but is -0\.3"):
        jax.block_until_ready(solve(jnp.asarray(-0.3)))
    np.testing.assert_array_equal(solve(jnp.asarray(1.0)), layer(Q, c, 0.0, 1.0).x)  # and goes on working


def test_data_cannot_be_traced():
    text = "dim m, n\ndata X[m, n]\nparam y[m]\nvar w[n]\nminimize sum_squares(X @ w - y) + sum_squares(w)\nreturn w\n"
    X, y = np.ones((3, 2)), jnp.ones(3)
    expected = Layer(parsed(text), data={"X": X})(y).w
    np.testing.assert_array_equal(jax.jit(lambda y: Layer(parsed(text))(y, X=X).w)(y), expected)
    with pytest.raises(BindError, match="declare it as `param`"):
        jax.jit(lambda X: Layer(parsed(text))(y, X=X).w)(jnp.asarray(X))


def test_misspelt_options():
    with pytest.raises(BindError, match="tolerance"):
        Layer(box(), tolerence=1e-3)
    with pytest.raises(BindError, match="did you mean `raise`"):
        Layer(box(), on_failure="rais")


@pytest.mark.parametrize(
    "twin_of", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"]
)
@pytest.mark.parametrize("source", [box, lambda: parsed(FLOOR)], ids=["compiled", "text"])
def test_copies(twin_of, source):
    layer = Layer(source(), on_failure="nan", tolerance=1e-7)
    twin = twin_of({"layer": layer})["layer"]
    assert twin is not layer and twin.on_failure == "nan" and twin.options == layer.options
    values = floor_values() if isinstance(source(), type(parsed(FLOOR))) else {"g": G, "z": 0.3, "lower": 0.5}
    np.testing.assert_array_equal(twin(**values)[0], layer(**values)[0])


def test_a_layer_is_hashable_and_has_no_leaves():
    """So that it may be a static argument, or sit in the pytree of a model that is compiled and trained."""
    layer = Layer(box())
    model = {"layer": layer, "z": jnp.asarray(0.2)}
    assert jax.tree.leaves(model) == [model["z"]]

    def f(model):
        return model["layer"](jnp.asarray(G), model["z"], 0.1).x.sum()

    gradient = jax.jit(jax.grad(f))(model)
    assert gradient["layer"] is layer
    statically = jax.jit(lambda f, z: f(jnp.asarray(G), z, 0.1).x.sum(), static_argnums=0)
    np.testing.assert_array_equal(statically(layer, model["z"]), f(model))
    assert {layer: 1}[layer] == 1


def test_a_result_is_a_pytree():
    layer = Layer(box())
    sol = jax.jit(layer)(jnp.asarray(G), 0.2, 0.1)
    assert repr(sol) == "Result(solved; x [3], dual.floor [3])"
    doubled = jax.tree.map(lambda a: 2 * a, sol)
    np.testing.assert_array_equal(doubled.dual.floor, 2 * sol.dual.floor)
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_flatten_with_path(sol)[0]]
    assert paths == [".x", ".dual.floor", ".value", ".status"]
    seen = []
    jax.jit(lambda g: seen.append(repr(layer(g, 0.2, 0.1))))(jnp.asarray(G))
    assert seen == ["Result(traced; x [3], dual.floor [3])"]


def test_threads_share_a_compiled_function():
    """Each with values of its own, or all with the same: every gradient is its own solution's."""
    layer = Layer(parsed(FLOOR))
    gradient = jax.jit(jax.grad(lambda v: (layer(**v).x ** 2).sum()))
    each = [{k: jnp.asarray(v) for k, v in floor_values((2,), seed).items()} for seed in (0, 1, 2, 3)] * 4
    expected = [gradient(v) for v in each]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(gradient, each))
    for one, other in zip(found, expected, strict=True):
        for k in one:
            np.testing.assert_array_equal(one[k], other[k])


def test_in_a_training_loop():
    """Learn the log-scale z that makes x match, by plain gradient steps in one compiled function."""
    layer, target = Layer(box()), jnp.maximum(G * np.exp(0.7), 0.1 / np.exp(0.7))

    @jax.jit
    def step(z):
        return z - 0.02 * jax.grad(lambda z: ((layer(jnp.asarray(G), z, 0.1).x - target) ** 2).sum())(z)

    z = jnp.zeros(())
    for _ in range(60):
        z = step(z)
    assert abs(float(z) - 0.7) < 1e-6


def test_several_devices():
    """A batch that is split over two devices: the host solves the whole of it."""
    script = """
import jax, numpy as np, dpplang
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from dpplang.jax import Layer
layer = Layer(dpplang.parse("dim n\\nparam x[n]\\nvar y[n]\\nminimize sum_squares(y - x)\\nsubject to\\n  y >= 0\\nreturn y\\n"))
x = jax.device_put(np.array([[1.0, -2.0], [-3.0, 4.0]]), NamedSharding(Mesh(jax.devices(), "i"), PartitionSpec("i")))
assert len(x.devices()) == 2
for f in (lambda x: layer(x).y.sum(), jax.jit(lambda x: layer(x).y.sum())):
    assert abs(float(f(x)) - 5) < 1e-6
    assert np.allclose(jax.grad(f)(x), [[1, 0], [0, 1]], atol=1e-6)
there = jax.device_put(np.ones(2), jax.devices()[1])
assert layer(there).y.devices() == jax.jit(layer)(there).y.devices() == {jax.devices()[1]}
"""
    environment = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, **environment})


def test_nothing_else_imports_jax():
    script = "import sys, dpplang, dpplang.pipeline, dpplang.programs; sys.exit('jax' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_without_jax_it_says_what_to_install():
    script = "import sys; sys.modules['jax'] = None; import dpplang.jax"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "ImportError: dpplang.jax needs JAX, which is not installed: `pip install 'dpplang[jax]'`" in found.stderr
