"""``--dim n=10``."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence

from dpplang.cli.usage import UsageError
from dpplang.core.diagnostics import Diagnostic

_UNDETERMINED = "SHP510"  # the warning that a dim has to be given


def add_dim_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dim", metavar="NAME=SIZE", action="append", default=[], help="give a dim its size, as in --dim n=10"
    )


def read_dims(settings: Sequence[str]) -> dict[str, int]:
    """Sizes from ``n=10`` settings.

    Raises:
        UsageError: a setting that is not a name and a whole number, or two that disagree.
    """
    dims: dict[str, int] = {}
    for setting in settings:
        name, equals, text = (part.strip() for part in setting.partition("="))
        if not equals or not name.isidentifier() or not (text.isascii() and text.isdigit() and int(text)):
            raise UsageError(f"`--dim {setting}` is not a dim and its positive size", "write it as `--dim n=10`")
        size = int(text)
        if dims.setdefault(name, size) != size:
            raise UsageError(f"`--dim` gives `{name}` two sizes, {dims[name]} and {size}", "keep one of them")
    return dims


def require_declared(dims: Iterable[str], declared: Sequence[str], file: str) -> None:
    """Raises:
    UsageError: a dim that the program does not declare.
    """
    for name in dims:
        if name not in declared:
            have = f"it has {', '.join(f'`{d}`' for d in declared)}" if declared else "it has none"
            raise UsageError(f"`{file}` has no dim `{name}`", have)


def unanswered(diagnostics: Iterable[Diagnostic], dims: Iterable[str]) -> list[Diagnostic]:
    """What is left to say once these dims are given: not that they have to be."""
    given = set(dims)
    return [d for d in diagnostics if d.code != _UNDETERMINED or d.primary is None or d.primary.span.text not in given]
