"""The typed tree that lowering gets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dpplang.lattice.curvature import Curvature
from dpplang.lattice.dims import Poly, show_shape
from dpplang.lattice.sign import Sign
from dpplang.semantics.tree import Apply, AtomCall, DualRef, Kind, OptimalValue, Reduce, Ref, Size, Take
from tests.semantics.helpers import model_of

PORTFOLIO = """
dim T = 12, n, k
data  F[n, k]
param mu[T, n], w0[n], Omega[k, k] psd, d[n] nonneg
param gamma pos, kappa[n] nonneg, tau nonneg
derived R[k, n] = sqrt(gamma) * chol(Omega)' @ F'
derived s[n]    = sqrt(gamma * d)
func risk(x[n]) = sum_squares(R @ x) + sum_squares(s * x)
var w[T + 1, n], u[T, n]
maximize sum(mu[t]' @ w[t+1] - risk(w[t+1]) - kappa' @ abs(u[t]) for t in T)
subject to
  start:            w[0] == w0
  balance[t in T]:  w[t+1] == w[t] + u[t]
  budget[t in T]:   sum(w[t+1]) == 1
  long[t in T]:     0 <= w[t+1] <= 0.2
  turn[t in T if t > 0]:     norm1(u[t]) <= tau
return w[1:], dual budget, value, w
"""


def test_the_portfolio() -> None:
    model = model_of(PORTFOLIO)
    assert isinstance(model.objective, Reduce) and model.objective.op == "sum"
    assert model.objective.facts.dpp is Curvature.CONCAVE
    assert [d.symbol.name for d in model.derived] == ["R", "s"]
    assert [(c.name, c.kind, show_shape(c.shape), c.chained) for c in model.constraints] == [
        ("start", Kind.ZERO, "[n]", False),
        ("balance", Kind.ZERO, "[n]", False),
        ("budget", Kind.ZERO, "scalar", False),
        ("long", Kind.LE, "[n]", True),
        ("long", Kind.LE, "[n]", True),
        ("turn", Kind.LE, "scalar", False),
    ]
    assert model.constraints[-1].condition is not None
    names = [(o.name, type(o.value), show_shape(o.value.shape)) for o in model.outputs]
    assert names == [
        ("out0", Take, "[T, n]"),
        ("dual.budget", DualRef, "[T]"),
        ("value", OptimalValue, "scalar"),
        ("w", Ref, "[T + 1, n]"),
    ]


def test_without_return_every_variable_is_an_output() -> None:
    assert [o.name for o in model_of("var a, b\nminimize square(a) + square(b)\n").outputs] == ["a", "b"]


def test_swapped_sides() -> None:
    model = model_of("dim n\nparam S[n, n]\nvar X[n, n] symmetric\nfind\nsubject to\n  a: X[0, 0] >= 1\n  b: X << S\n")
    first, second = model.constraints
    assert first.swapped and isinstance(first.parts[1], Take)
    assert second.swapped and isinstance(second.parts[1], Ref) and second.parts[1].symbol.name == "X"


def test_a_let_used_twice_is_one_object() -> None:
    model = model_of("dim n\nparam A[n, n]\nvar x[n]\nlet e = A @ x\nminimize norm2(e)\nsubject to\n  e >= 0\n")
    assert isinstance(model.objective, AtomCall)
    assert model.objective.args[0] is model.constraints[0].parts[1]


def test_powers_and_quadratic_forms_are_atoms() -> None:
    model = model_of("dim n\ndata P[n, n] psd\nvar x[n], u\nminimize x' @ P @ x + u^4 + 2^u\n")
    names: list[str] = []
    pending = [model.objective]
    while pending:
        node = pending.pop()
        if isinstance(node, AtomCall):
            names.append(node.atom.name)
        elif isinstance(node, Apply):
            pending.extend(node.args)
    assert sorted(names) == ["exp", "power", "quad_form"]


def test_sizes_are_numbers_too() -> None:
    model = model_of("dim n\nparam b[n]\nvar x[n]\nminimize sum_squares(x - b) / (n + 1)\n")
    assert isinstance(model.objective, Apply) and model.objective.op == "div"
    below = model.objective.args[1]
    assert isinstance(below, Size) and below.poly == Poly.var("n") + 1 and below.facts.sign is Sign.NONNEG


def test_cones() -> None:
    model = model_of(
        "dim n, k\nparam a[n], b[k]\nvar x[n], t, T[k], X[k, n], y[n], z[n]\nfind\nsubject to\n"
        "  (t, x) in soc\n  (T, X) in soc\n  (x, y, z) in exp_cone\n  (x, 1, z) in pow_cone(1/3)\n  x in nonneg\n"
    )
    assert [show_shape(c.shape) for c in model.constraints] == ["[n + 1]", "[k, n + 1]", "[3, n]", "[3, n]", "[n]"]


def test_checking_loads_no_numpy() -> None:
    example = Path(__file__).parents[2] / "examples" / "portfolio" / "portfolio.dpp"
    program = (
        "import sys\nfrom dpplang.pipeline import check_path\n"
        f"model, found = check_path({str(example)!r})\nassert model is not None, found\n"
        "print([m for m in ('numpy', 'scipy', 'torch', 'cvxpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
