"""One mistake gives one error, in however many places what it declares is used."""

from __future__ import annotations

import pytest

from tests.semantics.helpers import run

HEAD = "dim n\nparam b[n], p nonneg\n"
USES = """\
let u1 = {0} + b
let u2 = 2 * {0}
func f(z[n]) = sum(z - {0})
minimize sum_squares(x - {0}) + sum({0}) + norm1({0} - x) + f(x) + f(b) + sum(u1) + norm2(u2) + 3 * {0}[0]
subject to
  x >= {0}
  low[i in n]: x[i] >= {0}[i]
  0 <= {0} <= 1
return x, {0}
"""


@pytest.mark.parametrize(
    "declaration, name, code",
    [
        ("var x[n]\nparam c[n / 2]", "c", "SHP514"),
        ("var x[n]\nparam c[k]", "c", "NAM101"),
        ("var x[n]\nparam c[n] nonnegative", "c", "NAM115"),
        ("var x[n]\nparam c[n] psd", "c", "SHP518"),
        ("var x[n]\ndata c[n] = [1, 2]", "c", "SHP511"),
        ("var x[n]\nderived c[n] = b[1:]", "c", "SHP511"),
        ("var x[n]\nderived c = 2 * x", "c", "NAM119"),
        ("var x[n]\nderived c = chol(b)", "c", "SHP504"),
        ("var x[n]\nderived c[n] = bb", "c", "NAM101"),
        ("var x[n]\nlet c = x @ n", "c", "SHP503"),
        ("var x[n]\nlet c[n + 1] = x", "c", "SHP511"),
        ("var x[n]\nlet c = nosuch(x)", "c", "NAM104"),
        ("var x[n]\nlet c = x[n]", "c", "SHP505"),
        ("var x[n]\nparam c[n\n", "c", "SYN004"),
        ("var x[n]\nparm c[n]", "c", "SYN013"),
        ("var x[n]\nderived c = ", "c", "SYN014"),
        ("var x[n]\nlet c = b $ 2", "c", "SYN002"),
        ("var x[n]", "c", "NAM101"),
    ],
)
def test_a_wrong_declaration_used_in_ten_places_is_one_error(declaration: str, name: str, code: str) -> None:
    found = run(f"{HEAD}{declaration}\n{USES.format(name)}")
    assert found.errors == [code], [(d.code, d.message) for d in found.diagnostics]


@pytest.mark.parametrize(
    "declaration, code",
    [
        ("func g(z[n]) = sum(z) + norm1(z, z, z)", "ATM401"),
        ("func g(z[n]) = z[n]", "SHP505"),
        ("func g(z[n]) = sum(zz)", "NAM101"),
        ("func g(z[n]) = sum(z * (1 / 0))", "SHP515"),
        ("func g(z[n] = ", "SYN004"),
        ("func g(z[n]) = z' @ z", "DCP201"),
        ("func g(z[n]) = p * norm1(p * z)", "DPP301"),
        ("func g(z[n]) = norm1(z) / p", "DPP302"),
        ('from "nowhere.dpp" import g', "NAM112"),
        ("atom g(z[n]) {\n  curvature: convex\n}", "ATM410"),
    ],
)
def test_a_wrong_function_called_in_five_places_is_one_error(declaration: str, code: str) -> None:
    text = (
        f"{HEAD}var x[n], y[n]\n{declaration}\n"
        "minimize g(x) + 2 * g(y) + g(x - y)\nsubject to\n  g(x) <= 1\n  c[i in n]: g(x) <= i\n"
    )
    found = run(text)
    assert found.errors == [code], [(d.code, d.message) for d in found.diagnostics]


def test_a_dim_that_is_not_declared_is_one_error() -> None:
    found = run(
        "param b[n], A[n, n]\nvar x[n], y[n]\nminimize sum(x[i] for i in n) + b' @ y + sum(A @ x)\nreturn x[0:n]\n"
    )
    assert found.errors == ["NAM101"]


def test_a_wrong_constraint_and_its_dual_are_one_error() -> None:
    found = run("dim n\nvar x[n]\nminimize sum(x)\nsubject to\n  c: x >= z\nreturn x, dual c, dual c + 1\n")
    assert found.errors == ["NAM101"]
