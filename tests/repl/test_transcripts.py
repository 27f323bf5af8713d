"""Golden sessions: a transcript in ``transcripts/`` is run, and must come out as it stands (``pytest --bless``)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import Golden
from tests.repl.transcripts import transcribed, typed

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))
DOCS = Path(__file__).parents[2] / "docs" / "repl.md"


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda p: p.stem)
def test_transcripts(path: Path, golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = typed(path.read_text(encoding="utf-8"))
    monkeypatch.chdir(tmp_path)
    golden(path, transcribed(lines))


def test_the_transcripts_in_the_docs(golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of docs/repl.md is one session."""
    text = DOCS.read_text(encoding="utf-8")
    blocks = list(re.finditer(r"^```dpp-session\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    lines = [line for block in blocks for line in typed(block[1])]
    monkeypatch.chdir(tmp_path)
    whole = transcribed(lines)
    made, at = text, 0
    for block in blocks:
        count = len(typed(block[1]))
        starts = [m.start() for m in re.finditer(r"^(dpp> ?|\.\.\.  )", whole, re.MULTILINE)]
        first, last = starts[at], starts[at + count] if at + count < len(starts) else len(whole)
        made = made.replace(block[1], whole[first:last], 1)
        at += count
    golden(DOCS, made)
