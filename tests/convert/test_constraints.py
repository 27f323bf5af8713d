"""Every constraint and every attribute of a variable or parameter; duals; what is refused."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dpplang
from tests.convert.helpers import agrees, converted, cp

TARGET = np.array([[1.0, -2, 0.5], [0.3, 2, -1], [-0.7, 0.1, 1.5]])

CONSTRAINTS: dict[str, Callable[[Any, Any, Any], list[Any]]] = {
    "equality": lambda x, X, t: [cp.sum(x) == 1, X[0] == x],
    "inequalities": lambda x, X, t: [x <= 0.5, x >= -0.5, X >= TARGET - 0.5],
    "a scalar below a matrix": lambda x, X, t: [t >= X, cp.abs(X) <= 1],
    "two scalars": lambda x, X, t: [t <= 0.5, cp.promote(t, (3,)) <= cp.promote(x[0], (3,))],
    "zero": lambda x, X, t: [cp.constraints.Zero(x - X[1])],
    "nonneg": lambda x, X, t: [cp.constraints.NonNeg(X), cp.constraints.NonNeg(cp.min(x) + 0.5)],
    "nonpos": lambda x, X, t: [cp.constraints.NonPos(x)],
    "psd": lambda x, X, t: [X >> 0],
    "psd order": lambda x, X, t: [X >> 0.2 * np.eye(3), X << 2 * np.eye(3)],
    "psd order of constants": lambda x, X, t: [TARGET + TARGET.T << X + 3],
    "psd of an affine function": lambda x, X, t: [cp.diag(x) + t * np.eye(3) >> np.ones((3, 3))],
    "soc": lambda x, X, t: [cp.SOC(t, x)],
    "soc of a constant": lambda x, X, t: [cp.SOC(cp.Constant(0.7), x - t)],
    "soc of columns": lambda x, X, t: [cp.SOC(x, X)],
    "soc of rows": lambda x, X, t: [cp.SOC(x, X, axis=1)],
    "soc of a column": lambda x, X, t: [cp.SOC(t, X[:, :1])],
    "exp_cone": lambda x, X, t: [cp.ExpCone(x[0], x[1], t)],
    "exp_cones": lambda x, X, t: [cp.ExpCone(X[0], X[1], x)],
    "pow_cone": lambda x, X, t: [cp.PowCone3D(x[0], x[1], t, 0.3)],
    "pow_cones": lambda x, X, t: [cp.PowCone3D(X[0], X[1], x, 0.6)],
    "pow_cones of several exponents": lambda x, X, t: [cp.PowCone3D(X[0], X[1], x, [0.3, 0.5, 0.6])],
    "pow_cone_nd": lambda x, X, t: [cp.PowConeND(x, t, np.array([0.2, 0.3, 0.5]))],
    "pow_cones_nd": lambda x, X, t: [cp.PowConeND(X, x, np.tile([[0.2], [0.3], [0.5]], 3))],
}

VARIABLES: dict[str, dict[str, Any]] = {
    "nonneg": {"nonneg": True},
    "nonpos": {"nonpos": True},
    "pos": {"pos": True},
    "neg": {"neg": True},
    "symmetric": {"symmetric": True},
    "PSD": {"PSD": True},
    "NSD": {"NSD": True},
    "diag": {"diag": True},
    "PSD and nonneg": {"PSD": True, "nonneg": True},
    "sparsity": {"sparsity": [(0, 1, 2), (1, 0, 2)]},
    "bounds": {"bounds": [-0.5, 1]},
    "one bound": {"bounds": [None, 0.2]},
    "zero bound": {"bounds": [0, None]},
    "array bounds": {"bounds": [TARGET - 0.2, TARGET + 2.0]},
    "partial bounds": {"bounds": [-0.5, np.where(TARGET > 0.4, 0.4, np.inf)]},
}


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_constraints(name: str) -> None:
    x, X, t = cp.Variable(3, name="x"), cp.Variable((3, 3), name="X"), cp.Variable(name="t")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        constraints = CONSTRAINTS[name](x, X, t)
    pull = cp.sum_squares(x - TARGET[0]) + cp.sum_squares(X - TARGET) + cp.square(t - 0.2)
    agrees(cp.Problem(cp.Minimize(pull), constraints))


@pytest.mark.parametrize("name", VARIABLES)
def test_attributes_of_variables(name: str) -> None:
    X = cp.Variable((3, 3), name="X", **VARIABLES[name])
    agrees(cp.Problem(cp.Minimize(cp.sum_squares(X - TARGET)), [cp.sum(X) <= 1]))


def test_bounds_that_are_parameters() -> None:
    p = cp.Parameter(3, name="p", value=[0.1, 0.2, -0.3])
    x = cp.Variable(3, name="x", bounds=[p, 1.0])
    assert "x[3] in [p, 1]" in agrees(cp.Problem(cp.Minimize(cp.sum_squares(x)))).text


def test_attributes_of_parameters() -> None:
    x = cp.Variable(2, name="x")
    a, b = cp.Parameter(nonneg=True, name="a"), cp.Parameter(2, nonpos=True, name="b")
    P, D = cp.Parameter((2, 2), PSD=True, name="P"), cp.Parameter((2, 2), diag=True, name="D")
    c = cp.Parameter(bounds=[0, 1], name="c")
    made = converted(
        cp.Problem(
            cp.Minimize(a * cp.sum_squares(x) + cp.quad_form(x, P) + c * cp.norm1(x) + cp.sum_squares(D @ x - b)),
            [x >= -1],
        )
    )
    assert "a nonneg" in made.text and "b[2] nonpos" in made.text and "P[2, 2] psd" in made.text
    assert "c nonneg" in made.text and "D[2, 2] diagonal" in made.text


def test_a_wrapper_says_what_a_parameter_is() -> None:
    x, P = cp.Variable(2, name="x"), cp.Parameter((2, 2), name="P", symmetric=True)
    made = converted(cp.Problem(cp.Minimize(cp.quad_form(x, cp.psd_wrap(P))), [x >= 1]))
    assert "P[2, 2] psd" in made.text


def test_duals_are_cvxpys() -> None:
    """Signs and shapes, of named constraints in the order asked for."""
    x, X = cp.Variable(3, name="x"), cp.Variable((3, 3), name="X")
    cons = [x <= 0.5, cp.sum(x) == 1, X >> 0, x >= -0.4, cp.norm(x) <= 0.9, X[0, 0] == 2 * x[0]]
    cons[1].set_label("budget")
    problem = cp.Problem(cp.Minimize(cp.sum_squares(x - TARGET[0]) + cp.sum_squares(X - TARGET)), cons)
    made = agrees(problem, returns=[x, *cons], names={"cap": cons[0]})
    assert "return x, dual cap, dual budget, dual c" in made.text
    solution = made.problem.solve(made.data)
    for c, word in zip(cons, ("cap", "budget", "c", "c2", "c3", "c4"), strict=True):
        np.testing.assert_allclose(solution[f"dual.{word}"], c.dual_value, atol=2e-5, err_msg=word)


def test_all_that_has_no_counterpart_is_named_at_once() -> None:
    x, z = cp.Variable(2, name="x", pos=True), cp.Variable(name="z", integer=True)
    b, c = cp.Variable(2, name="b", boolean=True), cp.Variable(name="c", complex=True)
    problem = cp.Problem(
        cp.Minimize(cp.prod(x) + z + cp.sum(b)),
        [cp.length(x) <= 1, cp.constraints.FiniteSet(x[0], [1, 2]), cp.abs(c) <= 1],
    )
    with pytest.raises(dpplang.ConversionError) as caught:
        dpplang.from_cvxpy(problem)
    text = str(caught.value)
    for word in ("Prod", "length", "FiniteSet", "integer variable", "Boolean variable", "complex variable"):
        assert word in text, text
    assert "in the objective" in text and "in constraint 0" in text and "relax it" in text
    assert {d.code for d in caught.value.diagnostics} == {"CVX900", "CVX901", "CVX902"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"returns": [cp.Variable(name="other")]}, "`other` does not occur"),
        ({"returns": [cp.Variable(name="o") >= 1]}, "none of the problem's"),
        ({"parameters": [cp.Parameter(name="q")]}, "`q` does not occur"),
        ({"dims": {"n": 3, "m": 3}}, "dims of one size"),
    ],
)
def test_what_is_asked_for_must_be_there(options: dict[str, Any], said: str) -> None:
    x = cp.Variable(3, name="x")
    with pytest.raises(dpplang.DiagnosticsError, match=rf"CVX903\D.*{said}"):
        dpplang.from_cvxpy(cp.Problem(cp.Minimize(cp.sum_squares(x))), **options)


def test_only_problems_are_taken() -> None:
    with pytest.raises(dpplang.BindError, match=r"takes a `cvxpy\.Problem`, not int"):
        dpplang.from_cvxpy(3)
