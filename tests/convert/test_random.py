"""Random problems: whatever CVXPY accepts is written, checks, and has CVXPY's optimal value."""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dpplang
from tests.convert.helpers import agrees, cp


class Draw:
    """Random expressions of a few variables and parameters; parts are drawn again, so that graphs are shared."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        x, X = cp.Variable(4, name="x"), cp.Variable((2, 4), name="X")
        p = cp.Parameter(4, name="p", value=self.rng.normal(size=4))
        P = cp.Parameter((2, 4), name="P", value=self.rng.normal(size=(2, 4)))
        self.weight = cp.Parameter(name="w", nonneg=True, value=float(self.rng.random()))
        self.pull = cp.sum_squares(x - 1) + cp.sum_squares(X)
        self.vectors: list[Any] = [x, X[0], X[:, 1:3][1] @ self.matrix(2, 4), p + x]
        self.matrices: list[Any] = [X, X - P]

    def matrix(self, *shape: int) -> np.ndarray:
        """Small integers, or many digits."""
        return (
            self.rng.integers(-2, 3, shape) * 1.0 if self.rng.random() < 0.4 else self.rng.normal(size=shape).round(3)
        )

    def pick(self, options: list[Any]) -> Any:
        return options[self.rng.integers(len(options))]

    def grow(self) -> None:
        """One more affine vector or matrix."""
        a, b, M = self.pick(self.vectors), self.pick(self.vectors), self.pick(self.matrices)
        self.vectors.append(
            self.pick(
                [
                    lambda: a + b,
                    lambda: 0.5 * a - self.matrix(4),
                    lambda: self.matrix(4, 4) @ a / 2,
                    lambda: a @ self.matrix(4, 4) / 2,
                    lambda: cp.multiply(self.matrix(4), a),
                    lambda: a[::-1] - b[[1, 0, 3, 2]],
                    lambda: cp.hstack([a[:2], b[2:]]),
                    lambda: cp.cumsum(a) / 2,
                    lambda: cp.hstack([cp.diff(a), b[0]]),
                    lambda: cp.sum(M, axis=0),
                    lambda: cp.vec(M[:, ::2], order=self.pick(["C", "F"])),
                    lambda: cp.reshape(M.T, (8,), order="F")[2:6],
                    lambda: a + cp.sum(b) / 4,
                ]
            )()
        )
        self.matrices.append(
            self.pick(
                [
                    lambda: M + a,
                    lambda: cp.vstack([a, b]),
                    lambda: cp.reshape(cp.hstack([a, b]), (2, 4), order=self.pick(["C", "F"])),
                    lambda: self.matrix(2, 2) @ M,
                    lambda: cp.outer([1, 2], a) / 2,
                    lambda: cp.kron(np.ones((1, 2)), M[:, 1:3]),
                    lambda: -M[::-1],
                ]
            )()
        )

    def convex(self) -> Any:
        a, b, M = self.pick(self.vectors), self.pick(self.vectors), self.pick(self.matrices)
        return self.pick(
            [
                lambda: cp.norm1(a),
                lambda: cp.norm(M, self.pick([1, "inf", "fro", "nuc"])),
                lambda: cp.sum_squares(M - 1) / 4,
                lambda: cp.max(cp.abs(a)),
                lambda: cp.sum(cp.huber(a, 2)) / 4,
                lambda: cp.sum(cp.maximum(a, b, 0)),
                lambda: cp.log_sum_exp(a / 4),
                lambda: cp.sum(cp.logistic(a)),
                lambda: cp.sum_largest(M, 3),
                lambda: cp.quad_form(a, np.diag([1.0, 2, 0, 1])) / 4,
                lambda: self.weight * cp.sum(cp.norm(M, axis=1)),
                lambda: -cp.min(M) + cp.ptp(b),
                lambda: cp.square(cp.norm(a - b)) / 8,
            ]
        )()

    def problem(self) -> Any:
        for _ in range(6):
            self.grow()
        objective = self.pull + sum(self.convex() for _ in range(3))
        start = {v.id: np.full(v.shape, 0.1) for v in objective.variables()}
        for v in objective.variables():
            v.value = start[v.id]
        constraints = [f <= float(f.value) + 0.5 for f in (self.convex() for _ in range(2))]
        a = self.pick(self.vectors)
        constraints.append(a >= a.value - 0.2)
        if self.rng.random() < 0.5:
            constraints.append(cp.sum(self.vectors[0]) == 0.4)
        for v in objective.variables():
            v.value = None  # CVXPY's warm start of `sum_largest` fails on some values
        return cp.Problem(cp.Minimize(objective), constraints)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**6))
def test_random_problems(seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        problem = Draw(seed).problem()
    if problem.is_dpp():
        with suppress(NotImplementedError):  # what CVXPY accepts and cannot solve
            agrees(problem, unique=False)  # its solutions are good to 1e-3 where the objective is flat
        return
    found = {d.code[:3] for d in dpplang.from_cvxpy(problem).diagnostics if d.is_error}
    assert found <= {"DPP"}, found
