"""What the REPL asks of the process that computes, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.source import Source


class Work(Enum):
    VALUES = "values"
    SOLVE = "solve"
    GRADIENT = "gradient"
    GRADCHECK = "gradcheck"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class Request:
    """Work on a program.

    Attributes:
        folder: where its imports are. bindings: the text of each value, in the order of binding.
        options: the text of each option. arguments: of the work: names of values, an output and a parameter.
    """

    work: Work
    source: Source
    folder: str
    bindings: Mapping[str, str] = field(default_factory=dict[str, str])
    dims: Mapping[str, int] = field(default_factory=dict[str, int])
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """``text`` is the answer; ``problem`` (with ``help``) or ``diagnostics`` say why there is none.

    ``names``: of the values that a file holds. ``seconds``: that solving took.
    """

    text: str = ""
    names: tuple[str, ...] = ()
    problem: str = ""
    help: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    seconds: float | None = None
