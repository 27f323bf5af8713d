"""Diagnostics for the client: ranges, related places, and what may be done about them."""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol.types import (
    Diagnostic,
    DiagnosticRelatedInformation,
    DiagnosticSeverity,
    Range,
)

from dpplang.core import diagnostics as core
from dpplang.core.source import Span
from dpplang.lsp.view import View
from dpplang.syntax import ast

SOURCE = "dpp"
_SEVERITIES = {
    core.Severity.ERROR: DiagnosticSeverity.Error,
    core.Severity.WARNING: DiagnosticSeverity.Warning,
    core.Severity.INFO: DiagnosticSeverity.Information,
}


def diagnostics(view: View) -> list[Diagnostic]:
    """All that is found, what lies in an imported file at its import."""
    return [to_protocol(view, d) for d in view.analysis.diagnostics]


def to_protocol(view: View, found: core.Diagnostic) -> Diagnostic:
    span = found.primary.span if found.primary is not None else None
    return Diagnostic(
        place(view, span),
        message(view, found),
        severity=_SEVERITIES[found.severity],
        code=found.code,
        source=SOURCE,
        related_information=list(_related(view, found)) or None,
    )


def place(view: View, span: Span | None) -> Range:
    """Where to show it: never empty, and in this text."""
    if span is None:
        return view.lines.range(0, 0)
    if span.source is not view.analysis.source:
        imports = [i for i in view.analysis.items if isinstance(i, ast.ImportItem)]
        at = next((i for i in imports if i.path == span.source.name), imports[0] if imports else None)
        return view.range(at.path_span) if at is not None else view.lines.range(0, 0)
    start, end = span.start, span.end
    text = view.analysis.text
    if start == end:  # show what stands behind it on its line; at a line's end, what stands before
        if end < len(text) and text[end] not in "\r\n":
            end += 1
        else:
            end = len(text[:end].rstrip("\r\n"))
            start = max(end - 1, 0)
    return view.lines.range(start, end)


def message(view: View, found: core.Diagnostic) -> str:
    """The message, its label, notes and help, one to a line."""
    lines = [found.message]
    if found.primary is not None:
        if found.primary.span.source is not view.analysis.source:
            lines[0] = f"{found.primary.span}: {found.message}"
        if found.primary.text and found.primary.text not in found.message:
            lines.append(found.primary.text)
    lines += [f"note: {note}" for note in found.notes]
    lines += [f"help: {text}" for text in found.help]
    return "\n".join(lines)


def _related(view: View, found: core.Diagnostic) -> Iterable[DiagnosticRelatedInformation]:
    labels = list(found.secondary)
    if found.primary is not None and found.primary.span.source is not view.analysis.source:
        labels.insert(0, found.primary)
    for label in labels:
        location = view.location(label.span)
        if location is not None:
            yield DiagnosticRelatedInformation(location, label.text or found.message)


__all__ = ["diagnostics", "place", "to_protocol"]
