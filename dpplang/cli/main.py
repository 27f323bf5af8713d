"""Entry point of ``dpp``: finds the subcommand, runs it, and turns what it raises into messages and exit codes.

Exit codes: 0 success; 1 the program (or what is bound to it) is at fault; 2 the call is; 3 a fault of ours.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from dpplang.cli.terminal import say, show_diagnostics
from dpplang.cli.usage import UsageError
from dpplang.core.errors import DiagnosticsError, SolveError, WriteError

OK, FAULTY, USAGE, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 130

# Name → what it does. The module is dpplang.cli.<name>.
COMMANDS = {
    "check": "check programs: syntax, names, shapes, DCP, DPP",
    "fmt": "put programs into canonical form",
    "solve": "solve a program for data from files",
    "gradcheck": "compare a program's gradient with central differences",
    "asa": "show the compiled program: variables, rows, cones, what each parameter touches",
    "build": "print what a phase made: the AST, the typed tree or the compiled program",
    "repl": "build a program item by item, see what is proved of it, solve it",
    "explain": "explain a diagnostic code",
    "atoms": "list the atoms, or show one",
    "lsp": "serve an editor: the language server",
    "demo": "tune a portfolio on real stock prices, from start to finish",
}


class Parser(argparse.ArgumentParser):
    """Reports a wrong call like every other mistake."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, f"`{self.prog} --help` shows what it takes")


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``dpp`` with these arguments (``sys.argv`` by default); returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show ‖x‖ still gets the message.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # pyright: ignore[reportAttributeAccessIssue]
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            code = _dispatch(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return code
    except UsageError as error:
        say("error", error.message, error.help)
        return USAGE
    except WriteError as error:
        say("error", str(error))
        return USAGE
    except DiagnosticsError as error:
        show_diagnostics(error.diagnostics, sys.stderr)
        return FAULTY
    except SolveError as error:
        say(f"error[{error.code}]", str(error))
        return FAULTY
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; keep the interpreter from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("DPP_TRACEBACK"):
            raise
        what = f"{type(error).__name__}: {error}"
        say("error[ICE901]", f"a fault of dpplang, not of your program: {what}",
            "please report it with the program and the output of the same call under DPP_TRACEBACK=1")  # fmt: skip
        return INTERNAL


def _show_warning(message: Warning | str, category: type[Warning], *_: object) -> None:
    """Print a warning of the runtime, ``[DIF601] …``, as the others are printed."""
    code, bracket, text = str(message).partition("] ")
    if bracket and code.startswith("["):
        say(f"warning{code}]", text)
    else:
        say("warning", f"{category.__name__}: {message}")


def _dispatch(arguments: list[str]) -> int:
    if not arguments:
        print(_overview(), file=sys.stderr)
        return USAGE
    name, *rest = arguments
    if name in ("-h", "--help", "help"):
        print(_overview())
        return OK
    if name in ("-V", "--version"):
        from dpplang import __version__

        print(f"dpp {__version__}")
        return OK
    if name not in COMMANDS:
        raise UsageError(f"there is no command `{name}`", _suggestion(name))
    module = import_module(f"dpplang.cli.{name}")
    parser = Parser(
        prog=f"dpp {name}", description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    module.configure(parser)
    return module.run(parser.parse_args(rest))


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {what}" for name, what in COMMANDS.items()]
    return "\n".join(
        (
            "usage: dpp COMMAND …",
            "",
            "The language of parametrized convex problems whose solutions are differentiated.",
            "",
            *lines,
            "",
            "`dpp COMMAND --help` shows what a command takes, `dpp --version` the version.",
        )
    )


def _suggestion(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, COMMANDS, n=1)
    return f"did you mean `dpp {close[0]}`?" if close else "`dpp --help` lists the commands"
