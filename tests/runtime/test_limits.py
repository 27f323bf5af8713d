"""Limits, threads and words mean something whatever method solves a program; what one method refuses stays refused."""

from __future__ import annotations

import numpy as np
import pytest

import dpplang
from dpplang.runtime import threads
from dpplang.runtime.bind import bind
from dpplang.runtime.cones.product import Product
from dpplang.runtime.data_map import DataMap
from dpplang.runtime.engine import Engine
from dpplang.runtime.options import Options
from dpplang.runtime.proof import proves_infeasible, proves_unbounded
from dpplang.runtime.solvers.protocol import Structure
from dpplang.runtime.status import Status

RNG = np.random.default_rng(0)
G, Q = RNG.normal(size=(20, 8)), np.eye(8)
PROGRAMS = {
    "quadratic": (
        "dim n, m\nparam Q[n, n] psd, q[n], G[m, n]\nvar x[n]\nminimize 0.5 * quad_form(x, Q) + q' @ x\nsubject to\n  G @ x <= 0.1",
        {"Q": Q, "q": 9 * RNG.normal(size=(3, 8)), "G": G},
    ),
    "polyhedral": (
        "dim n, m\nparam A[m, n], b[m]\nvar x[n]\nminimize norm1(A @ x - b) + 0.1 * norm1(x)",
        {"A": G, "b": RNG.normal(size=(3, 20))},
    ),
    "smooth": (
        "dim n, m\nparam A[m, n], b[n]\nvar x[n]\nminimize sum(logistic(A @ x)) + sum_squares(x - b)",
        {"A": G, "b": 5 * RNG.normal(size=(3, 8))},
    ),
    "reduced": (
        "dim n\nparam C[n, n] symmetric\nvar X[n, n] psd\nminimize sum_squares(X - C)\nsubject to\n  trace(X) == 1",
        {"C": [c + c.T for c in RNG.normal(size=(3, 4, 4))]},
    ),
}


def prepared(name: str, **options: object) -> tuple[Engine, tuple[np.ndarray, ...]]:
    text, values = PROGRAMS[name]
    arrays = {key: np.asarray(value) for key, value in values.items()}
    program = dpplang.parse(text).compile(shapes={key: value.shape for key, value in arrays.items()})
    return Engine(program, Options.of(**options)), bind(program, arrays).theta


@pytest.mark.parametrize("name", PROGRAMS)
def test_one_iteration_is_not_enough_for_any_method(name: str) -> None:
    engine, theta = prepared(name)
    assert engine.solve(theta).founds
    engine, theta = prepared(name, max_iterations=1, accept_inaccurate=0)
    assert set(engine.solve(theta).status) == {Status.ITERATION_LIMIT}


@pytest.mark.parametrize("name", ["polyhedral", "smooth", "reduced"])
def test_no_time_is_not_enough_for_a_method_that_iterates(name: str) -> None:
    engine, theta = prepared(name, time_limit=1e-9, accept_inaccurate=0)
    assert set(engine.solve(theta).status) == {Status.TIME_LIMIT}


@pytest.mark.parametrize(("name", "word"), [("quadratic", "Quadratic"), ("smooth", "Smooth"), ("reduced", "Reduced")])
def test_verbose_says_which_method_solved_what(name: str, word: str, capfd: pytest.CaptureFixture[str]) -> None:
    engine, theta = prepared(name, verbose=True)
    engine.solve(theta)
    assert f"{word}Method has answers for 3 of 3 elements" in capfd.readouterr().out


@pytest.mark.parametrize("name", PROGRAMS)
def test_one_thread_means_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise AssertionError("a thread was asked for")

    monkeypatch.setattr(threads, "_pool", forbidden)
    monkeypatch.setattr(threads, "_WORTH", 0)
    engine, theta = prepared(name, threads=1)
    many = tuple(np.repeat(t, 60, axis=0) if len(t) > 1 else t for t in theta)
    solved = engine.solve(many)
    engine.adjoint(solved, np.ones_like(solved.x), None, None, [True] * len(theta))
    assert threads.cores() != 1 or len(threads.os.sched_getaffinity(0)) == 1


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (
            "param c[2]\nvar x[2]\nminimize sum_squares(x - c)\nsubject to\n  norm2(x) <= 1\n  x[0] >= 2",
            Status.INFEASIBLE,
        ),
        (
            "param c\nvar x[3]\nminimize square(x[0] - c) - x[1]\nsubject to\n  norm2(x) <= 2 * x[1] + 1",
            Status.UNBOUNDED,
        ),
    ],
)
def test_what_the_smaller_program_refuses_is_not_solved_again(text: str, status: Status) -> None:
    program = dpplang.parse(text).compile()
    engine = Engine(program)
    theta = (np.ones((2, program.parameters[0].size)),)
    solved = engine.solve(theta)
    assert set(solved.status) == {status}
    assert "_conic" not in vars(engine)
    structure, data, cone = Structure.of(program), DataMap.of(program).at(theta), Product.of(program.cones)
    certificate = solved.details[1].certificate
    assert certificate is not None
    A, b = structure.A.matrix(data.A[0]), data.b[-1]
    if status is Status.INFEASIBLE:
        assert proves_infeasible(certificate, A, b, cone)
    else:
        assert proves_unbounded(certificate, structure.P.matrix(data.P[0]), data.q[-1], A, cone)
