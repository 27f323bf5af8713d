"""The REPL without a terminal: lines from a stream, what they are and what is said of them in turn, without colours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from dpplang.repl.commands import PREFIX, execute
from dpplang.repl.marks import MORE, PROMPT
from dpplang.repl.session import is_incomplete
from dpplang.repl.state import State, Tools


def run_script(lines: Iterable[str], state: State, tools: Tools, out: TextIO) -> State:
    """Run every line; the transcript goes to ``out`` and is the same every time."""
    pending = ""
    for raw in lines:
        line = raw.rstrip("\r\n")
        if pending and line.startswith(PREFIX):
            state, pending = _step(state, pending, tools, out), ""  # what was begun is given up for a command
        print(f"{(MORE if pending else PROMPT)}{line}".rstrip(), file=out)
        pending += line + "\n"
        if not pending.lstrip().startswith(PREFIX) and line.strip() and is_incomplete(pending):
            continue
        state, pending = _step(state, pending, tools, out), ""
        if state.done:
            return state
    return _step(state, pending, tools, out) if pending else state


def _step(state: State, text: str, tools: Tools, out: TextIO) -> State:
    state, said = execute(state, text, tools)
    if said:
        print(said, file=out)
    return state
