"""Random convex programs, a batch of them: gradients are central differences, alone and among neighbours."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import dpplang
from dpplang.runtime.warn import DerivativeWarning
from tests.lowering.test_random_programs import CONSTANT, CONVEX, HEAD, PARAMETRIC, N

BATCH, STEP = 3, 1e-5


def program(draw) -> str:
    """A strongly convex program with up to three random terms and up to two random constraints."""

    def term() -> str:
        scaled = draw(st.booleans())
        text, _ = draw(st.sampled_from(CONSTANT if scaled else PARAMETRIC + CONSTANT))
        atom, _ = draw(st.sampled_from(CONVEX))
        return f"q * {atom.format(text)}" if scaled else atom.format(text)

    terms = [term() for _ in range(draw(st.integers(1, 3)))]
    bounds = [term() for _ in range(draw(st.integers(0, 2)))]
    text = f"{HEAD}minimize {' + '.join(['0.3 * sum_squares(x - 1)', '0.3 * sum_squares(X)', *terms])}\nsubject to\n"
    return text + "  top: x <= 3\n" + "".join(f"  {t} <= 20\n" for t in bounds) + "return x, X, dual top\n"


def values(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    shapes = {"A": (N, N), "b": (N,), "p": (), "q": ()}
    found = {name: rng.standard_normal((BATCH, *shape)) for name, shape in shapes.items()}
    return found | {"p": np.abs(found["p"]) + 0.1, "q": np.abs(found["q"]) + 0.1}


@pytest.mark.slow
@given(st.data(), st.integers(0, 1000))
@settings(max_examples=30, deadline=None, phases=[Phase.generate])
def test_gradients(data, seed: int) -> None:
    text, rng = program(data.draw), np.random.default_rng(seed + 1)
    problem, theta = dpplang.parse(text), values(seed)
    constants = {"C": rng.standard_normal((N, N)), "d": rng.standard_normal(N)}
    upstream = {"x": rng.standard_normal((BATCH, N)), "X": rng.standard_normal((BATCH, N, N)), "value": rng.standard_normal(BATCH)}
    direction = {name: rng.standard_normal(v.shape) for name, v in theta.items()}

    def loss(step: float, rows: slice | int = slice(None)):
        moved = {name: v[rows] + step * direction[name][rows] for name, v in theta.items()}
        return problem.solve(moved, data=constants, options={"refine": 3})

    with warnings.catch_warnings():
        warnings.simplefilter("error", DerivativeWarning)
        try:
            here = loss(0.0)
            gradients = here.backward(upstream)
        except DerivativeWarning:
            return  # a kink, which is said aloud: no derivative to compare with
    inner = sum((g * direction[n]).reshape(BATCH, -1).sum(axis=1) for n, g in gradients.items())

    def slope(h: float) -> np.ndarray:
        ahead, behind = loss(h), loss(-h)
        return sum(((ahead[n] - behind[n]) * u).reshape(BATCH, -1).sum(axis=1) for n, u in upstream.items()) / (2 * h)

    coarse, fine = slope(STEP), slope(STEP / 4)
    smooth = np.abs(coarse - fine) <= 1e-5 * (1 + np.abs(fine))  # else the step crosses a kink
    np.testing.assert_allclose(inner[smooth], fine[smooth], rtol=2e-5, atol=2e-5, err_msg=text)
    # forward mode is the same number from the other side
    tangents = here.tangent(direction)
    forward = sum((tangents[n] * u).reshape(BATCH, -1).sum(axis=1) for n, u in upstream.items())
    np.testing.assert_allclose(forward, inner, rtol=1e-8, atol=1e-8, err_msg=text)
    # neighbours do not matter
    alone = loss(0.0, 1)
    np.testing.assert_allclose(alone.x, here.x[1], rtol=0, atol=1e-9, err_msg=text)
    single = alone.backward({n: u[1] for n, u in upstream.items()})
    for name, gradient in gradients.items():
        np.testing.assert_allclose(single[name], gradient[1], rtol=1e-7, atol=1e-7, err_msg=text)
