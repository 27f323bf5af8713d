"""Serve an editor: diagnostics, hovers, completion and the rest, by the language server protocol.

The editor starts it and speaks to it over standard input and output; see docs/editors.md.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

from dpplang.cli.usage import UsageError
from dpplang.cli.worker import command

if TYPE_CHECKING:
    from dpplang.lsp.server import Server


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stdio", action="store_true", help="speak over standard input and output (the default)")
    parser.add_argument("--tcp", metavar="[HOST:]PORT", help="listen for one editor on a port instead")


def run(args: argparse.Namespace) -> int:
    if args.stdio and args.tcp:
        raise UsageError("`--stdio` and `--tcp` exclude each other", "give one of them")
    host, port = _address(args.tcp) if args.tcp else ("", 0)
    server = _loaded()
    if args.tcp:
        server.start_tcp(host, port)
    else:
        _serve(server)
    return 0


def _loaded() -> Server:
    """The server, loaded without collections: the hundreds of classes of the protocol stay all the same.

    Raises:
        UsageError: pygls is not installed.
    """
    gc.disable()
    try:
        import pygls  # noqa: F401

        from dpplang.lsp.server import make_server

        return make_server(command("dpplang.cli.sizes_worker"))
    except ModuleNotFoundError as error:
        if error.name != "pygls":
            raise
        raise UsageError(
            "the language server needs pygls, which is not installed", "`pip install 'dpplang[lsp]'`"
        ) from None
    finally:
        gc.freeze()
        gc.set_threshold(300_000, 5, 1000)  # until then they wait for a pause: dpplang.lsp.garbage
        gc.enable()


def _serve(server: Server) -> None:
    """Speak over copies of standard input and output, so that nothing that is printed can come between."""
    with os.fdopen(os.dup(0), "rb") as source, os.fdopen(os.dup(1), "wb") as sink, redirect_stdout(sys.stderr):
        server.start_io(source, sink)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise UsageError(f"`--tcp {text}` is no port", "such as `--tcp 2087`, or `--tcp 127.0.0.1:2087`")
    return host or "127.0.0.1", int(port)
