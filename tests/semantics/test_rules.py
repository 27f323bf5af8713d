"""DCP and DPP: the culprit, the rule, the factors, the fixes."""

from __future__ import annotations

import pytest

from dpplang.core.diagnostics import Diagnostic
from tests.semantics.helpers import run

HEAD = (
    "dim n\nparam p nonneg, q, P[n, n] psd, S[n, n], b[n]\ndata k, Q[n, n] psd, M[n, n] nsd, R[n, n]\n"
    "var x[n], y[n] nonneg, u, v\n"
)


def verdict(statement: str, rest: str = "") -> list[tuple[str, str]]:
    return run(f"{HEAD}{statement}\n{rest}").places


def one(text: str) -> Diagnostic:
    (found,) = run(text).diagnostics
    return found


@pytest.mark.parametrize(
    "statement, places",
    [
        ("minimize sqrt(u) + square(v)", [("DCP204", "sqrt(u)")]),
        ("minimize square(u) - square(v)", [("DCP204", "square(v)")]),
        ("minimize exp(u + sqrt(v))", [("DCP202", "sqrt(v)")]),
        ("minimize square(square(u) - 1)", [("DCP202", "square(u)")]),
        ("minimize u * v", [("DCP201", "u * v")]),
        ("minimize 2 * (u * v) + sqrt(u)", [("DCP201", "(u * v)"), ("DCP204", "sqrt(u)")]),
        ("minimize k * square(u)", [("DCP207", "k")]),
        ("minimize u / v", [("DCP208", "v")]),
        ("minimize x' @ R @ x", [("DCP209", "R")]),
        ("minimize x' @ M @ x", [("DCP204", "x' @ M @ x")]),
        ("minimize u^v", [("DCP211", "^")]),
        ("maximize max(square(x))", [("DCP204", "max(square(x))")]),
        ("minimize max(sqrt(u) for i in n)", [("DCP202", "sqrt(u)")]),
        ("maximize 1 - p * norm2(x) + sum(sqrt(y))", []),
        ("minimize x' @ Q @ x + 2^u", []),
        ("maximize x' @ M @ x", []),
        ("minimize x' @ [[2, -1], [-1, 2]] @ x", None),
        ("minimize sum_squares(x) / k^2", []),
    ],
)
def test_dcp(statement: str, places: list[tuple[str, str]] | None) -> None:
    if places is None:
        assert run("var x[2]\nminimize x' @ [[2, -1], [-1, 2]] @ x\n").places == []
        assert run("var x[2]\nminimize x' @ [[1, -2], [-2, 1]] @ x\n").places == [("DCP209", "[[1, -2], [-2, 1]]")]
    else:
        assert verdict(statement) == places


@pytest.mark.parametrize(
    "statement, places",
    [
        ("minimize p * p * u", [("DPP301", "*")]),
        ("minimize p * sum_squares(S @ x)", [("DPP301", "*")]),
        ("minimize u / (1 + p)", [("DPP302", "(1 + p)")]),
        ("minimize exp(q) * u", [("DPP303", "exp(q)")]),
        ("maximize exp(q) + u", [("DPP303", "exp(q)")]),
        ("minimize exp(q) + u", []),
        ("minimize p * norm1(x) + q * u", []),
        ("minimize (p + 2*q) * u", []),
        ("minimize quad_form(x, P)", []),
        ("maximize -quad_form(x, P) / 2", []),
        ("minimize sqrt(2) * quad_form(x, P)", []),
        ("minimize p * quad_form(x, P)", [("DPP301", "*")]),
        ("minimize exp(quad_form(x, P))", [("DPP305", "quad_form(x, P)")]),
        ("minimize quad_over_lin(x, p)", []),
        ("minimize sum(kron(P, diag(x)))", []),
        ("minimize sum(kron(diag(x), P))", []),
        ("minimize sum(kron(R, p * diag(x)))", []),
        ("minimize sum(convolve(x, b))", []),
        ("minimize inv(P)[0, 0] * u", [("DPP303", "inv")]),
        ("minimize p^2 * u", [("DPP303", "p^2")]),
    ],
)
def test_dpp(statement: str, places: list[tuple[str, str]]) -> None:
    assert verdict(statement) == places


@pytest.mark.parametrize(
    "constraint, places",
    [
        ("sum_squares(x) <= 1", []),
        ("1 >= norm2(x)", []),
        ("sum_squares(x) >= 1", [("DCP206", "sum_squares(x)")]),
        ("sum_squares(x) == u", [("DCP205", "sum_squares(x)")]),
        ("0 <= x <= square(u)", [("DCP206", "square(u)")]),
        ("diag(x) >> Q", []),
        ("diag(square(x)) >> Q", [("DCP205", "square(x)")]),
        ("(u, x) in soc", []),
        ("(sqrt(u), x) in soc", [("DCP212", "sqrt(u)")]),
        ("(u, v, 1) in pow_cone(0.3)", []),
        ("(u, v, 1) in pow_cone(1.3)", [("SHP516", "1.3")]),
        ("p * (q * u) <= 1", [("DPP301", "*")]),
        ("quad_form(x, P) <= 1", [("DPP305", "quad_form(x, P)")]),
    ],
)
def test_constraints(constraint: str, places: list[tuple[str, str]]) -> None:
    assert verdict("minimize sum(x)", f"subject to\n  {constraint}\n") == places


def test_blame_names_the_factors_and_goes_through_derived() -> None:
    found = one(
        "dim n, k\ndata F[n, k]\nparam mu[n]\nparam gamma pos, Omega[k, k] psd\n"
        "derived R[k, n] = chol(Omega)' @ F'\nvar w[n]\nminimize gamma * sum_squares(R @ w) - mu' @ w\n"
    )
    assert found.code == "DPP301"
    assert found.primary is not None and found.primary.span.text == "*"
    labels = {(s.span.text, s.text) for s in found.secondary}
    assert ("gamma", "") in labels
    assert ("sum_squares(R @ w)", "convex; depends on the parameter `Omega` through `R`") in labels
    assert ("Omega", "a parameter") in labels and ("R", "derived from `Omega`") in labels
    assert [f.title for f in found.fixes] == ["derived Rg = sqrt(gamma) * R, and sum_squares(Rg @ w)"]
    assert not found.help


def test_blame_goes_through_let_and_func() -> None:
    text = "param p, q\nvar u\nlet a = q * u\nfunc scaled(z) = p * z\nminimize scaled(a)\n"
    found = one(text)
    labels = {(s.span.text, s.text) for s in found.secondary}
    assert found.code == "DPP301"
    assert ("scaled(a)", "in this call of `scaled`") in labels
    assert ("z", "affine; depends on the parameter `q`") in labels
    assert ("q * u", "what `z` stands for") in labels


def test_one_culprit_used_twice_is_one_error() -> None:
    assert run("var u, v\nlet a = u * v\nminimize a\nsubject to\n  a <= 1\n  2 * a <= 3\n").codes == ["DCP201"]


def test_division_by_a_parameter_has_a_fix_that_mends_it() -> None:
    text = "param p pos\nvar u\nminimize square(u) / p\n"
    (fix,) = one(text).fixes
    mended = text
    for edit in sorted(fix.edits, key=lambda e: -e.span.start):
        mended = mended[: edit.span.start] + edit.text + mended[edit.span.end :]
    assert mended == "param p pos\nvar u\nderived p_inv = 1 / p\nminimize square(u) * p_inv\n"
    assert run(mended).diagnostics == ()


def test_product_of_parameters_has_a_fix_that_mends_it() -> None:
    text = "param p, q\nvar u\nminimize p * q * u + square(u)\n"
    (fix,) = one(text).fixes
    mended = text
    for edit in sorted(fix.edits, key=lambda e: -e.span.start):
        mended = mended[: edit.span.start] + edit.text + mended[edit.span.end :]
    assert run(mended).diagnostics == ()


def test_square_of_an_expression_has_a_fix() -> None:
    (fix,) = one("dim n\nparam b[n]\nvar x[n]\nminimize (x - b)' @ (x - b)\n").fixes
    assert fix.edits[0].text in ("sum_squares((x - b))", "sum_squares(x - b)")


def test_a_culprit_in_a_let_names_the_constraint_that_asks() -> None:
    text = "var x, y\nlet a = sqrt(x)\nminimize y\nsubject to\n  y >= 0\n  top: a + y <= 1\n"
    found = one(text)
    assert found.primary is not None and found.primary.span.text == "sqrt(x)"
    assert [(s.span.text, s.text) for s in found.secondary] == [("a + y <= 1", "used in this constraint")]
    found = one("var x\nlet a = sqrt(x)\nminimize 2 * a\n")
    assert ("2 * a", "used in this objective") in {(s.span.text, s.text) for s in found.secondary}
    assert all(s.text != "used in this objective" for s in one("var x\nminimize sqrt(x)\n").secondary)
