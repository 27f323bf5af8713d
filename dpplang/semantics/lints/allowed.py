"""Comments that allow what a lint warns of: ``# allow: LNT103, LNT107``, with a reason behind if there is one.

At the end of a line it holds for that line, alone on its line for the next line of code, and as
``# allow everywhere: LNT101`` for the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dpplang.core.codes import CODES
from dpplang.core.diagnostics import Diagnostic, Label, Severity
from dpplang.core.source import Source
from dpplang.syntax import ast

_ALLOW = re.compile(r"#+\s*allow(\s+everywhere)?\s*:\s*([A-Z]{3}\d{3}(?:\s*,\s*[A-Z]{3}\d{3})*)")


def without_allowed(file: ast.File, found: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """The warnings that no comment allows, and one for every comment that allows what does not exist."""
    allowed: set[tuple[int, str]] = set()
    for comment in file.comments:
        match = _ALLOW.match(comment.text)
        if match is None:
            continue
        codes = re.split(r"\s*,\s*", match.group(2))
        line = 0 if match.group(1) else _line_of(file.source, comment)
        allowed.update((line, code) for code in codes)
        for code in codes:
            if code not in CODES:
                yield _unknown(comment, code)
    for diagnostic in found:
        line = diagnostic.primary.span.line if diagnostic.primary else 0
        if (line, diagnostic.code) not in allowed and (0, diagnostic.code) not in allowed:
            yield diagnostic


def _line_of(source: Source, comment: ast.Comment) -> int:
    """The line a comment speaks of: its own, or the next that holds more than a comment."""
    line = comment.span.line
    if comment.trailing:
        return line
    while line < len(source.line_starts):
        line += 1
        text = source.line(line).strip()
        if text and not text.startswith("#"):
            return line
    return line


def _unknown(comment: ast.Comment, code: str) -> Diagnostic:
    message = f"`{code}` is no code, so nothing is allowed by this comment"
    help_ = ("the code stands in the brackets of the warning: `warning[LNT101]`",)
    return Diagnostic("LNT100", message, Label(comment.span), help=help_, severity=Severity.WARNING)
