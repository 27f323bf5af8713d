"""The rich console of tables: as wide as the terminal, and wide enough for any table in a file or a pipe."""

from __future__ import annotations

import sys

from rich.console import Console

from dpplang.cli.terminal import columns, wants_color


def console() -> Console:
    return Console(
        file=sys.stdout,
        width=columns(sys.stdout) or 160,
        no_color=not wants_color(sys.stdout),
        highlight=False,
        emoji=False,
    )
