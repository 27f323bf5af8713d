"""Parsing piece by piece gives what parsing the whole text gives, whatever is edited."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.source import Source
from dpplang.syntax import ast
from dpplang.syntax.parser import Parsed, parse
from dpplang.syntax.pieces import Pieces
from dpplang.syntax.walk import walk
from tests.syntax.helpers import FILES
from tests.syntax.test_fuzz import JUNK, TEXTS, damaged


def spans(file: ast.File) -> list[tuple[int, int]]:
    return [(n.span.start, n.span.end) for item in file.items for n in walk(item)]


def facts(d: Diagnostic) -> tuple[object, ...]:
    fixes = tuple((f, [(e.span.start, e.span.end, e.text) for e in f.edits]) for f in d.fixes)
    return (d.code, d.message, d.primary, d.secondary, d.notes, d.help, [f[1] for f in fixes])


def same(whole: Parsed, pieced: Parsed, text: str) -> None:
    assert whole.file == pieced.file, text
    assert spans(whole.file) == spans(pieced.file), text
    shown = [[f"{facts(d)}" for d in p.diagnostics] for p in (whole, pieced)]
    assert shown[0] == shown[1], text
    assert all(d.primary is None or d.primary.span.source is pieced.file.source for d in pieced.diagnostics), text
    comments = [[(c.text, c.trailing, c.span.start) for c in p.file.comments] for p in (whole, pieced)]
    assert comments[0] == comments[1], text
    assert set(whole.file.broken) == set(pieced.file.broken), text
    left = ["\n".join(p.file.uncovered).strip("\n") for p in (whole, pieced)]
    assert left[0] == left[1], text


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_files(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    pieces = Pieces()
    for _ in range(2):
        source = Source("a.dpp", text)
        parsed, made = pieces.parse(source)
        same(parse(source), parsed, text)
        assert "".join(piece.text for piece, _ in made) == text
    assert len(made) > 3


@pytest.mark.parametrize("seed", range(20))
def test_edits(seed: int) -> None:
    rng = random.Random(seed)
    text = rng.choice(TEXTS)
    pieces = Pieces()
    for _ in range(25):
        start = rng.randrange(len(text) + 1)
        end = min(len(text), start + rng.choice([0, 0, 0, 1, 1, 3, 30]))
        text = text[:start] + rng.choice(["", "", "x", " ", "\n", *JUNK]) + text[end:]
        if rng.random() < 0.1:
            text = damaged(text, rng)
        source = Source("a.dpp", text)
        same(parse(source), pieces.parse(source)[0], text)


def test_an_edit_leaves_the_other_items_as_they_are() -> None:
    pieces = Pieces()
    before = pieces.parse(Source("a.dpp", "dim n\nvar x[n]\nminimize sum(x)\nsubject to\n  x >= 0\n  x <= 1\n"))[0].file
    after = pieces.parse(Source("a.dpp", "dim n\n\nvar x[n]\nminimize -sum(x)\nsubject to\n  x >= 0\n  x <= 1\n"))[
        0
    ].file
    kept = [a is b for a, b in zip(before.items, after.items, strict=True)]
    assert kept == [True, True, False, True, True, True]
    assert after.items[1].span.text == "var x[n]"
