"""⟨J v, w⟩ = ⟨v, Jᵀ w⟩ to 1e-8, over cones, methods, batches that share and that do not, and every linear derivative mode."""

from __future__ import annotations

import numpy as np
import pytest

import dpplang
from dpplang.runtime.engine import Engine
from dpplang.runtime.options import Options
from tests.runtime.programs import CONES, random_program

MODES = ("exact", "least_squares", "diffcp")


def assert_transposes(engine: Engine, theta: tuple[np.ndarray, ...], batch: int) -> None:
    rng = np.random.default_rng(0)
    solved = engine.solve(theta)
    assert solved.ok.all()
    n, m = engine.program.n, engine.program.m
    dx, dy, dvalue = rng.normal(size=(batch, n)), rng.normal(size=(batch, m)), rng.normal(size=batch)
    direction = tuple(rng.normal(size=t.shape) for t in theta)
    forward = engine.tangent(solved, direction)
    reverse = engine.adjoint(solved, dx, dy, dvalue, (True,) * len(theta))
    left = sum(np.sum(a * b) for a, b in zip(forward, (dx, dy, dvalue), strict=True))
    right = sum(np.sum(a * b) for a, b in zip(reverse, direction, strict=True))
    size = sum(np.linalg.norm(a) * np.linalg.norm(b) for a, b in zip(reverse, direction, strict=True))
    accuracy = 1e-4 if engine.options.derivative == "diffcp" and engine.program.cones.exp else 1e-8  # its own, not ours
    assert abs(left - right) <= accuracy * max(abs(left), abs(right), 1e-3 * size)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("batch", ["one", "many", "shared matrix", "shared rest"])
@pytest.mark.parametrize("quadratic", [True, False], ids=["quadratic", "linear"])
@pytest.mark.parametrize("name", CONES)
def test_cones(name: str, quadratic: bool, batch: str, mode: str) -> None:
    if mode == "diffcp" and CONES[name].pow:
        pytest.skip("diffcp knows no power cones")
    program, (everything, mixed) = random_program(CONES[name], quadratic=quadratic)
    rng, count = np.random.default_rng(1), 1 if batch == "one" else 3
    spread = [1e-3 * rng.normal(size=(count, t.shape[1])) for t in (everything, mixed)]
    theta = (
        everything if batch == "shared matrix" else everything + spread[0],
        mixed if batch == "shared rest" else mixed + spread[1],
    )
    assert_transposes(Engine(program, Options(derivative=mode)), theta, count)


METHODS = {
    "quadratic": "dim n, m\nparam Q[n, n] psd, q[n], G[m, n], h[m]\nvar x[n]\nminimize 0.5 * quad_form(x, Q) + q' @ x\nsubject to\n  ineq: G @ x <= h\n",
    "quadratic with equalities": "dim n, m\nparam q[n], G[m, n], h[m], b\nvar x[n]\nminimize sum_squares(x) + q' @ x\nsubject to\n  ineq: G @ x <= h\n  eq: sum(x) == b\n",
    "smooth": "dim n, m\nparam q[n], G[m, n], h[m]\nvar x[n]\nminimize sum(logistic(G @ x - h)) + sum_squares(x) + q' @ x\n",
    "conic": "dim n, m\nparam q[n], G[m, n], h[m]\nvar x[n]\nminimize sum_squares(x) + q' @ x + norm2(G @ x - h)\nsubject to\n  ball: norm2(x) <= 1\n",
    "unconstrained": "dim n, m\nparam q[n], G[m, n], h[m]\nvar x[n]\nminimize sum_squares(G @ x - h) + sum_squares(x) + q' @ x\n",
}


@pytest.mark.parametrize("solver", ["auto", "clarabel"])
@pytest.mark.parametrize("shared", [(), ("G",), ("q", "h"), ("Q", "G")], ids=lambda names: "+".join(names) or "none")
@pytest.mark.parametrize("kind", METHODS)
def test_methods(kind: str, shared: tuple[str, ...], solver: str) -> None:
    rng, n, m, batch = np.random.default_rng(2), 5, 7, 4
    root, G, x = rng.normal(size=(batch, n, n)), rng.normal(size=(batch, m, n)), rng.normal(size=(batch, n))
    if "G" in shared:
        G = np.broadcast_to(G[:1], G.shape)
    values = {
        "Q": root @ root.swapaxes(1, 2) + np.eye(n), "q": rng.normal(size=(batch, n)), "G": G,
        "h": np.einsum("bmn,bn->bm", G, x) + 0.5 * rng.uniform(size=(batch, m)), "b": x.sum(axis=1),
    }  # fmt: skip
    if "h" in shared:
        values["h"] = 0.5 + rng.uniform(size=(1, m))
        values["b"] = np.zeros(batch)
    problem = dpplang.parse(METHODS[kind])
    given = {k: v[0] if k in shared else v for k, v in values.items() if k in problem.parameters}
    solution = problem.solve(given, solver=solver)
    names = ("x", "value", *(n for n in solution._readouts.known if n.startswith("dual.")))
    upstream = {name: rng.normal(size=np.shape(solution[name])) for name in names}
    direction = {name: rng.normal(size=np.shape(v)) for name, v in given.items()}
    tangent, gradients = solution.tangent(direction), solution.backward(upstream)
    left = sum(np.sum(tangent[name] * g) for name, g in upstream.items())
    right = sum(np.sum(gradients[name] * d) for name, d in direction.items())
    assert abs(left - right) <= 1e-8 * max(abs(left), abs(right), 1.0)
    h = 1e-6
    ahead, behind = (
        problem.solve({k: v + s * h * _symmetric(problem, k, direction[k]) for k, v in given.items()}, solver=solver)
        for s in (1, -1)
    )
    numeric = sum(np.sum((ahead[name] - behind[name]) * g) for name, g in upstream.items()) / (2 * h)
    assert right == pytest.approx(numeric, rel=2e-5, abs=2e-5)


def _symmetric(problem: dpplang.Problem, name: str, direction: np.ndarray) -> np.ndarray:
    return (direction + direction.swapaxes(-1, -2)) / 2 if name == "Q" else direction
