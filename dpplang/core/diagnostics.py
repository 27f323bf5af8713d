"""Diagnostics: what is wrong, where, why, and what to do about it (docs/language.md §6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from dpplang.core.source import Span


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Applicability(Enum):
    """Whether a fix may be applied unasked.

    SAFE keeps the solution and its gradients; UNSAFE assumes something it states; DISPLAY is only shown.
    """

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display"


@dataclass(frozen=True, slots=True)
class Label:
    """A span and what to say beside its underline (may be empty)."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text of ``span`` (empty to insert) by ``text``."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    title: str
    edits: tuple[Edit, ...] = ()
    applicability: Applicability = Applicability.DISPLAY


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    ``code`` is a key of :data:`dpplang.core.codes.CODES`; ``primary`` is None where no source is concerned.
    """

    code: str
    message: str
    primary: Label | None = None
    secondary: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()
    severity: Severity = Severity.ERROR

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    @property
    def sort_key(self) -> tuple[str, int, str]:
        span = self.primary.span if self.primary else None
        return (span.source.name, span.start, self.code) if span else ("", -1, self.code)

    def to_dict(self) -> dict[str, object]:
        """The JSON object of ``--format json``: lines and columns 1-based, ``end_column`` exclusive."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            **_place(self.primary.span if self.primary else None),
            "label": self.primary.text if self.primary else "",
            "secondary": [{**_place(s.span), "label": s.text} for s in self.secondary],
            "notes": list(self.notes),
            "help": list(self.help),
            "fixes": [
                {
                    "title": f.title,
                    "applicability": f.applicability.value,
                    "edits": [{**_place(e.span), "text": e.text} for e in f.edits],
                }
                for f in self.fixes
            ],
        }


def _place(span: Span | None) -> dict[str, object]:
    if span is None:
        return {"file": None, "line": None, "column": None, "end_line": None, "end_column": None}
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }
