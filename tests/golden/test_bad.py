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


# Codes that no text of a program can show by itself, and the tests that do.
ELSEWHERE = {
    "SYN017": "tests/syntax/test_limits.py",  # a file of a million characters
    "BND712": "tests/bind/test_bind.py",  # a shape that is wrong once sizes are fixed
    "BND718": "tests/bind/test_bind.py",  # positional values
    "BND730": "tests/asa/test_serialize.py",  # a compiled program file
    "SOL813": "tests/runtime/test_engine.py",  # a solver that stops short
}


def test_no_code_is_without_a_program() -> None:
    shown = {code for path in BAD for code in findings(path).codes}
    assert set(CODES) - shown == set(ELSEWHERE)


def test_codes_shown_elsewhere_are() -> None:
    root = HERE.parents[1]
    for code, path in ELSEWHERE.items():
        assert code in (root / path).read_text(encoding="utf-8"), (code, path)


def test_there_is_an_output_for_every_program_and_no_other() -> None:
    assert {p.with_suffix("") for p in (HERE / "bad").rglob("*.out")} == {p.with_suffix("") for p in BAD}
    assert len(BAD) >= 300
