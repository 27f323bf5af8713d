"""Shapes and indices, symbolic in the dims."""

from __future__ import annotations

import pytest

from dpplang.lattice.dims import show_shape
from tests.semantics.helpers import model_of, run

HEAD = "dim m, n, T\ndata A[m, n], S[n, n], b[n], c[T], W[T + 1, n], Z[T, m, n]\nvar x[n], w[T + 1, n], u[T]\n"


def shape_of(expression: str) -> str:
    model = model_of(f"{HEAD}let e = {expression}\nfind\nsubject to\n  k: e == 0\n")
    return show_shape(model.constraints[0].shape)


@pytest.mark.parametrize(
    "expression, shape",
    [
        ("A @ x", "[m]"),
        ("x @ S", "[n]"),
        ("x @ b", "scalar"),
        ("A' @ (A @ x)", "[n]"),
        ("2 * x + b / 3", "[n]"),
        ("x'", "[n]"),
        ("w[0]", "[n]"),
        ("w[-1]", "[n]"),
        ("w[1:]", "[T, n]"),
        ("w[:-1, 0]", "[T]"),
        ("w[1:T, 0:n - 1]", "[T - 1, n - 1]"),
        ("Z[0] @ x", "[m]"),
        ("sum(w, axis = 0)", "[n]"),
        ("sum(w, axis = -1)", "[T + 1]"),
        ("sum(w, axis = 1, keepdims = True)", "[T + 1, 1]"),
        ("mean(w)", "scalar"),
        ("cumsum(w, axis = 0)", "[T + 1, n]"),
        ("diff(x)", "[n - 1]"),
        ("diff(w, 2, axis = 0)", "[T - 1, n]"),
        ("diag(x)", "[n, n]"),
        ("diag(S * x[0])", "[n]"),
        ("trace(S * x[0])", "scalar"),
        ("vec(w)", "[T*n + n]"),
        ("vec_to_upper_tri(ones(6) * x[0])", "[3, 3]"),
        ("vec_to_upper_tri(ones(6) * x[0], strict = 1)", "[4, 4]"),
        ("vec_to_upper_tri([1])", "[1, 1]"),
        ("squeeze(reshape(w, T + 1, 1, n))", "[T + 1, n]"),
        ("reshape(w, n, T + 1)", "[n, T + 1]"),
        ("reshape(x, [n, 1])", "[n, 1]"),
        ("hstack(x, 1, u)", "[T + n + 1]"),
        ("hstack([x, u])", "[T + n]"),
        ("vstack(x, b)", "[2, n]"),
        ("hstack(A, A) * x[0]", "[m, 2*n]"),
        ("vstack(A, S) * x[0]", "[m + n, n]"),
        ("[x[0], 1, 2]", "[3]"),
        ("[x, b]", "[2, n]"),
        ("bmat([[S, x], [x, 1]])", None),
        ("bmat([[diag(x), S], [S, S]])", "[2*n, 2*n]"),
        ("outer(b, x)", "[n, n]"),
        ("kron(A, diag(x))", "[m*n, n^2]"),
        ("convolve(c, x)", "[T + n - 1]"),
        ("vdot(S, diag(x))", "scalar"),
        ("ones(m, n) * x[0]", "[m, n]"),
        ("eye(n) @ x", "[n]"),
        ("sum(w[t] for t in T)", "[n]"),
        ("hstack(u[t] for t in T)", "[T]"),
        ("hstack(w[t] for t in 1:T)", "[T*n - n]"),
        ("vstack(w[t] for t in T)", "[T, n]"),
        ("vstack(u[t] for t in T)", "[T, 1]"),
        ("hstack(S[i, j] * x[0] for i in n, j in n)", "[n^2]"),
        ("transpose(w)", "[n, T + 1]"),
        ("partial_trace(kron(S, A @ A') * x[0], [n, m], axis = 0)", "[m, m]"),
        ("upper_tri(ones(4, 4) * x[0])", "[6]"),
        ("matmul(A, x)", "[m]"),
        ("multiply(b, x)", "[n]"),
        ("concatenate(w, W, axis = 0)", "[2*T + 2, n]"),
        ("stack(x, x)", "[2, n]"),
    ],
)
def test_shape(expression: str, shape: str | None) -> None:
    if shape is None:
        assert run(f"{HEAD}let e = {expression}\nfind\nsubject to\n  k: e == 0\n").errors == ["SHP512"]
    else:
        assert shape_of(expression) == shape.replace("n^2", "n*n")


@pytest.mark.parametrize(
    "expression, code, underlined",
    [
        ("x + u", "SHP501", "+"),
        ("A * x", "SHP502", "*"),
        ("A @ u", "SHP503", "@"),
        ("2 @ x", "SHP503", "@"),
        ("Z @ x", "SHP503", "Z"),
        ("Z'", "SHP504", "Z'"),
        ("x[n]", "SHP505", "n"),
        ("x[-1 - n]", "SHP505", "-1 - n"),
        ("x[n + 1 - 1]", "SHP505", "n + 1 - 1"),
        ("w[T + 1]", "SHP505", "T + 1"),
        ("x[1:n + 1]", "SHP506", "1:n + 1"),
        ("x[2:1]", "SHP506", "2:1"),
        ("x[0, 0]", "SHP507", "x[0, 0]"),
        ("x[0.5]", "SHP508", "0.5"),
        ("sum(u[t - 1] for t in T)", "SHP505", "t - 1"),
        ("sum(u[t + 1] for t in T)", "SHP505", "t + 1"),
        ("sum(w[t + 2, 0] for t in T)", "SHP505", "t + 2"),
        ("sum(u[t - 1] for t in T if t >= 0)", "SHP505", "t - 1"),
        ("sum(u[t - 4] for t in T if t >= 3)", "SHP505", "t - 4"),
        ("sum(u[2*t] for t in T)", "SHP505", "2*t"),
        ("sum(u[t - s] for t in T, s in T)", "SHP505", "t - s"),
        ("reshape(x, n + 1)", "SHP501", "reshape(x, n + 1)"),
        ("hstack(x[0:i] for i in n)", "SHP517", "x[0:i]"),
        ("hstack(x[i] for i in n if i > 0)", "SHP517", "x[i] for i in n if i > 0"),
        ("sum(x, axis = 1)", "SHP513", "1"),
        ("ones(n / 2)", "SHP514", "n / 2"),
    ],
)
def test_misfits(expression: str, code: str, underlined: str) -> None:
    result = run(f"{HEAD}let e = {expression}\nfind\n")
    assert [p for p in result.places if p[0] != "SHP510"] == [(code, underlined)]


@pytest.mark.parametrize(
    "expression",
    [
        "sum(u[t - 1] for t in T if t > 0)",
        "sum(u[t - 1] for t in T if t != 0)",
        "sum(u[t - 1] for t in 1:T)",
        "sum(u[t - 1] for t in T if not t < 1)",
        "sum(w[t + 1, 0] for t in T)",
        "sum(w[t, 0] for t in T + 1)",
        "sum(u[t - s] for t in T, s in T if s <= t)",
        "sum(u[s] for t in T, s in t:T)",
        "sum(vec(Z[0])[i * n + j] for i in m, j in n)",
        "x[n - 1]",
        "x[2]",  # whether it is there hangs on n: lowering checks it
        "sum(u[i] for i in n)",  # and this on n and T
        "sum(x[0:i]) for i in n".join(["sum(", ")"]),
    ],
)
def test_indices_that_stay_in_range_or_hang_on_sizes(expression: str) -> None:
    assert run(f"{HEAD}let e = {expression}\nfind\n").errors == []


def test_message_names_the_member_that_leaves_the_range() -> None:
    result = run(f"{HEAD}let e = sum(u[t + 1] for t in T)\nfind\n")
    assert "it is T at t = T - 1" in result.diagnostics[0].message


def test_mismatch_shows_where_both_shapes_come_from() -> None:
    (found,) = run("dim m, n\nparam A[m, n], b[m]\nvar x[m]\nminimize sum(A @ x - b)\n").diagnostics
    assert [(s.span.text, s.text) for s in found.secondary] == [
        ("A", "[m, n]"),
        ("x", "[m]"),
        ("A", "`A` is [m, n]"),
        ("x", "`x` is [m]"),
    ]
    assert found.help == ("the transpose on the left fits: `A' @ x`",)


def test_elementwise_product_has_a_fix() -> None:
    (found,) = run("dim n\nparam A[n, n + 1]\nvar x[n + 1]\nminimize sum(A * x)\n").diagnostics
    (edit,) = found.fixes[0].edits
    assert (edit.span.text, edit.text) == ("*", "@")


def test_undetermined_dims_are_warned_of() -> None:
    result = run(
        "dim m, n, k = 3\nparam B[2*n + 1]\nvar x[n], y[m], z[k]\nminimize sum(B) + sum(x) + sum(y) + sum(z)\n"
    )
    assert result.places == [("SHP510", "m")]
    assert result.model is not None


def test_time_does_not_depend_on_sizes() -> None:
    model = model_of("dim T = 1000000\nvar x[T]\nminimize sum(square(x[t] - x[t - 1]) for t in 1:T)\n")
    assert model.dims[0].default == 1_000_000
