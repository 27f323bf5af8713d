"""How large a program is and what it is made of, as JSON knows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.program import AffineMap, Parameter, Program

Ints = NDArray[np.int64]


def extent(program: Program) -> dict[str, Any]:
    """Numbers of variables, rows and entries of θ, and the cones: known without an entry of A being formed."""
    return {
        "variables": program.n,
        "rows": program.m,
        "parameters_entries": program.n_theta,
        "cones": {
            "zero": program.cones.zero,
            "nonneg": program.cones.nonneg,
            "soc": list(program.cones.soc),
            "psd": list(program.cones.psd),
            "exp": program.cones.exp,
            "pow": list(program.cones.pow),
        },
    }


def describe(program: Program) -> dict[str, Any]:
    """Its extent, nonzeros, what each parameter touches and where the rows came from."""
    sizes = extent(program)
    cones = sizes.pop("cones")
    return {
        "name": program.name,
        "sense": program.sense,
        "dims": dict(program.sizes),
        **sizes,
        "nonzeros": {
            name: {"all": stored, "parametrized": _rows_touched(values, 0, program.n_theta)}
            for name, stored, values in _maps(program)
        },
        "cones": cones,
        "parameters": [_parameter(program, p) for p in program.parameters],
        "blocks": [
            {
                "start": r.start,
                "stop": r.stop,
                "kind": r.kind,
                "name": r.origin.name,
                "file": r.origin.file,
                "line": r.origin.line,
            }
            for r in program.rows
        ],
        "outputs": [{"name": o.name, "shape": list(o.shape)} for o in program.outputs],
    }


def _maps(program: Program) -> Iterator[tuple[str, int, AffineMap]]:
    """(name, stored entries, the affine map of them) of the five pieces of problem data."""
    yield "P", program.P.nnz, program.P.values
    for name, values in (("q", program.q), ("d", program.d)):
        yield name, _occupied(values), values
    yield "A", program.A.nnz, program.A.values
    yield "b", _occupied(program.b), program.b


def _occupied(values: AffineMap) -> int:
    """Entries that are not zero for every θ."""
    return int(np.count_nonzero((_per_row(values) > 0) | (values.constant != 0)))


def _rows_touched(values: AffineMap, start: int, stop: int) -> int:
    """Entries that depend on θ[start:stop]."""
    columns: Ints = cast("Any", values.matrix).indices
    inside = (columns >= start) & (columns < stop)
    rows = np.repeat(np.arange(values.size), _per_row(values))
    return int(np.unique(rows[inside]).size)


def _per_row(values: AffineMap) -> Ints:
    """Numbers of parameters that each entry depends on."""
    pointers: Ints = cast("Any", values.matrix).indptr
    return np.diff(pointers)


def _parameter(program: Program, parameter: Parameter) -> dict[str, Any]:
    start, stop = parameter.offset, parameter.offset + parameter.size
    touches = {name: _rows_touched(values, start, stop) for name, _, values in _maps(program)}
    return {
        "name": parameter.name,
        "shape": list(parameter.shape),
        "kind": "param" if parameter.value is None else "derived",
        "attributes": list(parameter.attributes),
        "touches": {name: count for name, count in touches.items() if count},
    }
