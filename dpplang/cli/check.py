"""Check programs: syntax, names, shapes, DCP, DPP. Nothing is run or solved.

Nothing is written either, unless `--fix` asks for it. It applies the fixes that change neither the solution nor its
gradients, checks again, and so on until none is left; `--unsafe-fixes` adds those that assume something, which they
state. A file whose syntax it cannot mend is left alone. `--diff` shows what changes; without `--fix` it only shows.

Exit code: 0 no errors (there may be warnings), 1 errors, 2 a wrong call. With `--fix` it is about what is left.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dpplang.cli.dims import add_dim_option, read_dims, require_declared, unanswered
from dpplang.cli.terminal import show_diagnostics
from dpplang.cli.usage import UsageError, existing_file
from dpplang.core.diagnostics import Diagnostic

if TYPE_CHECKING:
    from dpplang.cli.fix import FixOptions
    from dpplang.semantics.tree import Model


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="a .dpp program or library")
    add_dim_option(parser)
    parser.add_argument(
        "--format", choices=("human", "json", "sarif"), default="human", help="how to print what is found"
    )
    parser.add_argument("--fix", action="store_true", help="apply safe fixes to the files, and check again")
    parser.add_argument("--unsafe-fixes", action="store_true", help="apply fixes that assume something, too")
    parser.add_argument("--diff", action="store_true", help="show what --fix changes; alone, change nothing")


def run(args: argparse.Namespace) -> int:
    dims = read_dims(args.dim)
    paths = [existing_file(name, "a .dpp program") for name in args.files]
    if args.unsafe_fixes and not (args.fix or args.diff):
        raise UsageError("`--unsafe-fixes` says which fixes to apply", "add `--fix`, or `--diff` to see them first")
    if args.diff and args.format != "human":
        raise UsageError(f"`--diff` is for people, `--format {args.format}` for programs", "leave one of them out")
    if args.fix or args.diff:
        from dpplang.cli.fix import FixOptions

        for path in dict.fromkeys(paths):
            _fix(path, FixOptions(args.fix, args.unsafe_fixes, args.diff), args.format)

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


def _fix(path: Path, options: FixOptions, form: str) -> None:
    """Mend a file, and say what was done."""
    from dpplang.cli.fix import mended_file, report_stream, say_applied, show_diff
    from dpplang.core.errors import DiagnosticsError
    from dpplang.core.files import write_back
    from dpplang.semantics.loader import read_source

    try:
        before = read_source(path)
    except DiagnosticsError:
        return  # the check that follows says so
    mended = mended_file(path, options)
    if not mended.applied:
        return
    stream = report_stream(form)
    if options.write:
        write_back(path, mended.source.text)
    say_applied(mended, stream, written=options.write)
    if options.diff:
        show_diff(path, before.text, mended.source.text, stream)
    print(file=stream)


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
    """``3 files: 2 errors, 1 warning; `--fix` mends 1``."""
    errors = sum(d.is_error for d in found)
    others = len(found) - errors
    counts = [_count(errors, "error") if errors else "no errors"]
    if others:
        counts.append(_count(others, "warning"))
    return f"{_count(files, 'file')}: {', '.join(counts)}{_offer(found)}"


def _offer(found: list[Diagnostic]) -> str:
    """What `--fix` could do about it."""
    if not any(d.fixes for d in found):
        return ""
    from dpplang.cli.fix import fixable

    safe = fixable(found, unsafe=False)
    more = fixable(found, unsafe=True) - safe
    if safe:
        return f"; `--fix` mends {safe}" + (f", with `--unsafe-fixes` {safe + more}" if more else "")
    return f"; `--fix --unsafe-fixes` mends {more}" if more else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
