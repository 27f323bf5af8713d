"""Fixes are promises, and are tried before they are made: a safe one is offered only if the text checks with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dpplang.core.diagnostics import Applicability, Diagnostic
from dpplang.semantics.fixes.trial import Trial


def verified(found: Iterable[Diagnostic], trial: Trial) -> tuple[Diagnostic, ...]:
    """The findings without safe fixes that do not mend."""
    result: list[Diagnostic] = []
    for diagnostic in found:
        kept = tuple(
            fix
            for fix in diagnostic.fixes
            if fix.applicability is not Applicability.SAFE
            or any(e.span.source is not trial.source for e in fix.edits)
            or trial.mends(diagnostic, fix)
        )
        result.append(replace(diagnostic, fixes=kept) if len(kept) < len(diagnostic.fixes) else diagnostic)
    return tuple(result)
