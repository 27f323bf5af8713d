"""Diagnostics for people: the lines concerned, underlined, with what to say beside them (docs/language.md §6).

error[DPP301]: product of two parametrized expressions
  --> m.dpp:14:16
 5 | param gamma pos, Omega[k, k] psd
   |       ----- a parameter
14 | minimize gamma * sum_squares(R @ w) - mu' @ w
   |          ----- ^ ------------------ convex; depends on the parameter `Omega` through `R`
   = note: it is DCP; DPP needs one factor that is free of parameters
   = fix (safe): derived Rg = sqrt(gamma) * R, and sum_squares(Rg @ w)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dpplang.core.columns import visible
from dpplang.core.diagnostics import Diagnostic, Label, Severity
from dpplang.core.snippet import snippet
from dpplang.core.source import Source
from dpplang.core.style import Paint, Style

_SEVERITY_STYLE = {Severity.ERROR: Style.ERROR, Severity.WARNING: Style.WARNING, Severity.INFO: Style.INFO}


def render_human(diagnostics: Sequence[Diagnostic], *, color: bool, width: int | None = None) -> str:
    """Lay out diagnostics as a terminal shows them, a blank line between two, no newline at the end.

    Args:
        diagnostics: in the order in which they are shown.
        color: whether to use ANSI colours (the caller knows about ``NO_COLOR`` and pipes).
        width: columns to fit long source lines and notes into; None for no limit.
    """
    paint = Paint(color)
    return "\n\n".join("\n".join(_block(d, paint, width)) for d in diagnostics)


def _block(diagnostic: Diagnostic, paint: Paint, width: int | None) -> Iterator[str]:
    severity = _SEVERITY_STYLE[diagnostic.severity]
    head = f"{diagnostic.severity.value}[{diagnostic.code}]"
    yield f"{paint(severity, head)}{paint(Style.BOLD, ': ' + visible(diagnostic.message))}"

    groups = _by_source(diagnostic)
    gutter = max((_last_line(labels) for _, labels in groups), default=0)
    margin = len(str(gutter)) if gutter else 1
    for i, (source, labels) in enumerate(groups):
        span = labels[0].span
        arrow = " " * margin + ("-->" if i == 0 else ":::")
        yield f"{paint(Style.GUTTER, arrow)} {visible(source.name)}:{span.line}:{span.column}"
        primary = diagnostic.primary if i == 0 else None
        yield from snippet(source, labels, primary, severity, margin, paint, width)

    for note in diagnostic.notes:
        yield from _remark("note", Style.BOLD, note, margin, paint, width)
    for help_text in diagnostic.help:
        yield from _remark("help", Style.HELP, help_text, margin, paint, width)
    for fix in diagnostic.fixes:
        word = f"fix ({fix.applicability.value})"
        yield from _remark(word, Style.HELP, fix.title, margin, paint, width)


def _by_source(diagnostic: Diagnostic) -> list[tuple[Source, list[Label]]]:
    """Labels grouped by file, the primary one's first; within a file, the primary label first."""
    labels = ([diagnostic.primary] if diagnostic.primary else []) + list(diagnostic.secondary)
    groups: dict[int, tuple[Source, list[Label]]] = {}
    for label in labels:
        groups.setdefault(id(label.span.source), (label.span.source, []))[1].append(label)
    return list(groups.values())


def _last_line(labels: Iterable[Label]) -> int:
    return max(label.span.source.position(max(label.span.start, label.span.end))[0] for label in labels)


def _remark(word: str, style: Style, text: str, margin: int, paint: Paint, width: int | None) -> Iterator[str]:
    """``= note: …``; what does not fit goes on below its own start."""
    lead = " " * margin + " = "
    indent = " " * (len(lead) + len(word) + 2)
    room = None if width is None else max(width - len(indent), 20)
    lines = [piece for line in visible(text).split("\n") for piece in _wrap(line, room)]
    yield f"{paint(Style.GUTTER, lead)}{paint(style, word)}: {lines[0]}"
    yield from (indent + line for line in lines[1:])


def _wrap(line: str, room: int | None) -> list[str]:
    """Break at spaces; leading spaces (a program quoted in a note) and single long words are kept."""
    if room is None or len(line) <= room:
        return [line]
    words = line.split(" ")
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) <= room or not lines[-1].strip():
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines
