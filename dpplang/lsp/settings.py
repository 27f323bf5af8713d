"""What a client may set, under ``dpp``: in ``initializationOptions``, and later by ``didChangeConfiguration``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, cast


class Hints(Enum):
    """Inlay hints that are shown. ``TOP``: of the objective, the sides of constraints, `derived` and `let`; ``ALL``: of
    every call besides."""

    OFF = "off"
    TOP = "top"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Settings:
    """``inlay_hints``: off, top or all. ``code_lens``: whether to show the verdict above the objective.
    ``debounce``: milliseconds without a change before diagnostics are pushed."""

    inlay_hints: Hints = Hints.TOP
    code_lens: bool = True
    debounce: int = 60

    @staticmethod
    def read(given: object, before: Settings) -> Settings:
        """Settings from a client's object; what is missing, or means nothing, stays as before."""
        table = _table(given)
        table = _table(table.get("dpp")) or table
        return Settings(
            _hints(table.get("inlayHints"), before.inlay_hints),
            _flag(table.get("codeLens"), before.code_lens),
            _number(table.get("debounce"), before.debounce),
        )


def _table(given: object) -> dict[str, Any]:
    if isinstance(given, dict):
        return cast("dict[str, Any]", given)
    return cast("dict[str, Any]", vars(given)) if hasattr(given, "__dict__") else {}


def _hints(given: object, before: Hints) -> Hints:
    return Hints(given) if given in {h.value for h in Hints} else before


def _flag(given: object, before: bool) -> bool:
    return given if isinstance(given, bool) else before


def _number(given: object, before: int) -> int:
    return given if type(given) is int and 0 <= given <= 10_000 else before
