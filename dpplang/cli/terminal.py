"""Writing to a terminal, or to what stands in its place."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TextIO

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.style import Paint, Style


def wants_color(stream: TextIO) -> bool:
    """Whether to use colours: what the user says (``NO_COLOR``, https://no-color.org, before ``FORCE_COLOR``,
    https://force-color.org), or else whether the stream is a terminal that shows them."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def columns(stream: TextIO) -> int | None:
    """Width of the terminal; None where the stream is none, so that files and pipes get unbroken lines."""
    if not stream.isatty():
        return None
    try:
        return max(os.get_terminal_size(stream.fileno()).columns, 40) or None
    except OSError:
        return None


def show_diagnostics(diagnostics: Sequence[Diagnostic], stream: TextIO) -> None:
    """Print diagnostics for a person, with a blank line after them."""
    if diagnostics:
        from dpplang.core.render import render_human

        print(render_human(diagnostics, color=wants_color(stream), width=columns(stream)), file=stream)
        print(file=stream)


def say(head: str, message: str, help: str = "") -> None:
    """Print a message that no source is concerned with, in the style of a diagnostic, to standard error."""
    paint = Paint(wants_color(sys.stderr))
    style = Style.WARNING if head.startswith(("warning", "note")) else Style.ERROR
    print(f"{paint(style, head)}{paint(Style.BOLD, ': ' + message)}", file=sys.stderr)
    if help:
        print(f"  = {paint(Style.HELP, 'help')}: {help}", file=sys.stderr)
