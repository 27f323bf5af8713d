"""Show the compiled program: one conic problem whose data are affine in the parameters.

    minimize ½ xᵀP(θ)x + q(θ)ᵀx + d(θ)   subject to   A(θ)x + s = b(θ),  s ∈ K

Sizes come from --data, --set and --dim; parameters need only their sizes, not their values.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpplang.cli.binding import add_binding_options, open_problem, read_binding
from dpplang.cli.usage import UsageError

if TYPE_CHECKING:
    from dpplang.asa.program import Program


def configure(parser: argparse.ArgumentParser) -> None:
    add_binding_options(parser)
    parser.add_argument("--json", action="store_true", help="print it as one JSON object")
    parser.add_argument("--out", metavar="FILE", help="save the program to a .npz file that runs without its source")


def run(args: argparse.Namespace) -> int:
    from dpplang.asa.describe import describe

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
