"""Build a program item by item, see what is proved of each, and solve it.

Items of the language are typed as they stand in a file; an expression alone is told about; commands begin with a colon
(`:help` lists them). Without a terminal (`dpp repl < script`) the transcript is printed. FILE is loaded first.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING

from dpplang.cli.terminal import columns, wants_color
from dpplang.cli.usage import UsageError, existing_file

if TYPE_CHECKING:
    from dpplang.repl.process import Computer
    from dpplang.repl.shell import Shell
    from dpplang.repl.state import State, Tools


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", nargs="?", help="a .dpp program to begin with")


def run(args: argparse.Namespace) -> int:
    if args.file is not None:
        existing_file(args.file, "a .dpp program")
    from dpplang.cli.worker import command
    from dpplang.repl.process import Computer

    computer = Computer(command("dpplang.cli.repl_worker"))
    try:
        if sys.stdin.isatty() and sys.stdout.isatty():
            _terminal(args.file, computer)
        else:
            _script(args.file, computer)
    finally:
        computer.close()
    return 0


def _terminal(file: str | None, computer: Computer) -> None:
    from dpplang.repl.prompt import run_terminal

    color = wants_color(sys.stdout)

    def begin() -> Shell:
        from dpplang.repl.shell import Shell

        tools = _tools(computer, color=color, width=columns(sys.stdout))
        return Shell(_first(file, tools), tools)

    if file is None:
        run_terminal(begin, color=color)
    else:
        shell = begin()  # what is said of the file stands above the prompt
        run_terminal(lambda: shell, color=color)


def _script(file: str | None, computer: Computer) -> None:
    from dpplang.repl.script import run_script

    tools = _tools(computer, color=False, width=None)
    run_script(sys.stdin, _first(file, tools), tools, sys.stdout)


def _tools(computer: Computer, *, color: bool, width: int | None) -> Tools:
    from dpplang.core.style import Paint
    from dpplang.repl.state import Tools

    return Tools(Paint(color), width, computer, explain_page, atoms_page)


def _first(file: str | None, tools: Tools) -> State:
    """The state to begin with; what is said of a file that is loaded is printed."""
    from dpplang.repl.commands import execute
    from dpplang.repl.session import Session
    from dpplang.repl.state import State

    state = State(Session())
    if file is not None:
        state, said = execute(state, f":load {file}", tools)
        print(said)
    return state


def explain_page(code: str) -> str:
    """What ``dpp explain`` prints of a code; of all without one."""
    from dpplang.cli import explain

    return _printed(explain.run, argparse.Namespace(code=code or None))


def atoms_page(name: str) -> str:
    """What ``dpp atoms`` prints of an atom; of all without one."""
    from dpplang.cli import atoms

    return _printed(atoms.run, argparse.Namespace(name=name or None, json=False, markdown=False))


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
