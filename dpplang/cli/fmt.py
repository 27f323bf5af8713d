"""Put programs into canonical form. Only how they are written changes: every result is read again before it is
written, and must be the same program with the same comments.

Folders are searched for .dpp files; `-` reads standard input and writes standard output. A file with syntax errors is
left alone, and reported. `--check` and `--diff` write nothing.

Exit code: 0 all is (now) in canonical form, 1 a file is not (`--check`, `--diff`) or has errors, 2 a wrong call.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dpplang.cli.terminal import show_diagnostics, wants_color
from dpplang.cli.usage import UsageError, existing_file
from dpplang.core.columns import visible
from dpplang.core.diagnostics import Diagnostic
from dpplang.core.source import Source
from dpplang.core.style import Paint, Style

_STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: ``changed`` if it was not in canonical form, ``diagnostics`` if it could not be read."""

    changed: bool = False
    diagnostics: tuple[Diagnostic, ...] = ()


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="a .dpp file, a folder of them, or - (standard input)")
    parser.add_argument("--check", action="store_true", help="only say which files are not in canonical form")
    parser.add_argument("--diff", action="store_true", help="only show what would change")


def run(args: argparse.Namespace) -> int:
    if _STANDARD_INPUT in args.files:
        if len(args.files) > 1:
            raise UsageError("`-` is standard input, and stands alone", "name files, or `-`")
        return _standard_input(args)
    paths = list(dict.fromkeys(path for name in args.files for path in _files(name)))
    outcomes = [_file(path, args) for path in paths]
    show_diagnostics([d for o in outcomes for d in o.diagnostics], sys.stdout)
    print(_summary(outcomes, written=not (args.check or args.diff)))
    return _code(outcomes, args)


def _files(name: str) -> Iterator[Path]:
    """The file of that name, or the programs in the folder, but for hidden folders and those of packages."""
    path = Path(name)
    if not path.is_dir():
        yield existing_file(name, "a .dpp program")
        return
    found = False
    for folder, below, names in os.walk(path):
        below[:] = sorted(b for b in below if not b.startswith(".") and b not in ("node_modules", "site-packages"))
        for file in sorted(n for n in names if n.endswith(".dpp")):
            found = True
            yield Path(folder) / file
    if not found:
        raise UsageError(f"there is no .dpp file in `{name}`", "name another folder, or the files themselves")


def _file(path: Path, args: argparse.Namespace) -> Outcome:
    from dpplang.core.errors import DiagnosticsError
    from dpplang.core.files import write_back
    from dpplang.semantics.loader import read_source

    try:
        source = read_source(path)
    except DiagnosticsError as error:
        return Outcome(diagnostics=error.diagnostics)
    text, outcome = _formatted(source)
    if text is not None and outcome.changed:
        if not (args.check or args.diff):
            write_back(path, text)
        _say(str(path), source.text, text, args)
    return outcome


def _standard_input(args: argparse.Namespace) -> int:
    stdin = sys.stdin
    if hasattr(stdin, "reconfigure"):
        stdin.reconfigure(encoding="utf-8")  # pyright: ignore[reportAttributeAccessIssue]
    source = Source("<stdin>", stdin.read().removeprefix("\ufeff").replace("\r\n", "\n"))
    text, outcome = _formatted(source)
    show_diagnostics(outcome.diagnostics, sys.stderr)
    if args.check or args.diff:
        if text is not None and outcome.changed:
            _say(source.name, source.text, text, args)
    elif text is not None:
        sys.stdout.write(text)
    return _code([outcome], args)


def _formatted(source: Source) -> tuple[str | None, Outcome]:
    from dpplang.syntax.formatting import format_source

    found = format_source(source)
    return found.text, Outcome(found.text not in (None, source.text), found.diagnostics)


def _say(name: str, before: str, after: str, args: argparse.Namespace) -> None:
    if args.diff:
        from dpplang.cli.fix import show_diff

        show_diff(Path(name), before, after, sys.stdout)
        return
    paint = Paint(wants_color(sys.stdout))
    print(f"{paint(Style.HELP, 'would format' if args.check else 'formatted')} {visible(name)}")


def _code(outcomes: Sequence[Outcome], args: argparse.Namespace) -> int:
    broken = any(o.diagnostics for o in outcomes)
    return 1 if broken or ((args.check or args.diff) and any(o.changed for o in outcomes)) else 0


def _summary(outcomes: Sequence[Outcome], *, written: bool) -> str:
    """``2 files formatted, 3 left as they were, 1 with errors``."""
    changed = sum(o.changed for o in outcomes)
    broken = sum(bool(o.diagnostics) for o in outcomes)
    right = len(outcomes) - changed - broken
    parts = [f"{_count(changed)} {'formatted' if written else 'not in canonical form'}"] if changed else []
    parts += [f"{right if parts else _count(right)} in canonical form already"] if right else []
    parts += [f"{broken if parts else _count(broken)} with errors, left alone"] if broken else []
    return ", ".join(parts)


def _count(number: int) -> str:
    return f"{number} file" if number == 1 else f"{number} files"
