"""Forward mode is the transpose of reverse mode, operation by operation and through whole expressions."""

from __future__ import annotations

import numpy as np
import pytest

from dpplang.asa.evaluate import evaluate
from dpplang.asa.evaluate_jvp import evaluate_jvp
from dpplang.asa.evaluate_vjp import evaluate_vjp
from tests.asa.build import op, ref
from tests.asa.test_evaluate import CASES, IDS, _draw


@pytest.mark.parametrize("batches", [[(), (), ()], [(2, 1), (5,), ()]], ids=["alone", "batched"])
@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_transpose(case, batches) -> None:
    values = _draw(case, dict(zip(case.shapes, batches, strict=False)))
    rng = np.random.default_rng(0)
    direction = {name: rng.standard_normal(v.shape) for name, v in values.items()}
    forward = evaluate_jvp(case.numeric, values, direction)
    assert forward.shape == np.shape(evaluate(case.numeric, values, np))
    g = rng.standard_normal(forward.shape)
    reverse = evaluate_vjp(case.numeric, values, g)
    inner = sum(np.sum(reverse[name] * d) for name, d in direction.items() if name in reverse)
    np.testing.assert_allclose(np.sum(forward * g), inner, rtol=1e-9, atol=1e-9)


def test_chain_of_operations_against_central_differences() -> None:
    a, b = ref("a", 3, 3), ref("b")
    gram = op(
        "add", op("matmul", op("transpose", a, shape=(3, 3)), a, shape=(3, 3)), op("eye", shape=(3, 3)), shape=(3, 3)
    )
    factor = op("chol", op("mul", op("exp", b, shape=()), gram, shape=(3, 3)), shape=(3, 3))
    expression = op("norm_fro", op("matmul", factor, a, shape=(3, 3)), shape=())
    rng = np.random.default_rng(1)
    values = {"a": rng.standard_normal((4, 3, 3)), "b": np.array(0.3)}
    direction = {name: rng.standard_normal(v.shape) for name, v in values.items()}
    ahead, behind = (
        evaluate(expression, {n: v + s * 1e-6 * direction[n] for n, v in values.items()}, np) for s in (1, -1)
    )
    np.testing.assert_allclose(evaluate_jvp(expression, values, direction), (ahead - behind) / 2e-6, rtol=1e-7)


def test_what_stands_still_does_not_move() -> None:
    expression = op("mul", ref("a", 2), ref("b", 2), shape=(2,))
    values = {"a": np.ones(2), "b": np.arange(2.0)}
    np.testing.assert_array_equal(evaluate_jvp(expression, values, {}), np.zeros(2))
    np.testing.assert_array_equal(evaluate_jvp(expression, values, {"b": np.ones(2)}), np.ones(2))
