"""Fixes by code: declarations, attributes, operators, indices. Each text before and after."""

from __future__ import annotations

import pytest

from dpplang.core.diagnostics import Applicability, Diagnostic
from dpplang.core.edits import mend
from dpplang.core.source import Source
from dpplang.pipeline import Compilation
from tests.semantics.helpers import errors_in

SAFE = {
    "a dim beside others": (
        "dim n  # sizes\nparam b[n], c[m]\nvar x[n]\nminimize sum_squares(x - b) + c[0]^2\n",
        "dim n, m  # sizes\nparam b[n], c[m]\nvar x[n]\nminimize sum_squares(x - b) + c[0]^2\n",
    ),
    "the first dim, below the doc": (
        "## A program.\n\nparam b[n]\nvar x[n]\nminimize sum(square(x[i] - b[i]) for i in n)\n",
        "## A program.\n\ndim n\nparam b[n]\nvar x[n]\nminimize sum(square(x[i] - b[i]) for i in n)\n",
    ),
    "a dim of an index set": (
        "dim n\nparam b[n]\nvar x[n], y\nminimize sum_squares(x - b) + sum(y^2 for t in T)\n",
        "dim n, T\nparam b[n]\nvar x[n], y\nminimize sum_squares(x - b) + sum(y^2 for t in T)\n",
    ),
    "a definition moves up with its comments": (
        "dim n\nparam b[n]\nvar x[n]\nlet c = 2 * d  # double\n\n# why\nderived d = exp(b)  # this\nminimize sum_squares(x - c)\n",
        "dim n\nparam b[n]\nvar x[n]\n# why\nderived d = exp(b)  # this\nlet c = 2 * d  # double\n\nminimize sum_squares(x - c)\n",
    ),
    "a declaration that repeats another": (
        "dim n\nparam b[n] nonneg\nvar x[n]\nparam b[ n ] nonneg  # again\nminimize sum_squares(x - b)\n",
        "dim n\nparam b[n] nonneg\nvar x[n]\n# again\nminimize sum_squares(x - b)\n",
    ),
    "a declaration that repeats another, in a list": (
        "dim n, n\nparam b[n], c, b[n]\nvar x[n]\nminimize sum_squares(x - b) + c * x[0]\n",
        "dim n\nparam b[n], c\nvar x[n]\nminimize sum_squares(x - b) + c * x[0]\n",
    ),
    "an attribute given twice": (
        "param p nonneg nonneg, q\nvar x\nminimize p * x^2 + q * x\n",
        "param p nonneg, q\nvar x\nminimize p * x^2 + q * x\n",
    ),
    "a scalar times": (
        "dim n\nparam p, b[n]\nvar x[n]\nminimize sum_squares(p @ x - b)\n",
        "dim n\nparam p, b[n]\nvar x[n]\nminimize sum_squares(p * x - b)\n",
    ),
    "a square": (
        "dim n\ndata b[n]\nvar x[n]\nminimize (x - b)' @ (x - b)\n",
        "dim n\ndata b[n]\nvar x[n]\nminimize sum_squares(x - b)\n",
    ),
    "a numeric function of parameters": (
        "dim n\nparam P[n, n] psd\nvar x[n]\nminimize norm1(inv(P) @ x)\n",
        "dim n\nparam P[n, n] psd\nvar x[n]\nderived inv_P = inv(P)\nminimize norm1(inv_P @ x)\n",
    ),
    "a power of a parameter": (
        "param p, q\nvar x\nminimize x^2 + 2^p * x\nsubject to\n  x >= p^q\n",
        "param p, q\nvar x\nderived d = 2^p\nderived p_pow = p^q\nminimize x^2 + d * x\nsubject to\n  x >= p_pow\n",
    ),
    "a matrix that is proved semidefinite": (
        "dim n\nparam L[n, n]\nvar x[n]\nminimize quad_form(x, L @ L') + sum(x)\n",
        "dim n\nparam L[n, n]\nvar x[n]\nderived LL psd = L @ L'\nminimize quad_form(x, LL) + sum(x)\n",
    ),
    "an argument that must be affine in the parameters": (
        "dim n\nparam p pos, q pos\nvar x[n]\nminimize sum(huber(x, M = p * q)) + sum_squares(x)\n",
        "dim n\nparam p pos, q pos\nvar x[n]\nderived pq = p * q\nminimize sum(huber(x, M = pq)) + sum_squares(x)\n",
    ),
}
UNSAFE = {
    "a sign": (
        "dim n\nparam b[n], γ\nvar x[n]\nminimize γ * sum_squares(x) - b' @ x\n",
        "dim n\nparam b[n], γ nonneg\nvar x[n]\nminimize γ * sum_squares(x) - b' @ x\n",
    ),
    "the other sign, of an entry": (
        "dim n\nparam b[n]\nvar x[n]\nmaximize b[0] * sum_squares(x) + b' @ x\n",
        "dim n\nparam b[n] nonpos\nvar x[n]\nmaximize b[0] * sum_squares(x) + b' @ x\n",
    ),
    "definiteness": (
        "dim n\ndata P[n, n]\nvar x[n]\nminimize x' @ P @ x\n",
        "dim n\ndata P[n, n] psd\nvar x[n]\nminimize x' @ P @ x\n",
    ),
    "definiteness of an argument, before a default": (
        "dim n\ndata k pos = 2\nparam P[n, n] symmetric\nvar x[n]\nmaximize quad_form(x, P) / k\n",
        "dim n\ndata k pos = 2\nparam P[n, n] symmetric nsd\nvar x[n]\nmaximize quad_form(x, P) / k\n",
    ),
    "the sign of what has a default": (
        "data k = 2\nvar x\nminimize k * x^2\n",
        "data k nonneg = 2\nvar x\nminimize k * x^2\n",
    ),
    "the sign of a factor": (
        "dim n\nparam p nonneg, q\nvar x[n]\nminimize p * q * norm1(x)\n",
        "dim n\nparam p nonneg, q nonneg\nvar x[n]\nderived pq = p * q\nminimize pq * norm1(x)\n",
    ),
    "the signs of two factors": (
        "dim n\ndata p, q\nvar x[n]\nminimize p * q * norm1(x)\n",
        "dim n\ndata p nonneg, q nonneg\nvar x[n]\nminimize p * q * norm1(x)\n",
    ),
    "a maximum of two": (
        "dim n\nparam b[n]\nvar x[n]\nminimize max(b' @ x - 1, 0) + sum_squares(x)\n",
        "dim n\nparam b[n]\nvar x[n]\nminimize maximum(b' @ x - 1, 0) + sum_squares(x)\n",
    ),
    "a misspelt name": ("param b\nvar x\nminimize (x - bb)^2\n", "param b\nvar x\nminimize (x - b)^2\n"),
    "a parameter of the shape that fits": (
        "dim n, m\ndata A[m, n]\nvar x[n]\nminimize sum_squares(A @ x - target)\nsubject to\n  x >= 0\n",
        "dim n, m\ndata A[m, n]\nparam target[m]\nvar x[n]\nminimize sum_squares(A @ x - target)\nsubject to\n  x >= 0\n",
    ),
    "a product of matrices": (
        "dim n, m\ndata A[m, n]\nparam b[m]\nvar x[n]\nminimize sum_squares(A * x - b)\n",
        "dim n, m\ndata A[m, n]\nparam b[m]\nvar x[n]\nminimize sum_squares(A @ x - b)\n",
    ),
    "a transpose": (
        "dim n, m\ndata A[n, m]\nparam b[m]\nvar x[n]\nminimize sum_squares(A @ x - b)\n",
        "dim n, m\ndata A[n, m]\nparam b[m]\nvar x[n]\nminimize sum_squares(A' @ x - b)\n",
    ),
    "a transpose in a sum": (
        "dim n, m\ndata A[n, m], B[m, n]\nvar X[m, n]\nminimize sum_squares(X - B) + sum(X + A)\n",
        "dim n, m\ndata A[n, m], B[m, n]\nvar X[m, n]\nminimize sum_squares(X - B) + sum(X' + A)\n",
    ),
    "an axis": (
        "dim n\nparam b[n]\nvar x[n]\nminimize sum_squares(x - b) + sum(x, axis = 1)\n",
        "dim n\nparam b[n]\nvar x[n]\nminimize sum_squares(x - b) + sum(x, axis = 0)\n",
    ),
    "an attribute that does not fit": (
        "dim n\nparam b[n] psd\nvar x[n]\nminimize sum_squares(x - b)\n",
        "dim n\nparam b[n]\nvar x[n]\nminimize sum_squares(x - b)\n",
    ),
    "the last entry": (
        "dim n\nparam b[n]\nvar x[n]\nminimize sum_squares(x - b) + x[n]\n",
        "dim n\nparam b[n]\nvar x[n]\nminimize sum_squares(x - b) + x[n - 1]\n",
    ),
    "a slice to the end": (
        "dim n\nparam b[n]\nvar x[n]\nminimize sum_squares(x - b) + sum(x[1:n+1])\n",
        "dim n\nparam b[n]\nvar x[n]\nminimize sum_squares(x - b) + sum(x[1:])\n",
    ),
    "a sum of entries": (
        "dim n\ndata b[n]\nvar x[n]\nminimize square(x - b)\n",
        "dim n\ndata b[n]\nvar x[n]\nminimize sum(square(x - b))\n",
    ),
    "no objective": ("var x\nsubject to\n  x >= 0\n", "var x\nfind\nsubject to\n  x >= 0\n"),
    "a sign that is contradicted": (
        "param b\nvar x\nderived c nonpos = exp(b)\nminimize (x - c)^2\n",
        "param b\nvar x\nderived c = exp(b)\nminimize (x - c)^2\n",
    ),
    "parts that are joined": (
        "dim n\ndata b[n]\nvar x[n]\nminimize sum_squares([x, 1])\n",
        "dim n\ndata b[n]\nvar x[n]\nminimize sum_squares(hstack(x, 1))\n",
    ),
    "a multiple of the identity": (
        "dim n\nparam C[n, n] symmetric\nvar X[n, n] symmetric\nminimize sum_squares(X - C)\nsubject to\n  X >> 2\n",
        "dim n\nparam C[n, n] symmetric\nvar X[n, n] symmetric\nminimize sum_squares(X - C)\nsubject to\n  X >> 2 * eye(n)\n",
    ),
    "one over a variable": ("var x\nminimize 3 / (x + 1)\n", "var x\nminimize 3 * inv_pos(x + 1)\n"),
}
DISPLAYED = {
    "the other sense": ("var x\nminimize sqrt(x)\n", "write `maximize`"),
    "the other way round": ("dim n\nvar x[n]\nminimize sum(x)\nsubject to\n  norm2(x) >= 1\n", "write `<=`"),
    "an inequality": ("dim n\nvar x[n]\nminimize sum(x)\nsubject to\n  sum_squares(x) == 1\n", "write `<=`"),
}


def found_in(text: str) -> tuple[Diagnostic, ...]:
    return tuple(d for d in Compilation(Source("m.dpp", text)).diagnostics if d.is_error)


def mended(text: str, *, unsafe: bool) -> str:
    result = mend(Source("m.dpp", text), errors_in, unsafe=unsafe)
    assert not [d.message for d in result.diagnostics if d.is_error]
    return result.source.text


@pytest.mark.parametrize("name", SAFE)
def test_safe_offers(name: str) -> None:
    before, after = SAFE[name]
    assert mended(before, unsafe=False) == after


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_offers(name: str) -> None:
    before, after = UNSAFE[name]
    assert mended(before, unsafe=True) == after
    assert mend(Source("m.dpp", before), lambda s: Compilation(s).diagnostics).source.text == before


@pytest.mark.parametrize("name", DISPLAYED)
def test_what_says_something_else_is_only_displayed(name: str) -> None:
    text, title = DISPLAYED[name]
    (found,) = found_in(text)
    (fix,) = found.fixes
    assert fix.applicability is Applicability.DISPLAY
    assert fix.title.startswith(title)
    assert mend(Source("m.dpp", text), lambda s: Compilation(s).diagnostics, unsafe=True).source.text == text


@pytest.mark.parametrize(
    "text",
    [
        "dim n\nvar x[n]\nminimize sum(x)\nsubject to\n  0 <= norm2(x) >= 1\n",  # a chain has no other way round
        "var x\nminimize x^2 + c[d]\n",
    ],
)
def test_nothing_is_offered_where_nothing_helps(text: str) -> None:
    assert all(not d.fixes for d in found_in(text))


def test_many_mistakes_are_checked_in_bounded_time() -> None:
    lines = "\n".join(f"  norm2(x) >= {i}" for i in range(300))
    found = found_in(f"dim n\nvar x[n]\nminimize sum(x)\nsubject to\n{lines}\n")
    assert len(found) == 300
    assert 0 < sum(bool(d.fixes) for d in found) < 300
