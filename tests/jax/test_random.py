"""Random programs, sizes, batches and mixes of what JAX follows and what is constant: all of it as the torch layer has it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

jax = pytest.importorskip("jax", reason="JAX is missing: `pip install dpplang[jax]`")
jnp = jax.numpy

from dpplang.jax import Layer  # noqa: E402
from tests.jax.programs import by_torch, parsed  # noqa: E402

PROGRAMS = {
    "quadratic": """
dim n, m
param Q[n, n] psd, c[n], A[m, n], r[m] pos
var x[n]
minimize quad_form(x, Q) + sum_squares(x) + c' @ x
subject to
  sides: A @ x <= r
return x, dual sides
""",
    "second order": """
dim n, m
param A[m, n], b[m], radius pos, c[n]
var x[n]
minimize norm2(A @ x - b) + 0.1 * sum_squares(x) + c' @ x
subject to
  ball: norm2(x) <= radius
return x, dual ball, radius * x
""",
    "exponential": """
dim n
param p[n] pos, t pos
derived logs[n] = t * log(p)
var x[n] nonneg
maximize logs' @ x + sum(entr(x))
subject to
  mass: sum(x) == 1
return x, dual mass
""",
}
LAYERS = {name: Layer(parsed(text)) for name, text in PROGRAMS.items()}
SHAPES = {
    "quadratic": {"Q": "nn", "c": "n", "A": "mn", "r": "m"},
    "second order": {"A": "mn", "b": "m", "radius": "", "c": "n"},
    "exponential": {"p": "n", "t": ""},
}
BATCHES = ((), (), (2,), (1,), (3, 1), (1, 2), (3, 2))


def _values(name: str, batches: list[tuple[int, ...]], n: int, m: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    found = {}
    for (key, axes), batch in zip(SHAPES[name].items(), batches, strict=False):
        value = rng.standard_normal((*batch, *({"n": n, "m": m}[a] for a in axes)))
        if key == "Q":
            value = value @ value.swapaxes(-1, -2)
        found[key] = np.exp(0.5 * value) if key in ("r", "radius", "p", "t") else value
    return found


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(PROGRAMS)),
    batches=st.lists(st.sampled_from(BATCHES), min_size=4, max_size=4),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 3)),
    followed=st.sets(st.integers(0, 3), min_size=1),
    seed=st.integers(0, 2**20),
    jit=st.booleans(),
)
def test_as_torch(name, batches, sizes, followed, seed, jit) -> None:
    values = _values(name, batches, *sizes, seed)
    layer, wrap = LAYERS[name], jax.jit if jit else lambda f: f
    moving = {k: jnp.asarray(v) for i, (k, v) in enumerate(values.items()) if i % 4 in followed or i == 0}
    rng = np.random.default_rng(seed)
    solution = wrap(lambda moving: layer(**{**values, **moving}))(moving)
    weights = {k: rng.standard_normal(solution[k].shape) for k in (*solution.names, "value")}
    outputs, gradients = by_torch(parsed(PROGRAMS[name]), values, weights)

    def loss(moving):
        solution = layer(**{**values, **moving})
        return sum((w * solution[k]).sum() for k, w in weights.items())

    found = wrap(jax.grad(loss))(moving)
    directions = {k: jnp.asarray(rng.standard_normal(v.shape)) for k, v in moving.items()}
    _, moved = wrap(lambda v, d: jax.jvp(loss, (v,), (d,)))(moving, directions)
    for k in weights:
        np.testing.assert_allclose(solution[k], outputs[k], rtol=1e-10, atol=1e-10)
    for k in moving:
        np.testing.assert_allclose(found[k], gradients[k], rtol=1e-8, atol=1e-9)
    along = sum(float(np.vdot(found[k], directions[k])) for k in moving)
    np.testing.assert_allclose(moved, along, rtol=1e-8, atol=1e-8)
