"""Lints: what a checked program says that was hardly meant. Warnings, each of which a comment can allow."""

from __future__ import annotations

from collections.abc import Iterator

from dpplang.core.diagnostics import Diagnostic
from dpplang.semantics.lints.allowed import without_allowed
from dpplang.semantics.lints.constraints import duplicates, pinned, trivial
from dpplang.semantics.lints.influence import without_influence
from dpplang.semantics.lints.memory import Memory
from dpplang.semantics.lints.objective import unbounded
from dpplang.semantics.lints.unused import unused
from dpplang.semantics.tree import Constraint, Model
from dpplang.syntax import ast


def lint(file: ast.File, model: Model, memory: Memory | None = None) -> tuple[Diagnostic, ...]:
    """What is worth a second look in a program without errors.

    Args:
        file: as it was parsed, with its comments. model: what it was checked to be.
        memory: of the last version of the text, if there was one.

    Returns:
        Warnings in order of the text, without those that a comment ``# allow: CODE`` beside them, or on the line above,
        allows.
    """
    if model.objective is None and not model.constraints and not model.variables:
        return ()  # a library
    memory = memory or Memory()
    found = [*unused(file, model, memory), *without_influence(file, model, memory)]
    if noted := memory.times(model.constraints, _noted):
        found += [warning for c in model.constraints if id(c.parts) in noted for warning in _of_one(c)]
    found += [*duplicates(model, memory), *unbounded(model, memory)]
    return tuple(sorted(without_allowed(file, found), key=lambda d: d.sort_key))


def _of_one(constraint: Constraint) -> Iterator[Diagnostic]:
    yield from trivial(constraint)
    yield from pinned(constraint)


def _noted(constraint: Constraint) -> tuple[int, ...]:
    """Nothing of a constraint of which there is nothing to say; else what it is known by."""
    return (id(constraint.parts),) if any(_of_one(constraint)) else ()
