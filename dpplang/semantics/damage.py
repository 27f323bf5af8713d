"""What the items that did not parse would have declared: their names count as declared, so that one broken
line is one error."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dpplang.syntax import ast

_NAME = r"[^\W\d]\w*"
_CALLABLE = re.compile(rf"^\s*(?:func|atom|def|function|fn|let)\s+({_NAME})")
_IMPORT = re.compile(r"^\s*from\b(.*)", re.DOTALL)
_OBJECTIVE = re.compile(r"^\s*(minimi[sz]e|maximi[sz]e|find|min|max)\b")
_LABEL = re.compile(rf"^\s*({_NAME})\s*(?:\[[^\]]*\])?\s*:")


@dataclass(frozen=True, slots=True)
class Damage:
    names: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    constraints: frozenset[str] = frozenset()
    has_objective: bool = False


def damage(file: ast.File) -> Damage:
    """Read what no item covers, line by line.

    Every word of such a line may have been meant as a declaration: what is broken may be the keyword itself.
    """
    names: set[str] = set(file.broken)
    functions: set[str] = set()
    constraints: set[str] = set()
    objective = False
    for line in _statements(file.uncovered):
        identifiers = re.findall(_NAME, line)
        names.update(identifiers)
        if found := _CALLABLE.match(line):
            functions.add(found.group(1))
        elif _IMPORT.match(line):
            functions.update(identifiers[1:])
        elif _OBJECTIVE.match(line):
            objective = True
        elif found := _LABEL.match(line):
            constraints.add(found.group(1))
    return Damage(frozenset(names), frozenset(functions), frozenset(constraints), objective)


def _statements(lines: Sequence[str]) -> list[str]:
    """The lines that hold anything; one that ends in an operator or comma goes on."""
    joined: list[str] = []
    for line in lines:
        if joined and joined[-1].endswith((",", "(", "[", "+", "-", "*", "=", "@")):
            joined[-1] += " " + line
        elif line:
            joined.append(line)
    return joined
