"""Fixes applied to a text: which of them, in which order, until none is left to apply.

Pure: what checks a text is given by the caller, so that ``dpp check --fix``, the REPL's ``:fix`` and the language
server mend a text in one way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix
from dpplang.core.source import Source

Check = Callable[[Source], Sequence[Diagnostic]]

_MAX_ROUNDS = 200
"""Texts checked at most while one file is mended."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A fix that was applied, and the diagnostic that it was for."""

    diagnostic: Diagnostic
    fix: Fix


@dataclass(frozen=True, slots=True)
class Mended:
    """What is left of a text after mending.

    Attributes:
        source: the text with every fix applied; the very source that was given if there was none to apply.
        diagnostics: what is found in it. applied: the fixes, in the order in which they were applied.
    """

    source: Source
    diagnostics: tuple[Diagnostic, ...]
    applied: tuple[Applied, ...]


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made; equal ones count once, insertions at one place stand in the order given.

    Raises:
        ValueError: two edits overlap.
    """
    distinct = list(dict.fromkeys(edits))
    pieces: list[str] = []
    at = 0
    for edit in sorted(distinct, key=lambda e: (e.span.start, e.span.end)):
        if edit.span.start < at:
            raise ValueError(f"overlapping edits at offset {edit.span.start}")
        pieces += [text[at : edit.span.start], edit.text]
        at = edit.span.end
    return "".join(pieces) + text[at:]


def applicable(diagnostic: Diagnostic, source: Source, *, unsafe: bool = False) -> Fix | None:
    """The first fix of a diagnostic that may be applied unasked: a safe one, or else, if ``unsafe``, an unsafe one.

    Fixes that are only displayed, and those that edit other files than ``source``, are none.
    """
    allowed = [Applicability.SAFE, Applicability.UNSAFE] if unsafe else [Applicability.SAFE]
    for kind in allowed:
        for fix in diagnostic.fixes:
            if fix.applicability is kind and fix.edits and all(e.span.source is source for e in fix.edits):
                return fix
    return None


def compatible(diagnostics: Iterable[Diagnostic], source: Source, *, unsafe: bool = False) -> tuple[Applied, ...]:
    """Fixes that can be applied together, first come first served.

    Two fixes that touch one place are not, unless both insert there, or make the same edit.
    """
    taken: list[Edit] = []
    chosen: list[Applied] = []
    for diagnostic in diagnostics:
        fix = applicable(diagnostic, source, unsafe=unsafe)
        if fix is None:
            continue
        new = [e for e in fix.edits if e not in taken]
        if new and not any(_touch(e, other) for e in new for other in taken):
            taken += new
            chosen.append(Applied(diagnostic, fix))
    return tuple(chosen)


def apply(source: Source, applied: Sequence[Applied]) -> Source:
    """The source with these fixes applied, under the same name."""
    edits = [edit for one in applied for edit in one.fix.edits]
    return Source(source.name, apply_edits(source.text, edits)) if edits else source


def mend(source: Source, check: Check, *, unsafe: bool = False) -> Mended:
    """Apply fixes, check again, and so on until none is left.

    Syntax is mended before anything else. A fix is kept only if what it mends is gone afterwards, and a safe one only
    if there are no more errors than before; where several applied together fall short of that, they are tried one at
    a time.

    Args:
        source: the text. check: everything found in a text; called at most ``_MAX_ROUNDS`` times.
        unsafe: whether fixes that assume something may be applied as well.
    """
    found = tuple(check(source))
    applied: list[Applied] = []
    refused: set[_Key] = set()
    seen = {source.text}
    while len(seen) < _MAX_ROUNDS:
        open_ = [d for d in found if _key(d, applicable(d, source, unsafe=unsafe)) not in refused]
        syntax = [d for d in open_ if d.code.startswith("SYN")]
        fixes = compatible(syntax, source, unsafe=unsafe) or compatible(open_, source, unsafe=unsafe)
        if not fixes:
            break
        for attempt in (fixes, *((one,) for one in fixes if len(fixes) > 1)):
            result = apply(source, attempt)
            if result.text not in seen:
                seen.add(result.text)
                after = tuple(check(result))
                if mends(found, after, attempt):
                    source, found = result, after
                    applied += attempt
                    break
            if len(attempt) == 1:
                refused.add(_key(attempt[0].diagnostic, attempt[0].fix))
    return Mended(source, found, tuple(applied))


def mends(before: Sequence[Diagnostic], after: Sequence[Diagnostic], fixes: Sequence[Applied]) -> bool:
    """Whether fixes did what they were for: what each mends is gone, and safe ones made no new errors.

    Args:
        before, after: what is found in the text without and with the fixes.
    """
    edits = [edit for one in fixes for edit in one.fix.edits]
    places = {(d.code, d.message, d.primary.span.start) for d in after if d.primary}
    for one in fixes:
        primary = one.diagnostic.primary
        place = _moved(primary.span.start, edits) if primary else None
        if place is not None and (one.diagnostic.code, one.diagnostic.message, place) in places:
            return False
    safe = [one for one in fixes if one.fix.applicability is Applicability.SAFE]
    if len(safe) < len(fixes):
        return True
    phase = min(max(_phase(one.diagnostic) for one in safe), len(_PHASES) - 1)
    had, have = (sum(d.is_error and _phase(d) <= phase for d in found) for found in (before, after))
    return have <= had


def adds_errors(before: Sequence[Diagnostic], after: Sequence[Diagnostic], fixes: Sequence[Applied]) -> bool:
    """Whether there are errors after the fixes that they made: one in the place of another counts, too.

    Errors that come to light because an earlier phase has none any more are not of their making, nor are those of DPP:
    a product that is mended can show that larger ones are not.

    Args:
        before, after: what is found in the text without and with the fixes.
    """
    phase = min(max(_phase(one.diagnostic) for one in fixes), len(_PHASES) - 1)
    mended = {(d.code, d.message, d.primary): d for d in (one.diagnostic for one in fixes)}
    return bool(_errors(after, phase) - (_errors(before, phase) - _errors(mended.values(), phase)))


def _errors(found: Iterable[Diagnostic], phase: int) -> Counter[tuple[str, str]]:
    """Errors by kind, of the phases up to one."""
    return Counter((d.code, d.message) for d in found if d.is_error and _phase(d) <= phase)


_PHASES = ("SYN", "NAM", "SHP", "ATM", "DCP")
"""Families in the order in which they are found: what is mended in one brings to light what is wrong in the next. What
is not DPP comes last; a product that is mended can show that a larger one is not, so there it is not counted."""


def _phase(diagnostic: Diagnostic) -> int:
    family = diagnostic.code[:3]
    return _PHASES.index(family) if family in _PHASES else len(_PHASES)


_Key = tuple[str, str, tuple[str, ...]]


def _touch(a: Edit, b: Edit) -> bool:
    """Whether two edits overlap, or one inserts at an end of what the other replaces."""
    insertions = a.span.start == a.span.end and b.span.start == b.span.end
    return not insertions and a.span.start <= b.span.end and b.span.start <= a.span.end


def _key(diagnostic: Diagnostic, fix: Fix | None) -> _Key:
    """What a fix is, however the text around it has moved."""
    edits = tuple(f"{e.span.text}→{e.text}" for e in fix.edits) if fix else ()
    return diagnostic.code, diagnostic.message, edits


def _moved(offset: int, edits: Iterable[Edit]) -> int | None:
    """Where the character at an offset stands after the edits; None if it was replaced."""
    shift = 0
    for edit in dict.fromkeys(edits):
        if edit.span.start <= offset < edit.span.end:
            return None
        if edit.span.end <= offset:
            shift += len(edit.text) - (edit.span.end - edit.span.start)
    return offset + shift
