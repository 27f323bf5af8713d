"""Values for a program, from files and from the command line.

* ``.npz`` and ``.json``: arrays (nested lists, numbers) by name.
* ``.npy`` and ``.csv``: one tensor, named by the file's stem (``mu.csv`` is ``mu``), or as in ``--data mu=some.csv``.
* A ``.csv`` file whose stem is no declared name is a table of named columns: each column whose heading is a declared
  vector is that vector.

In a CSV file a heading row and leading columns of text (dates, labels) are recognised and left out of the numbers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpplang.cli.dims import add_dim_option, read_dims, require_declared, unanswered
from dpplang.cli.terminal import show_diagnostics
from dpplang.cli.usage import UsageError, existing_file

if TYPE_CHECKING:
    from dpplang.pipeline import Problem

FORMATS = (".npz", ".npy", ".json", ".csv")


@dataclass(frozen=True, slots=True)
class Binding:
    """Values by name, and sizes of dims."""

    values: dict[str, Any]
    dims: dict[str, int]


def add_binding_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a .dpp program")
    parser.add_argument(
        "--data",
        metavar="[NAME=]FILE",
        action="append",
        default=[],
        help="values by name from .npz or .json; one tensor from .npy or .csv, named by the file's stem or by NAME; "
        "or named columns from a .csv table",
    )
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="one value: a number, or a list as in --set 'w=[0.5, 0.5]'",
    )
    add_dim_option(parser)


def open_problem(args: argparse.Namespace) -> Problem:
    """Load a call's program, printing its warnings.

    Raises:
        UsageError: there is no such file. DiagnosticsError: it does not check.
    """
    path = existing_file(args.file, "a .dpp program")

    from dpplang.pipeline import load

    problem = load(path)
    show_diagnostics(unanswered(problem.warnings, read_dims(args.dim)), sys.stderr)
    return problem


def read_binding(args: argparse.Namespace, problem: Problem) -> Binding:
    """The values of ``--data``, ``--set`` and ``--dim``; later ones win over earlier ones, ``--set`` over ``--data``.

    Raises:
        UsageError: a file that cannot be read as what it should be, a malformed setting, an unknown name.
    """
    ranks = {s.name: len(s.shape) for s in (*problem.model.data, *problem.model.params)}
    values: dict[str, Any] = {}
    for entry in args.data:
        values.update(read_values(entry, ranks))
    for setting in args.set:
        name, value = _read_setting(setting)
        _require(name, ranks, f"--set {setting}")
        values[name] = value
    dims = read_dims(args.dim)
    require_declared(dims, [d.name for d in problem.model.dims], args.file)
    return Binding(values, dims)


def read_values(entry: str, ranks: Mapping[str, int]) -> dict[str, Any]:
    """The values that ``[NAME=]FILE`` names.

    Args:
        ranks: numbers of axes of the declared tensors.

    Raises:
        UsageError: a file that cannot be read as what it should be, an unknown name.
    """
    prefix, equals, rest = entry.partition("=")
    name = prefix.strip() if equals and prefix.strip().isidentifier() else ""
    path = existing_file(rest if name else entry, f"a data file ({', '.join(FORMATS)})")
    match path.suffix.lower():
        case ".json":
            found = _read_json(path)
        case ".npz":
            found = _read_npz(path)
        case ".npy":
            found = {name or path.stem: _load_numpy(path)}
        case ".csv":
            return _read_csv(path, name, ranks)
        case _:
            raise UsageError(f"`{path}` is in a format that dpp does not read", f"it reads {', '.join(FORMATS)}")
    if name and name not in found:
        raise UsageError(f"`{path}` holds no `{name}`", f"it holds {', '.join(f'`{n}`' for n in found) or 'nothing'}")
    chosen = {name: found[name]} if name else found
    for key in chosen:
        _require(key, ranks, str(path))
    return chosen


def _require(name: str, ranks: Mapping[str, int], where: str) -> None:
    if name not in ranks:
        have = ", ".join(f"`{n}`" for n in ranks)
        raise UsageError(
            f"`{where}` gives `{name}`, which the program does not declare as `param` or `data`",
            f"it declares {have}" if have else "it declares neither: it has no values to be given",
        )


def _read_setting(setting: str) -> tuple[str, Any]:
    import json

    name, equals, text = setting.partition("=")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not equals or not name.strip().isidentifier() or value is None:
        raise UsageError(
            f"`--set {setting}` is not a name and a value", "write it as `--set gamma=0.1` or `--set 'w=[1, 2]'`"
        )
    return name.strip(), _array(value, f"--set {setting}")


def _read_json(path: Path) -> dict[str, Any]:
    import json

    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(f"`{path}` is not UTF-8 text (byte {error.start})", "save it as UTF-8") from None
    except json.JSONDecodeError as error:
        raise UsageError(
            f"`{path}` is not JSON: {error.msg} at line {error.lineno}, column {error.colno}", "mend it there"
        ) from None
    except RecursionError:
        raise UsageError(f"`{path}` is nested too deeply", "a tensor is a list of lists of numbers") from None
    if not isinstance(found, dict):
        raise UsageError(f"`{path}` holds no object", 'write values by name, as in {"q": [1, 2], "gamma": 0.1}')
    return {name: _array(value, f"`{name}` in `{path}`") for name, value in found.items()}


def _array(value: object, where: str) -> Any:
    import numpy as np

    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError(
            f"{where} is not an array of numbers", "rows must be of equal length, entries numbers"
        ) from None


def _load_numpy(path: Path) -> Any:
    import numpy as np

    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise UsageError(f"`{path}` is not a NumPy file: {error}", "write it with numpy.save or numpy.savez") from None


def _read_npz(path: Path) -> dict[str, Any]:
    from zipfile import BadZipFile

    try:
        archive = _load_numpy(path)
        return {name: archive[name] for name in archive.files}
    except (BadZipFile, ValueError, AttributeError) as error:
        raise UsageError(
            f"`{path}` is not an .npz file of plain arrays: {error}", "write it with numpy.savez, without object arrays"
        ) from None


def _read_csv(path: Path, name: str, ranks: Mapping[str, int]) -> dict[str, Any]:
    from dpplang.cli.table import read_table

    table = read_table(path)
    if name or path.stem in ranks:
        _require(name or path.stem, ranks, str(path))
        return {name or path.stem: table.tensor(ranks[name or path.stem])}
    named = [h for h in table.heading if h in ranks]
    if not named:
        raise UsageError(
            f"nothing in `{path}` has the name of a `param` or `data`",
            f"say which tensor it is, as in `--data {next(iter(ranks), 'NAME')}={path}`, or head columns with names",
        )
    return {heading: table.column(heading, ranks[heading]) for heading in named}
