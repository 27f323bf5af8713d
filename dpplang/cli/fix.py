"""``dpp check --fix``: fixes applied to files, and what to say about it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from dpplang.cli.terminal import wants_color
from dpplang.core.columns import visible
from dpplang.core.diagnostics import Diagnostic
from dpplang.core.edits import Mended, applicable, mend
from dpplang.core.source import Source
from dpplang.core.style import Paint, Style


@dataclass(frozen=True, slots=True)
class FixOptions:
    """``write``: to the files; ``diff``: show what changes. Neither: only look."""

    write: bool = False
    unsafe: bool = False
    diff: bool = False


def mended_file(path: Path, options: FixOptions) -> Mended:
    """A file with the fixes that may be applied; as it is if its syntax cannot be mended.

    Raises:
        DiagnosticsError: it cannot be read.
    """
    from dpplang.pipeline import Compilation, compile_path

    first = compile_path(path)

    def check(source: Source) -> Sequence[Diagnostic]:
        return first.diagnostics if source is first.source else Compilation(source, first.loader).diagnostics

    mended = mend(first.source, check, unsafe=options.unsafe)
    broken = any(d.code.startswith("SYN") and d.is_error for d in mended.diagnostics)
    return Mended(first.source, first.diagnostics, ()) if broken else mended


def say_applied(mended: Mended, stream: TextIO, *, written: bool) -> None:
    """One line for each fix: what was wrong, where it then stood, and what was done."""
    paint = Paint(wants_color(stream))
    word = "fixed" if written else "would fix"
    for one in mended.applied:
        primary = one.diagnostic.primary
        place = f" {visible(primary.span.source.name)}:{primary.span.line}:{primary.span.column}" if primary else ""
        head = paint(Style.HELP, f"{word}[{one.diagnostic.code}]")
        kind = "" if one.fix.applicability.value == "safe" else f" ({one.fix.applicability.value})"
        print(f"{head}{place}: {visible(one.fix.title)}{kind}", file=stream)


def show_diff(path: Path, before: str, after: str, stream: TextIO) -> None:
    """A unified diff, coloured on a terminal."""
    from difflib import unified_diff

    paint = Paint(wants_color(stream))
    styles = {"+": Style.HELP, "-": Style.ERROR, "@": Style.GUTTER}
    name = visible(str(path))
    lines = unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), name, name)
    for line in lines:
        text = visible(line.rstrip("\n"))
        style = styles.get(text[:1])
        print(paint(style, text) if style else text, file=stream)
        if not line.endswith("\n"):
            print("\\ No newline at end of file", file=stream)


def fixable(found: Sequence[Diagnostic], *, unsafe: bool) -> int:
    """How many findings have a fix that may be applied to their own file."""
    return sum(d.primary is not None and applicable(d, d.primary.span.source, unsafe=unsafe) is not None for d in found)


def report_stream(form: str) -> TextIO:
    """Where words about fixes go: beside the findings, or out of the way of a report that a program reads."""
    return sys.stdout if form == "human" else sys.stderr
