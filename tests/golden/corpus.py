"""Programs people write, and what dpplang says of them.

A program of ``bad/`` stands beside its ``.out``: the diagnostics as a terminal shows them. Its first comment lines may
hold directives:

    # mistakes: 2                     how many it holds, if not one: so many diagnostics there must be
    # bind: {"b": [1, 2]}             values to solve it for: codes that only values show
    # dims: {"n": 3}                  sizes that no tensor determines
    # options: {"tolerance": -1}      options of the solver
    # backward: {"x": [1, 0]}         upstream gradients to send back through the solution
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import DiagnosticsError, SolveError
from dpplang.core.render import render_human
from dpplang.core.source import Source
from dpplang.pipeline import Compilation, Problem
from dpplang.semantics.loader import Loader, read_source

HERE = Path(__file__).parent
BAD = sorted(p for p in (HERE / "bad").rglob("*.dpp") if p.parent.name != "lib")
GOOD = sorted(p for p in (HERE / "good").rglob("*.dpp") if p.parent.name != "lib")
_DIRECTIVE = re.compile(r"#\s*(mistakes|bind|dims|options|backward):\s*(.*)")
_CODE = re.compile(r"\[([A-Z]{3}\d{3})\]")


@dataclass(frozen=True)
class Program:
    """A file of the corpus; ``directives`` by name, as JSON values."""

    path: Path
    directives: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.path.relative_to(HERE).as_posix().removesuffix(".dpp")

    @property
    def mistakes(self) -> int:
        return int(self.directives.get("mistakes", 1))


def program(path: Path) -> Program:
    text = path.read_text(encoding="utf-8", errors="replace")
    found = {m[1]: json.loads(m[2]) for m in map(_DIRECTIVE.match, text.splitlines()) if m}
    return Program(path, found)


@dataclass(frozen=True)
class Findings:
    """``said``: errors and warnings of solving that are no diagnostics, as they are shown."""

    diagnostics: tuple[Diagnostic, ...]
    said: tuple[str, ...] = ()

    @property
    def codes(self) -> list[str]:
        return [d.code for d in self.diagnostics] + [code for text in self.said for code in _CODE.findall(text)[:1]]

    @property
    def text(self) -> str:
        """What is golden."""
        return "\n\n".join((render_human(self.diagnostics, color=False, width=100), *self.said)).strip("\n") + "\n"


@cache
def findings(path: Path) -> Findings:
    """Everything that is said of a program: when it is checked and, where it has values, when it is solved."""
    given = program(path).directives
    try:
        source = read_source(path)
    except DiagnosticsError as error:
        return Findings(error.diagnostics)
    compilation = Compilation(Source(path.name, source.text), Loader.beside(path))
    found = compilation.diagnostics
    if "bind" not in given or any(d.is_error for d in found):
        return Findings(found)
    solved = _solved(Problem(compilation), given)
    return Findings((*found, *solved.diagnostics), solved.said)


def _solved(problem: Problem, given: Mapping[str, Any]) -> Findings:
    found: tuple[Diagnostic, ...] = ()
    said: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            solution = problem.solve(given["bind"], dims=given.get("dims"), options=given.get("options"))
            if "backward" in given:
                solution.backward(given["backward"])
        except DiagnosticsError as error:
            found = error.diagnostics
        except SolveError as error:
            said.append(f"error[{error.code}]: {error}")
    said += [f"warning{w.message}" for w in caught if str(w.message).startswith("[")]
    return Findings(found, tuple(said))
