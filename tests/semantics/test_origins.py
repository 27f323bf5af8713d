"""Shapes that do not fit: both sizes, and the declared axis that each comes from."""

from __future__ import annotations

import pytest

from tests.semantics.helpers import run

HEAD = "dim n, m, k\ndata A[m, n], B[n, k], D[n, m, k]\nparam b[m], c[k]\nvar x[n], y[k], w[m, n]\n"


@pytest.mark.parametrize(
    "statement, note",
    [
        ("A @ x + c", "axis 0 is m (from axis 0 of `A`) on the left and k on the right"),
        ("B @ y - A @ x", "axis 0 is n (from axis 0 of `B`) on the left and m (from axis 0 of `A`) on the right"),
        ("A' @ b + 2 * abs(-c)", "axis 0 is n (from axis 1 of `A`) on the left and k (from `c`) on the right"),
        ("w[0] + b", "axis 0 is n (from axis 1 of `w`) on the left and m on the right"),
        ("D[:, 1, :] + w'", "axis 1 is k (from axis 2 of `D`) on the left and m (from axis 0 of `w`) on the right"),
        ("sum(w[i] for i in m) + c", "axis 0 is n (from axis 1 of `w`) on the left and k on the right"),
        ("square(x) + c", "axis 0 is n (from `x`) on the left and k on the right"),
        ("(A @ x) @ y", "the last axis on the left is m (from axis 0 of `A`), the first on the right k"),
        ("hstack(x, y) + c", "axis 0 is k + n on the left and k on the right"),
        ("x[1:] + c", "axis 0 is n - 1 (from `x`) on the left and k on the right"),
    ],
)
def test_sizes_are_traced_to_declarations(statement: str, note: str) -> None:
    (found,) = (d for d in run(f"{HEAD}minimize sum({statement})\n").diagnostics if d.is_error)
    assert found.notes == (note,)
    named = {name for name in "ABDbcxyw" if f"of `{name}`" in note or f"from `{name}`" in note}
    labelled = {label.text[1] for label in found.secondary if label.text.startswith("`")}
    assert named <= labelled


def test_through_let_and_func() -> None:
    text = f"{HEAD}let r = A @ x - b\nfunc f(z[n]) = A @ z\nminimize sum(r + B @ y)\nsubject to\n  f(x) <= c\n"
    first, second = (d for d in run(text).diagnostics if d.is_error)
    assert first.notes == ("axis 0 is m (from axis 0 of `A`) on the left and n (from axis 0 of `B`) on the right",)
    assert second.notes == ("axis 0 is m (from axis 0 of `A`) on the left and k on the right",)
