"""After every edit, what is found is what a fresh check of the text finds; and nothing that is asked makes it fall."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.source import Source
from dpplang.lsp.analysis import Session
from dpplang.pipeline import Compilation
from tests.lsp.helpers import PORTFOLIO

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [PORTFOLIO, *(p.read_text(encoding="utf-8") for p in sorted((ROOT / "examples").rglob("*.dpp")))]
JUNK = ["(", ")", "[", "]", "{", "}", "'", "=", "==", "<", ",", ":", "\n", " in ", "for ", "minimize ", "dual ", "#", "≤"]
WORDS = ["x", "n", "T", "w", "risk", "0", "1", "var z[n]\n", "dim q\n", "let e = sum(w)\n", "param nn\n", " @ ", " * ", "t"]


def said(found: tuple[Diagnostic, ...]) -> list[str]:
    """Everything of the diagnostics but their fixes, and the help that a fix makes needless."""
    return [
        f"{(d.code, d.message, d.primary, d.secondary, d.notes, d.severity)}"
        for d in sorted(found, key=lambda d: d.sort_key)
    ]


def fresh(text: str) -> list[str]:
    return said(Compilation(Source("a.dpp", text)).diagnostics)


def edit(text: str, rng: random.Random) -> str:
    """Something typed, deleted, or moved."""
    start = rng.randrange(len(text) + 1)
    match rng.randrange(8):
        case 0 | 1:
            return text[:start] + rng.choice(JUNK) + text[start:]
        case 2 | 3:
            return text[:start] + rng.choice(WORDS) + text[start:]
        case 4:
            return text[:start] + text[start + rng.choice([1, 1, 2, 5]) :]
        case 5:
            lines = text.split("\n")
            del lines[rng.randrange(len(lines))]
            return "\n".join(lines)
        case 6:
            lines = text.split("\n")
            i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
            lines[i], lines[j] = lines[j], lines[i]
            return "\n".join(lines)
        case _:
            lines = text.split("\n")
            lines.insert(rng.randrange(len(lines)), rng.choice(lines))
            return "\n".join(lines)


def edits(seed: int, count: int) -> None:
    rng = random.Random(seed)
    start = text = rng.choice(TEXTS)
    session = Session("a.dpp", None)
    for _ in range(count):
        assert said(session.analyze(text).diagnostics) == fresh(text), text
        text = start if rng.random() < 0.1 else edit(text, rng)


@pytest.mark.parametrize("seed", range(12))
def test_edits(seed: int) -> None:
    edits(seed, 20)
