"""Random convex programs, written once for us and once for CVXPY: the optimal values agree."""

from __future__ import annotations

from collections.abc import Callable

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from tests.lowering.solving import assert_well_formed, lowered, solve

N = 4
HEAD = "dim n = 4\nparam A[n, n], b[n], p nonneg, q nonneg\ndata C[n, n], d[n]\nvar x[n], X[n, n]\n"
Atom = tuple[str, Callable]

# Affine vectors: with parameters, and with constants alone (what a parameter may scale).
PARAMETRIC = [
    ("A @ x - b", lambda v: v.A @ v.x - v.b),
    ("x - b", lambda v: v.x - v.b),
    ("p * x + d", lambda v: v.p * v.x + v.d),
    ("X @ b", lambda v: v.X @ v.b),
    ("b' @ X", lambda v: v.b @ v.X),
    ("hstack(p * x[0:2], b[1] - x[2], X[0, 1])", lambda v: cp.hstack([v.p * v.x[:2], v.b[1] - v.x[2], v.X[0, 1]])),
    ("convolve(b[0:2], x)", lambda v: cp.convolve(v.b[:2], v.x)),
    ("diag(A @ X)", lambda v: cp.diag(v.A @ v.X)),
    ("hstack(sum(A[i, j] * X[j, i] for j in n if i != j) for i in n)", lambda v: cp.hstack(
        [sum(v.A[i, j] * v.X[j, i] for j in range(N) if i != j) for i in range(N)])),
]  # fmt: skip
CONSTANT = [
    ("x", lambda v: v.x),
    ("C @ x - d", lambda v: v.C @ v.x - v.d),
    ("cumsum(x) + 1", lambda v: cp.cumsum(v.x) + 1),
    ("diff(x, k = 2)", lambda v: cp.diff(v.x, 2)),
    ("vec(X')", lambda v: cp.reshape(v.X, (N * N,), order="F")),
    ("X[1] - x", lambda v: v.X[1] - v.x),
    ("sum(X, axis = 0)", lambda v: cp.sum(v.X, axis=0)),
    ("(X - C)[1:4, 2]", lambda v: (v.X - v.C)[1:4, 2]),
]
CONVEX: list[Atom] = [
    ("sum_squares({})", cp.sum_squares),
    ("sum(({})^2)", lambda a: cp.sum(cp.square(a))),
    ("norm1({})", cp.norm1),
    ("norm2({})", cp.norm2),
    ("norm2({})^2", lambda a: cp.square(cp.norm2(a))),
    ("norm_inf({})", cp.norm_inf),
    ("max({})", cp.max),
    ("sum(huber({}, M = 0.7))", lambda a: cp.sum(cp.huber(a, 0.7))),
    ("log_sum_exp({})", cp.log_sum_exp),
    ("sum(logistic({}))", lambda a: cp.sum(cp.logistic(a))),
    ("sum(pos({}))", lambda a: cp.sum(cp.pos(a))),
    ("sum(maximum({}, 0.3, -1))", lambda a: cp.sum(cp.maximum(a, 0.3, -1))),
    ("sum_largest({}, 2)", lambda a: cp.sum_largest(a, 2)),
    ("quad_over_lin({}, 3)", lambda a: cp.quad_over_lin(a, 3)),
    ("sum(exp(0.2 * ({})))", lambda a: cp.sum(cp.exp(0.2 * a))),
    ("mean(abs({}))", lambda a: cp.sum(cp.abs(a)) / a.size),
]


class Values:
    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.numbers = {
            "A": rng.standard_normal((N, N)),
            "b": rng.standard_normal(N),
            "p": rng.random() + 0.1,
            "q": rng.random() + 0.1,
            "C": rng.standard_normal((N, N)),
            "d": rng.standard_normal(N),
        }
        self.__dict__.update(self.numbers)
        self.x, self.X = cp.Variable(N), cp.Variable((N, N))


def term(draw, values: Values, scale: bool) -> tuple[str, cp.Expression]:
    """A convex scalar, perhaps scaled by a parameter (then its argument is free of parameters)."""
    text, build = draw(st.sampled_from(CONSTANT if scale else PARAMETRIC + CONSTANT))
    atom, apply = draw(st.sampled_from(CONVEX))
    inner = atom.format(text)
    return (f"q * {inner}", values.q * apply(build(values))) if scale else (inner, apply(build(values)))


@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")
@given(st.data(), st.integers(0, 1000))
@settings(max_examples=25, deadline=None, phases=[Phase.generate])
def test_values_agree(data, seed: int) -> None:
    values = Values(seed)
    terms = [term(data.draw, values, data.draw(st.booleans())) for _ in range(data.draw(st.integers(1, 3)))]
    bounds = [term(data.draw, values, data.draw(st.booleans())) for _ in range(data.draw(st.integers(0, 2)))]
    maximize = data.draw(st.booleans())
    sign = "-" if maximize else ""
    objective = " + ".join(["0.1 * sum_squares(x - 1)", "0.1 * sum_squares(X)", *(t for t, _ in terms)])
    total = 0.1 * cp.sum_squares(values.x - 1) + 0.1 * cp.sum_squares(values.X) + sum(e for _, e in terms)
    text = f"{HEAD}{'maximize' if maximize else 'minimize'} {sign}({objective})\nsubject to\n  x <= 3\n"
    text += "".join(f"  {t} <= 20\n" for t, _ in bounds)
    constraints = [values.x <= 3, *(e <= 20 for _, e in bounds)]
    problem = cp.Problem(cp.Maximize(-total) if maximize else cp.Minimize(total), constraints)
    problem.solve(solver=cp.CLARABEL)
    assume(problem.status == "optimal")
    program, theta = lowered(text, values.numbers)
    assert_well_formed(program)
    assert solve(program, theta).value == pytest.approx(problem.value, rel=2e-6, abs=2e-6), text
