"""Commands about verdicts: `:type`, `:why`, `:check`, `:fix`."""

from __future__ import annotations

from dataclasses import replace

from dpplang.core.diagnostics import Diagnostic, Fix
from dpplang.core.edits import apply_edits
from dpplang.core.source import Source
from dpplang.core.style import Style
from dpplang.repl import showing
from dpplang.repl.entering import enter
from dpplang.repl.session import NAME, entries_of
from dpplang.repl.state import Answer, Refused, State, Tools
from dpplang.semantics.derivation import constraint_claim, derive, objective_claim
from dpplang.semantics.typed import type_in
from dpplang.syntax.parser import parse


def type_of(state: State, text: str, tools: Tools) -> Answer:
    if not text:
        raise Refused("`:type` takes an expression", "as in `:type sum_squares(x)`")
    typed = state.session.typed
    probed = type_in(typed, text)
    if probed.expr is None:
        return state, showing.diagnostics(probed.diagnostics, tools.paint, tools.width)
    return state, showing.expression(probed, typed, text, tools)


def why(state: State, text: str, tools: Tools) -> Answer:
    """Of an expression, a constraint by its name, or the objective (also if nothing is named)."""
    typed = state.session.typed
    if text in ("", "minimize", "maximize", "objective"):
        claim = objective_claim(typed)
        if claim is None:
            raise Refused("there is no objective to explain", "`:why EXPRESSION` explains any expression")
        return state, showing.tree(claim, tools)
    claims = [constraint_claim(c, typed) for c in typed.model.constraints if c.name == text]
    if claims:
        return state, "\n".join(showing.tree(claim, tools) for claim in claims)
    probed = type_in(typed, text)
    if probed.expr is None:
        return state, showing.diagnostics(probed.diagnostics, tools.paint, tools.width)
    return state, showing.tree(derive(probed.expr, typed, computed=probed.numeric), tools)


def check(state: State, text: str, tools: Tools) -> Answer:
    """Everything found in the program, warnings too; what is found can be mended by `:fix`."""
    found = state.session.compilation.diagnostics
    words, good = showing.verdict(state.session)
    summary = tools.paint(Style.HELP if good else Style.ERROR, words)
    shown = showing.diagnostics(found, tools.paint, tools.width)
    return state.noting(replace(state.session, offered=found)), showing.sections(shown, summary)


def fix(state: State, text: str, tools: Tools) -> Answer:
    """Apply a fix of what was last found wrong; without a number the only one, or the first safe one."""
    offered = _offered(state)
    if not offered:
        raise Refused("there is nothing to fix", "`:check` looks at the whole program")
    listed = "\n".join(f"{i}  {_words(d, f)}" for i, (d, f) in enumerate(offered, 1))
    if text and not (text.isdigit() and 1 <= int(text) <= len(offered)):
        raise Refused(f"there is no fix `{text}`", f"there are\n{listed}")
    safe = [i for i, (_, f) in enumerate(offered, 1) if f.applicability.value == "safe"]
    number = int(text) if text else 1 if len(offered) == 1 else safe[0] if safe else 0
    if not number:
        return state, f"say which, as in `:fix 1`:\n{listed}"
    diagnostic, chosen = offered[number - 1]
    source = chosen.edits[0].span.source
    mended = apply_edits(source.text, chosen.edits)
    done = tools.paint(Style.HELP, f"fixed [{diagnostic.code}]") + f": {chosen.title}"
    if source.name != NAME:
        after, shown = enter(state, mended, tools)
        return after, showing.sections(done, shown)
    return _mended(state, mended, done, tools)


def _mended(state: State, text: str, done: str, tools: Tools) -> Answer:
    """The state with the whole program mended: what is new in it, and what is still wrong."""
    source = Source(NAME, text)
    if any(d.is_error for d in parse(source).diagnostics):
        raise Refused("the fix does not fit the program any more", "`:check` finds what is wrong now")
    entries, doc = entries_of(source)
    known = [entry.item for entry in state.session.entries]
    session = replace(state.session, entries=entries, doc=doc)
    session = replace(session, offered=session.errors)
    facts = showing.facts(session, [e for e in entries if e.item not in known], tools)
    left = showing.diagnostics(session.errors, tools.paint, tools.width)
    return state.at(session), showing.sections(done, facts, left)


def _offered(state: State) -> list[tuple[Diagnostic, Fix]]:
    return [
        (diagnostic, found)
        for diagnostic in state.session.offered
        for found in diagnostic.fixes
        if found.edits and len({e.span.source for e in found.edits}) == 1
    ]


def _words(diagnostic: Diagnostic, fix: Fix) -> str:
    return f"{fix.applicability.value:<7}  [{diagnostic.code}] {fix.title}"
