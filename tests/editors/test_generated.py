"""What `python -m editors.generate` writes is what is checked in."""

from __future__ import annotations

from pathlib import Path

import pytest

from editors.generate.files import generated

EDITORS = Path(__file__).parents[2] / "editors"


@pytest.mark.parametrize("path", sorted(generated()))
def test_up_to_date(path: str) -> None:
    assert (EDITORS / path).read_text(encoding="utf-8") == generated()[path], "run `python -m editors.generate`"
