"""One broken line never hides the errors of the others, nor the items that stand."""

from __future__ import annotations

import pytest

from dpplang.syntax import ast
from tests.syntax.helpers import codes, read


def test_four_broken_lines_give_four_errors() -> None:
    text = """dim n
param q[n
var x[n], y[]
minimize sum(x +)
subject to
  a: x >=
  b: x <= 1
return x, dual b
"""
    assert [line for line, _ in codes(text)] == [2, 3, 4, 6]
    kinds = [type(i) for i in read(text).file.items]
    assert kinds == [ast.DimItem, ast.ParamItem, ast.SubjectToItem, ast.ConstraintItem, ast.ReturnItem]
    assert set(read(text).file.broken) >= {"x", "y", "a"}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("param q[n\nvar x\n", ["ParamItem", "VarItem"]),
        ("param q[n,\nvar x\n", ["VarItem"]),
        ("minimize sum(x\n\nsubject to\n  x >= 0\n", ["ObjectiveItem", "SubjectToItem", "ConstraintItem"]),
        ("minimize sum(x +\n  y\nreturn x\n", ["ObjectiveItem", "ReturnItem"]),
        ("a: f(x <= 1\nb: x >= 0\n", ["ConstraintItem"]),
        ("a: f(x) <= g(1\n  b: x >= 0\n", ["ConstraintItem", "ConstraintItem"]),
        ("x[0 >= 1\nx <= 1\n", ["ConstraintItem"]),
        ("let z = [[1, 2], [3, 4]\nlet y = 2\n", ["LetItem", "LetItem"]),
        ("let z = (1, 2]\nlet y = 2\n", ["LetItem"]),
        ("let z = f([1, 2)\nlet y = 2\n", ["LetItem", "LetItem"]),
        ("let z = 1)\nlet y = 2\n", ["LetItem", "LetItem"]),
        ("let y = 2 }\nlet z = 1\n", ["LetItem", "LetItem"]),
        ("atom f(x {\n value: x\n}\nlet y = 2\n", ["AtomItem", "LetItem"]),
        ("atom f(x) {\n value: x\n\nlet y = 2\nfunc g(x) = x\nvar q\n", ["AtomItem", "LetItem", "FuncItem", "VarItem"]),
        ("atom f(x) {\n graph {\n  minimize x\n}\nparam y\n", ["AtomItem", "ParamItem"]),
    ],
)
def test_a_bracket_that_does_not_match_spoils_its_item_alone(text: str, kept: list[str]) -> None:
    parsed = read(text)
    assert len(parsed.diagnostics) == 1 and parsed.diagnostics[0].code in ("SYN004", "SYN005"), codes(text)
    names = [type(i).__name__ for i in parsed.file.items]
    assert names == kept  # closing the bracket may mend the item, and what stands behind it stands


def test_an_unclosed_bracket_names_its_opener() -> None:
    (found,) = read("let z = f(a, (b + c)\nlet y = 2\n").diagnostics
    assert found.primary is not None and (found.primary.span.column, found.primary.span.text) == (10, "(")
    assert found.fixes and found.fixes[0].edits[0].text == ")"


def test_entries_of_an_atom_are_isolated() -> None:
    text = """atom f(x) {
  kind: +
  value: x +
  graph {
    var 2
    minimize t
    subject to
      a: t >=
      b: x <= t
  }
  test f(1) ==
}
dim n
"""
    assert [line for line, _ in codes(text)] == [2, 3, 5, 8, 11]
    assert [type(i) for i in read(text).file.items] == [ast.DimItem]
    assert "f" in read(text).file.broken


def test_a_mended_item_is_kept() -> None:
    text = "dim n\nparamm p\nvar x[n] y\nminimise 2 x\nsuch that\n  a: x = 1\n  b: x < p\nreturn x, dual a\n"
    parsed = read(text)
    assert [c for c in codes(text) if c[0] != 4] == [(2, "SYN013"), (5, "SYN012"), (6, "SYN007"), (7, "SYN008")]
    assert {c for line, c in codes(text) if line == 4} == {"SYN013", "SYN010"}
    assert not parsed.file.broken
    assert [type(i).__name__ for i in parsed.file.items][:4] == ["DimItem", "ParamItem", "VarItem", "ObjectiveItem"]
