"""Fixes tried: what looks right on paper is offered only if the program checks better with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix
from dpplang.core.edits import Applied, adds_errors, apply, mends
from dpplang.core.source import Source

Check = Callable[[Source], tuple[Sequence[Diagnostic], int]]
CHARACTERS, NODES, MOST = 60_000, 30_000, 40
"""Characters and expressions, and texts, checked for fixes in one check, so that a broken file takes bounded time. What
is not tried is not offered, until the first are applied."""


@dataclass(slots=True)
class Trial:
    """``source`` is the text; ``check`` gives everything that is found in one, syntax included, and what its calls have
    cost so far, in expressions typed."""

    source: Source
    check: Check
    _before: Sequence[Diagnostic] | None = None
    _texts: int = field(default=0)
    _nodes: int = field(default=0)

    @property
    def exhausted(self) -> bool:
        return self._nodes > NODES or self._texts >= min(MOST, CHARACTERS // (len(self.source.text) + 1))

    def mends(self, diagnostic: Diagnostic, fix: Fix, *, clean: bool = False) -> bool:
        """Whether the fix takes the finding away and makes no error; (``clean``) nor brings one to light."""
        if self.exhausted or not all(e.span.source is self.source for e in fix.edits):
            return False
        before, after = self._compared((Applied(diagnostic, fix),))
        if not _does(before, after, (Applied(diagnostic, fix),)):
            return False
        return not clean or _errors(after) < _errors(before)

    def that_mend(self, fixes: Sequence[Applied]) -> list[Applied]:
        """Of fixes that go together those that mend: all at once if they do, else found by halving."""
        if not fixes or self.exhausted:
            return []
        before, after = self._compared(fixes)
        if _does(before, after, fixes):
            return list(fixes)
        if len(fixes) == 1:
            return []
        half = len(fixes) // 2
        return [*self.that_mend(fixes[:half]), *self.that_mend(fixes[half:])]

    def first(self, diagnostic: Diagnostic, candidates: Iterable[tuple[str, tuple[Edit, ...]]]) -> tuple[Fix, ...]:
        """The first candidate (title and edits) that leaves fewer errors and no new ones, as an unsafe fix."""
        for title, edits in candidates:
            fix = Fix(title, edits, Applicability.UNSAFE)
            if self.mends(diagnostic, fix, clean=True):
                return (fix,)
        return ()

    def _compared(self, fixes: Sequence[Applied]) -> tuple[Sequence[Diagnostic], Sequence[Diagnostic]]:
        """What is found without and with the fixes."""
        self._texts += 1
        if self._before is None:
            self._before, self._nodes = self.check(self.source)
        after, self._nodes = self.check(apply(self.source, fixes))
        return self._before, after


def _does(before: Sequence[Diagnostic], after: Sequence[Diagnostic], fixes: Sequence[Applied]) -> bool:
    """Whether fixes take their findings away, and put no error in their place."""
    return mends(before, after, fixes) and not adds_errors(before, after, fixes)


def _errors(found: Sequence[Diagnostic]) -> Counter[tuple[str, str]]:
    """Errors by kind; without those of DPP, which come to light when the others are mended."""
    return Counter((d.code, d.message) for d in found if d.is_error and not d.code.startswith("DPP"))
