"""Every kind of rewrite: the text it makes, to the letter, and that the program then checks."""

from __future__ import annotations

import pytest

from dpplang.core.diagnostics import Applicability
from dpplang.core.edits import mend
from dpplang.core.source import Source
from tests.semantics.helpers import run

HEAD = """\
dim n, m, T, k
data B[n, m], F[k, n]
param p nonneg, q, g pos, b[n], x0[n], v[n] pos, S[n, n], P[n, n] psd
param Om[k, k] psd, A[T, k, n], r[T] pos
derived R[k, n] = chol(Om)' @ F
var x[n], u[m], y, w[T, n]
"""
TAIL = "return x, u, y, w\n"


def mended(text: str, unsafe: bool = False) -> str:
    result = mend(Source("m.dpp", text), lambda source: run(source.text, source=source).diagnostics, unsafe=unsafe)
    assert not [d.code for d in result.diagnostics if d.is_error]
    return result.source.text


CASES = {
    # --- derived parameters
    "quotient": ("minimize sum_squares(x) / p\n", "derived p_inv = 1 / p\nminimize sum_squares(x) * p_inv\n"),
    "quotient of a product": ("minimize q * y / (1 + p)\n", "derived inv = 1 / (1 + p)\nminimize q * y * inv\n"),
    "quotient by entries": ("minimize norm1(x / v)\n", "derived v_inv = 1 / v\nminimize norm1(x * v_inv)\n"),
    "function of a parameter": ("minimize exp(q) * y\n", "derived exp_q = exp(q)\nminimize exp_q * y\n"),
    "absolute value": ("minimize abs(q) * norm1(x)\n", "derived abs_q = abs(q)\nminimize abs_q * norm1(x)\n"),
    "product of parameters": ("minimize q * p * y\n", "derived qp = q * p\nminimize qp * y\n"),
    "power": ("minimize q^2 * y\n", "derived q_sq = q^2\nminimize q_sq * y\n"),
}
