"""What the registry knows of a code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CodeInfo:
    """``failing`` is a complete program that shows the code when checked, ``mended`` one that does not; both empty where
    the code needs bound values."""

    code: str
    title: str
    explanation: str
    failing: str = ""
    mended: str = ""
