"""Every snippet is a program that checks without a finding, as it stands when it is inserted."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dpplang.core.render import render_human
from dpplang.core.source import Source
from dpplang.syntax.parser import parse
from dpplang.syntax.printer import print_file
from tests.semantics.helpers import run

SNIPPETS = json.loads((Path(__file__).parents[2] / "editors/vscode/snippets/dpp.json").read_text(encoding="utf-8"))
# Around what is only a part of a program.
FRAMES = {
    "Constraints over an index": "dim T = 3\nvar x[T + 1]\nminimize sum_squares(x)\nsubject to\n  {}\nreturn x\n",
    "Derived parameter": "dim n\nparam Q[n, n] psd\nvar x[n]\n{}\nminimize sum_squares(R @ x)\nreturn x\n",
    "Function": "dim n = 3\nvar x[n]\n{}\nminimize risk(x)\nreturn x\n",
    "Atom": "{}\nvar x\nminimize hinge(x)\nreturn x\n",
}
_PLACEHOLDER = re.compile(r"\$\{(\d+):((?:[^{}$]|\$\d)*)\}")


def inserted(body: list[str]) -> str:
    """The text that an editor inserts: placeholders filled with their defaults, and repeated where only numbered."""
    text = "\n".join(body)
    defaults = dict(reversed(_PLACEHOLDER.findall(text)))
    text = _PLACEHOLDER.sub(lambda m: m.group(2), text).replace("$0", "")
    return re.sub(r"\$(\d)", lambda m: defaults[m.group(1)], text)


@pytest.mark.parametrize("name", SNIPPETS)
def test_checks_without_a_finding(name: str) -> None:
    text = FRAMES.get(name, "{}").replace("{}", inserted(SNIPPETS[name]["body"]))
    assert "$" not in text
    result = run(text)
    assert not result.diagnostics, render_human(result.diagnostics, color=False)
    assert result.model is not None


@pytest.mark.parametrize("name", SNIPPETS)
def test_is_laid_out_as_the_formatter_would(name: str) -> None:
    text = inserted(SNIPPETS[name]["body"]).strip() + "\n"
    assert print_file(parse(Source(name, text)).file) == text


def test_prefixes_are_distinct() -> None:
    prefixes = [p for snippet in SNIPPETS.values() for p in snippet["prefix"]]
    assert len(prefixes) == len(set(prefixes))
