"""Programs of every cone, scaled over many orders of magnitude, whose verdict is known: none is missed, none is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from dpplang.asa.cones import Cones
from dpplang.asa.program import Program
from dpplang.runtime.cones import Product
from dpplang.runtime.engine import Engine
from dpplang.runtime.status import Status
from tests.runtime.programs import CONES, build
from tests.runtime.test_accuracy import worst


def size(rng: np.random.Generator, decades: float) -> float:
    return float(10 ** rng.uniform(-decades, decades))


def solvable(cones: Cones, quadratic: bool, rng: np.random.Generator) -> Program:
    """From a solution: sizes of x, v = s − y, A, P and of each column over four decades."""
    m, product = cones.rows, Product.of(cones)
    v = rng.normal(size=m) * size(rng, 2)
    share = product.spectrum(v).values
    cut, scaled = np.count_nonzero(share == 0), np.count_nonzero((share > 0) & (share < 1))
    n = max(1, cut + (3 if quadratic else scaled // 2))
    s, columns = product.project(v), 10 ** rng.uniform(-1.5, 1.5, size=n)
    A, x = rng.normal(size=(m, n)) * size(rng, 2) * columns, rng.normal(size=n) * size(rng, 2) / columns
    root = rng.normal(size=(n, n))
    P = (
        (root @ root.T / n + 0.1 * np.eye(n)) * size(rng, 2) * columns[:, None] * columns
        if quadratic
        else np.zeros((n, n))
    )
    return build(P, -P @ x - A.T @ (s - v), A, A @ x + s, cones)


def infeasible(cones: Cones, rng: np.random.Generator) -> Program:
    """From a certificate: Aᵀy = 0, bᵀy < 0."""
    m = cones.rows
    y = np.zeros(m)
    while not y.any():
        y = Product.of(cones).project_dual(rng.normal(size=m))
    A, b = rng.normal(size=(m, max(2, m // 2))), rng.normal(size=m)
    A, b = A - np.outer(y, y @ A) / (y @ y), b - y * (y @ b + abs(rng.normal())) / (y @ y)
    n = A.shape[1]
    return build(np.eye(n), rng.normal(size=n), A * size(rng, 3), b * size(rng, 3), cones)


@pytest.mark.slow
@pytest.mark.parametrize("quadratic", [True, False], ids=["quadratic", "linear"])
@pytest.mark.parametrize("name", CONES)
def test_what_has_a_solution_is_solved(name: str, quadratic: bool) -> None:
    rng = np.random.default_rng(0)
    for _ in range(25):
        program = solvable(CONES[name], quadratic, rng)
        solved = Engine(program).solve(())
        assert solved.status[0] is Status.SOLVED
        assert worst(program, solved) < 1e-8


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CONES if name != "zero"])
def test_what_has_none_is_infeasible(name: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(15):
        assert Engine(infeasible(CONES[name], rng)).solve(()).status[0] is Status.INFEASIBLE
