"""ANSI colours, or none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Style(Enum):
    """What a piece of text is; its value is the SGR code."""

    ERROR = "1;31"
    WARNING = "1;33"
    INFO = "1;36"
    GUTTER = "1;34"
    SECONDARY = "34"
    HELP = "1;32"
    BOLD = "1"
    DIM = "2"


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours text if ``color`` is set, and leaves it as it is otherwise."""

    color: bool

    def __call__(self, style: Style, text: str) -> str:
        return f"\x1b[{style.value}m{text}\x1b[0m" if self.color and text else text
