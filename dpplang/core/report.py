"""Diagnostics for programs: JSON (``--format json``) and SARIF 2.1.0 (``--format sarif``)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from dpplang.core.codes import CODES
from dpplang.core.diagnostics import Applicability, Diagnostic, Fix, Severity
from dpplang.core.source import Span

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render_json(diagnostics: Sequence[Diagnostic]) -> str:
    """A list of :meth:`Diagnostic.to_dict` objects; lines and columns 1-based, ``end_column`` exclusive."""
    return json.dumps([d.to_dict() for d in diagnostics], indent=2, ensure_ascii=False)


def render_sarif(diagnostics: Sequence[Diagnostic], *, version: str) -> str:
    """A SARIF 2.1.0 log with one run, for code-scanning tools. ``version`` is dpplang's."""
    codes = sorted({d.code for d in diagnostics})
    driver = {
        "name": "dpplang",
        "version": version,
        "rules": [_rule(code) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(d, codes.index(d.code)) for d in diagnostics],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False)


def _rule(code: str) -> dict[str, object]:
    info = CODES.get(code)
    rule: dict[str, object] = {"id": code}
    if info:
        rule["shortDescription"] = {"text": info.title}
        rule["fullDescription"] = {"text": info.explanation or info.title}
    return rule


def _result(diagnostic: Diagnostic, rule_index: int) -> dict[str, object]:
    message = "\n".join((diagnostic.message, *diagnostic.notes, *diagnostic.help))
    result: dict[str, object] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule_index,
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": message},
        "locations": [_location(diagnostic.primary.span, diagnostic.primary.text)] if diagnostic.primary else [],
    }
    if diagnostic.secondary:
        result["relatedLocations"] = [_location(label.span, label.text) for label in diagnostic.secondary]
    # What is only displayed is not for a tool that offers to apply it.
    fixes = [_fix(f) for f in diagnostic.fixes if f.edits and f.applicability is not Applicability.DISPLAY]
    if fixes:
        result["fixes"] = fixes
    return result


def _location(span: Span, text: str) -> dict[str, object]:
    location: dict[str, object] = {
        "physicalLocation": {"artifactLocation": {"uri": _uri(span)}, "region": _region(span)}
    }
    if text:
        location["message"] = {"text": text}
    return location


def _fix(fix: Fix) -> dict[str, object]:
    changes: dict[str, list[dict[str, object]]] = {}
    for edit in fix.edits:
        replacement: dict[str, object] = {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}
        changes.setdefault(_uri(edit.span), []).append(replacement)
    return {
        "description": {"text": f"{fix.title} ({fix.applicability.value})"},
        "artifactChanges": [
            {"artifactLocation": {"uri": uri}, "replacements": replacements} for uri, replacements in changes.items()
        ],
    }


def _region(span: Span) -> dict[str, object]:
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _uri(span: Span) -> str:
    # urllib.parse.quote, without the 10 ms its import costs a short check.
    safe = "-_.~/:"
    return "".join(
        c if c.isascii() and (c.isalnum() or c in safe) else "".join(f"%{byte:02X}" for byte in c.encode())
        for c in span.source.name.replace("\\", "/")
    )
