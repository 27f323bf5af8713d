"""Syntax errors in words for people: what was expected, what was found, what to do."""

from __future__ import annotations

from collections.abc import Sequence

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix, Label
from dpplang.core.source import Source, Span
from dpplang.syntax.expectations import describe, describe_token
from dpplang.syntax.limits import MAX_CHARACTERS, MAX_DEPTH
from dpplang.syntax.machine import Stuck
from dpplang.syntax.tables import Tables
from dpplang.syntax.tokens import Token


def stuck(source: Source, tables: Tables, start: str, tokens: Sequence[Token], outcome: Stuck) -> Diagnostic:
    """Why an item does not parse."""
    wanted = describe(outcome.expected, tables)
    if outcome.index == len(tokens):
        place = Span(source, tokens[-1].end, tokens[-1].end)
        message = f"this ends too early: {wanted} was expected"
        return Diagnostic("SYN014", message, Label(place, "here"))
    token = tokens[outcome.index]
    message = f"{wanted} was expected, not {describe_token(token)}"
    return Diagnostic("SYN001", message, Label(token.span(source), "not expected here"))


def repaired(source: Source, token: Token, meant: str) -> Diagnostic:
    """A token that was taken for another because only that could be meant."""
    span = token.span(source)
    match token.text:
        case "=":
            fix = Fix("write `==`", (Edit(span, "=="),), Applicability.SAFE)
            message = "an equation is written with `==`"
            notes = ("`=` gives a name to something: `let e = …`, or a default: `data eps = 0.05`",)
            return Diagnostic("SYN007", message, Label(span, "write `==`"), notes=notes, fixes=(fix,))
        case _:
            text = token.text + "="
            fix = Fix(f"write `{text}`", (Edit(span, text),), Applicability.SAFE)
            message = f"`{token.text}` cannot be a constraint: an inequality is `{text}`"
            notes = ("a set with an open boundary has no solution on it; a solver returns the same for both",)
            return Diagnostic("SYN008", message, Label(span, f"write `{text}`"), notes=notes, fixes=(fix,))


def too_deep(span: Span) -> Diagnostic:
    message = f"this expression is nested more than {MAX_DEPTH} levels deep"
    help_ = ("name a part of it: `let part = …`; a long sum over entries is `sum(… for i in n)` or `a' @ x`",)
    return Diagnostic("SYN016", message, Label(span), help=help_)


def too_big(source: Source) -> Diagnostic:
    message = f"the file has {len(source.text):,} characters; {MAX_CHARACTERS:,} is the most that is read"
    help_ = ("numbers belong into `data`, which is bound from arrays, not into the program's text",)
    return Diagnostic("SYN017", message, Label(Span(source, 0, 0)), help=help_)


def nothing(source: Source) -> Diagnostic:
    return Diagnostic("SYN014", "an expression was expected; there is none", Label(Span(source, 0, 0)))
