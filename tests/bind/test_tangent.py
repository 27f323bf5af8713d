"""Forward mode on NumPy: against central differences, through derived parameters and parametrized outputs."""

from __future__ import annotations

import numpy as np
import pytest

import dpplang
from dpplang import BindError

TEXT = """
dim n, m
param Q[n, n] psd, c[n], G[m, n], h[m], s
derived S[n, n] = chol(Q)'
derived w[n] = exp(s * c)
var x[n]
minimize 0.5 * sum_squares(S @ x) + sum(w * x)
subject to
  rows: G @ x <= h
return s * x + c, dual rows, 2 * value
"""


def draw(rng: np.random.Generator, batch: tuple[int, ...]) -> dict[str, np.ndarray]:
    root = rng.normal(size=(*batch, 4, 4))
    return {
        "Q": root @ root.swapaxes(-1, -2) + np.eye(4), "c": rng.normal(size=(*batch, 4)), "G": rng.normal(size=(3, 4)),
        "h": rng.uniform(size=(*batch, 3)) - 0.5, "s": np.array(0.4),
    }  # fmt: skip


@pytest.mark.parametrize("batch", [(), (5,), (2, 3)])
def test_against_central_differences_and_the_reverse_mode(batch: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    values, problem, h = draw(rng, batch), dpplang.parse(TEXT), 1e-6
    direction = {name: rng.normal(size=v.shape) for name, v in values.items()}
    direction["Q"] = direction["Q"] + direction["Q"].swapaxes(-1, -2)
    solution = problem.solve(values)
    tangent = solution.tangent(direction)
    ahead, behind = (problem.solve({n: v + e * h * direction[n] for n, v in values.items()}) for e in (1, -1))
    for name in (*solution.names, "x", "dual.rows", "value"):
        assert np.shape(tangent[name]) == np.shape(solution[name])
        np.testing.assert_allclose(tangent[name], (ahead[name] - behind[name]) / (2 * h), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(tangent.dual.rows, tangent["dual.rows"])
    upstream = {name: rng.normal(size=np.shape(solution[name])) for name in solution.names}
    gradients = solution.backward(upstream)
    forward = sum(np.sum(tangent[name] * g) for name, g in upstream.items())
    assert forward == pytest.approx(sum(np.sum(g * direction[name]) for name, g in gradients.items()), rel=1e-9)


def test_one_direction_for_the_whole_batch_and_parameters_that_stand_still() -> None:
    rng = np.random.default_rng(1)
    solution = dpplang.parse(TEXT).solve(draw(rng, (3,)))
    d = rng.normal(size=4)
    one, each = solution.tangent({"c": d}), solution.tangent({"c": np.tile(d, (3, 1))})
    np.testing.assert_array_equal(one.x, each.x)
    np.testing.assert_array_equal(solution.tangent({}).x, np.zeros((3, 4)))


def test_failed_elements_stand_still() -> None:
    text = "param lo, hi\nvar x\nminimize square(x)\nsubject to\n  a: x >= lo\n  b: x <= hi\n"
    solution = dpplang.parse(text).solve(lo=np.array([1.0, 2.0]), hi=np.array([2.0, 1.0]), on_failure="nan")
    np.testing.assert_allclose(solution.tangent({"lo": 1.0}).x, [1.0, 0.0], atol=1e-9)


@pytest.mark.parametrize(("directions", "code"), [({"k": 1.0}, "BND710"), ({"c": np.ones(3)}, "BND721")])
def test_mistakes(directions: dict[str, object], code: str) -> None:
    solution = dpplang.parse(TEXT).solve(draw(np.random.default_rng(2), ()))
    with pytest.raises(BindError) as caught:
        solution.tangent(directions)
    assert caught.value.diagnostics[0].code == code
