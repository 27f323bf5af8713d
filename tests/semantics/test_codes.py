"""Every code's failing program shows that code and nothing else; its mended one is clean."""

from __future__ import annotations

import pytest

from dpplang.core.codes.info import CodeInfo
from dpplang.core.codes.semantics import SEMANTICS_CODES
from tests.semantics.helpers import run

WITH_PROGRAM = [info for info in SEMANTICS_CODES if info.failing]


@pytest.mark.parametrize("info", WITH_PROGRAM, ids=lambda i: i.code)
def test_failing_program_shows_its_code_alone(info: CodeInfo) -> None:
    assert set(run(info.failing).codes) == {info.code}


@pytest.mark.parametrize("info", WITH_PROGRAM, ids=lambda i: i.code)
def test_mended_program_is_clean(info: CodeInfo) -> None:
    result = run(info.mended)
    assert not result.diagnostics
    assert result.model is not None


@pytest.mark.parametrize("info", SEMANTICS_CODES, ids=lambda i: i.code)
def test_codes_are_explained(info: CodeInfo) -> None:
    assert len(info.explanation) > 40
