"""The REPL without a terminal: lines from a stream, what they are and what is said of them in turn, without colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TextIO

from dpplang.repl.commands import PREFIX, execute
from dpplang.repl.marks import MORE, PROMPT
from dpplang.repl.session import is_incomplete
from dpplang.repl.state import State, Tools


def run_script(lines: Iterable[str], state: State, tools: Tools, out: TextIO) -> State:
    """Run every line; the transcript goes to ``out`` and is the same every time."""
    for step in steps(lines):
        for position, line in enumerate(step.rstrip("\n").split("\n")):
            print(f"{MORE if position else PROMPT}{line}".rstrip(), file=out)
        state, said = execute(state, step, tools)
        if said:
            print(said, file=out)
        if state.done:
            return state
    return state


def steps(lines: Iterable[str]) -> Iterator[str]:
    """Commands, and items with all their lines. An empty line, or a command, ends an item whatever it is missing."""
    pending = ""
    for raw in lines:
        line = raw.rstrip("\r\n")
        if pending and line.startswith(PREFIX):
            yield pending
            pending = ""
        pending += line + "\n"
        if pending.lstrip().startswith(PREFIX) or not line.strip() or not is_incomplete(pending):
            yield pending
            pending = ""
    if pending:
        yield pending
