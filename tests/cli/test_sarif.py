"""``--format sarif`` is SARIF 2.1.0 by its own schema, whatever is found, and says what ``--format human`` does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, FormatChecker

from dpplang.core.codes import CODES
from dpplang.core.diagnostics import Applicability, Diagnostic
from dpplang.core.report import render_json, render_sarif
from dpplang.core.source import Source
from dpplang.pipeline import Compilation
from tests.cli.test_render import CASES

SCHEMA = Path(__file__).parent / "schema" / "sarif-2.1.0-rtm.5.json"
PROGRAM = """\
dim n
param p nonneg, q, γ pos, b[n]
var x[n], 変数
minimize γ * sum_squares(x - b) / p + q * p * 変数 + sqrt(変数)
subject to
\tsum(x) = 1
  norm2(xx) <= 1
"""


@pytest.fixture(scope="module")
def validator() -> Draft4Validator:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    Draft4Validator.check_schema(schema)
    return Draft4Validator(schema, format_checker=FormatChecker())


def log(found: tuple[Diagnostic, ...], validator: Draft4Validator) -> dict[str, Any]:
    """The parsed log, valid by its schema."""
    parsed = json.loads(render_sarif(found, version="0.1.0"))
    assert not [f"{list(e.absolute_path)}: {e.message}" for e in validator.iter_errors(parsed)]
    return parsed


def found_in(text: str, name: str = "m.dpp") -> tuple[Diagnostic, ...]:
    return Compilation(Source(name, text)).diagnostics


def test_the_schema_refuses_what_is_not_sarif(validator: Draft4Validator) -> None:
    broken = json.loads(render_sarif(found_in(PROGRAM), version="0.1.0"))
    broken["runs"][0]["results"][0]["level"] = "fatal"
    assert list(validator.iter_errors(broken))


def test_nothing_found_is_an_empty_run(validator: Draft4Validator) -> None:
    assert log((), validator)["runs"][0]["results"] == []


@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_diagnostic_is_valid(name: str, validator: Draft4Validator) -> None:
    log((CASES[name],), validator)


def test_every_code_is_valid(validator: Draft4Validator) -> None:
    for info in CODES.values():
        if info.failing:
            log(found_in(info.failing), validator)


def test_results_are_the_findings_with_their_fixes(validator: Draft4Validator) -> None:
    found = found_in(PROGRAM, "dir with space/ü.dpp")
    (run,) = log(found, validator)["runs"]
    assert [r["ruleId"] for r in run["results"]] == [d.code for d in found]
    rules = run["tool"]["driver"]["rules"]
    for result, diagnostic in zip(run["results"], found, strict=True):
        assert rules[result["ruleIndex"]]["id"] == diagnostic.code
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "dir%20with%20space/%C3%BC.dpp"
        assert diagnostic.primary is not None
        assert (place["region"]["startLine"], place["region"]["startColumn"]) == (
            diagnostic.primary.span.line,
            diagnostic.primary.span.column,
        )
        applied = [f for f in diagnostic.fixes if f.edits and f.applicability is not Applicability.DISPLAY]
        assert len(result.get("fixes", [])) == len(applied)
        for shown, fix in zip(result.get("fixes", []), applied, strict=True):
            assert fix.title in shown["description"]["text"]
            texts = [r["insertedContent"]["text"] for c in shown["artifactChanges"] for r in c["replacements"]]
            assert texts == [e.text for e in fix.edits]


def test_json_carries_the_fixes_as_edits() -> None:
    found = found_in(PROGRAM)
    shown = json.loads(render_json(found))
    assert any(f["edits"] for d in shown for f in d["fixes"])
    for one, diagnostic in zip(shown, found, strict=True):
        assert [f["applicability"] for f in one["fixes"]] == [f.applicability.value for f in diagnostic.fixes]
        for fix, shown_fix in zip(diagnostic.fixes, one["fixes"], strict=True):
            assert fix.applicability is Applicability(shown_fix["applicability"])
            for edit, shown_edit in zip(fix.edits, shown_fix["edits"], strict=True):
                assert (shown_edit["line"], shown_edit["column"]) == (edit.span.line, edit.span.column)
                assert shown_edit["text"] == edit.text
