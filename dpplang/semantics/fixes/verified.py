"""Fixes are promises, and are tried before they are made: a safe one is offered only if the text checks with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from dpplang.core.diagnostics import Applicability, Diagnostic, Fix
from dpplang.core.edits import Applied, apply, mends
from dpplang.core.source import Source

_MOST = 40
"""Fixes tried in one check: checking a broken file takes bounded time. Later ones wait until the first are applied."""

Check = Callable[[Source], Sequence[Diagnostic]]


def verified(found: Iterable[Diagnostic], source: Source, check: Check) -> tuple[Diagnostic, ...]:
    """The findings without safe fixes that do not mend.

    Args:
        found: what was found in ``source``. check: everything that is found in a text, syntax included.
    """
    before: Sequence[Diagnostic] | None = None
    tried = 0
    result: list[Diagnostic] = []
    for diagnostic in found:
        fixes: list[Fix] = []
        for fix in diagnostic.fixes:
            if not _is_promise(fix, source):
                fixes.append(fix)
                continue
            if tried == _MOST:
                continue
            tried += 1
            before = check(source) if before is None else before
            one = Applied(diagnostic, fix)
            if mends(before, check(apply(source, (one,))), (one,)):
                fixes.append(fix)
        result.append(replace(diagnostic, fixes=tuple(fixes)) if len(fixes) < len(diagnostic.fixes) else diagnostic)
    return tuple(result)


def _is_promise(fix: Fix, source: Source) -> bool:
    return fix.applicability is Applicability.SAFE and all(e.span.source is source for e in fix.edits)

