"""What is said of brackets that do not match."""

from __future__ import annotations

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix, Label
from dpplang.core.source import Source, Span
from dpplang.syntax.limits import MAX_BRACKETS
from dpplang.syntax.tokens import Token

_CLOSING = {"(": ")", "[": "]", "{": "}"}


def unclosed(source: Source, opener: Token, end: int) -> Diagnostic:
    """``opener`` is read as closed at ``end``."""
    close = _CLOSING[opener.text]
    place = Span(source, end, end)
    text = close if opener.text != "{" else "\n}"
    return Diagnostic(
        "SYN004",
        f"`{opener.text}` is never closed",
        Label(opener.span(source), "opened here"),
        (Label(place, f"`{close}` is missing, here or before"),),
        fixes=(Fix(f"write `{close}` here", (Edit(place, text),), Applicability.UNSAFE),),
    )


def stray(source: Source, token: Token) -> Diagnostic:
    """A bracket that closes, or opens, nothing."""
    if token.text == "{":
        message = "`{` opens nothing here"
        help_ = ("only the record of an `atom` and its `graph` stand in `{ }`; items are separated by newlines alone",)
    else:
        message, help_ = f"`{token.text}` closes nothing", ()
    span = token.span(source)
    fix = Fix(f"leave out the `{token.text}`", (Edit(span, ""),), Applicability.UNSAFE)
    return Diagnostic("SYN005", message, Label(span), help=help_, fixes=(fix,))


def mismatched(source: Source, opener: Token, token: Token) -> Diagnostic:
    close = _CLOSING[opener.text]
    span = token.span(source)
    return Diagnostic(
        "SYN005",
        f"`{token.text}` cannot close `{opener.text}`",
        Label(span, f"`{close}` was expected"),
        (Label(opener.span(source), "opened here"),),
        fixes=(Fix(f"write `{close}`", (Edit(span, close),), Applicability.UNSAFE),),
    )


def too_deep(source: Source, token: Token) -> Diagnostic:
    return Diagnostic(
        "SYN016",
        f"more than {MAX_BRACKETS} brackets are open here",
        Label(token.span(source)),
        help=("name a part of the expression: `let part = …`",),
    )
