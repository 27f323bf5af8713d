"""Derived parameters as numeric expressions: what NumPy computes, and no node twice."""

from __future__ import annotations

import numpy as np
import pytest

from dpplang.asa.evaluate import evaluate, in_order
from dpplang.lowering.numeric import to_numeric
from tests.lowering.solving import lowered, model_of

RNG = np.random.default_rng(11)
Q = np.diag([1.0, 2.0, 3.0]) + 0.3
C = RNG.standard_normal(3)
M = RNG.standard_normal((2, 3))
VALUES = {"Q": Q, "c": C, "M": M}


def huber(x: np.ndarray, m: float = 1.0) -> np.ndarray:
    return np.where(np.abs(x) <= m, x**2, 2 * m * np.abs(x) - m**2)


CASES = [
    ("", "sum(c[i] * i for i in n if i != 1)", 2 * C[2]),
    ("", "sum(sum(Q[i, j] for j in i:n) * (i + 1) for i in n)", sum((i + 1) * Q[i, i:].sum() for i in range(3))),
    ("", "max(c[i] - Q[i, n - 1 - i] for i in n)", max(C[i] - Q[i, 2 - i] for i in range(3))),
    ("", "min(c[i] for i in 1:n)", C[1:].min()),
    ("[n]", "hstack(2 * c[n - 1 - i] for i in n)", 2 * C[::-1]),
    ("[n, n]", "vstack(Q[i] * c for i in n)", Q * C),
    ("", "huber(c[0]) + log_sum_exp(c)", huber(C[0]) + np.log(np.exp(C).sum())),
    ("[n]", "huber(c, M = 0.5) + maximum(c, 0.1)", huber(C, 0.5) + np.maximum(C, 0.1)),
    ("[2]", "log_sum_exp(M, axis = 1)", np.log(np.exp(M).sum(axis=1))),
    ("[n]", "log_sum_exp(M, axis = 0)", np.log(np.exp(M).sum(axis=0))),
    ("[n, n]", "chol(Q)'", np.linalg.cholesky(Q).T),
    ("[n]", "where(c > 0, c, n * c) + c^2", np.where(C > 0, C, 3 * C) + C**2),
    ("[n, 2]", "(M[0:2] * 2)'", 2 * M.T),
]


@pytest.mark.parametrize("shape,expression,expected", CASES)
def test_values(shape: str, expression: str, expected: np.ndarray) -> None:
    text = f"dim n\nparam Q[n, n] psd, c[n], M[2, n]\nderived r{shape} = {expression}\nvar x\nminimize x^2 + sum(r) * x"
    program, theta = lowered(text, VALUES)
    derived = program.parameters[-1]
    assert derived.name == "r"
    np.testing.assert_allclose(theta[derived.offset :].reshape(derived.shape), expected, atol=1e-12)


def test_what_no_index_touches_is_computed_once() -> None:
    model = model_of(
        "dim n\nparam Q[n, n] psd\nderived r = sum(inv(Q)[i, i] * i for i in n)\nvar x\nminimize x^2 + r * x"
    )
    numeric = to_numeric(model.derived[0].value, {"n": 6})
    assert sum(node.op == "inv" for node in in_order(numeric)) == 1
    q = np.diag(np.arange(1.0, 7.0))
    np.testing.assert_allclose(evaluate(numeric, {"Q": q}, np), sum(i / (i + 1) for i in range(6)))


def test_data_are_referred_to_not_written_out() -> None:
    text = "dim n\ndata F[n, n]\nparam c[n]\nderived r[n] = F @ c\nvar x\nminimize x^2 + sum(r) * x"
    program, theta = lowered(text, {"F": Q, "c": C})
    assert [name for name, _ in program.constants] == ["F"]
    np.testing.assert_allclose(theta[3:], Q @ C)
