"""Explain a diagnostic code: what it means, a program that shows it, and one that does not."""

from __future__ import annotations

import argparse
import sys

from dpplang.cli.terminal import columns, wants_color
from dpplang.cli.usage import UsageError
from dpplang.core.codes import CODES
from dpplang.core.codes.info import CodeInfo


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", metavar="CODE", nargs="?", help="such as DPP301; without one, all codes are listed")


def run(args: argparse.Namespace) -> int:
    if args.code is None:
        width = max(map(len, CODES))
        for code, info in sorted(CODES.items()):
            print(f"{code:<{width}}  {info.title}")
        return 0
    info = CODES.get(args.code.strip("[]").upper())
    if info is None:
        raise UsageError(f"there is no diagnostic code `{args.code}`", _suggestion(args.code.upper()))
    print(page(info, min(columns(sys.stdout) or 100, 100)))
    return 0


def page(info: CodeInfo, width: int) -> str:
    """What ``dpp explain`` prints for a code, prose broken to ``width`` columns."""
    from textwrap import fill

    parts = [f"{info.code}: {info.title}", fill(info.explanation, width)]
    if info.failing:
        parts.append("This program shows it:\n\n" + _indented(info.failing))
        parts.append("`dpp check` says of it:\n\n" + _indented(_said(info)))
    if info.mended:
        parts.append("This one is right:\n\n" + _indented(info.mended))
    return "\n\n".join(part for part in parts if part)


def _said(info: CodeInfo) -> str:
    """What checking the failing program finds under this code, as it is shown."""
    from dpplang.core.render import render_human
    from dpplang.core.source import Source
    from dpplang.pipeline import Compilation

    found = [d for d in Compilation(Source("example.dpp", info.failing)).diagnostics if d.code == info.code]
    return render_human(found[:1], color=wants_color(sys.stdout))


def _indented(program: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in program.strip("\n").split("\n"))


def _suggestion(code: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(code, CODES, n=1)
    return f"did you mean `{close[0]}`?" if close else "`dpp explain` lists them all"
