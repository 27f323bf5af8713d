"""Fixes of warnings: what is taken out, what stays, and that a safe one leaves the solution and its gradient."""

from __future__ import annotations

import numpy as np
import pytest

import dpplang
from dpplang.core.diagnostics import Applicability
from dpplang.core.edits import mend
from dpplang.core.source import Source
from dpplang.pipeline import Compilation

HEAD = "dim n\nparam b[n], p nonneg\nvar x[n], y[n] nonneg\nminimize sum_squares(x - b) + sum_squares(y - b) + p * sum(y)\n"


def mended(text: str, *, unsafe: bool) -> str:
    return mend(Source("m.dpp", text), lambda source: Compilation(source).diagnostics, unsafe=unsafe).source.text


@pytest.mark.parametrize(
    ("constraints", "left"),
    [
        ("subject to\n  y >= 0\n", ""),
        ("subject to y >= 0\n", ""),
        ("subject to\n  y >= 0  # known\n  x <= 1\n", "subject to\n  x <= 1\n"),
        ("subject to\n  x <= 1\n  ## Says nothing.\n  y >= 0\n", "subject to\n  x <= 1\n"),
        ("subject to\n  0 <= y <= 1\n", "subject to\n  y <= 1\n"),
        ("subject to\n  1 >= y >= 0\n", "subject to\n  1 >= y\n"),
        ("subject to x <= 1\n  y >= 0\n", "subject to x <= 1\n"),
        ("subject to y >= 0\n  x <= 1\n", "subject to\n  x <= 1\n"),
        ("subject to\n  x <= 1\n  1 >= x\n", "subject to\n  x <= 1\n"),
        ("subject to\n  (y[0], x) in soc\n  (y[0], x) in soc\n", "subject to\n  (y[0], x) in soc\n"),
    ],
)  # fmt: skip
def test_safe_ones_keep_the_solution_and_its_gradient(constraints: str, left: str) -> None:
    after = mended(HEAD + constraints, unsafe=False)
    assert after == HEAD + left
    rng = np.random.default_rng(3)
    values = {"b": rng.normal(size=4) * 2, "p": 0.7}
    upstream = {"x": rng.normal(size=4), "y": rng.normal(size=4)}
    before, now = (
        dpplang.parse(t).solve(values, options={"derivative": "least_squares"}) for t in (HEAD + constraints, after)
    )
    for name in ("x", "y"):
        np.testing.assert_allclose(now[name], before[name], atol=1e-7)
    for name, gradient in before.backward(upstream).items():
        np.testing.assert_allclose(now.backward(upstream)[name], gradient, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (HEAD + "subject to\n  keep: y >= 0\n", HEAD),
        (HEAD + "subject to\n  p >= 1\n", None),
        (HEAD.replace("p nonneg", "p") + "subject to\n  0 <= p\n", HEAD),
        (HEAD.replace("p nonneg", "p, nonneg"), HEAD),
        (HEAD.replace("param b", "## A size.\ndim m  # of nothing\nparam b"), HEAD),
        ("# Not about it.\ndim m\n" + HEAD, "# Not about it.\n" + HEAD),
        (HEAD.replace("dim n", "dim k, n"), HEAD),
        (HEAD.replace("dim n", "dim n, k"), HEAD),
        (HEAD.replace("dim n", "dim n, k = 3, m = 4"), HEAD),
        (HEAD + "func f(z) = square(z)\n", HEAD),
        (HEAD + "let r = x - b\n", HEAD),
        (HEAD + "derived h[n] = 2 * b\n", HEAD),
        (HEAD + "atom mine(z) {\n  kind: elementwise\n  curvature: convex\n  value: square(z)\n  graph {\n    minimize square(z)\n  }\n}\n", None),
    ],
)  # fmt: skip
def test_what_callers_may_see_goes_on_request(text: str, left: str | None) -> None:
    assert mended(text, unsafe=False) == text
    if left is not None:
        assert mended(text, unsafe=True) == left


def test_a_dual_that_is_returned_stays() -> None:
    text = HEAD + "subject to\n  keep: y >= 0\nreturn x, dual keep\n"
    assert mended(text, unsafe=True) == text


def test_another_problem_is_only_shown() -> None:
    (found,) = Compilation(Source("m.dpp", HEAD + "subject to\n  x == 1\n")).diagnostics
    assert [f.applicability for f in found.fixes] == [Applicability.DISPLAY]
    assert found.fixes[0].edits[0].text == "sum(x)"


def test_an_import_that_nothing_uses(tmp_path) -> None:
    (tmp_path / "lib.dpp").write_text("func f(z) = square(z)\nfunc g(z) = 2 * z\n")
    path = tmp_path / "m.dpp"
    path.write_text('from "lib.dpp" import f, g\n' + HEAD + "subject to\n  f(x[0]) <= 1\n")
    found = dpplang.load(path).warnings
    assert [d.code for d in found] == ["LNT101"]
    (edit,) = found[0].fixes[0].edits
    assert edit.span.text == ", g"
