"""Lints: what a checked program says that was hardly meant. Warnings, each of which a comment can allow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dpplang.core.diagnostics import Diagnostic
from dpplang.semantics.lints.allowed import without_allowed
from dpplang.semantics.lints.constraints import duplicates, pinned, trivial
from dpplang.semantics.lints.influence import without_influence
from dpplang.semantics.lints.objective import unbounded
from dpplang.semantics.lints.unused import names_used, unused
from dpplang.semantics.tree import Model
from dpplang.syntax import ast

Lint = Callable[[ast.File, Model], Iterator[Diagnostic]]
_LINTS: tuple[Lint, ...] = (trivial, duplicates, pinned, unbounded)


def lint(
    file: ast.File, model: Model, names: Callable[[ast.AnyItem], Iterable[str]] = names_used
) -> tuple[Diagnostic, ...]:
    """What is worth a second look in a program without errors.

    Args:
        file: as it was parsed, with its comments. model: what it was checked to be. names: those that an item uses.

    Returns:
        Warnings in order of the text, without those that a comment ``# allow: CODE`` beside them, or on the line above,
        allows.
    """
    if model.objective is None and not model.constraints and not model.variables:
        return ()  # a library
    used = {name for item in file.items for name in names(item)}
    found = [*unused(file, model, used), *without_influence(model, used)]
    found += [warning for each in _LINTS for warning in each(file, model)]
    return tuple(sorted(without_allowed(file, found), key=lambda d: d.sort_key))
