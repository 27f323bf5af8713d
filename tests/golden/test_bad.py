"""Bad programs against their goldens: every word of every message, and one error for one mistake."""

from __future__ import annotations

import pytest

from dpplang.core.codes import CODES
from tests.conftest import Golden
from tests.golden.corpus import BAD, HERE, findings, program


@pytest.mark.parametrize("path", BAD, ids=lambda p: program(p).name)
def test_what_is_said_is_golden(path, golden: Golden) -> None:
    golden(path.with_suffix(".out"), findings(path).text)


@pytest.mark.parametrize("path", BAD, ids=lambda p: program(p).name)
def test_one_mistake_is_one_diagnostic(path) -> None:
    assert len(findings(path).codes) == program(path).mistakes, findings(path).codes


# Codes that need more than a text and values of its parameters: other tests show them.
ELSEWHERE = ("BND", "CVX", "SOL", "DIF", "SYN017")


def test_no_code_is_without_a_program() -> None:
    shown = {code for path in BAD for code in findings(path).codes}
    missing = set(CODES) - shown
    assert not [code for code in missing if not code.startswith(ELSEWHERE)]
    tests = "\n".join(p.read_text(encoding="utf-8") for p in HERE.parent.rglob("test_*.py") if p.parent != HERE)
    assert not [code for code in missing if code not in tests]


def test_there_is_an_output_for_every_program_and_no_other() -> None:
    assert {p.with_suffix("") for p in (HERE / "bad").rglob("*.out")} == {p.with_suffix("") for p in BAD}
    assert len(BAD) >= 300
