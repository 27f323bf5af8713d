"""Bad programs against their goldens: every word of every message, and one error for one mistake."""

from __future__ import annotations

import pytest

from tests.conftest import Golden
from tests.golden.corpus import BAD, findings, program


@pytest.mark.parametrize("path", BAD, ids=lambda p: program(p).name)
def test_what_is_said_is_golden(path, golden: Golden) -> None:
    golden(path.with_suffix(".out"), findings(path).text)


@pytest.mark.parametrize("path", BAD, ids=lambda p: program(p).name)
def test_one_mistake_is_one_diagnostic(path) -> None:
    assert len(findings(path).codes) == program(path).mistakes, findings(path).codes
