"""A fix counts as mending only if its finding is gone and no error is new."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix, Label
from dpplang.core.edits import Applied
from dpplang.core.source import Source, Span
from dpplang.semantics.fixes.trial import Trial

SOURCE = Source("t.dpp", "one two six")
WORDS = {"two": "NAM101", "four": "NAM104", "five": "SHP501", "six": "DCP201", "dpp": "DPP301"}


def check(source: Source) -> tuple[Sequence[Diagnostic], int]:
    """Every word that is an error, by its code."""
    found: list[Diagnostic] = []
    for word, code in WORDS.items():
        if (at := source.text.find(word)) >= 0:
            found.append(Diagnostic(code, word, Label(Span(source, at, at + len(word)))))
    return found, 1


def replaced(word: str, text: str, applicability: Applicability) -> Applied:
    at = SOURCE.text.index(word)
    fix = Fix("replace", (Edit(Span(SOURCE, at, at + len(word)), text),), applicability)
    return Applied(Diagnostic(WORDS[word], word, Label(Span(SOURCE, at, at + len(word))), fixes=(fix,)), fix)


@pytest.mark.parametrize("applicability", [Applicability.SAFE, Applicability.UNSAFE])
@pytest.mark.parametrize(
    ("word", "text", "mends"),
    [
        ("two", "fine", True),
        ("two", "four", False),  # another error in its place, of its own phase
        ("two", "five", True),  # what only a later phase finds comes to light
        ("six", "four", False),  # an error of an earlier phase
        ("six", "fine four", False),  # an error elsewhere
        ("six", "dpp", True),  # DPP is judged when the rest is right
        ("two", "fine two", False),  # the finding is still there
    ],
)
def test_a_fix_mends_only_without_new_errors(word: str, text: str, mends: bool, applicability: Applicability) -> None:
    one = replaced(word, text, applicability)
    assert Trial(SOURCE, check).mends(one.diagnostic, one.fix) is mends
    assert bool(Trial(SOURCE, check).that_mend([one])) is mends


def test_of_fixes_that_go_together_those_that_mend_are_found() -> None:
    good, bad = (replaced(w, t, Applicability.SAFE) for w, t in (("two", "fine"), ("six", "four")))
    assert Trial(SOURCE, check).that_mend([good, bad]) == [good]
