"""Broken lines: few errors, where the line is broken, and an error elsewhere is found all the same."""

from __future__ import annotations

import random

import pytest

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.source import Source
from dpplang.pipeline import Compilation
from dpplang.semantics.loader import Loader
from tests.golden.corpus import GOOD
from tests.golden.damage import broken

PROBE = "\nprobe_line: unheard_of >= 0\n"


def errors(path, text: str) -> list[Diagnostic]:
    return [d for d in Compilation(Source(path.name, text), Loader.beside(path)).diagnostics if d.is_error]


@pytest.mark.parametrize("seed", range(10))
def test_a_broken_line_is_few_errors_and_hides_no_other(seed: int) -> None:
    rng = random.Random(seed)
    counts: list[int] = []
    while len(counts) < 30:
        path = rng.choice(GOOD)
        text = path.read_text(encoding="utf-8")
        made = broken(text, rng)
        if made is None:
            continue
        found = errors(path, made.text)
        counts.append(len(found))
        shown = (path.name, made.how, made.line, [(d.code, d.message) for d in found])
        assert len(found) <= 4, shown
        # a bracket may be missing anywhere between the one that opens it and the end of its item
        off = [d for d in found if d.code.startswith("SYN") and d.code not in ("SYN004", "SYN005") and d.primary]
        near = [d for d in off if d.primary and abs(d.primary.span.line - made.line) <= 2]
        assert len(off) - len(near) <= 1, shown
        probed = errors(path, made.text.rstrip("\n") + PROBE)
        assert any(d.primary and d.primary.span.text == "unheard_of" for d in probed), shown
    assert sum(counts) <= 1.6 * len(counts)


@pytest.mark.parametrize("seed", range(5))
def test_two_broken_lines_are_both_found(seed: int) -> None:
    """What does not parse in one line does not keep another from being parsed."""
    rng = random.Random(100 + seed)
    for _ in range(20):
        path = rng.choice(GOOD)
        lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
        first = "let first ="
        made = "\n".join([first, *lines, "second: 1 +"]) + "\n"
        found = {(d.primary.span.line, d.code) for d in errors(path, made) if d.primary}
        assert {(1, "SYN014"), (len(lines) + 2, "SYN014")} <= found
