"""Rows and columns of a program in the words of its source."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.program import Program
from dpplang.core.source import Origin
from dpplang.runtime.cones.cone import Array

Key = TypeVar("Key")

_MOST = 4  # constraints or variables named at most
_LEAST = 0.02  # share of the largest weight below which one is not worth naming

_KINDS = {
    "constraint": "constraint {}",
    "attribute": "what the declaration of {} says",
    "atom": "the graph of {}",
    "definition": "the definition of {}",
}


def heaviest_rows(program: Program, weights: Array, least: float = 0.0) -> tuple[str, ...]:
    """What the rows with the largest weights ``[m]`` came from, the largest first; none that weighs ``least``."""
    totals: dict[tuple[str, Origin], float] = {}
    for block in program.rows:
        key = (block.kind, block.origin)
        totals[key] = max(totals.get(key, 0.0), float(weights[block.start : block.stop].max(initial=0.0)))
    return tuple(_worded(kind, origin) for kind, origin in _heaviest(totals, least))


def _worded(kind: str, origin: Origin) -> str:
    """``constraint `floor` (f.dpp:7: y >= lo)``; one that the user gave no name is just ``constraint 2 (…)``."""
    if kind == "constraint" and origin.name.startswith("constraint "):
        return str(origin).replace(f"`{origin.name}`", origin.name, 1)
    return _KINDS.get(kind, "{}").format(origin)


def heaviest_variables(program: Program, weights: Array, least: float = 0.0) -> tuple[str, ...]:
    """The variables that read columns with the largest weights ``[n]``, likewise."""
    totals: dict[str, float] = {}
    for variable in program.variables:
        reads = variable.columns < program.n
        moved = np.abs(variable.values.constant[reads]) * weights[variable.columns[reads]]
        totals[f"`{variable.name}`"] = float(moved.max(initial=0.0))
    return tuple(_heaviest(totals, least))


def _heaviest(totals: dict[Key, float], least: float) -> list[Key]:
    ranked = sorted(totals.items(), key=lambda item: -item[1])
    largest = ranked[0][1] if ranked else 0.0
    return [key for key, weight in ranked if weight > max(_LEAST * largest, least)][:_MOST]


def undetermined(program: Program, r: Array, t: Array) -> str:
    """What the directions (r ``[k, n]``, t ``[k, m]``) leave open, in words; empty if there is no name for it."""
    columns, rows = np.abs(r).max(axis=0, initial=0.0), np.abs(t).max(axis=0, initial=0.0)
    least = _LEAST * max(columns.max(initial=0.0), rows.max(initial=0.0))
    parts: list[str] = []
    if names := heaviest_variables(program, columns, least):
        parts.append(", ".join(names) + (" is" if len(names) == 1 else " are"))
    if names := heaviest_rows(program, rows, least):
        parts.append(f"the multipliers of {', '.join(names)} are")
    return " and ".join(parts) + " not unique there" if parts else ""


def read_columns(program: Program) -> NDArray[np.bool_]:
    """Columns ``[n]`` that some variable of the source reads."""
    read = np.zeros(program.n, dtype=bool)
    for variable in program.variables:
        read[variable.columns[variable.columns < program.n]] = True
    return read
