"""How mistakes travel: a rule raises :class:`Mistake`, the walk that called it records it and goes on poisoned."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix, Label, Severity
from dpplang.core.source import Span

_LONGEST, _MOST = 100, 60


class Mistake(Exception):
    """One user's mistake on its way from the rule that found it to the :class:`Report`. Never leaves this package."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        self.diagnostics = diagnostics
        super().__init__(*(d.message for d in diagnostics))


class Report:
    """Collects diagnostics; what is found twice at one place (a ``func`` body, once per call) is kept once.

    ``calls`` counts all that was added, what was known before as well.
    """

    def __init__(self) -> None:
        self.calls = 0
        self._found: list[Diagnostic] = []
        self._seen: set[tuple[str, Span | str]] = set()

    def add(self, *diagnostics: Diagnostic) -> None:
        self.calls += len(diagnostics)
        for diagnostic in diagnostics:
            key = (diagnostic.code, diagnostic.primary.span if diagnostic.primary else diagnostic.message)
            if key not in self._seen:
                self._seen.add(key)
                self._found.append(diagnostic)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Everything found, in order of the text."""
        return tuple(sorted(self._found, key=lambda d: d.sort_key))

    @property
    def has_errors(self) -> bool:
        return any(d.is_error for d in self._found)


def diagnose(
    code: str,
    message: str,
    span: Span | None,
    label: str = "",
    *,
    secondary: Sequence[Label] = (),
    notes: Sequence[str] = (),
    help: Sequence[str] = (),
    fixes: Sequence[Fix] = (),
    severity: Severity = Severity.ERROR,
) -> Diagnostic:
    primary = Label(span, label) if span is not None else None
    return Diagnostic(code, message, primary, tuple(secondary), tuple(notes), tuple(help), tuple(fixes), severity)


def mistake(
    code: str,
    message: str,
    span: Span,
    label: str = "",
    *,
    secondary: Sequence[Label] = (),
    notes: Sequence[str] = (),
    help: Sequence[str] = (),
    fixes: Sequence[Fix] = (),
) -> Mistake:
    """A :class:`Mistake` of one diagnostic, to raise."""
    return Mistake(diagnose(code, message, span, label, secondary=secondary, notes=notes, help=help, fixes=fixes))


def replacement(title: str, span: Span, text: str, applicability: Applicability = Applicability.UNSAFE) -> Fix:
    """A fix of one edit."""
    return Fix(title, (Edit(span, text),), applicability)


def suggestions(name: str, known: Iterable[str], span: Span) -> tuple[Fix, ...]:
    """Fixes that replace a misspelt name by near ones, nearest first."""
    candidates = _alike(name, set(known))
    near = [c for c in candidates if c.lower() == name.lower()]
    from difflib import get_close_matches

    near += [c for c in get_close_matches(name, candidates, n=3, cutoff=0.6) if c not in near]
    return tuple(replacement(f"write `{c}`", span, c) for c in near[:3])


@dataclass(slots=True)
class Spelling:
    """What is left for the comparison of misspelt names with known ones, in one file: a file that is wrong all over
    gets near names for its first mistakes only."""

    left: int = 1_000_000

    def near(self, name: str, known: Collection[str], span: Span) -> tuple[Fix, ...]:
        """As :func:`suggestions`, while there is something left."""
        return suggestions(name, known, span) if self.affords(len(known)) else ()

    def affords(self, known: int) -> bool:
        """Whether a comparison with so many names can be paid for, which it then is."""
        if self.left <= 0:
            return False
        self.left -= known + 50 * min(known, _MOST)
        return True


def _alike(name: str, known: set[str]) -> list[str]:
    """Those worth a closer look, which takes time: of many, the ones of much the same length that begin alike."""
    if len(name) > _LONGEST:
        return []
    near = [k for k in known if abs(len(k) - len(name)) <= 4 + len(name) // 2 and len(k) <= _LONGEST]
    if len(near) > _MOST:
        near = sorted(near, key=lambda k: (k[:3].lower() != name[:3].lower(), abs(len(k) - len(name)), k))[:_MOST]
    return sorted(near)


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
