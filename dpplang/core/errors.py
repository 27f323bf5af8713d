"""Exceptions that reach a user, and the one that is our own fault."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dpplang.core.diagnostics import Diagnostic


class DppError(Exception):
    """Base of everything dpplang raises on purpose."""


class WriteError(DppError):
    """A file that cannot be written, and why; it is as it was."""


class DiagnosticsError(DppError):
    """A program that does not check. Carries every diagnostic; its text is the rendering a terminal would show."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        from dpplang.core.render import render_human

        return "\n" + render_human(self.diagnostics, color=False)


class BindError(DiagnosticsError, ValueError):
    """Values that do not fit the program: names, shapes, attributes, NaN (codes BND7xx)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One batch element that was not solved.

    ``index`` is its multi-index in the leading batch dims (``()`` if there is no batch); ``status`` is a word of
    :class:`dpplang.runtime.status.Status`; ``reasons`` are the constraints its certificate weighs most, in words.
    """

    index: tuple[int, ...]
    status: str
    reasons: tuple[str, ...] = ()


class SolveError(DppError):
    """Some batch elements have no solution, or the solver stopped short of its tolerance (codes SOL8xx)."""

    def __init__(self, message: str, failures: Sequence[Failure], code: str = "SOL800") -> None:
        self.failures = tuple(failures)
        self.code = code
        super().__init__(message)

    @property
    def indices(self) -> tuple[tuple[int, ...], ...]:
        return tuple(f.index for f in self.failures)

    @property
    def statuses(self) -> tuple[str, ...]:
        return tuple(f.status for f in self.failures)


class InternalError(DppError):
    """A fault of ours (ICE9xx): never a user's mistake."""
