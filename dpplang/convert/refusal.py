"""What a program cannot say, gathered and said at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import DiagnosticsError

LONGEST = 60


class ConversionError(DiagnosticsError, ValueError):
    """A CVXPY problem of which some part has no counterpart in the language (codes CVX9xx): all such parts."""


class Refusal(Exception):
    """Raised by what converts one expression or constraint; the walk adds where it stands and goes on.

    Args:
        reason: why, as a clause. help: what to do instead.
    """

    def __init__(self, reason: str, *help: str, code: str = "CVX900") -> None:
        super().__init__(reason)
        self.reason = reason
        self.help = help
        self.code = code

    def at(self, what: str, where: str) -> Diagnostic:
        return Diagnostic(self.code, f"{what}: {self.reason}", notes=(f"in {where}",) if where else (), help=self.help)


def shown(thing: Any) -> str:
    """CVXPY's own text of an expression or constraint, cut short, on one line."""
    try:
        text = " ".join(str(thing).split())
    except (RecursionError, ValueError, AttributeError):  # CVXPY's printing recurses
        text = type(thing).__name__
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def raise_for(found: Sequence[Diagnostic]) -> None:
    """Raises:
    ConversionError: if anything was found; what is said twice is said once.
    """
    if found:
        raise ConversionError(tuple(dict.fromkeys(found)))
