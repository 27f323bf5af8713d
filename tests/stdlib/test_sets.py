"""Sets: records of kind ``set`` against CVXPY's constraints, in value, dual and gradient; as users define and use them."""

from __future__ import annotations

import re
from collections.abc import Callable

import cvxpy as cp
import numpy as np
import pytest
import torch

import dpplang
from dpplang.core.errors import DiagnosticsError
from dpplang.semantics.perspective import perspective_of
from dpplang.semantics.proof import prove
from dpplang.semantics.tree import Atom
from dpplang.torch import Layer
from tests.stdlib.build import LIBRARY

SETS = [pytest.param(r, id=f"{n}-{k}") for n in LIBRARY.sets() for k, r in enumerate(LIBRARY.lookup(n))]


@pytest.mark.parametrize("record", SETS)
def test_the_record_is_proved(record: Atom) -> None:
    assert record.is_set
    assert prove(record) == ()
    assert perspective_of(record) is not None


def test_the_names_that_are_promised_are_there() -> None:
    assert {"simplex", "ball", "box"} <= set(LIBRARY.sets())
    assert not set(LIBRARY.sets()) & set(LIBRARY.functions())


def mutants(text: str) -> list[str]:
    """The record with one relation of its graph changed, or one constraint left out."""
    graph = text[: text.index("  test ")]
    found: list[str] = []
    for place in re.finditer(r"<=|>=|==", graph):
        others = {"<=", ">=", "=="} - {place.group()}
        found += [text[: place.start()] + other + text[place.end() :] for other in sorted(others)]
    lines = [line for line in graph.splitlines() if re.match(r"\s+\w+: .*[<>=]=", line)]
    return found + [text.replace(line + "\n", "", 1) for line in lines if len(lines) > 1]


@pytest.mark.parametrize("record", SETS)
def test_every_mutant_of_a_set_is_caught(record: Atom) -> None:
    """By the check of its record, or by its tests."""
    item = next(i for i in LIBRARY.items(record.name) if i.name.span.start == record.span.start)
    text = re.sub(rf"\b{record.name}\b", "mine", item.span.text) + "\n"
    parsed(text + "var x\nminimize square(x)\n")
    assert len(mutants(text)) >= 2
    for mutant in mutants(text):
        with pytest.raises(DiagnosticsError):
            parsed(mutant + "var x\nminimize square(x)\n")


Constraints = Callable[[cp.Expression, dict[str, np.ndarray]], list[cp.Constraint]]
MEMBERS: dict[str, Constraints] = {
    "x in simplex": lambda x, p: [x >= 0, cp.sum(x) == 1],
    "x in simplex(r)": lambda x, p: [x >= 0, cp.sum(x) == p["r"]],
    "x in ball": lambda x, p: [cp.norm(x) <= 1],
    "x in ball(r)": lambda x, p: [cp.norm(x) <= p["r"]],
    "A @ x + b in ball(radius = 2 * r)": lambda x, p: [cp.norm(p["A"] @ x + p["b"]) <= 2 * p["r"]],
    "x in ball(r, b)": lambda x, p: [cp.norm(x - p["b"]) <= p["r"]],
    "x in ball(r, center = b + 1)": lambda x, p: [cp.norm(x - p["b"] - 1) <= p["r"]],
    "x in box(0, r)": lambda x, p: [x >= 0, x <= p["r"]],
    "x in box(b - 1, b)": lambda x, p: [x >= p["b"] - 1, x <= p["b"]],
    "x in box(-inf, b)": lambda x, p: [x <= p["b"]],
    "x - x[0] in box(upper = 0.5, lower = -r)": lambda x, p: [x - x[0] <= 0.5, x - x[0] >= -p["r"]],
    "outer(x, [1, 2]) in ball(r)": lambda x, p: [cp.norm(cp.outer(x, [1, 2]), "fro") <= p["r"]],
    "outer(x, [1, 2]) in ball(r, outer(b, [1, 1]))": lambda x, p: [
        cp.norm(cp.outer(x, [1, 2]) - np.outer(p["b"], [1, 1]), "fro") <= p["r"]
    ],
    "(sum(x), r, x) in rotated_soc": lambda x, p: [cp.sum_squares(x) <= 2 * p["r"] * cp.sum(x)],
}


def values() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    return {
        "a": np.array([0.9, -0.7, 1.3]),
        "b": np.array([0.3, 0.8, -0.2]),
        "A": rng.normal(size=(3, 3)),
        "r": np.array(0.7),
    }


def program(member: str) -> str:
    return f"""
param a[3], b[3], A[3, 3], r nonneg
var x[3]
minimize sum_squares(x - a) + 0.5 * sum(x)
subject to
  here: {member}
return x, dual here
"""


def parsed(text: str) -> dpplang.Problem:
    """A program, whatever it does not use."""
    return dpplang.parse(text)


@pytest.mark.parametrize("member", MEMBERS)
def test_solution_is_cvxpys(member: str) -> None:
    given = values()
    ours = parsed(program(member)).solve(**given)
    x = cp.Variable(3)
    objective = cp.sum_squares(x - given["a"]) + 0.5 * cp.sum(x)
    problem = cp.Problem(cp.Minimize(objective), MEMBERS[member](x, given))
    problem.solve(solver="CLARABEL", tol_gap_abs=1e-10, tol_gap_rel=1e-10)
    np.testing.assert_allclose(ours.x, x.value, atol=2e-5)


@pytest.mark.parametrize("member", [m for m in MEMBERS if m.startswith("x in")])
def test_dual_is_the_gradient_that_the_set_holds(member: str) -> None:
    """∇f(x) − y = 0: the dual has the shape and the sign of that of `x in nonneg`."""
    given = values()
    ours = parsed(program(member)).solve(**given)
    np.testing.assert_allclose(ours.dual.here, 2 * (ours.x - given["a"]) + 0.5, atol=1e-6)


def test_dual_of_a_set_with_a_parameter_before_the_element() -> None:
    """{x : Fx ≤ g}: y = −Fᵀλ, where F is a parameter; and its gradient."""
    text = """
atom polyhedron(x[n], param F[m, n], param g[m]) {
  kind: set
  graph {
    subject to
      rows: F @ x <= g
  }
  test [1, 1] in polyhedron([[1, 0]], [1])
  test [2, 1] not in polyhedron([[1, 0]], [1])
}
param F[2, 3], g[2], c[3]
var x[3]
minimize sum_squares(x - c)
subject to
  inside: x in polyhedron(F, g)
return x, dual inside
"""
    F, c = np.array([[1.0, 2.0, -1.0], [0.5, -1.0, 1.0]]), np.array([1.0, 2.0, 0.5])
    ours = parsed(text).solve(F=F, g=np.array([0.5, -0.3]), c=c)
    np.testing.assert_allclose(ours.dual.inside, 2 * (ours.x - c), atol=1e-7)
    given = {k: torch.tensor(v, requires_grad=True) for k, v in {"F": F, "g": np.array([0.5, -0.3]), "c": c}.items()}
    assert torch.autograd.gradcheck(
        lambda F, g, c: tuple(Layer(parsed(text))(F=F, g=g, c=c)), tuple(given.values()), atol=1e-5
    )


@pytest.mark.parametrize("member", ["x in simplex(r)", "x in ball(r, b)", "x in box(b - 1, b)", "x in ball(r)"])
def test_gradients_are_central_differences(member: str) -> None:
    given = {k: torch.tensor(v, requires_grad=True) for k, v in values().items()}
    layer = Layer(parsed(program(member)))
    names = tuple(given)
    assert torch.autograd.gradcheck(
        lambda *v: tuple(layer(**dict(zip(names, v, strict=True)))), tuple(given.values()), atol=1e-5, eps=1e-6
    )


def test_members_of_an_index_set_and_nested_sets() -> None:
    text = """
atom lottery(p[k, n], param mass nonneg) {
  kind: set
  graph {
    var top[n]
    subject to
      rows[i in k]: p[i] in simplex(mass)
      cap[i in k]:  p[i] <= top
      all:          sum(top) <= 2 * mass
  }
}
dim k, n, T
param c[T, k, n], mass nonneg
var p[T, k, n]
minimize sum(c * p) + sum_squares(p)
subject to
  fair[t in T if t > 0]: p[t] in lottery(mass)
  first: p[0] in box(0, mass)
return p, dual fair
"""
    rng = np.random.default_rng(0)
    c = rng.normal(size=(3, 2, 4))
    ours = parsed(text).solve(c=c, mass=1.5)
    p, top = [cp.Variable((2, 4)) for _ in range(3)], [cp.Variable(4) for _ in range(3)]
    constraints = [p[0] >= 0, p[0] <= 1.5]
    for t in (1, 2):
        constraints += [
            p[t] >= 0,
            cp.sum(p[t], axis=1) == 1.5,
            p[t][0] <= top[t],
            p[t][1] <= top[t],
            cp.sum(top[t]) <= 3,
        ]
    objective = sum(cp.sum(cp.multiply(c[t], p[t])) + cp.sum_squares(p[t]) for t in range(3))
    cp.Problem(cp.Minimize(objective), constraints).solve(solver="CLARABEL", tol_gap_abs=1e-10, tol_gap_rel=1e-10)
    np.testing.assert_allclose(ours.p, np.stack([v.value for v in p]), atol=1e-5)
    np.testing.assert_allclose(ours.dual.fair[1:], (c + 2 * ours.p)[1:], atol=1e-5)
    np.testing.assert_array_equal(ours.dual.fair[0], 0)


def test_a_set_of_several_parts_has_their_duals_stacked() -> None:
    text = """
atom wedge(x, y, param slope nonneg) {
  kind: set
  graph {
    subject to
      cone: abs(y) <= slope * x
  }
  test (2, -1) in wedge(0.5)
  test (1, 1) not in wedge(0.5)
}
param a[2], b[2]
var x[2], y[2]
minimize sum_squares(x - a) + sum_squares(y - b)
subject to
  w: (x, y) in wedge(0.5)
return dual w
"""
    a, b = np.array([1.0, -1.0]), np.array([2.0, 3.0])
    ours = parsed(text).solve(a=a, b=b)
    np.testing.assert_allclose(ours.dual.w, np.stack([2 * (ours.x - a), 2 * (ours.y - b)]), atol=1e-6)


def test_a_perspective_goes_through_a_set_in_a_graph() -> None:
    """The support function of a ball shifted, s·f(x/s) with f a distance to a ball: max(‖x‖ − s, 0)."""
    text = """
atom gap(x[n]) {
  curvature: convex
  sign:      nonneg
  value:     maximum(norm2(x) - 1, 0)
  graph {
    var z[n]
    minimize norm2(x - z)
    subject to
      near: z in ball
  }
}
param b, c[2]
var x[2], s nonneg
minimize perspective(gap(x), s)
subject to
  x == c
  s == b
"""
    problem = parsed(text)
    for b in (0.5, 2.0, 7.0):
        assert problem.solve(b=b, c=np.array([3.0, 4.0])).value == pytest.approx(max(5 - b, 0), abs=1e-6)


@pytest.mark.parametrize(
    ("lines", "code", "words"),
    [
        ("x in simplx", "NAM121", "simplx"),
        ("x in sum_squares", "NAM121", "is a function, not a set"),
        ("norm2(x) <= ball(x)", "NAM104", "is a set, not a function"),
        ("x in ball(q)", "ATM406", "nonneg"),
        ("x in ball(p * q)", "ATM405", "affine in the parameters"),
        ("x in ball(sum(x))", "ATM405", "free of variables"),
        ("x in ball(1, p)", "ATM403", ""),
        ("x in ball(1, hstack(b, 1))", "ATM403", "center"),
        ("x in ball(size = 1)", "ATM402", "size"),
        ("q * x in simplex(p)", "", ""),
        ("x not in simplex", "DCP213", ""),
        ("norm2(x) in ball", "DCP212", "ball"),
        ("x in box(b)", "NAM105", "`upper`"),
        ("x in box(b, hstack(b, 1))", "ATM403", ""),
        ("q * p * x in ball", "DPP301", ""),
    ],
)
def test_misuse_is_explained(lines: str, code: str, words: str) -> None:
    text = f"dim n\nparam p nonneg, q, b[n]\nvar x[n]\nminimize sum(x)\nsubject to\n  {lines}\n"
    if not code:
        parsed(text)
        return
    with pytest.raises(DiagnosticsError) as error:
        parsed(text)
    found = [d for d in error.value.diagnostics if d.is_error]
    assert [d.code for d in found] == [code], [d.message for d in found]
    assert words in found[0].message


def test_a_set_that_multiplies_two_parameters_is_not_dpp() -> None:
    text = """
atom tilted(x[n], param g[n]) {
  kind: set
  graph {
    subject to
      half: g' @ x <= 1
  }
}
param g[3], q
var x[3]
minimize sum_squares(x - 1)
subject to
  {line}
"""
    parsed(text.replace("{line}", "x in tilted(g)"))
    parsed(text.replace("{line}", "x in tilted(2 * g)").replace("x - 1", "q * x - 1"))
    with pytest.raises(DiagnosticsError) as error:
        parsed(text.replace("{line}", "q * x in tilted(g)"))
    assert [d.code for d in error.value.diagnostics if d.is_error] == ["DPP301"]


def test_infeasible_sets_are_blamed_by_the_users_line() -> None:
    text = "param r nonneg\nvar x[3]\nfind\nsubject to\n  near: x in ball(r)\n  mass: x in simplex(5)\n"
    with pytest.raises(dpplang.SolveError) as error:
        parsed(text).solve(r=1.0)
    assert "near" in str(error.value)
    assert "mass" in str(error.value)


def test_a_set_is_imported(tmp_path) -> None:
    (tmp_path / "mine.dpp").write_text("atom half(x) {\n  kind: set\n  graph {\n    subject to\n      x >= 1\n  }\n}\n")
    (tmp_path / "main.dpp").write_text(
        'from "mine.dpp" import half\nvar x[2]\nminimize sum(x)\nsubject to\n  x in half\n', encoding="utf-8"
    )
    assert dpplang.load(tmp_path / "main.dpp").solve().value == pytest.approx(2)


def test_sets_that_are_defined_through_each_other_are_named() -> None:
    one = "atom {0}(x) {{\n  kind: set\n  graph {{\n    subject to\n      x in {1}\n  }}\n}}\n"
    with pytest.raises(DiagnosticsError) as error:
        parsed(one.format("left", "right") + one.format("right", "left") + "var x\nfind\nsubject to\n  x in left\n")
    assert {d.code for d in error.value.diagnostics} == {"ATM414"}
