"""Batches of programs with second-order and semidefinite cones by the batched method, against the conic solver."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

import dpplang
from dpplang.runtime.bind import bind
from dpplang.runtime.engine import Engine
from dpplang.runtime.found import Found
from dpplang.runtime.options import Options
from dpplang.runtime.outputs import Readouts
from dpplang.runtime.smooth.method import SmoothMethod
from dpplang.runtime.smooth.recognize import recognize

Draw = Callable[[np.random.Generator], Mapping[str, NDArray[np.float64]]]
B = 5


def _symmetric(random: np.random.Generator, n: int) -> NDArray[np.float64]:
    C = random.normal(size=(B, n, n))
    return C + np.swapaxes(C, 1, 2)


CASES: dict[str, tuple[str, Draw]] = {
    "a norm, l1 and a ball": (
        """
dim n
param c[n], lam nonneg
var x[n]
minimize norm2(x - c) + lam * norm1(x)
subject to
  ball: norm2(x) <= 1
""",
        lambda r: {"c": 2 * r.normal(size=(B, 4)), "lam": 0.1 + 0.2 * r.random(B)},
    ),
    "a ball that does not matter": (
        """
dim n
param A[3, n], c[n]
var x[n]
minimize sum_squares(x - c)
subject to
  far:  norm2(x) <= 50
  near: norm2(A @ x) <= 0.5 + x[0]
""",
        lambda r: {"A": r.normal(size=(B, 3, 3)), "c": 2 * r.normal(size=(B, 3))},
    ),
    "the nearest density matrix": (
        """
dim n
param C[n, n] symmetric
var X[n, n] psd
minimize sum_squares(X - C)
subject to
  unit: trace(X) == 1
""",
        lambda r: {"C": _symmetric(r, 3)},
    ),
    "a semidefinite program": (
        """
dim n
param C[n, n] symmetric, a
var X[n, n] psd
minimize sum(C * X)
subject to
  unit:   trace(X) == 1
  corner: X[0, 0] == a
""",
        lambda r: {"C": _symmetric(r, 3), "a": 0.2 + 0.5 * r.random(B)},
    ),
    "the largest eigenvalue": (
        """
dim n
param A[n, n] symmetric, D[n, n] symmetric
var x
minimize lambda_max(A + x * D) + 0.1 * x^2
""",
        lambda r: {"A": _symmetric(r, 3), "D": _symmetric(r, 3)},
    ),
    "roots and reciprocals": (
        """
dim n
param c[n] pos
var x[n]
minimize sum(inv_pos(x)) - sum(sqrt(x)) + c' @ x
subject to
  cap: sum(x) <= 2
""",
        lambda r: {"c": 0.5 + r.random((B, 3))},
    ),
    "a barrier, a norm and a ball": (
        """
dim n
param c[n] pos
var x[n]
minimize -sum(log(x)) + c' @ x + norm2(x - c)
subject to
  cap:  sum(x) <= 2
  ball: norm2(x) <= 1
""",
        lambda r: {"c": 0.5 + r.random((B, 3))},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_variables_duals_and_gradients(name: str) -> None:
    text, draw = CASES[name]
    random = np.random.default_rng(3)
    values = draw(random)
    program = dpplang.parse(text).runner({}, {}, {k: v.shape for k, v in values.items()}).program
    engine = Engine(program, Options(solver="clarabel", refine=3))
    theta = bind(program, values).theta
    conic = engine.solve(theta)
    form = recognize(program)  # taken whether it pays for these cones or not
    assert form is not None
    method = SmoothMethod(form, Options())
    (found,) = method.solve_together(conic.data, np.arange(B))
    assert found.elements.size == B and not found.weak.any()
    seen_x, seen_y = _seen(program)
    np.testing.assert_allclose(found.x[:, seen_x], conic.x[:, seen_x], atol=1e-8)
    np.testing.assert_allclose(found.y, conic.y, atol=1e-8)
    _same_gradients(engine, conic, found, seen_x, seen_y, random)


def _seen(program) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """What a user can read of x and y: auxiliary variables need not be unique."""
    readouts = Readouts(program)
    x, y = np.zeros(program.n, bool), np.zeros(program.m, bool)
    for name in readouts.known:
        for term in readouts[name].terms:
            if term.source < 2:
                (x, y)[term.source][term.columns] = True
    return x, y


def _same_gradients(engine: Engine, conic, found: Found, seen_x, seen_y, random: np.random.Generator) -> None:
    g = np.where(seen_x, random.normal(size=conic.x.shape), 0.0)
    h = np.where(seen_y, random.normal(size=conic.y.shape), 0.0)
    wanted = (True,) * len(conic.theta)
    theirs = engine.adjoint(conic, g, h, None, wanted)
    r, t = found.sensitivity(g, h)
    ours = engine._derivative.pull(engine._point(conic), r, t, None, wanted)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7 * (1 + np.abs(b).max()))


def test_what_is_infeasible_is_left_to_the_conic_solver() -> None:
    text = """
dim n
param c[n], rho nonneg
var x[n]
minimize norm2(x - c) + sum(exp(x))
subject to
  ball: norm2(x) <= rho
  out:  x[0] >= 1
"""
    values = {"c": np.ones((20, 2)), "rho": np.where(np.arange(20) % 10 == 3, 0.5, 2.0)}
    program = dpplang.parse(text).runner({}, {}, {k: v.shape for k, v in values.items()}).program
    solved = Engine(program, Options()).solve(bind(program, values).theta)
    assert [s.value for s in solved.status[:5]] == ["solved", "solved", "solved", "infeasible", "solved"]
    assert np.array_equal(np.flatnonzero(~solved.ok), np.arange(3, 20, 10))
