"""The REPL on a terminal: multi-line items, colours, completion, history, and the program's verdict below."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, ThreadedCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.filters import completion_is_selected, has_completions
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import Lexer, PygmentsLexer
from prompt_toolkit.styles import Style

from dpplang.highlight import DppLexer
from dpplang.repl import showing
from dpplang.repl.commands import PREFIX, execute
from dpplang.repl.completion import complete
from dpplang.repl.computing import stopped
from dpplang.repl.script import MORE, PROMPT
from dpplang.repl.session import is_incomplete
from dpplang.repl.state import State, Tools

_STYLE = Style.from_dict(
    {
        "bottom-toolbar": "noreverse",
        "bottom-toolbar.good": "fg:ansigreen",
        "bottom-toolbar.bad": "fg:ansired",
        "prompt": "bold fg:ansiblue",
        "more": "fg:ansibrightblack",
    }
)


def run_terminal(state: State, tools: Tools, *, color: bool) -> State:
    """Read and answer until the user leaves."""
    shell = _Shell(state, tools)
    prompt = PromptSession[str](
        history=_history(),
        completer=ThreadedCompleter(_Completer(shell)),
        complete_while_typing=True,
        auto_suggest=AutoSuggestFromHistory(),
        lexer=_Lexer() if color else None,
        multiline=True,
        key_bindings=_keys(),
        bottom_toolbar=shell.toolbar,
        prompt_continuation=lambda *_: [("class:more", MORE)],
        style=_STYLE,
        enable_open_in_editor=True,
        include_default_pygments_style=color,
    )
    while not shell.state.done:
        try:
            text = prompt.prompt([("class:prompt", PROMPT)])
        except KeyboardInterrupt:
            continue  # the line is given up
        except EOFError:
            break
        shell.answer(text)
    return shell.state


class _Shell:
    """The one thing that changes: which state the next line is run on."""

    def __init__(self, state: State, tools: Tools) -> None:
        self.state = state
        self._tools = tools

    def answer(self, text: str) -> None:
        try:
            self.state, said = execute(self.state, text, self._tools)
        except KeyboardInterrupt:
            said = stopped(self._tools)
        if said:
            print(said)

    def toolbar(self) -> StyleAndTextTuples:
        session = self.state.session
        words, good = showing.verdict(session)
        name = session.path.name if session.path else "new program"
        count = len(session.entries)
        return [
            ("class:bottom-toolbar", f" {name} · {count} item{'s' if count != 1 else ''} · "),
            (f"class:bottom-toolbar.{'good' if good else 'bad'}", words),
            ("class:bottom-toolbar", "  ·  :help  Ctrl-D leaves"),
        ]


class _Completer(Completer):
    def __init__(self, shell: _Shell) -> None:
        self._shell = shell

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        for found in complete(self._shell.state.session, document.text_before_cursor):
            yield Completion(found.text, -found.length, display_meta=found.what)


class _Lexer(Lexer):
    """Colours of the language; a command keeps its own."""

    def __init__(self) -> None:
        self._language = PygmentsLexer(DppLexer, sync_from_start=True)

    def lex_document(self, document: Document):  # type: ignore[no-untyped-def]
        plain = self._language.lex_document(document)
        if not document.text.lstrip().startswith(PREFIX):
            return plain
        head, space, rest = document.lines[0].partition(" ")
        return lambda number: [("bold", head), ("", space + rest)] if number == 0 else plain(number)


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter", filter=~completion_is_selected)
    def _(event: KeyPressEvent) -> None:
        """Take the item if it is whole (or an empty line says so), else begin its next line."""
        buffer = event.current_buffer
        text = buffer.text
        last = not buffer.document.text_after_cursor.strip()
        open_ = not text.lstrip().startswith(PREFIX) and is_incomplete(text)
        if last and not (open_ and not text.endswith("\n")):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n" + _indent(buffer.document))

    @keys.add("enter", filter=has_completions & completion_is_selected)
    def _(event: KeyPressEvent) -> None:
        """Take the completion that is chosen, and stay on the line."""
        event.current_buffer.complete_state = None

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        """Begin a new line wherever."""
        event.current_buffer.insert_text("\n")

    return keys


def _indent(document: Document) -> str:
    """The margin of the next line: that of this one, further in where brackets open."""
    line = document.current_line_before_cursor
    margin = len(line) - len(line.lstrip())
    return " " * (margin + 2 * line.rstrip().endswith(("(", "[", "{")))


def _history() -> History:
    """Lines of earlier sessions, in the XDG state folder; in memory alone where that cannot be written."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    folder = Path(base) / "dpplang"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "history"
        path.touch()
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))
