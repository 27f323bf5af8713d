"""``parse(print(tree)) == tree``: for generated trees, and for every program the project ships."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from dpplang.core.source import Source
from dpplang.syntax import ast
from dpplang.syntax.parser import parse, parse_expression
from dpplang.syntax.printer import print_file, print_node
from tests.syntax import trees
from tests.syntax.helpers import FILES, clean

SLOW = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(trees.expressions)
def test_expressions_survive_printing(tree: ast.Expr) -> None:
    text = print_node(tree)
    again, diagnostics = parse_expression(Source("t", text))
    assert not diagnostics and again == tree, text


@SLOW
@given(trees.files)
def test_files_survive_printing(tree: ast.File) -> None:
    text = print_file(tree)
    parsed = parse(Source("t", text))
    assert not parsed.diagnostics, (text, [d.message for d in parsed.diagnostics])
    assert parsed.file == tree, text
    assert print_file(parsed.file) == text


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_shipped_files_survive_printing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    file = clean(text)
    printed = print_file(file)
    assert clean(printed) == file
    assert print_file(clean(printed)) == printed
    assert sorted(_comments(printed)) == sorted(_comments(text))


def _comments(text: str) -> list[str]:
    return [line[line.index("#") :].strip() for line in text.splitlines() if "#" in line]


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("((a)+(b*c))", "a + b * c"),
        ("(a+b)*c", "(a + b) * c"),
        ("a-(b-c)", "a - (b - c)"),
        ("(a-b)-c", "a - b - c"),
        ("-(x^2)", "-x^2"),
        ("(-x)^2", "(-x)^2"),
        ("x^(-1)", "x^-1"),
        ("(x^2)^3", "(x^2)^3"),
        ("x^(2^3)", "x^2^3"),
        ("(A@B)'", "(A @ B)'"),
        ("w[ t + 1 , : ]", "w[t+1, :]"),
        ("sum( x[i] for i in 1 : n - 1 if ( i>0 ) and not i==3 )", "sum(x[i] for i in 1:n-1 if i > 0 and not i == 3)"),
        ("huber(r,M=2)", "huber(r, M = 2)"),
        ("a*(-b)", "a * -b"),
        ("2 * (x')", "2 * x'"),
    ],
)
def test_as_few_parentheses_as_may_be(text: str, printed: str) -> None:
    value, diagnostics = parse_expression(Source("t", text))
    assert value is not None and not diagnostics
    assert print_node(value) == printed


def test_layout_of_a_file() -> None:
    text = """# licence

##  Doc.


dim   n   # a size
param q[n]
# the variables


var x[n] in [0,1]
minimize q'@x
subject to   # here
  cap:  x<=1
  total[i in n]: x[i] >= 0
  # last
return x,dual cap
"""
    assert (
        print_file(clean(text))
        == """# licence

##  Doc.

dim n  # a size
param q[n]
# the variables

var x[n] in [0, 1]

minimize q' @ x
subject to  # here
  cap:           x <= 1
  total[i in n]: x[i] >= 0

# last
return x, dual cap
"""
    )


def test_long_lines_break_at_the_outermost_comma() -> None:
    names = ", ".join(f"a_rather_long_name_{i}[n, n] psd" for i in range(6))
    printed = print_file(clean(f"param {names}\n"))
    lines = printed.splitlines()
    assert len(lines) > 1 and max(map(len, lines)) <= 100
    assert all(line.endswith("psd,") for line in lines[:-1])
    assert clean(printed) == clean(f"param {names}\n")
