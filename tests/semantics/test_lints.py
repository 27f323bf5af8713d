"""Lints: each on what it is for, none on what is meant, and comments that allow them."""

from __future__ import annotations

import pytest

from dpplang.core.codes.info import CodeInfo
from dpplang.core.codes.lints import LINT_CODES
from dpplang.core.diagnostics import Severity
from dpplang.core.source import Source
from dpplang.pipeline import Compilation

HEAD = "dim n\nparam b[n], p nonneg\nvar x[n], y[n] nonneg\n"
USED = "minimize sum_squares(x - b) + p * sum_squares(y)\n"


def lints(text: str) -> list[tuple[str, str]]:
    """Code and marked text of everything found; all of it must be warnings."""
    found = Compilation(Source("t.dpp", text)).diagnostics
    assert all(d.severity is Severity.WARNING for d in found), [(d.code, d.message) for d in found]
    return [(d.code, d.primary.span.text if d.primary else "") for d in found]


@pytest.mark.parametrize("info", LINT_CODES, ids=lambda i: i.code)
def test_programs_of_the_registry(info: CodeInfo) -> None:
    assert {code for code, _ in lints(info.failing)} == {info.code}
    assert lints(info.mended) == []


@pytest.mark.parametrize(
    ("constraint", "found"),
    [
        ("y >= 0", [("LNT103", "y >= 0")]),
        ("0 <= y <= 1", [("LNT103", "0 <= y")]),
        ("each[i in n]: y[i] >= 0", [("LNT103", "y[i] >= 0")]),
        ("y in nonneg", [("LNT103", "y in nonneg")]),
        ("0 <= 1", [("LNT103", "0 <= 1")]),
        ("1 <= 0", [("LNT104", "1 <= 0")]),
        ("sum(y) == -1", [("LNT104", "sum(y) == -1")]),
        ("sum_squares(x) <= -1", [("LNT104", "sum_squares(x) <= -1")]),
        ("p <= 1", [("LNT105", "p <= 1")]),
        ("sum(b) == 0", [("LNT105", "sum(b) == 0")]),
        ("x == 1", [("LNT108", "x == 1")]),
        ("x <= 1\n  1 >= x", [("LNT107", "1 >= x")]),
        ("x + y == b\n  b == x + y", [("LNT107", "b == x + y")]),
        ("up[i in n]: x[i] <= 1\n  down[j in n]: x[j] <= 1", [("LNT107", "x[j] <= 1")]),
        # and what is meant
        ("x >= 0", []),
        ("x == 0", []),
        ("x == b", []),
        ("x[0] == 1", []),
        ("sum_squares(x) <= 0", []),
        ("x <= 1\n  x >= -1", []),
        ("up[i in n]: x[i] <= 1\n  down[i in 1:n]: x[i] <= 1", []),
        ("up[i in n if i > 0]: x[i] <= 1\n  down[i in n]: x[i] <= 1", []),
        ("lag[i in n - 1]: x[i] <= x[i + 1]\n  lead[i in n - 1]: x[i + 1] <= x[i]", []),
        ("sum(y) == 0", []),
        ("y >= p", []),
    ],
)  # fmt: skip
def test_constraints(constraint: str, found: list[tuple[str, str]]) -> None:
    assert lints(f"{HEAD}{USED}subject to\n  {constraint}\n") == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dim n, m = 2\nvar x[n]\nminimize sum_squares(x - 1)\n", [("SHP510", "n"), ("LNT101", "m")]),
        ("param b[2], c\nvar x[2]\nminimize sum_squares(x - b)\n", [("LNT101", "c")]),
        ("var x, y\nminimize square(x - 1)\n", [("LNT101", "y")]),
        ("var x\nlet e = x + 1\nminimize square(x - 1)\n", [("LNT101", "e")]),
        ("param p\nvar x\nderived q = exp(p)\nminimize square(x - 1)\n", [("LNT102", "p"), ("LNT101", "q")]),
        ("func f(z) = z\nvar x\nminimize square(x - 1)\n", [("LNT101", "f")]),
        ("param lam, nonneg\nvar x\nminimize square(x - lam)\n", [("LNT101", "nonneg")]),
        ("param p\nvar x\nminimize square(x - 1) + p\n", [("LNT102", "p")]),
        ("param p\nvar x\nminimize square(x - 1) + p\nreturn x, value\n", []),
        ("param p\nvar x in [p, 2]\nminimize x\n", []),
        ("param p\nvar x\nminimize p * x\n", []),
        ("var x, t\nminimize t + square(x)\nsubject to\n  abs(x - 1) <= t\n", []),
        ("var x, t\nminimize t + square(x - 1)\n", [("LNT106", "t")]),
        ("var x, t\nmaximize 2 * t - square(x - 1)\n", [("LNT106", "2 * t")]),
        ("var x\nminimize abs(x) + x\n", []),
        ("dim n = 3\ndata m[n]\nvar x[n] sparse(m)\nminimize sum_squares(x - 1)\n", []),
        ("func f(z) = z^2\n", []),
        ("dim T = 3\ndata w[T]\nvar x[T]\nminimize sum(w[t] * abs(x[t] - 1) for t in T)\n", None),
    ],
)  # fmt: skip
def test_names_and_objectives(text: str, found: list[tuple[str, str]] | None) -> None:
    if found is None:
        text, found = text.replace("w[T]", "w[T] nonneg"), []
    assert lints(text) == found


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}{USED}subject to\n  y >= 0  # allow: LNT103\n",
        f"{HEAD}{USED}subject to\n  # allow: LNT107, LNT103 – kept for its dual\n\n  # another comment\n  y >= 0\n",
        f"# allow everywhere: LNT103\n{HEAD}{USED}subject to\n  y >= 0\n",
    ],
)
def test_comments_allow(text: str) -> None:
    assert lints(text) == []


def test_a_comment_allows_its_line_and_its_code_alone() -> None:
    text = f"{HEAD}{USED}subject to\n  y >= 0  # allow: LNT107\n  0 <= 1\n  # allow: LNT103\n"
    assert [c for c, _ in lints(text)] == ["LNT103", "LNT103"]
    assert lints(f"# allow: XXX999\n{HEAD}{USED}") == [("LNT100", "# allow: XXX999")]


def test_no_lint_beside_an_error() -> None:
    found = Compilation(Source("t.dpp", f"{HEAD}param unused\nminimize sum_squares(x - c)\n")).diagnostics
    assert [d.code for d in found] == ["NAM101"]
