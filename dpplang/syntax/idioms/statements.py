"""Objectives, lists of constraints, and what does nothing here."""

from __future__ import annotations

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix, Label
from dpplang.core.source import Source
from dpplang.syntax.brackets import closes
from dpplang.syntax.idioms.idiom import Idiom, Tokens, say, split, text_of
from dpplang.syntax.words import is_word

_ENDS = frozenset({"end", "endif", "endfor", "cvx_begin", "cvx_end", "begin", "done", "model", "pass", "else"})


_CALLS = frozenset({"solve", "print", "disp", "display", "optimize", "plot", "clear", "show", "printf"})


def objective(source: Source, tokens: Tokens) -> Idiom | None:
    """``minimize: e``, ``minimize loss: e``, ``objective = Minimize(e)``."""
    words = [t.text.lower() for t in tokens[:4]]
    if words[0] in ("minimize", "maximize") and len(tokens) > 2:
        for colon in (1, 2):
            if tokens[colon].type == "COLON" and (colon == 1 or is_word(tokens[1])) and colon + 1 < len(tokens):
                message = f"the objective is written `{words[0]} …`, without a " + ("colon" if colon == 1 else "name")
                head = tokens[: colon + 1]
                meant = (tokens[0]._replace(type="NAME", text=words[0]), *tokens[colon + 1 :])
                return Idiom(say(source, "SYN013", message, head, text=words[0]), meant)
    if len(tokens) > 4 and tokens[1].type == "ASSIGN" and words[2] in ("minimize", "maximize"):
        meant = (tokens[2]._replace(type="NAME", text=words[2]), *tokens[3:])
        text = f"{words[2]} {text_of(source, tokens[3:])}"
        message = f"the objective has no name: `{words[2]} …`"
        return Idiom(say(source, "SYN013", message, tokens[:3], text=words[2]), meant) if text else None
    return None


def constraint_list(source: Source, tokens: Tokens) -> Idiom | None:
    """``[x >= 0, sum(x) == 1]``, also behind ``constraints =`` and the like."""
    first, last = tokens[0], tokens[-1]
    start = 2 if len(tokens) > 4 and is_word(tokens[0]) and tokens[1].type in ("ASSIGN", "COLON") else 0
    plus = start == 0 and len(tokens) > 4 and tokens[1].type == "PLUS" and tokens[2].type == "ASSIGN"
    start = 3 if plus else start
    if len(tokens) <= start or tokens[start].type != "LSQB" or closes(tokens, start) != len(tokens) - 1:
        return None
    parts = split(tokens[start + 1 : -1])
    relations = ("EQUAL", "LESS_EQUAL", "GREATER_EQUAL", "PRECEDES", "SUCCEEDS")
    if not parts or not all(any(t.type in relations for t in p) for p in parts):
        return None
    text = "\n  ".join(text_of(source, p) for p in parts)
    text = f"subject to\n  {text}" if start else text
    message = "constraints are no list: each stands on a line of its own, behind `subject to`"
    span = first.span(source).to(last.span(source))
    fix = Fix("write each on a line of its own", (Edit(span, text),), Applicability.SAFE)
    return Idiom(Diagnostic("SYN013", message, Label(span), fixes=(fix,)))


def noise(source: Source, tokens: Tokens) -> Idiom | None:
    """``end``, ``cvx_begin``, ``solve()``, ``if n > 3:``."""
    first = tokens[0].text
    if first in _ENDS and len(tokens) <= 2:
        help_ = "an item ends with its line; leave this line out"
        return Idiom(say(source, "SYN013", f"`{text_of(source, tokens)}` is not needed", tokens, help_=help_))
    if first in _CALLS and len(tokens) > 2 and tokens[1].type == "LPAR" and closes(tokens, 1) == len(tokens) - 1:
        message = f"`{first}(…)` is an action: a program states a problem, and does nothing"
        return Idiom(
            say(
                source,
                "SYN013",
                message,
                tokens,
                help_="leave it out; `dpp solve FILE` solves, `return` says what comes back",
            )
        )
    if first in ("if", "while", "elif", "elseif") and len(tokens) > 1:
        message = f"there is no `{first}`: a program has no branches"
        help_ = "a condition on an index stands behind it: `name[t in T if t > 0]: …`"
        return Idiom(say(source, "SYN011", message, tokens, help_=help_))
    return None
