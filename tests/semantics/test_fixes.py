"""Every kind of rewrite: what the user sees, the text it makes, and that the program then checks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dpplang.core.diagnostics import Applicability, Diagnostic
from dpplang.core.edits import Mended, mend
from dpplang.core.render import render_human
from dpplang.core.source import Source
from dpplang.pipeline import Compilation
from tests.conftest import Golden
from tests.semantics.helpers import errors_in

GOLDEN = Path(__file__).parent / "golden" / "fixes"
HEAD = """\
dim n, m, T, k
data B[n, m], F[k, n]
param p nonneg, q, g pos, b[n], x0[n], v[n] pos
param S[n, n], P[n, n] psd, Om[k, k] psd, A[T, k, n], r[T] pos
derived R[k, n] = chol(Om)' @ F
var x[n], u[m], y, w[T, n]
"""
TAIL = "return x, u, y, w\n"

DERIVED = {
    "quotient": "minimize sum_squares(x) / p",
    "quotient_of_a_product": "minimize q * y / (1 + p)",
    "quotient_by_entries": "minimize norm1(x / v)",
    "quotient_of_what_is_parametrized": "minimize norm1((x - b) / p) + sum_squares(S @ x) / g",
    "quotient_twice_is_derived_once": "minimize sum_squares(x) / p\nsubject to\n  y / p <= 1",
    "a_derived_parameter_is_used_again": "derived one_over = 1 / p\nminimize sum_squares(x) / p",
    "function_of_a_parameter": "minimize exp(q) * y",
    "absolute_value": "minimize abs(q) * norm1(x)",
    "power": "minimize q^2 * y",
    "product_of_parameters": "minimize q * p * y",
    "product_on_the_right": "minimize y * (q * p)",
    "product_of_matrices": "minimize sum_squares(S @ S @ x)",
    "product_over_an_index": "minimize sum(q * r[t] * w[t, 0] for t in T)",
    "product_over_a_range_of_an_index": "minimize sum(q * r[t] * w[t, 0] for t in 1:T)",
    "product_over_two_indices": "minimize sum(r[t] * b[i] * w[t, i] for t in T, i in n)",
    "vector_over_an_index": "minimize norm1(sum(r[t] * b * w[t] for t in T))",
    "in_a_let": "let cost = q * p * y\nminimize cost",
    "in_a_func_without_its_arguments": "func cost(s) = s / p\nminimize cost(y) + cost(u[0])",
    "in_a_constraint_of_every_index": "minimize y\nsubject to\n  cap[t in T]: norm2(w[t]) / r[t] <= y",
    "below_what_it_uses": "minimize q * d * y\nderived d = exp(p)",
    "under_its_comments": "# first\n# the cost\nminimize q * p * y  # here",
    "over_two_lines": "minimize (q *  # weight\n  p) * y",
}
PRODUCTS = {
    "hoist_into_a_square": "minimize g * sum_squares(R @ x) - b' @ x",
    "hoist_into_a_norm": "minimize norm1(x) + g * norm2(S @ x)",
    "hoist_into_a_sum": "minimize 2 * g * sum(abs(x * b))",
    "hoist_in_a_func": "func risk(z[n]) = g * sum_squares(R @ z)\nminimize risk(x) + risk(2 * x)",
    "no_root_of_what_may_be_zero": "minimize p * sum_squares(R @ x)",
    "variable_for_an_affine_part": "minimize sum_squares(S @ (x0 + B @ u))",
    "variable_for_an_argument": "minimize p * norm1(x - b)",
    "variable_over_an_index": "minimize sum(r[t] * norm2(A[t] @ w[t]) for t in T)",
    "variable_over_a_range": "minimize sum(p * abs(r[t] * y - w[t, 0]) for t in 1:T)",
    "variable_for_a_vector_scale": "minimize v' @ abs(x - b)",
    "variables_in_a_sum": "minimize p * (norm1(x - b) + max(S @ x))",
    "regrouped_scalars": "minimize p * (q * y)",
    "regrouped_matrices": "minimize norm1(S @ (S @ x)) + norm1(p * (S @ x))",
    "regrouped_weights": "minimize p * (g * norm1(x))",
    "distributed_over_a_sum": "minimize p * (norm1(x) - g * sqrt(y))",
    "quadratic_form": "minimize g * quad_form(x, P)",
    "bound_of_what_has_no_affine_part": "minimize g * huber(y, M = p)",
    "bound_if_the_weight_is_not_zero": "minimize p * huber(y, M = g)",
    "through_a_let": "let a = q * y\nminimize norm1(x) * p + p * a",
    "through_a_let_of_a_convex_part": "let cost = norm1(x - b)\nminimize p * cost",
    "func_written_out": "func scaled(z) = p * z\nminimize scaled(q * y) + y^2",
    "func_written_out_around_a_variable": "func risk(z[n]) = p * sum_squares(R @ z - 1)\nminimize risk(x)",
    "func_written_out_at_every_call": (
        "func risk(z[n]) = p * sum_squares(R @ z - 1)\n"
        "minimize risk(x) + risk(2 * x) + sum(risk(w[t]) for t in T)\nsubject to\n  risk(x + 1) <= 3"
    ),
    "func_of_a_func_with_a_weight_that_may_be_zero": (
        "func g1(z[n]) = p * sum_squares(R @ z)\nfunc g2(z[n]) = g1(z) + g1(2 * z)\nminimize g2(x) + g1(x)"
    ),
    "constraint_without_subject_to": "minimize p * norm1(x - b)  # the cost",
    "on_one_line": "minimize p * norm1(x - b) subject to y >= 0",
    "form_in_a_constraint": "minimize y\nsubject to\n  quad_form(x, P) <= y",
}
CASES = {**DERIVED, **PRODUCTS}
UNSAFE = {
    "bound_if_the_weight_is_not_zero",
    "form_in_a_constraint",
    "func_of_a_func_with_a_weight_that_may_be_zero",
}


def errors(text: str) -> list[Diagnostic]:
    return [d for d in Compilation(Source("m.dpp", text)).diagnostics if d.is_error]


def program(name: str) -> str:
    return f"{HEAD}{CASES[name]}\n{TAIL}"


def mended(text: str, unsafe: bool = False) -> Mended:
    return mend(Source("m.dpp", text), errors_in, unsafe=unsafe)


@pytest.mark.parametrize("name", CASES)
def test_fix_is_the_golden_one_and_mends(name: str, golden: Golden) -> None:
    text = program(name)
    shown = render_human(errors(text), color=False)
    result = mended(text, unsafe=name in UNSAFE)
    assert not errors(result.source.text)
    after = result.source.text
    assert after.startswith(HEAD) and after.endswith(TAIL)
    golden(GOLDEN / f"{name}.txt", f"{shown}\n\n----\n{after[len(HEAD) : -len(TAIL)]}")


@pytest.mark.parametrize("name", sorted(UNSAFE))
def test_what_assumes_something_says_so_and_is_not_applied_unasked(name: str) -> None:
    (found,) = errors(program(name))
    (fix,) = found.fixes
    assert fix.applicability is Applicability.UNSAFE
    assert "assumes that" in fix.title
    assert mended(program(name)).source.text == program(name)


def test_new_names_are_none_that_the_text_uses_for_anything() -> None:
    text = HEAD + "minimize sum(r[z] * norm2(A[z] @ w[z]) for z in T)\n" + TAIL
    after = mended(text).source.text
    assert "minimize sum(r[z] * norm2(z2[z]) for z in T)" in after
    assert not errors(after)


def test_what_is_written_out_means_the_same_there() -> None:
    """`s` is a parameter in the `let`, and an index where the `let` is used: it cannot be written out there."""
    text = HEAD + "param s\nlet a = norm1(x - b) + s * y\nminimize sum(r[s] * a for s in T)\n" + TAIL
    after = mended(text).source.text
    assert "norm1(z) + s * y" not in after.partition("minimize")[2]
    assert "for s in T" in after


def test_outputs_stay_what_they_were_without_a_return() -> None:
    text = HEAD + "minimize p * norm1(x - b)"
    result = mended(text)
    assert result.source.text == (
        HEAD + "var z[n]\nminimize p * norm1(z)\nsubject to\n  z == x - b\nreturn x, u, y, w\n"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "func cost(s) = p * s\nfunc twice(s) = cost(s) + cost(2 * s)\nminimize twice(q * y)",  # in a func of a func
        "minimize sum(p * q * r[t] * norm1(A[i]) * y for t in T, i in t)",  # ranges that hang on each other
    ],
)
def test_no_fix_where_there_is_none(statement: str) -> None:
    found = errors(HEAD + statement + "\n")
    assert found
    assert all(d.help or d.fixes for d in found)


def test_the_reference_shows_what_is_printed() -> None:
    """The program and the error of docs/language.md §6."""
    reference = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```\n(.*?)^```$", reference.partition("## 6. Diagnostics")[2], re.M | re.S)
    text, error = blocks[:2]
    (found,) = errors(text)
    assert render_human([found], color=False) + "\n" == error
    assert "derived Rg = sqrt(gamma) * R\nminimize sum_squares(Rg @ w) - mu' @ w\n" in mended(text).source.text


def test_help_and_fix_do_not_say_the_same() -> None:
    for name in CASES:
        for found in errors(program(name)):
            assert not (found.help and found.fixes)
