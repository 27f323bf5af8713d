"""Derivative modes: least squares, smoothed (LPGD), and what each promises."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.optimize import linprog

import dpplang
from dpplang import BindError, Smoothed
from dpplang.runtime.engine import Engine
from dpplang.runtime.options import Options
from tests.runtime.programs import CONES, random_program

SIMPLEX = "dim n\nparam c[n]\nvar x[n]\nminimize c' @ x\nsubject to\n  mass: sum(x) == 1\n  floor: x >= 0\n"
BOX = (
    "dim n\nparam c[n], G[n, n], h[n]\nvar x[n]\nminimize c' @ x\nsubject to\n  rows: G @ x <= h\n  box: -1 <= x <= 1\n"
)


@pytest.mark.parametrize("sides", ["both", "left", "right"])
@pytest.mark.parametrize("name", CONES)
def test_smoothed_tends_to_the_derivative(name: str, sides: str) -> None:
    program, theta = random_program(CONES[name])
    rng = np.random.default_rng(0)
    dx, dy, dvalue = rng.normal(size=(1, program.n)), rng.normal(size=(1, program.m)), np.ones(1)
    wanted = (True,) * len(theta)
    tau = 1e-4 if sides == "both" else 1e-6
    exact, near = (
        Engine(program, Options(derivative=mode, refine=3)) for mode in ("exact", Smoothed(tau, sides=sides))
    )
    one, other = (engine.adjoint(engine.solve(theta), dx, dy, dvalue, wanted) for engine in (exact, near))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=2e-5 * max(1.0, np.abs(a).max()))


def test_a_linear_program_gets_a_useful_gradient() -> None:
    """The exact derivative of a vertex is zero; LPGD's is the difference of two vertices, by its definition."""
    rng = np.random.default_rng(1)
    c, dx, tau = rng.normal(size=(5, 4)), rng.normal(size=(5, 4)), 3.0
    exact = dpplang.parse(SIMPLEX).solve(c=c).backward({"x": dx})["c"]
    np.testing.assert_allclose(exact, 0, atol=1e-7)
    found = dpplang.parse(SIMPLEX).solve(c=c, derivative=Smoothed(tau)).backward({"x": dx})["c"]
    for i in range(5):
        size = np.abs(dx[i]).max()
        ends = [linprog(c[i] + s * tau * dx[i] / size, A_eq=np.ones((1, 4)), b_eq=[1.0]).x for s in (1, -1)]
        np.testing.assert_allclose(found[i], size * (ends[0] - ends[1]) / (2 * tau), atol=1e-7)
    assert np.abs(found).max() > 0.1


def test_gradients_of_matrices_are_differences_of_lagrangians() -> None:
    """∂L/∂G = y xᵀ, at the two ends."""
    rng = np.random.default_rng(2)
    c, G, h = rng.normal(size=3), rng.normal(size=(3, 3)), rng.uniform(0.1, 0.3, size=3)
    dx, tau = np.array([1.0, -0.4, 0.2]), 0.8
    options = {"derivative": Smoothed(tau)}
    found = dpplang.parse(BOX).solve(c=c, G=G, h=h, options=options).backward({"x": dx})
    ahead, behind = (dpplang.parse(BOX).solve(c=c + s * tau * dx, G=G, h=h) for s in (1, -1))
    expected = np.outer(ahead.dual.rows, ahead.x) - np.outer(behind.dual.rows, behind.x)
    np.testing.assert_allclose(found["G"], expected / (2 * tau), atol=1e-7)
    np.testing.assert_allclose(found["c"], (ahead.x - behind.x) / (2 * tau), atol=1e-7)
    np.testing.assert_allclose(found["h"], -(ahead.dual.rows - behind.dual.rows) / (2 * tau), atol=1e-7)


def test_smoothed_is_homogeneous_in_the_loss() -> None:
    c, dx = np.array([0.1, 0.2, -0.1]), np.array([1.0, -2.0, 0.5])
    solution = dpplang.parse(SIMPLEX).solve(c=c, derivative=Smoothed(1.0))
    one, tiny = (solution.backward({"x": s * dx})["c"] for s in (1.0, 1e-12))
    np.testing.assert_allclose(tiny, 1e-12 * one, rtol=1e-9)
    assert np.abs(one).max() > 0
    np.testing.assert_allclose(solution.backward({"x": 0 * dx})["c"], 0)


def test_smoothed_training_moves_a_linear_program_to_its_target() -> None:
    """Costs learned from a decision: with the exact derivative, zero, nothing would ever move."""
    target, c = np.array([0.0, 0.0, 1.0]), np.array([-1.0, 0.3, 0.6])
    problem = dpplang.parse(SIMPLEX)
    for _ in range(40):
        solution = problem.solve(c=c, derivative=Smoothed(1.0))
        c = c - 0.5 * solution.backward({"x": 2 * (solution.x - target)})["c"]
    np.testing.assert_allclose(problem.solve(c=c).x, target, atol=1e-6)


def test_augmentation_holds_an_unbounded_direction() -> None:
    """minimize c·x over x ≥ 0: moved by τ the cost turns negative and the problem unbounded."""
    text = "dim n\nparam c[n]\nvar x[n]\nminimize c' @ x\nsubject to\n  floor: x >= 0\n  cap: sum(x) >= 1\n"
    problem, c, dx = dpplang.parse(text), np.array([0.2, 0.5]), np.array([1.0, -1.0])
    with pytest.warns(match="DIF603"):
        lost = problem.solve(c=c, derivative=Smoothed(2.0)).backward({"x": dx})
    np.testing.assert_array_equal(lost["c"], 0)
    held = problem.solve(c=c, derivative=Smoothed(2.0, rho=1.0)).backward({"x": dx})
    assert np.isfinite(held["c"]).all() and np.abs(held["c"]).max() > 0.1


def test_augmented_derivative_tends_to_that_of_the_augmented_problem() -> None:
    """With ρ the limit τ → 0 is the derivative of arg min L + ½ρ‖x − x*‖²: for ½‖x − c‖² it is 1/(1 + ρ)."""
    problem = dpplang.parse("dim n\nparam c[n]\nvar x[n]\nminimize 0.5 * sum_squares(x - c)\n")
    found = problem.solve(c=np.array([1.0, 2.0]), derivative=Smoothed(1e-3, rho=3.0)).backward(
        {"x": np.array([1.0, 0.5])}
    )
    np.testing.assert_allclose(found["c"], np.array([1.0, 0.5]) / 4, rtol=1e-6)


def test_failed_elements_stay_zero() -> None:
    text = "param lo, hi, c\nvar x\nminimize c * x\nsubject to\n  floor: x >= lo\n  top: x <= hi\n"
    solution = dpplang.parse(text).solve(
        lo=np.zeros(3),
        hi=np.array([1.0, -1.0, 2.0]),
        c=np.array([1.0, 1.0, -1.0]),
        derivative=Smoothed(5.0),
        on_failure="nan",
    )
    gradient = solution.backward({"x": np.ones(3)})["c"]
    assert gradient[1] == 0 and np.isfinite(gradient).all()


def test_least_squares_is_the_exact_derivative_and_never_warns() -> None:
    degenerate = "param c[2], h[3]\nvar x[2]\nminimize c' @ x\nsubject to\n  a: x[0] >= h[0]\n  b: x[1] >= h[1]\n  d: x[0] + x[1] >= h[2]\n"
    values = {"c": np.array([1.0, 1.5]), "h": np.zeros(3)}
    with pytest.warns(
        match=r"DIF601.* with respect to `h`: the multipliers of constraint `a` \(<text>:5: .*are not unique"
    ):
        spoken = dpplang.parse(degenerate).solve(values).backward({"x": np.ones(2)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quiet = (
            dpplang.parse(degenerate).solve(values, options={"derivative": "least_squares"}).backward({"x": np.ones(2)})
        )
    for name in spoken:
        np.testing.assert_array_equal(quiet[name], spoken[name])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"tau": 0}, "option `tau` is a positive number, not 0"),
        ({"tau": float("inf")}, "option `tau` is a positive number, not inf"),
        ({"rho": -1}, "option `rho` is a number, at least 0, not -1"),
        ({"sides": "rigth"}, "option `sides` is `both`, `left` or `right`, not 'rigth'"),
    ],
)
def test_smoothed_checks_its_numbers(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(BindError) as caught:
        Smoothed(**arguments)  # type: ignore[arg-type]
    assert caught.value.diagnostics[0].code == "SOL802" and caught.value.diagnostics[0].message == words


def test_smoothed_in_torch() -> None:
    torch = pytest.importorskip("torch")
    from dpplang.torch import Layer

    layer = Layer(dpplang.parse(SIMPLEX), derivative=Smoothed(tau=1.0))
    c = torch.tensor([[0.1, 0.2, -0.1]], dtype=torch.float64, requires_grad=True)
    (x,) = layer(c)
    (x @ torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)).sum().backward()
    assert c.grad is not None and c.grad.abs().max() > 0.1


def test_least_squares_that_stops_short_is_reported() -> None:
    """A singular system whose nonzero eigenvalues span 14 orders of magnitude: LSMR cannot reach its tolerance."""
    import scipy.sparse as sp

    from dpplang.runtime.kkt_sparse import factorize_sparse

    rng = np.random.default_rng(3)
    basis = np.linalg.qr(rng.normal(size=(60, 60)))[0]
    values = np.concatenate((np.geomspace(1, 1e-10, 58), [0.0, 0.0]))
    matrix = sp.csc_matrix((basis * values) @ basis.T)
    factor = factorize_sparse(matrix, 60)
    assert factor.singular.all()
    with pytest.warns(match="DIF602"):
        factor.solve(rng.normal(size=(1, 60)))


def test_least_squares_that_arrives_says_nothing() -> None:
    import scipy.sparse as sp

    from dpplang.runtime.kkt_sparse import factorize_sparse

    rng = np.random.default_rng(4)
    basis = np.linalg.qr(rng.normal(size=(60, 60)))[0]
    values = np.concatenate((np.geomspace(1, 1e-2, 58), [0.0, 0.0]))
    matrix, rhs = (basis * values) @ basis.T, rng.normal(size=(1, 60))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = factorize_sparse(sp.csc_matrix(matrix), 60).solve(rhs)
    np.testing.assert_allclose(found[0], np.linalg.pinv(matrix, rcond=1e-8) @ rhs[0], atol=1e-8)


def test_what_is_not_unique_is_said_once_for_a_program() -> None:
    text = "param c[2], h[3]\nvar x[2]\nminimize c' @ x\nsubject to\n  a: x[0] >= h[0]\n  b: x[1] >= h[1]\n  d: x[0] + x[1] >= h[2]\n"
    problem = dpplang.parse(text)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for k in range(3):
            problem.solve(c=np.array([1.0, 1.5 + k]), h=np.zeros(3)).backward({"x": np.ones(2)})
    assert [str(w.message)[:8] for w in caught] == ["[DIF601]"]
