"""Checking a text in tests."""

from __future__ import annotations

from dataclasses import dataclass

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.source import Source
from dpplang.pipeline import Compilation
from dpplang.semantics.check import check
from dpplang.semantics.library import standard_library
from dpplang.semantics.loader import Loader
from dpplang.semantics.tree import Model
from dpplang.syntax.parser import parse


@dataclass(frozen=True)
class Result:
    model: Model | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def codes(self) -> list[str]:
        return [d.code for d in self.diagnostics]

    @property
    def places(self) -> list[tuple[str, str]]:
        """Code and the text that the primary label underlines."""
        return [(d.code, d.primary.span.text if d.primary else "") for d in self.diagnostics]

    @property
    def errors(self) -> list[str]:
        return [d.code for d in self.diagnostics if d.is_error]


def run(text: str, loader: Loader | None = None) -> Result:
    """Parse and check; diagnostics of both."""
    parsed = parse(Source("test.dpp", text))
    checked = check(parsed.file, loader=loader or Loader(), library=standard_library())
    found = (*parsed.diagnostics, *checked.diagnostics)
    return Result(checked.model, tuple(sorted(found, key=lambda d: d.sort_key)))


def model_of(text: str) -> Model:
    """The typed tree of a text without errors."""
    result = run(text)
    assert result.model is not None and not result.errors, [(d.code, d.message) for d in result.diagnostics]
    return result.model


def errors_in(source: Source) -> list[Diagnostic]:
    """Errors alone: fixes of warnings would take out what a program declares for other cases."""
    return [d for d in Compilation(source).diagnostics if d.is_error]
