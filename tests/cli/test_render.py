"""Layout of diagnostics, against goldens, and what must hold of any layout."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpplang.core.columns import show, visible
from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix, Label, Severity
from dpplang.core.render import render_human
from dpplang.core.report import render_json, render_sarif
from dpplang.core.source import Source, Span
from tests.conftest import Golden

GOLDEN = Path(__file__).parent / "golden"

PROGRAM = """\
dim n, k


param mu[n]
param gamma pos, Omega[k, k] psd
data F[n, k]
derived R[k, n] = chol(Omega)' @ F'
var w[n]

minimize gamma * sum_squares(R @ w) - mu' @ w
subject to
  long: w >= 0
  cap: sum(
    w[0],
    w[1],
    w[2],
    w[3],
    w[4]) <= 1
\twide: 変数 == e\u0301té * 3
return w
"""
SOURCE = Source("m.dpp", PROGRAM)


def at(text: str, nth: int = 0, source: Source = SOURCE) -> Span:
    start = -1
    for _ in range(nth + 1):
        start = source.text.index(text, start + 1)
    return Span(source, start, start + len(text))


def from_to(first: str, last: str) -> Span:
    return Span(SOURCE, at(first).start, at(last).end)


OTHER = Source("lib.dpp", "func f(x[n]) = g(x)\n")

CASES = {
    "language_reference": Diagnostic(
        "DPP301",
        "product of two parametrized expressions",
        Label(at("*")),
        (
            Label(at("gamma", 1)),
            Label(at("sum_squares(R @ w)"), "convex; depends on the parameter `Omega` through `R`"),
            Label(at("gamma"), "a parameter"),
        ),
        notes=("it is DCP; DPP needs one factor that is free of parameters",),
        fixes=(Fix("derived Rg = sqrt(gamma) * R, and sum_squares(Rg @ w)", (), Applicability.SAFE),),
    ),
    "labels_on_one_line": Diagnostic(
        "DPP301",
        "every label has text",
        Label(at("*"), "the product"),
        (
            Label(at("gamma", 1), "left"),
            Label(at("sum_squares(R @ w)"), "right"),
            Label(at("gamma * sum_squares(R @ w) - mu' @ w"), "the objective"),
            Label(at("R @ w"), "within"),
        ),
        help=("first line\n  an indented second one", "another"),
    ),
    "several_lines": Diagnostic(
        "SHP501",
        "a span over many lines, one within, one that starts before",
        Label(from_to("sum(\n", "w[4])"), "this sum"),
        (Label(at("w[1]"), "inner"), Label(from_to("  long", "w[0]"), "from here")),
    ),
    "elided_lines": Diagnostic("SHP502", "nine lines", Label(from_to("var w", "w[4])"), "long")),
    "wide_characters": Diagnostic(
        "SYN001",
        "columns, not characters",
        Label(at("*", 1), "here"),
        (Label(at("変数"), "two wide"), Label(at("e\u0301té"))),
    ),
    "end_of_file": Diagnostic(
        "SYN002", "text is missing", Label(Span(SOURCE, len(PROGRAM), len(PROGRAM)), "here"), severity=Severity.WARNING
    ),
    "two_files": Diagnostic(
        "NAM101", "unknown name `g`", Label(at("g(x)", source=OTHER)), (Label(at("sum_squares"), "inlined here"),)
    ),
    "no_place": Diagnostic("BND701", "`mu` is missing", notes=("give it by name",), severity=Severity.INFO),
}


@pytest.mark.parametrize("name", CASES)
def test_layout_is_the_golden_one(name: str, golden: Golden) -> None:
    golden(GOLDEN / f"{name}.txt", render_human([CASES[name]], color=False) + "\n")


def test_colours_only_add_escape_sequences() -> None:
    colored = render_human(list(CASES.values()), color=True)
    assert "\x1b[1;31m^\x1b[0m" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render_human(list(CASES.values()), color=False)


def test_a_narrow_terminal_gets_cropped_lines_with_the_caret_still_below_its_text() -> None:
    source = Source("long.dpp", "minimize " + " + ".join(f"x{i}" for i in range(100)))
    span = at("x57", source=source)
    lines = render_human([Diagnostic("SYN001", "m", Label(span, "here"))], color=False, width=60).split("\n")
    assert all(len(line) <= 60 for line in lines[:3])
    start = lines[3].index("^^^")
    assert lines[2][start : start + 3] == "x57"
    assert lines[2].count("…") == 2


def test_notes_wrap_below_their_own_start() -> None:
    note = " ".join(["word"] * 40)
    lines = render_human([Diagnostic("SYN001", "m", notes=(note,))], color=False, width=50).split("\n")
    assert max(map(len, lines)) <= 50
    assert lines[2].startswith(" " * 10 + "word")


def test_text_from_a_file_cannot_drive_the_terminal() -> None:
    source = Source("evil\x1b]0;name.dpp", "x \x1b[31m \u202e y\x07\n")
    label = Label(Span(source, 2, 7), "\x1b[2J")
    shown = render_human([Diagnostic("SYN001", "bad \x9b0m", label, notes=("\x1b",))], color=False)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"]


@settings(max_examples=200, deadline=None)
@given(st.text("ab \t\n変e\u0301\x1b", max_size=60), st.data())
def test_any_spans_of_any_text_are_laid_out(text: str, data: st.DataObject) -> None:
    source = Source("m.dpp", text)
    offset = st.integers(0, len(text))

    def label() -> Label:
        start = data.draw(offset)
        return Label(
            Span(source, start, data.draw(st.integers(start, len(text)))), data.draw(st.sampled_from(["", words.pop()]))
        )

    words = ["text a", "text b", "text c", "text d", "text e"]
    primary, others = label(), tuple(label() for _ in range(data.draw(st.integers(0, 4))))
    diagnostic = Diagnostic("SYN001", "m", primary, others)
    shown = render_human([diagnostic], color=False, width=data.draw(st.sampled_from([None, 40])))
    assert "^" in shown
    labelled = sum(bool(label.text) for label in {primary, *others} if label != primary) + bool(primary.text)
    assert shown.count("text") >= labelled


def test_labels_of_one_text_in_a_row_say_it_once() -> None:
    found = Diagnostic("DPP301", "m", Label(at("*"), "here"), (Label(at("gamma"), "p"), Label(at("Omega"), "p")))
    shown = render_human([found], color=False).split("\n")
    assert "   |       -----      ----- p" in shown
    assert not any(line.endswith("|       |") for line in shown)


@given(st.text(max_size=40).filter(lambda t: "\n" not in t))
def test_columns_add_up(line: str) -> None:
    shown = show(line)
    assert len(shown.columns) == len(line) + 1
    assert list(shown.columns) == sorted(shown.columns)
    assert visible(visible(line)) == visible(line)


def test_json_has_one_based_places() -> None:
    fix = Fix("mend", (Edit(at("*"), "@"),), Applicability.UNSAFE)
    (found,) = json.loads(render_json([Diagnostic("DPP301", "m", Label(at("*"), "l"), fixes=(fix,), help=("h",))]))
    assert (found["file"], found["line"], found["column"], found["end_line"], found["end_column"]) == (
        "m.dpp",
        10,
        16,
        10,
        17,
    )
    assert found["severity"] == "error"
    assert found["help"] == ["h"]
    assert found["fixes"][0]["edits"][0]["text"] == "@"
    assert found["fixes"][0]["applicability"] == "unsafe"


def test_sarif_names_rules_places_and_fixes() -> None:
    fix = Fix("mend", (Edit(at("*"), "@"),), Applicability.SAFE)
    diagnostics = [
        Diagnostic("DPP301", "m", Label(at("*"), "l"), (Label(at("gamma")),), fixes=(fix,)),
        Diagnostic("BND701", "no place", severity=Severity.INFO),
    ]
    log = json.loads(render_sarif(diagnostics, version="1.2.3"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["BND701", "DPP301"]
    first, second = run["results"]
    assert (first["ruleIndex"], second["ruleIndex"]) == (1, 0)
    assert (first["level"], second["level"]) == ("error", "note")
    region = first["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 10, "startColumn": 16, "endLine": 10, "endColumn": 17}
    assert first["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"] == {"text": "@"}
    assert second["locations"] == []


def test_a_line_that_no_one_reads_is_cropped_without_a_width() -> None:
    source = Source("m.dpp", "return " + ", ".join(f"dual c{i}" for i in range(20_000)) + "\n")
    found = Diagnostic("NAM107", "there is no constraint `c9000`", Label(at("c9000", source=source), "here"))
    lines = render_human([found], color=False).splitlines()
    assert max(map(len, lines)) < 250 and "c9000" in lines[2]
    assert lines[3].index("^") == lines[2].index("c9000") and lines[3].endswith("^^^^^ here")
