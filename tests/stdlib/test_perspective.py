"""``perspective(f(x), s)`` of every record against s·f(x/s), against CVXPY, and in programs as users write them."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import pytest
import scipy.optimize
import scipy.special
import torch

import dpplang
from dpplang.asa.evaluate_vjp import evaluate_vjp
from dpplang.core.errors import DiagnosticsError
from dpplang.core.source import Source
from dpplang.lowering.numeric import to_numeric
from dpplang.semantics.library import Library
from dpplang.semantics.perspective import perspective_of
from dpplang.semantics.proof import prove
from dpplang.semantics.tree import Atom
from dpplang.syntax.ast import AtomItem
from dpplang.syntax.parser import parse
from dpplang.torch import Layer
from tests.stdlib.build import LIBRARY
from tests.stdlib.programs import points, program_text
from tests.stdlib.test_graphs import APPROXIMATE, LARGE, RECORDS
from tests.stdlib.values import sizes_of, value_of


@pytest.mark.parametrize("atom", RECORDS)
def test_the_record_of_a_perspective_is_proved_as_any_other(atom: Atom) -> None:
    made = perspective_of(atom)
    assert made is not None
    if made is not atom:
        # At s = 0 the graph is the closure, of which x/s says nothing.
        assert [d.message for d in prove(made) if "s = 0" not in d.message] == []


@pytest.mark.parametrize("atom", [r for r in RECORDS if r.id != "power-0"])  # x⁰ depends on no variable
def test_value_and_gradient_are_those_of_the_definition(atom: Atom) -> None:
    """∂/∂x = f'(x/s), ∂/∂s = f(x/s) − f'(x/s)·x/s, and ∂/∂M = s·∂f/∂M of a parameter inside."""
    found = [p for p in points(atom, 4, whole=False) if abs(np.sum(value_of(atom, list(p.values())))) < LARGE]
    made = program_text(atom, found[0], scaled=True)
    scales = np.resize([0.5, 1.7], len(found))
    moving = [f for f in atom.formals if f.mode != "const"]
    values = {"p_scale": torch.tensor(scales, requires_grad=True)}
    for formal in moving:
        name = formal.symbol.name
        stacked = np.stack([p[name] if formal.mode else s * p[name] for s, p in zip(scales, found, strict=True)])
        values[name if formal.mode else f"p_{name}"] = torch.tensor(stacked, requires_grad=True)
    out = Layer(dpplang.parse(made.text), data=made.data)(**values).value
    out.sum().backward()
    tolerance = 20 * APPROXIMATE.get(atom.name, 1e-4)
    assert atom.value is not None
    for position, (scale, point) in enumerate(zip(scales, found, strict=True)):
        value = np.sum(value_of(atom, list(point.values())))
        np.testing.assert_allclose(
            out[position].item(), scale * value, rtol=tolerance, atol=tolerance, err_msg=str(point)
        )
        numeric = to_numeric(atom.value, sizes_of(atom, list(point.values())))
        slopes = evaluate_vjp(numeric, point, np.ones(numeric.shape))
        convex = [f.symbol.name for f in atom.formals if not f.mode]
        along = value - sum(np.sum(slopes[name] * point[name]) for name in convex if name in slopes)
        have = values["p_scale"].grad[position].item()
        np.testing.assert_allclose(have, along, rtol=tolerance, atol=tolerance, err_msg=f"s at {point}")
        for formal in moving:
            name = formal.symbol.name
            if formal.symbol.has("symmetric") or any(f"{name} == {name}'" in r.span.text for r in atom.domain):
                continue  # in which of two equal entries a slope lies is a convention: see test_graphs
            want = slopes.get(name, np.zeros(point[name].shape)) * (scale if formal.mode else 1.0)
            have = values[name if formal.mode else f"p_{name}"].grad[position].numpy()
            np.testing.assert_allclose(have, want, rtol=tolerance, atol=tolerance, err_msg=f"{name} at {point}")


A = np.array([[1.0, -0.5, 0.3], [0.2, 0.8, -1.0]])
CASES = {
    "log_sum_exp(x) + sum_squares(x - a)": lambda x, a: cp.log_sum_exp(x) + cp.sum_squares(x - a),
    "sum_squares(A @ x - 1) + a' @ x + 2": lambda x, a: cp.sum_squares(A @ x - 1) + a @ x + 2,
    "sum(huber(x - a, M = 0.5))": lambda x, a: cp.sum(cp.huber(x - a, 0.5)),
    "max(A @ x + 1) + sum(exp(x - 1))": lambda x, a: cp.max(A @ x + 1) + cp.sum(cp.exp(x - 1)),
    "norm2(x - a) + norm1(A @ x) - 1": lambda x, a: cp.norm(x - a) + cp.norm1(A @ x) - 1,
}


@pytest.mark.parametrize("f", CASES)
def test_solution_is_cvxpys(f: str) -> None:
    a = np.array([1.0, -0.4, 0.7])
    text = f"""
data A[2, 3]
param a[3]
var x[3], s nonneg
minimize perspective({f}, s) + 2 * square(s - 1) + 0.5 * sum_squares(x)
subject to
  sum(x) >= 1
"""
    ours = dpplang.parse(text).solve(a=a, data={"A": A})
    x, s = cp.Variable(3), cp.Variable(nonneg=True)
    objective = cp.perspective(CASES[f](x, a), s) + 2 * cp.square(s - 1) + 0.5 * cp.sum_squares(x)
    problem = cp.Problem(cp.Minimize(objective), [cp.sum(x) >= 1])
    problem.solve(solver="CLARABEL", tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
    assert ours.value == pytest.approx(problem.value, rel=1e-6, abs=1e-6)
    np.testing.assert_allclose(ours.x, x.value, atol=1e-4)
    assert ours.s == pytest.approx(s.value, abs=1e-4)


CVXPY_ERRS = {
    "norm2(x - a) + 0.1 * sum(x^4)": lambda x, a: np.linalg.norm(x - a) + 0.1 * np.sum(x**4),
    "sum(kl_div(x, 1)) - sum(sqrt(x + 1))": lambda x, a: np.sum(scipy.special.kl_div(x, 1)) - np.sum(np.sqrt(x + 1)),
}
"""Perspectives of which CVXPY 1.9.3 returns points that are not optimal, and calls them so."""


@pytest.mark.parametrize("f", CVXPY_ERRS)
def test_solution_is_that_of_the_definition(f: str) -> None:
    a = np.array([1.0, -0.4, 0.7])
    text = (
        f"param a[3]\nvar x[3], s nonneg\nminimize perspective({f}, s) + 2 * square(s - 1)\nsubject to\n  sum(x) >= 1\n"
    )
    ours = dpplang.parse(text).solve(a=a)

    def objective(z: np.ndarray) -> float:
        return z[3] * CVXPY_ERRS[f](z[:3] / z[3], a) + 2 * (z[3] - 1) ** 2

    at = np.concatenate([ours.x, [ours.s]])
    assert ours.value == pytest.approx(objective(at), abs=1e-6)
    mass = {"type": "ineq", "fun": lambda z: z[:3].sum() - 1}
    floor = [(1e-9, None) if "kl_div" in f else (None, None)] * 3 + [(1e-9, None)]
    best = scipy.optimize.minimize(objective, at + 0.05, bounds=floor, constraints=mass, options={"ftol": 1e-12})
    assert ours.value == pytest.approx(best.fun, abs=1e-5)


def test_a_concave_function_has_a_concave_perspective() -> None:
    """s·log(x/s): the maximum over x + s = 3, which is −rel_entr(s, x)."""
    text = "param b\nvar x, s nonneg\nmaximize perspective(log(x) + b, s)\nsubject to\n  x + s == 3\n  s <= 2\n"
    ours = dpplang.parse(text).solve(b=0.2)
    x, s = cp.Variable(), cp.Variable(nonneg=True)
    problem = cp.Problem(cp.Maximize(-cp.rel_entr(s, x) + 0.2 * s), [x + s == 3, s <= 2])
    assert ours.value == pytest.approx(problem.solve(solver="CLARABEL"), abs=1e-6)
    assert ours.s == pytest.approx(s.value, abs=1e-4)


PROGRAM = """
dim n, T = 3
param a[n], c nonneg, S[n, n], floor pos
data  F[n, n]
func loss(z[n]) = sum(logistic(F @ z)) + sum(huber(z - a, M = c)) + c
var x[T, n], s[T]

minimize sum(perspective(loss(x[t]) + norm2(S @ x[t]), s[t]) for t in T) + sum_squares(s) + 0.1 * sum_squares(x)
subject to
  mass[t in T]: sum(x[t]) == t + 1
  least: s >= floor

return x, s, dual mass
"""


def test_gradients_of_a_program_with_indices_are_its_central_differences() -> None:
    rng = np.random.default_rng(3)
    values = {"a": rng.normal(size=4), "c": np.array(0.6), "S": rng.normal(size=(4, 4)), "floor": np.array(0.4)}
    layer = Layer(dpplang.parse(PROGRAM), data={"F": rng.normal(size=(4, 4))})
    given = {k: torch.tensor(v, requires_grad=True) for k, v in values.items()}
    weights = None

    def objective(bound: dict[str, torch.Tensor]) -> torch.Tensor:
        nonlocal weights
        outputs = layer(**bound)
        weights = weights or [torch.tensor(rng.normal(size=tuple(o.shape))) for o in outputs]
        return sum((w * o).sum() for w, o in zip(weights, outputs, strict=True))

    objective(given).backward()
    step = 1e-5
    for name, value in values.items():
        direction = rng.normal(size=value.shape)
        ends = [
            objective(
                {k: torch.tensor(v + (sign * step * direction if k == name else 0)) for k, v in values.items()}
            ).item()
            for sign in (1, -1)
        ]
        want = (ends[0] - ends[1]) / (2 * step)
        assert (given[name].grad.numpy() * direction).sum() == pytest.approx(want, rel=1e-4, abs=1e-6), name


def test_a_parameter_may_be_the_scale() -> None:
    """x²/p + p: the solution of minimize x²/p − x is p/2, whose slope is ½."""
    layer = Layer(dpplang.parse("param p pos\nvar x\nminimize perspective(square(x) + 1, p) - x\nreturn x"))
    p = torch.tensor([0.5, 2.0], requires_grad=True)
    (x,) = layer(p=p)
    x.sum().backward()
    np.testing.assert_allclose(x.detach(), [0.25, 1.0], atol=1e-6)
    np.testing.assert_allclose(p.grad, [0.5, 0.5], atol=1e-5)


def test_a_scale_of_unknown_sign_is_kept_nonnegative() -> None:
    for f, value in (("sum(x) + 2", 0.0), ("norm1(x)", 0.0), ("square(x[0])", 0.0)):
        text = f"var x[2], s\nminimize perspective({f}, s) + s\nsubject to\n  x >= 0\n"
        assert dpplang.parse(text).solve().value == pytest.approx(value, abs=1e-6), f


def test_an_atom_of_ones_own_has_a_perspective() -> None:
    """A graph with bounded variables: the bounds are multiplied by the scale."""
    text = """
atom deadband(x) {
  kind:      elementwise
  curvature: convex
  sign:      nonneg
  value:     maximum(abs(x) - 1, 0)
  graph {
    var r in [-1, 1]
    minimize abs(x - r)
  }
}
param b
var x, s nonneg
minimize perspective(deadband(x), s)
subject to
  x == 5
  s == b
"""
    problem = dpplang.parse(text)
    for b in (0.5, 2.0, 7.0):
        assert problem.solve(b=b).value == pytest.approx(max(5 - b, 0), abs=1e-6)


HEAD = "dim n\nparam p, q pos, P[n, n] psd\nvar x[n], s nonneg, u\n"


@pytest.mark.parametrize(
    ("objective", "code", "words"),
    [
        ("perspective(square(p), s)", "ATM429", "function of variables"),
        ("perspective(sum_squares(x) + s, s)", "ATM429", "`s`"),
        ("perspective(sum_squares(x), sqrt(s))", "DCP202", "affine"),
        ("perspective(sum_squares(x), x)", "SHP504", "scalar"),
        ("perspective(sum_squares(x))", "NAM105", "2 arguments"),
        ("perspective(sum_squares(x), p)", "ATM406", "nonneg"),
        ("perspective(quad_form(x, P), s)", "ATM429", "quad_form"),
        ("perspective(sum(sqrt(x)), s)", "DCP204", "concave"),
        ("perspective(sum_squares(x) * s, s)", "ATM429", "`s`"),
        ("perspective(sum(x) * u, s)", "DCP201", "product"),
        ("perspective(sum_squares(x) + p, p * s)", "DPP301", "parametrized"),
        ("perspective(sum_squares(x) + p, q)", "DPP301", "parametrized"),
        ("perspective(exp(p) + sum(x), s)", "DPP303", ""),
        ("perspective(sum(exp(sqrt(x))), s)", "DCP202", "concave"),
        ("perspective(sum_squares(x), s, M = 2)", "NAM118", "M"),
    ],
)
def test_misuse_is_explained(objective: str, code: str, words: str) -> None:
    with pytest.raises(DiagnosticsError) as error:
        dpplang.parse(f"{HEAD}minimize {objective}\n")
    found = [d for d in error.value.diagnostics if d.severity.value == "error"]
    assert [d.code for d in found] == [code], [d.message for d in found]
    assert words in found[0].message


def test_what_is_homogeneous_is_its_own_perspective() -> None:
    own = {a.name for n in LIBRARY.functions() for a in LIBRARY.lookup(n) if perspective_of(a) is a}
    assert {"abs", "norm2", "max", "geo_mean", "quad_over_lin", "lambda_max"} <= own
    assert not own & {"square", "exp", "log", "huber", "logistic", "log_det"}


def test_records_that_use_each_other_twice_are_gone_through_once() -> None:
    """Twelve records, each of which uses the one before it twice: written out they would be four thousand calls."""
    text = "atom a0(x) {\n  kind: elementwise\n  curvature: convex\n  value: exp(x)\n  graph {\n    minimize exp(x)\n  }\n}\n"
    for k in range(1, 13):
        text += (
            f"atom a{k}(x) {{\n  kind: elementwise\n  curvature: convex\n  value: exp(x)\n"
            f"  graph {{\n    minimize 0.5 * a{k - 1}(x) + 0.5 * a{k - 1}(x)\n  }}\n}}\n"
        )
    file = parse(Source("a.dpp", text)).file
    library = Library({item.name.name: (item,) for item in file.items if isinstance(item, AtomItem)} | LIBRARY._records)
    (last,) = library.lookup("a12")
    made: dict[Atom, Atom | None] = {}
    assert perspective_of(last, made) is not last
    assert len(made) == 14


def test_records_without_a_graph_have_none() -> None:
    assert {a.name for n in LIBRARY.functions() for a in LIBRARY.lookup(n) if perspective_of(a) is None} == {
        "quad_form"
    }
