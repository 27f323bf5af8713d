"""Print what a phase made: the AST, the typed tree, or the compiled program."""

from __future__ import annotations

import argparse
import sys

from dpplang.cli.binding import add_binding_options
from dpplang.cli.terminal import show_diagnostics
from dpplang.cli.usage import existing_file


def configure(parser: argparse.ArgumentParser) -> None:
    add_binding_options(parser)
    parser.add_argument("--emit", choices=("ast", "types", "asa"), required=True, help="which phase")


def run(args: argparse.Namespace) -> int:
    if args.emit == "asa":
        import json

        from dpplang.asa.describe import describe
        from dpplang.cli.asa import compile_program

        print(json.dumps(describe(compile_program(args)), indent=2, ensure_ascii=False))
        return 0
    path = existing_file(args.file, "a .dpp program")

    from dpplang.cli.dump import dump
    from dpplang.pipeline import compile_path

    compilation = compile_path(path)
    if args.emit == "ast":
        # What is wrong with a later phase does not matter here, and what parsed is shown.
        diagnostics, tree = compilation.parsed.diagnostics, compilation.parsed.file
    else:
        diagnostics, tree = compilation.diagnostics, compilation.model
    show_diagnostics(diagnostics, sys.stderr)
    if tree is not None:
        print(dump(tree))
    return 1 if any(d.is_error for d in diagnostics) else 0
