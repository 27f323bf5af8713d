"""Transcripts of sessions: each is what is typed and what is answered; the one is run, and the other must come out."""

from __future__ import annotations

from io import StringIO

from dpplang.cli.repl import atoms_page, explain_page
from dpplang.cli.repl_worker import Worker
from dpplang.core.style import Paint
from dpplang.repl.marks import MORE, PROMPT
from dpplang.repl.script import run_script
from dpplang.repl.session import Session
from dpplang.repl.state import State, Tools


def typed(transcript: str) -> list[str]:
    """The lines of a transcript that a user typed."""
    marks = (PROMPT, MORE)
    lines = (line + " " if line.rstrip() == PROMPT.rstrip() else line for line in transcript.split("\n"))
    return [line[len(PROMPT) :] for line in lines if line.startswith(marks)]


def tools() -> Tools:
    """Those of a session without a terminal, with the computing in this process."""
    return Tools(Paint(False), None, Worker().reply, explain_page, atoms_page)


def transcribed(lines: list[str]) -> str:
    """The transcript of these lines."""
    out = StringIO()
    run_script(lines, State(Session()), tools(), out)
    return out.getvalue()
