"""Show the compiled program: one conic problem whose data are affine in the parameters.

    minimize ½ xᵀP(θ)x + q(θ)ᵀx + d(θ)   subject to   A(θ)x + s = b(θ),  s ∈ K

Sizes come from --data, --set and --dim; parameters need only their sizes, not their values.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpplang.cli.binding import add_binding_options, open_problem, read_binding
from dpplang.cli.usage import UsageError

if TYPE_CHECKING:
    from dpplang.asa.program import AffineMap, Parameter, Program


def configure(parser: argparse.ArgumentParser) -> None:
    add_binding_options(parser)
    parser.add_argument("--json", action="store_true", help="print it as one JSON object")
    parser.add_argument("--out", metavar="FILE", help="save the program to a .npz file that runs without its source")


def run(args: argparse.Namespace) -> int:
    program = compile_program(args)
    description = describe(program)
    if args.json:
        print(json.dumps(description, ensure_ascii=False))
    else:
        print_tables(args.file, description)
    if args.out:
        _save(program, Path(args.out))
    return 0


def compile_program(args: argparse.Namespace) -> Program:
    """The program of a call's file, data and sizes.

    Raises:
        UsageError: a wrong call. DiagnosticsError: it does not check, or a size is not determined.
    """
    import numpy as np

    problem = open_problem(args)
    binding = read_binding(args, problem)
    data = {name: value for name, value in binding.values.items() if name in problem.data}
    shapes = {name: np.shape(value) for name, value in binding.values.items() if name not in data}
    return problem.compile(dims=binding.dims, data=data, shapes=shapes)


def describe(program: Program) -> dict[str, Any]:
    """Sizes, nonzeros, cones, what each parameter touches and where the rows came from, as JSON knows them."""
    return {
        "name": program.name,
        "sense": program.sense,
        "dims": dict(program.sizes),
        "variables": program.n,
        "rows": program.m,
        "parameters_entries": program.n_theta,
        "nonzeros": {
            name: {"all": stored, "parametrized": _rows_touched(values, 0, program.n_theta)}
            for name, stored, values in _maps(program)
        },
        "cones": {
            "zero": program.cones.zero,
            "nonneg": program.cones.nonneg,
            "soc": list(program.cones.soc),
            "psd": list(program.cones.psd),
            "exp": program.cones.exp,
            "pow": list(program.cones.pow),
        },
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
    import numpy as np

    return int(np.count_nonzero((np.diff(values.matrix.indptr) > 0) | (values.constant != 0)))


def _rows_touched(values: AffineMap, start: int, stop: int) -> int:
    """Entries that depend on θ[start:stop]."""
    import numpy as np

    columns = values.matrix.indices
    inside = (columns >= start) & (columns < stop)
    rows = np.repeat(np.arange(values.size), np.diff(values.matrix.indptr))
    return int(np.unique(rows[inside]).size)


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


def print_tables(file: str, description: dict[str, Any]) -> None:
    from rich import box
    from rich.table import Table

    from dpplang.cli.console import console

    out = console()
    dims = ", ".join(f"{k} = {v}" for k, v in description["dims"].items())
    out.print(f"[bold]{file}[/bold]" + (f" at {dims}" if dims else ""))
    out.print(
        f"{description['sense']}: {description['variables']} variables, {description['rows']} rows, "
        f"{description['parameters_entries']} parameter entries"
    )
    out.print(f"cones: {_cones(description['cones'])}\n")

    data = Table("data", box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    data.add_column("nonzeros", justify="right")
    data.add_column("parametrized", justify="right")
    for name, counts in description["nonzeros"].items():
        data.add_row(name, str(counts["all"]), str(counts["parametrized"]))
    out.print(data)

    parameters = Table("parameter", "shape", "kind", "attributes", "touches", box=box.SIMPLE_HEAD, pad_edge=False)
    for p in description["parameters"]:
        touches = ", ".join(f"{count} of {name}" for name, count in p["touches"].items()) or "nothing directly"
        parameters.add_row(p["name"], _shape(p["shape"]), p["kind"], " ".join(p["attributes"]), touches)
    if description["parameters"]:
        out.print(parameters)

    rows = Table("rows", "count", "from", "at", box=box.SIMPLE_HEAD, pad_edge=False)
    for block in description["blocks"]:
        place = f"{block['file']}:{block['line']}" if block["line"] else ""
        count = str(block["stop"] - block["start"])
        rows.add_row(f"{block['start']}…{block['stop'] - 1}", count, f"{block['kind']} {block['name']}", place)
    if description["blocks"]:
        out.print(rows)


def _shape(shape: list[int]) -> str:
    return "\\[" + ", ".join(map(str, shape)) + "]" if shape else "scalar"


def _cones(cones: dict[str, Any]) -> str:
    parts = [f"{cones[name]} {name}" for name in ("zero", "nonneg") if cones[name]]
    for name in ("soc", "psd"):
        sizes = cones[name]
        parts += [f"{sizes.count(size)} {name}({size})" for size in sorted(set(sizes))]
    if cones["exp"]:
        parts.append(f"{cones['exp']} exponential")
    parts += [f"{cones['pow'].count(a)} power({a:g})" for a in sorted(set(cones["pow"]))]
    return ", ".join(parts) or "none"


def _save(program: Program, path: Path) -> None:
    import sys

    from dpplang.asa.serialize import save

    if path.suffix.lower() != ".npz":
        raise UsageError(f"`--out {path}`: a program is saved as .npz", "name the file so")
    try:
        save(program, path)
    except OSError as error:
        raise UsageError(
            f"`{path}` cannot be written: {error.strerror}", "name a file in a folder that is there"
        ) from None
    print(f"wrote {path}", file=sys.stderr)
