"""Solve a program for values from files.

Prints what the program returns as a table (with --json: as JSON), and writes it to a file with --out.
Exit code: 0 solved, 1 the program or its values are at fault or there is no solution, 2 a wrong call.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpplang.cli.binding import add_binding_options, open_problem, read_binding
from dpplang.cli.usage import UsageError

if TYPE_CHECKING:
    from dpplang.runtime.solution import Solution


def configure(parser: argparse.ArgumentParser) -> None:
    add_binding_options(parser)
    parser.add_argument("--solver", metavar="NAME", help="clarabel (default) or scs")
    parser.add_argument(
        "--on-failure",
        choices=("raise", "nan"),
        default="raise",
        help="what to do about batch elements without a solution: stop, or go on with nan in their place",
    )
    parser.add_argument("--json", action="store_true", help="print status, value and outputs as one JSON object")
    parser.add_argument("--out", metavar="FILE", help="write the outputs to a .npz or .json file")
    parser.add_argument("--plot", metavar="FILE", help="draw the outputs into a .png, .pdf or .svg file")


def run(args: argparse.Namespace) -> int:
    writers = {".npz": _write_npz, ".json": _write_json}
    if args.out and Path(args.out).suffix.lower() not in writers:
        raise UsageError(f"`--out {args.out}`: dpp writes .npz and .json", "name the file so")
    problem = open_problem(args)
    binding = read_binding(args, problem)
    options = {"solver": args.solver} if args.solver else {}
    solution = problem.solve(binding.values, dims=binding.dims, options=options, on_failure=args.on_failure)

    if args.json:
        print(json.dumps(as_json(solution), ensure_ascii=False))
    else:
        _print_table(args.file, solution)
    if args.out:
        _write(writers[Path(args.out).suffix.lower()], Path(args.out), solution)
    if args.plot:
        from dpplang.cli.plot import plot_solution

        plot_solution(args.file, outputs(solution), Path(args.plot))
    return 0


def outputs(solution: Solution) -> dict[str, Any]:
    """Arrays by the names of ``return``."""
    import numpy as np

    return {name: np.asarray(solution[name]) for name in solution.names}


def as_json(solution: Solution) -> dict[str, Any]:
    """``status``, ``value`` and ``outputs`` as JSON knows them; what is not finite is null."""
    return {
        "status": _plain(_words(solution.status)),
        "value": _plain(solution.value),
        "outputs": {name: _plain(array) for name, array in outputs(solution).items()},
    }


def _words(status: Any) -> Any:
    import numpy as np

    if isinstance(status, np.ndarray):
        return np.vectorize(_word, otypes=[object])(status) if status.size else status
    return _word(status)


def _word(status: Any) -> str:
    return str(getattr(status, "value", status))


def _plain(value: Any) -> Any:
    import numpy as np

    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value


def _print_table(file: str, solution: Solution) -> None:
    import numpy as np
    from rich import box
    from rich.table import Table

    from dpplang.cli.console import console

    statuses, counts = np.unique(np.asarray(_words(solution.status), dtype=str).reshape(-1), return_counts=True)
    status = ", ".join(f"{s}" if counts.sum() == 1 else f"{c} {s}" for s, c in zip(statuses, counts, strict=True))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("output")
    table.add_column("shape")
    table.add_column("value", overflow="fold")
    table.add_row("value", _shape(np.shape(solution.value)), _digits(np.asarray(solution.value)))
    for name, array in outputs(solution).items():
        if name != "value":
            table.add_row(name, _shape(array.shape), _digits(array))
    console().print(f"[bold]{file}[/bold]: {status}", highlight=False)
    console().print(table)


def _shape(shape: tuple[int, ...]) -> str:
    return "\\[" + ", ".join(map(str, shape)) + "]" if shape else "scalar"


def _digits(array: Any) -> str:
    import numpy as np

    return np.array2string(array, precision=6, suppress_small=True, threshold=40, edgeitems=4, separator=" ").replace(
        "[", "\\["
    )


def _write(writer: Any, path: Path, solution: Solution) -> None:
    try:
        writer(path, solution)
    except OSError as error:
        raise UsageError(
            f"`{path}` cannot be written: {error.strerror}", "name a file in a folder that is there"
        ) from None
    print(f"wrote {path}", file=sys.stderr)


def _write_npz(path: Path, solution: Solution) -> None:
    import numpy as np

    with path.open("wb") as file:
        np.savez(file, value=np.asarray(solution.value), **{k: v for k, v in outputs(solution).items() if k != "value"})


def _write_json(path: Path, solution: Solution) -> None:
    path.write_text(json.dumps(as_json(solution), ensure_ascii=False) + "\n", encoding="utf-8")
