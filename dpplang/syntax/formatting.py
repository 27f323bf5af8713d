"""A text in canonical form, with the proof that it is the same program."""

from __future__ import annotations

from dataclasses import dataclass

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import InternalError
from dpplang.core.source import Source
from dpplang.syntax import ast
from dpplang.syntax.parser import parse
from dpplang.syntax.printer import print_file


@dataclass(frozen=True, slots=True)
class Formatted:
    """``text`` is None iff the source has syntax errors, which ``diagnostics`` are then."""

    text: str | None
    diagnostics: tuple[Diagnostic, ...]


def format_source(source: Source) -> Formatted:
    """The canonical form of a text: formatting it again changes nothing.

    Raises:
        InternalError: the result would not be the same program, or would lose a comment. Nothing may be written then.
    """
    parsed = parse(source)
    if any(d.is_error for d in parsed.diagnostics):
        return Formatted(None, parsed.diagnostics)
    text = print_file(parsed.file)
    again = parse(Source(source.name, text))
    if again.diagnostics or again.file != parsed.file:
        raise InternalError(f"formatting `{source.name}` would change its meaning")
    if _comments(again.file) != _comments(parsed.file):
        raise InternalError(f"formatting `{source.name}` would change its comments")
    return Formatted(text, ())


def _comments(file: ast.File) -> list[str]:
    """The comments' words: their order may change, and a ``##`` that is no doc becomes a ``#``."""
    return sorted(comment.text.lstrip("#").strip() for comment in file.comments)
