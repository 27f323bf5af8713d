"""The REPL on a terminal: multi-line items, colours, completion, history, and the program's verdict below.

The prompt is there before the language is: that is loaded meanwhile, in another thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, ThreadedCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.filters import completion_is_selected, has_completions
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.styles import Style

from dpplang.repl.marks import MORE, PROMPT

if TYPE_CHECKING:
    from dpplang.repl.shell import Shell

_STYLE = Style.from_dict(
    {
        "bottom-toolbar": "noreverse",
        "bottom-toolbar.good": "fg:ansigreen",
        "bottom-toolbar.bad": "fg:ansired",
        "prompt": "bold fg:ansiblue",
        "more": "fg:ansibrightblack",
    }
)


def run_terminal(begin: Callable[[], Shell], *, color: bool) -> None:
    """Read and answer until the user leaves.

    Args:
        begin: makes the shell, which takes a moment; called in another thread.
    """
    late = _Late(begin)
    prompt = PromptSession[str](
        history=_history(),
        completer=ThreadedCompleter(_Completer(late)),
        complete_while_typing=True,
        auto_suggest=AutoSuggestFromHistory(),
        lexer=_Lexer(late) if color else None,
        multiline=True,
        key_bindings=_keys(late),
        bottom_toolbar=late.toolbar,
        prompt_continuation=lambda *_: [("class:more", MORE)],
        style=_STYLE,
        enable_open_in_editor=True,
        include_default_pygments_style=color,
    )
    late.start(prompt.app.invalidate)
    while True:
        try:
            text = prompt.prompt([("class:prompt", PROMPT)])
        except KeyboardInterrupt:
            continue  # the line is given up
        except EOFError:
            return
        said = late.shell.answer(text)
        if said:
            print(said)
        if late.shell.done:
            return


class _Late:
    """The shell, once it is there."""

    def __init__(self, begin: Callable[[], Shell]) -> None:
        self._begin = begin
        self._found: list[Shell | BaseException] = []
        self._thread = Thread(target=self._run, daemon=True)
        self._tell: Callable[[], object] = lambda: None

    def start(self, tell: Callable[[], object]) -> None:
        """Begin to make it; ``tell`` is called when it is there."""
        self._tell = tell
        self._thread.start()

    def _run(self) -> None:
        try:
            self._found.append(self._begin())
        except BaseException as error:  # raised again where the shell is asked for
            self._found.append(error)
        self._tell()

    @property
    def ready(self) -> bool:
        return bool(self._found)

    @property
    def shell(self) -> Shell:
        """Waits for it."""
        self._thread.join()
        (found,) = self._found
        if isinstance(found, BaseException):
            raise found
        return found

    def toolbar(self) -> StyleAndTextTuples:
        return self.shell.toolbar() if self.ready else [("class:bottom-toolbar", " …")]


class _Completer(Completer):
    def __init__(self, late: _Late) -> None:
        self._late = late

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        for found in self._late.shell.candidates(document.text_before_cursor):
            yield Completion(found.text, -found.length, display_meta=found.what)


class _Lexer(Lexer):
    """Colours of the language; a command keeps its own."""

    def __init__(self, late: _Late) -> None:
        self._late = late

    def invalidation_hash(self) -> bool:
        return self._late.ready

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        if not self._late.ready or document.text.lstrip().startswith(":"):
            return lambda number: _command(document.lines[number]) if number < len(document.lines) else []
        return self._late.shell.lexer.lex_document(document)


def _command(line: str) -> StyleAndTextTuples:
    head, space, rest = line.partition(" ")
    return [("bold" if line.startswith(":") else "", head), ("", space + rest)]


def _keys(late: _Late) -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter", filter=~completion_is_selected)
    def _(event: KeyPressEvent) -> None:
        """Take the item if it is whole (or an empty line says so), else begin its next line."""
        buffer = event.current_buffer
        text = buffer.text
        at_end = not buffer.document.text_after_cursor.strip()
        given_up = bool(text.strip()) and not buffer.document.current_line.strip()
        if at_end and (given_up or not late.shell.waits(text)):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n" + _indent(buffer.document))

    @keys.add("enter", filter=has_completions & completion_is_selected)
    def _(event: KeyPressEvent) -> None:
        """Take the completion that is chosen, and stay on the line."""
        event.current_buffer.complete_state = None

    @keys.add("tab")
    def _(event: KeyPressEvent) -> None:
        """Complete as far as there is no choice; show the choices, or go through them."""
        buffer = event.current_buffer
        if buffer.complete_state is not None and buffer.complete_state.complete_index is not None:
            buffer.complete_next()
            return
        before = buffer.document.text_before_cursor
        if not buffer.document.current_line_before_cursor.strip():
            buffer.insert_text("  ")
            return
        found = late.shell.candidates(before)
        rest = _common([c.text[c.length :] for c in found])
        if rest:
            buffer.insert_text(rest)
        elif found:
            buffer.start_completion(select_first=True)

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        """Begin a new line wherever."""
        event.current_buffer.insert_text("\n")

    return keys


def _common(texts: list[str]) -> str:
    """The beginning that all texts share."""
    first, last = min(texts, default=""), max(texts, default="")
    return first[: next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]


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
