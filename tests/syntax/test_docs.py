"""The programs of the language reference parse."""

from __future__ import annotations

import re

import pytest

from tests.syntax.helpers import ROOT, clean

BLOCKS = re.findall(r"^```\n(.*?)^```", (ROOT / "docs" / "language.md").read_text(encoding="utf-8"), re.M | re.S)
PROGRAMS = [block for block in BLOCKS if not block.startswith("error[")]


def test_there_are_programs() -> None:
    assert len(PROGRAMS) >= 4


@pytest.mark.parametrize("text", PROGRAMS, ids=range(len(PROGRAMS)))
def test_programs_of_the_reference(text: str) -> None:
    assert clean(text).items
