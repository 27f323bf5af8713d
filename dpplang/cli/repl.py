"""Build a program item by item, see what is proved of each, and solve it.

Items of the language are typed as they stand in a file; an expression alone is told about; commands begin with a colon
(`:help` lists them). Without a terminal (`dpp repl < script`) the transcript is printed. FILE is loaded first.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import redirect_stdout
from io import StringIO

from dpplang.cli.terminal import columns, wants_color
from dpplang.cli.usage import UsageError, existing_file


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", nargs="?", help="a .dpp program to begin with")


def run(args: argparse.Namespace) -> int:
    from dpplang.core.style import Paint
    from dpplang.repl.commands import execute
    from dpplang.repl.process import Computer
    from dpplang.repl.session import Session
    from dpplang.repl.state import State, Tools

    if args.file is not None:
        existing_file(args.file, "a .dpp program")
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    color = terminal and wants_color(sys.stdout)
    computer = Computer("dpplang.cli.repl_worker")
    tools = Tools(Paint(color), columns(sys.stdout) if terminal else None, computer, explain_page, atoms_page)
    state = State(Session())
    try:
        if args.file is not None:
            state, said = execute(state, f":load {args.file}", tools)
            print(said)
        if terminal:
            from dpplang.repl.prompt import run_terminal

            run_terminal(state, tools, color=color)
        else:
            from dpplang.repl.script import run_script

            run_script(sys.stdin, state, tools, sys.stdout)
    finally:
        computer.close()
    return 0


def explain_page(code: str) -> str:
    """What ``dpp explain`` prints of a code; of all without one."""
    from dpplang.cli import explain

    return _printed(explain.run, argparse.Namespace(code=code or None))


def atoms_page(name: str) -> str:
    """What ``dpp atoms`` prints of an atom; of all without one."""
    from dpplang.cli import atoms

    return _printed(atoms.run, argparse.Namespace(name=name or None))


def _printed(command: object, args: argparse.Namespace) -> str:
    """What a command of ``dpp`` prints."""
    from dpplang.repl.state import Refused

    out = StringIO()
    try:
        with redirect_stdout(out):
            command(args)  # type: ignore[operator]
    except UsageError as error:
        raise Refused(error.message, error.help) from None
    return out.getvalue().rstrip("\n")
