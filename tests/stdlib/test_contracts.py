"""The proof of contracts: every record of the library holds, and every way to break one is found."""

from __future__ import annotations

import pytest

from dpplang.core.codes.atoms import ATOM_CODES
from dpplang.core.codes.info import CodeInfo
from dpplang.core.diagnostics import Diagnostic, Severity
from dpplang.core.source import Source
from dpplang.semantics.check import check
from dpplang.semantics.library import Library
from dpplang.semantics.loader import Loader
from dpplang.semantics.proof import prove
from dpplang.semantics.tree import Atom
from dpplang.syntax import ast
from dpplang.syntax.parser import parse
from tests.stdlib.build import LIBRARY


def checked(text: str) -> list[str]:
    parsed = parse(Source("program.dpp", text))
    found = check(parsed.file, loader=Loader(), library=LIBRARY)
    return [d.code for d in (*parsed.diagnostics, *found.diagnostics)]


def extended(text: str) -> tuple[Library, tuple[Diagnostic, ...]]:
    parsed = parse(Source("own.dpp", text))
    assert not parsed.diagnostics, parsed.diagnostics
    return LIBRARY.extended(i for i in parsed.file.items if isinstance(i, ast.AtomItem))


def found(text: str) -> list[str]:
    return [d.code for d in extended(text)[1]]


@pytest.mark.parametrize("name", LIBRARY.functions())
def test_the_library_is_well_formed_and_its_contracts_hold(name: str) -> None:
    assert not LIBRARY.findings(name)
    assert len(LIBRARY.lookup(name)) == len(LIBRARY.items(name))
    for atom in LIBRARY.lookup(name):
        assert not prove(atom)


@pytest.mark.parametrize("info", ATOM_CODES, ids=lambda info: info.code)
def test_every_code_has_a_program_that_shows_it_and_one_that_does_not(info: CodeInfo) -> None:
    assert checked(info.failing) == [info.code]
    assert checked(info.mended) == []


RELU = """
atom relu(x) {{
  kind:      elementwise
  curvature: {curvature}
  sign:      {sign}
  monotone:  {monotone}
  value:     {value}
  graph {{
    var t
    minimize t
    subject to
      above: x <= t
      floor: 0 <= t
  }}
}}
"""
SOUND = {"curvature": "convex", "sign": "nonneg", "monotone": "increasing in x", "value": "maximum(x, 0)"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, None),
        ({"curvature": "concave"}, "ATM421"),
        ({"curvature": "affine"}, "ATM421"),
        ({"sign": "nonpos"}, "ATM424"),
        ({"sign": "nonneg, zero where x >= 0"}, "ATM424"),
        ({"sign": "zero where x <= 0, nonneg"}, None),
        ({"monotone": "decreasing in x"}, "ATM423"),
        ({"monotone": "constant in x where x <= 0, increasing in x"}, None),
        ({"value": "minimum(x, 0)", "sign": "unknown"}, "ATM421"),
        ({"value": "[x, x]"}, "ATM415"),
        ({"monotone": "increasing in y"}, "ATM411"),
        ({"monotone": "increasing in x where x >= 2"}, "ATM412"),
        ({"monotone": "growing in x"}, "ATM412"),
    ],
)
def test_each_part_of_a_contract_is_held_against_the_graph(change: dict[str, str], code: str | None) -> None:
    assert found(RELU.format(**{**SOUND, **change})) == ([] if code is None else [code])


def test_a_broken_atom_keeps_its_name_and_says_nothing_twice() -> None:
    library, findings = extended(RELU.format(**{**SOUND, "monotone": "increasing in y"}))
    assert [d.code for d in findings] == ["ATM411"]
    assert "relu" in library.functions() and library.lookup("relu") == ()


def test_a_sound_atom_is_found_in_the_extended_library_only() -> None:
    library, findings = extended(RELU.format(**SOUND))
    assert not findings
    (atom,) = library.lookup("relu")
    assert isinstance(atom, Atom)
    assert LIBRARY.lookup("relu") == () and "relu" not in LIBRARY.functions()


def test_mutual_recursion_is_named_by_its_path() -> None:
    text = "\n".join(
        f"atom {a}(x) {{\n  kind: elementwise\n  curvature: convex\n  value: x\n  graph {{\n    minimize {b}(x)\n  }}\n}}"
        for a, b in (("f", "g"), ("g", "f"))
    )
    _, findings = extended(text)
    assert [d.code for d in findings] == ["ATM414", "ATM414"]
    assert "`g` → `f`" in findings[0].message


def test_a_convex_argument_that_meets_a_parameter_is_remembered() -> None:
    text = """
    atom weighted(x, param w nonneg) {
      kind:      elementwise
      curvature: convex
      sign:      nonneg
      value:     w * abs(x)
      graph {
        minimize w * abs(x)
      }
    }
    atom scaled(x, param w nonneg) {
      kind:      elementwise
      curvature: convex
      sign:      nonneg
      value:     w * abs(x)
      graph {
        var t
        minimize w * t
        subject to
          above: abs(x) <= t
      }
    }
    """
    library, findings = extended(text)
    assert not findings
    assert [library.lookup(name)[0].entangled for name in ("weighted", "scaled")] == [{"x"}, frozenset()]


def test_what_cannot_be_decided_of_monotonicity_is_a_warning() -> None:
    text = """
    atom spread_of(X[n, n] symmetric) {
      curvature: convex
      monotone:  increasing in X where X >= 0
      value:     max(eigvalsh(X))
      graph {
        minimize lambda_max(X)
      }
    }
    """
    (finding,) = extended(text)[1]
    assert finding.code == "ATM423" and finding.severity is Severity.WARNING
