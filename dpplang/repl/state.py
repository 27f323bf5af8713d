"""What a command works on: the session with its past and future, and the tools that the shell lends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from dpplang.core.style import Paint
from dpplang.repl.messages import Reply, Request
from dpplang.repl.session import Session


@dataclass(frozen=True, slots=True)
class State:
    """``past`` and ``future`` are sessions to go back and forth to, the nearest last; ``done``: the user leaves."""

    session: Session
    past: tuple[Session, ...] = ()
    future: tuple[Session, ...] = ()
    done: bool = False

    def at(self, session: Session) -> State:
        """The state after a step: nothing is left to redo."""
        return State(session, (*self.past, self.session))

    def noting(self, session: Session) -> State:
        """The state with a session that is no step of its own: what was found, what is offered."""
        return replace(self, session=session)


@dataclass(frozen=True, slots=True)
class Tools:
    """What commands need of the world outside.

    Attributes:
        paint: colours. width: of the terminal, None if there is none.
        compute: numbers from the process that loads the numeric libraries.
        explain, atoms: pages on a code, or all of them; on an atom, or all of them.
    """

    paint: Paint
    width: int | None
    compute: Callable[[Request], Reply]
    explain: Callable[[str], str]
    atoms: Callable[[str], str]


class Refused(Exception):
    """A command that cannot be carried out: what is wrong, and what to do about it.

    ``shown``: diagnostics that say so, laid out; then they are all that is said.
    """

    def __init__(self, message: str, help: str = "", shown: str = "") -> None:
        self.message = message
        self.help = help
        self.shown = shown
        super().__init__(message)


Answer = tuple[State, str]
