"""Outputs: prepared read-outs against the definition, and their reverse against differences."""

from __future__ import annotations

import numpy as np
import pytest

from dpplang.asa.program import OutputMap
from dpplang.runtime.outputs import Cotangents, Sources, prepare, pull_back, read
from tests.bind.programs import affine, least

RNG = np.random.default_rng(1)
PROGRAM = least(2)
K = PROGRAM.n_theta


def _random(entries: int, size: int) -> OutputMap:
    touched = [
        (int(RNG.integers(entries)), int(RNG.integers(K)), float(RNG.standard_normal())) for _ in range(2 * entries)
    ]
    values = affine(entries, K, touched, RNG.standard_normal(entries))
    return OutputMap("o", (size,), RNG.integers(0, size, entries), RNG.integers(0, 6, entries), values)


def _sources(batch: int, shared: bool) -> Sources:
    rows = [1 if shared and k % 2 else batch for k in range(len(PROGRAM.parameters))]
    theta = tuple(RNG.standard_normal((r, p.size)) for r, p in zip(rows, PROGRAM.parameters, strict=True))
    return Sources(RNG.standard_normal((batch, 2)), RNG.standard_normal((batch, 2)), RNG.standard_normal(batch), theta)


def _by_definition(output: OutputMap, sources: Sources) -> np.ndarray:
    batch = sources.x.shape[0]
    z = np.concatenate([sources.x, sources.y, sources.value[:, None], np.ones((batch, 1))], axis=1)
    theta = np.concatenate([np.broadcast_to(t, (batch, t.shape[1])) for t in sources.theta], axis=1)
    out = np.zeros((batch, int(np.prod(output.shape))))
    for b in range(batch):
        coefficients = output.values(theta[b])
        for row, column, c in zip(output.rows, output.columns, coefficients, strict=True):
            out[b, row] += c * z[b, column]
    return out.reshape(batch, *output.shape)


OUTPUTS = [*PROGRAM.outputs, *PROGRAM.variables, *PROGRAM.duals, _random(9, 4), _random(3, 1), _random(0, 2)]


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda o: o.name)
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("batch", [0, 1, 3])
def test_read(output, shared, batch):
    sources = _sources(batch, shared)
    np.testing.assert_allclose(read(prepare(PROGRAM, output), sources), _by_definition(output, sources), atol=1e-12)


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda o: o.name)
@pytest.mark.parametrize("shared", [True, False])
def test_pull_back_is_the_transpose(output, shared):
    """⟨g, d out⟩ = ⟨pull back of g, d sources⟩, by central differences (outputs are bilinear, so these are exact)."""
    sources, step = _sources(3, shared), _sources(3, shared)
    readout = prepare(PROGRAM, output)
    gradient = RNG.standard_normal((3, *output.shape))
    into = Cotangents(None, None, None, [None] * len(PROGRAM.parameters))
    pull_back(readout, gradient, sources, into)

    def moved(t: float) -> np.ndarray:
        theta = tuple(a + t * b for a, b in zip(sources.theta, step.theta, strict=True))
        return read(
            readout,
            Sources(sources.x + t * step.x, sources.y + t * step.y, sources.value + t * step.value, theta),
        )

    change = (gradient * (moved(1.0) - moved(-1.0)) / 2).sum()
    pairs = [(into.x, step.x), (into.y, step.y), (into.value, step.value), *zip(into.theta, step.theta, strict=True)]
    found = sum(float((a * b).sum()) for a, b in pairs if a is not None)
    np.testing.assert_allclose(found, change, rtol=1e-9, atol=1e-12)


def test_a_failed_element_adds_nothing_to_what_is_shared():
    """NaN in the sources of an element with a zero gradient stays there."""
    sources = _sources(2, True)
    sources.x[0] = np.nan
    into = Cotangents(None, None, None, [None] * len(PROGRAM.parameters))
    pull_back(prepare(PROGRAM, PROGRAM.outputs[0]), np.array([0.0, 1.0]), sources, into)
    assert all(np.isfinite(t).all() for t in into.theta if t is not None)
    assert np.isfinite(into.x).all()
