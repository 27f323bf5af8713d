"""Candidates for a fix, tried: what looks right on paper is offered only if the program checks better with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix
from dpplang.core.edits import Applied, apply, mends
from dpplang.core.source import Source

Check = Callable[[Source], Sequence[Diagnostic]]
MOST = 60
"""Texts checked for fixes in one check, so that a broken file takes bounded time; the rest waits for the first to be
applied."""


@dataclass(slots=True)
class Trial:
    """``source`` is the text; ``check`` gives everything that is found in one, syntax included."""

    source: Source
    check: Check
    _before: Sequence[Diagnostic] | None = None
    _left: int = field(default=MOST)

    def mends(self, diagnostic: Diagnostic, fix: Fix, *, clean: bool = False) -> bool:
        """Whether the fix takes the finding away, makes no more errors if it is safe, and (``clean``) no new ones."""
        if not self._left or not all(e.span.source is self.source for e in fix.edits):
            return False
        self._left -= 1
        if self._before is None:
            self._before = self.check(self.source)
        one = Applied(diagnostic, fix)
        after = self.check(apply(self.source, (one,)))
        if not mends(self._before, after, (one,)):
            return False
        return not clean or (_errors(after) < _errors(self._before) and not _errors(after) - _errors(self._before))

    def first(self, diagnostic: Diagnostic, candidates: Iterable[tuple[str, tuple[Edit, ...]]]) -> tuple[Fix, ...]:
        """The first candidate (title and edits) that leaves fewer errors, as an unsafe fix."""
        for title, edits in candidates:
            fix = Fix(title, edits, Applicability.UNSAFE)
            if self.mends(diagnostic, fix, clean=True):
                return (fix,)
        return ()


def _errors(found: Sequence[Diagnostic]) -> Counter[tuple[str, str]]:
    return Counter((d.code, d.message) for d in found if d.is_error)
