"""What is typed that is no command: items of the program, or an expression to be told about."""

from __future__ import annotations

from dataclasses import replace

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.source import Source
from dpplang.core.style import Style
from dpplang.repl import showing
from dpplang.repl.session import Added, Session, add, entries_of
from dpplang.repl.state import Answer, State, Tools
from dpplang.semantics.typed import type_node_in
from dpplang.syntax.parser import parse, parse_expression

_DISCIPLINE = ("DCP", "DPP")  # what only these find wrong is typed, and taken: there is much to be said about it


def enter(state: State, text: str, tools: Tools) -> Answer:
    """Take items into the program, or tell about an expression."""
    source = Source("<input>", text.rstrip() + "\n")
    parsed = parse(source)
    if any(d.is_error for d in parsed.diagnostics):
        node, wrong = parse_expression(Source("<input>", text.strip()))
        if node is not None and not any(d.is_error for d in wrong):
            probed = type_node_in(state.session.typed, node)
            if probed.expr is None:
                return state, showing.diagnostics(probed.diagnostics, tools.paint, tools.width)
            return state, showing.expression(probed, state.session.typed, text, tools)
        # What would be mended is the program with this text in it: `:fix` can apply what is offered.
        offered = replace(state.session, offered=parsed.diagnostics)
        return state.noting(offered), showing.diagnostics(parsed.diagnostics, tools.paint, tools.width)
    entries, doc = entries_of(source)
    if not entries:
        return state, ""
    before = state.session
    added = add(replace(before, doc=doc) if doc and not before.entries else before, entries)
    return take(state, added, tools)


def take(state: State, added: Added, tools: Tools) -> Answer:
    """The state with new entries, if they can be typed; what is said of them either way."""
    found = _new(state.session, added.session)
    shown = showing.diagnostics(found, tools.paint, tools.width)
    if any(_spoils(d, added) for d in found):
        mendable = any(d.fixes for d in found)
        note = tools.paint(Style.DIM, "not taken: mend it, or `:fix`" if mendable else "not taken: mend it")
        return state.noting(replace(state.session, offered=found)), showing.sections(shown, note)
    again = [key for key in added.replaced if not key.startswith("constraint `") or key.count("`") == 2]
    replaced = f"replaced {', '.join(dict.fromkeys(again))}" if again else ""
    facts = showing.facts(added.session, added.entries, tools)
    session = replace(added.session, offered=found)
    return state.at(session), showing.sections(tools.paint(Style.DIM, replaced), facts, shown)


def _new(before: Session, after: Session) -> tuple[Diagnostic, ...]:
    """The errors that were not there before."""
    known = {_identity(d) for d in before.errors}
    return tuple(d for d in after.errors if _identity(d) not in known)


def _identity(diagnostic: Diagnostic) -> tuple[str, str, str]:
    return diagnostic.code, diagnostic.message, diagnostic.primary.span.text if diagnostic.primary else ""


def _spoils(diagnostic: Diagnostic, added: Added) -> bool:
    """Whether a new entry itself cannot be typed."""
    if diagnostic.code.startswith(_DISCIPLINE):
        return False
    at = diagnostic.primary.span.start if diagnostic.primary else -1
    spans = map(added.session.span_of, added.entries)
    return any(span is not None and span.start <= at < span.end for span in spans)
