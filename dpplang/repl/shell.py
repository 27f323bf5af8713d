"""The shell: the one thing that changes, which is the state that the next line is run on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.lexers.base import Lexer

from dpplang.highlight import DppLexer
from dpplang.repl import showing
from dpplang.repl.commands import PREFIX, execute
from dpplang.repl.completion import Candidate, complete
from dpplang.repl.computing import stopped
from dpplang.repl.script import steps
from dpplang.repl.session import is_incomplete
from dpplang.repl.state import State, Tools


class Shell:
    """Answers what is typed, and says what the prompt shows around it."""

    def __init__(self, state: State, tools: Tools) -> None:
        self.state = state
        self._tools = tools
        self.lexer: Lexer = PygmentsLexer(DppLexer, sync_from_start=True)

    @property
    def done(self) -> bool:
        return self.state.done

    def answer(self, text: str) -> str:
        """Run a line or an item. Ctrl-C ends what it computes, and leaves the state as it was."""
        lines = text.split("\n")
        pasted = any(line.startswith(PREFIX) for line in lines[1:])  # a script: items and commands in turn
        said: list[str] = []
        try:
            for step in steps(lines) if pasted else (text,):
                self.state, answer = execute(self.state, step, self._tools)
                said.append(answer)
        except KeyboardInterrupt:
            said.append(stopped(self._tools))
        return "\n".join(part for part in said if part)

    def waits(self, text: str) -> bool:
        """Whether more lines may belong to what is typed."""
        return not text.lstrip().startswith(PREFIX) and is_incomplete(text)

    def candidates(self, text: str) -> Sequence[Candidate]:
        return complete(self.state.session, text)

    def toolbar(self) -> StyleAndTextTuples:
        """The program's name, size and verdict."""
        return list(self._toolbar())

    def _toolbar(self) -> Iterator[tuple[str, str]]:
        session = self.state.session
        words, good = showing.verdict(session)
        count = len(session.entries)
        name = session.path.name if session.path else "new program"
        yield "class:bottom-toolbar", f" {name} · {count} item{'s' * (count != 1)} · "
        yield f"class:bottom-toolbar.{'good' if good else 'bad'}", words
        yield "class:bottom-toolbar", "  ·  :help  Ctrl-D leaves"
