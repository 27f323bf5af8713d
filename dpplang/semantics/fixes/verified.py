"""Fixes are promises, and are tried before they are made: a safe one is offered only if the text checks with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dpplang.core.diagnostics import Applicability, Diagnostic, Fix
from dpplang.core.edits import compatible
from dpplang.semantics.fixes.trial import Trial

_ROUNDS = 4
"""Fixes that touch each other are tried apart from each other; more than these at one place are too many."""


def verified(found: Iterable[Diagnostic], trial: Trial) -> tuple[Diagnostic, ...]:
    """The findings without safe fixes that do not mend."""
    every = tuple(found)
    open_ = [replace(d, fixes=(f,)) for d in every for f in d.fixes if _is_promise(f, trial)]
    kept: set[int] = set()
    for _ in range(_ROUNDS):
        together = compatible(open_, trial.source)
        if not together:
            break
        kept.update(id(one.fix) for one in trial.that_mend(together))
        tried = {id(one.fix) for one in together}
        open_ = [d for d in open_ if id(d.fixes[0]) not in tried]
    return tuple(
        replace(d, fixes=tuple(f for f in d.fixes if not _is_promise(f, trial) or id(f) in kept)) for d in every
    )


def _is_promise(fix: Fix, trial: Trial) -> bool:
    """A safe fix of this text; what edits another file cannot be tried here."""
    return fix.applicability is Applicability.SAFE and all(e.span.source is trial.source for e in fix.edits)
