"""A program that runs: values in, solution out. Needs nothing of the language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dpplang.asa.program import Program
from dpplang.asa.serialize import load, save
from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError, SolveError
from dpplang.runtime.bind import bind
from dpplang.runtime.engine import Engine, Solved
from dpplang.runtime.failures import explain
from dpplang.runtime.names import suggestions
from dpplang.runtime.options import Options
from dpplang.runtime.outputs import Readouts
from dpplang.runtime.solution import Solution

ON_FAILURE = ("raise", "nan")


class Runner:
    """A program and an engine for it.

    Attributes:
        program, options, engine. readouts: its outputs by name.
    """

    def __init__(self, program: Program, options: Options | None = None) -> None:
        self.program = program
        self.options = options or Options()
        self.engine = Engine(program, self.options)
        self.readouts = Readouts(program)

    @classmethod
    def load(cls, path: str | Path, options: Options | None = None) -> Runner:
        """Run a program that was saved.

        Raises:
            DiagnosticsError: BND730, it is no program file.
        """
        return cls(load(path), options)

    def save(self, path: str | Path) -> None:
        """Write the program, without the options."""
        save(self.program, path)

    def solve(self, *values: Any, on_failure: str = "raise", **named: Any) -> Solution:
        """Solve for NumPy values.

        Args:
            values: array-likes in order of declaration, or one mapping from names to array-likes.
            on_failure: ``raise``, or ``nan``: elements that fail are NaN and the others are kept.
            named: array-likes by name.

        Raises:
            BindError: values that do not fit. SolveError: an element without a solution (``on_failure="raise"``).
        """
        check_on_failure(on_failure)
        if len(values) == 1 and isinstance(values[0], Mapping):
            values, named = (), {**values[0], **named}
        bound = bind(self.program, named, values)
        solved = self.engine.solve(bound.theta)
        if on_failure == "raise":
            raise_failures(self.program, solved, bound.batch)
        return Solution(self.engine, self.readouts, bound, solved)


def check_on_failure(word: str) -> None:
    """Raises:
    BindError: it is neither ``raise`` nor ``nan`` (SOL802).
    """
    if word not in ON_FAILURE:
        message = f"option `on_failure` is `raise` or `nan`, not {word!r}"
        raise BindError([Diagnostic("SOL802", message, help=suggestions(str(word), ON_FAILURE, "choices"))])


def raise_failures(program: Program, solved: Solved, batch: tuple[int, ...]) -> None:
    """Raises:
    SolveError: some element has no solution; with their batch indices, statuses and reasons.
    """
    if solved.is_whole:
        return
    failures = tuple(
        replace(f, index=tuple(int(i) for i in np.unravel_index(f.index[0], batch)) if batch else ())
        for f in explain(program, solved)
    )
    total = len(solved.status)
    head = "the problem was not solved" if not batch else f"{len(failures)} of {total} problems were not solved"
    lines = [
        (f"at batch index {f.index[0] if len(f.index) == 1 else f.index}: " if f.index else "")
        + "; ".join((f.status, *f.reasons))
        for f in failures[:5]
    ]
    if len(failures) > 5:
        lines.append(f"and {len(failures) - 5} more")
    raise SolveError("\n  ".join((head, *lines)), failures)
