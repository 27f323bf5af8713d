"""Whatever the text, checking gives diagnostics and never raises: examples with words dropped, doubled, swapped."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpplang.core.codes import CODES
from tests.semantics.helpers import run
from tests.semantics.test_tree import PORTFOLIO

EXAMPLES = [p.read_text(encoding="utf-8") for p in sorted((Path(__file__).parents[2] / "examples").glob("*/*.dpp"))]
TEXTS = [re.findall(r"\w+|\s+|[^\w\s]", text) for text in (*EXAMPLES, PORTFOLIO)]
WORDS = [
    "0",
    "-1",
    "x",
    "n",
    "T",
    "(",
    ")",
    "[",
    "]",
    "'",
    "@",
    "*",
    "/",
    "^",
    "sum",
    "max",
    "for t in T",
    "let",
    "dual",
    "psd",
    "1:T",
]


@st.composite
def damaged(draw: st.DrawFn) -> str:
    tokens = list(draw(st.sampled_from(TEXTS)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(tokens) - 1))
        match draw(st.sampled_from(["drop", "double", "replace", "move"])):
            case "drop":
                del tokens[at]
            case "double":
                tokens.insert(at, tokens[at])
            case "replace":
                tokens[at] = draw(st.sampled_from(WORDS))
            case _:
                tokens.insert(draw(st.integers(0, len(tokens) - 1)), tokens.pop(at))
    return "".join(tokens)


@settings(max_examples=100, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=damaged())
def test_checking_never_raises(text: str) -> None:
    result = run(text)
    assert (result.model is None) or not [c for c in result.errors if not c.startswith("SYN")]
    for found in result.diagnostics:
        assert found.code in CODES
        for label in (found.primary, *found.secondary):
            assert label is None or 0 <= label.span.start <= label.span.end <= len(label.span.source.text)
