"""Check programs: syntax, names, shapes, DCP, DPP. Nothing is run, solved or written.

Exit code: 0 no errors (there may be warnings), 1 errors, 2 a wrong call.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dpplang.cli.dims import add_dim_option, read_dims, require_declared, unanswered
from dpplang.cli.terminal import show_diagnostics
from dpplang.cli.usage import existing_file
from dpplang.core.diagnostics import Diagnostic

if TYPE_CHECKING:
    from dpplang.semantics.tree import Model


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="a .dpp program or library")
    add_dim_option(parser)
    parser.add_argument(
        "--format", choices=("human", "json", "sarif"), default="human", help="how to print what is found"
    )


def run(args: argparse.Namespace) -> int:
    dims = read_dims(args.dim)
    paths = [existing_file(name, "a .dpp program") for name in args.files]

    from dpplang.pipeline import check_path

    found: list[Diagnostic] = []
    models: list[Model] = []
    for path in paths:
        model, diagnostics = check_path(path)
        found += unanswered(diagnostics, dims)
        if model is not None:
            found += _at_sizes(model, dims)
            models.append(model)
    if len(models) == len(paths):
        require_declared(dims, [d.name for model in models for d in model.dims], ", ".join(args.files))
    _report(found, args.format, len(paths))
    return 1 if any(d.is_error for d in found) else 0


def _at_sizes(model: Model, dims: Mapping[str, int]) -> list[Diagnostic]:
    """What is wrong at the sizes that the call gives; that others are not given is no mistake here."""
    from dpplang.semantics.sizes import solve_sizes

    mine = {name: size for name, size in dims.items() if name in {d.name for d in model.dims}}
    diagnostics = solve_sizes(model, {}, mine).diagnostics if mine else ()
    return [d for d in diagnostics if d.code != "BND704"]


def _report(found: list[Diagnostic], form: str, files: int) -> None:
    if form == "human":
        show_diagnostics(found, sys.stdout)
        print(summary(found, files))
        return
    from dpplang import __version__
    from dpplang.core.report import render_json, render_sarif

    print(render_json(found) if form == "json" else render_sarif(found, version=__version__))


def summary(found: list[Diagnostic], files: int) -> str:
    """``3 files: 2 errors, 1 warning``."""
    errors = sum(d.is_error for d in found)
    others = len(found) - errors
    counts = [_count(errors, "error") if errors else "no errors"]
    if others:
        counts.append(_count(others, "warning"))
    return f"{_count(files, 'file')}: {', '.join(counts)}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
