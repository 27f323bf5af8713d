"""What is said of brackets that do not match."""

from __future__ import annotations

from collections.abc import Sequence

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix, Label
from dpplang.core.source import Source, Span
from dpplang.syntax.limits import MAX_BRACKETS
from dpplang.syntax.token import Token

OPENING, ENDING = ("LPAR", "LSQB"), ("RPAR", "RSQB")
_BLOCKS = frozenset(
    {"data", "parameters", "model", "variables", "constraints", "quantities", "to", "minimize", "maximize"}
)
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


def stray(source: Source, token: Token, item: Sequence[Token] = ()) -> Diagnostic:
    """A bracket that closes, or opens, nothing; ``item`` is what stands before it on its line."""
    if token.text == "{":
        message = "`{` opens nothing here"
        help_ = (_instead(item),)
    else:
        message, help_ = f"`{token.text}` closes nothing", ()
    span = token.span(source)
    if token.text == "{" and item and item[-1].text not in _BLOCKS:
        return Diagnostic("SYN005", message, Label(span), help=help_)
    fix = Fix(f"leave out the `{token.text}`", (Edit(span, ""),), Applicability.UNSAFE)
    return Diagnostic("SYN005", message, Label(span), help=help_, fixes=(fix,))


def _instead(item: Sequence[Token]) -> str:
    """What to write for ``sum{i in n}``, ``x{i}``, ``data {``."""
    before = item[-1] if item else None
    word = before.text if before is not None else ""
    if item and item[0].text in ("for", "forall"):
        return "a constraint for every index is `name[i in n]: …`"
    if word in ("sum", "max", "min", "prod"):
        return f"an index stands behind what is added up: `{word if word != 'prod' else 'sum'}(x[i] for i in n)`"
    if word in _BLOCKS:
        return "there are no blocks: every declaration says its kind itself (`data y[n]`, `param p`, `var x[n]`)"
    if before is not None and before.type not in ("NAME", "RPAR", "RSQB", "NUMBER", "QUOTE"):
        return "parts of an expression are grouped by `( )`"
    if before is not None and before.type == "NAME":
        return "indices and shapes stand in `[ ]`, arguments in `( )`"
    return "only the record of an `atom` and its `graph` stand in `{ }`; items are separated by newlines alone"


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


def closes(tokens: Sequence[Token], opener: int) -> int | None:
    """Position of the bracket that closes the one at ``opener``."""
    depth = 0
    for position in range(opener, len(tokens)):
        depth += (tokens[position].type in OPENING) - (tokens[position].type in ENDING)
        if depth == 0:
            return position
    return None


def opener(tokens: Sequence[Token], at: int) -> int | None:
    """Position of the innermost bracket that is open at ``at``."""
    depth = 0
    for position in range(at - 1, -1, -1):
        type_ = tokens[position].type
        if type_ in OPENING:
            if depth == 0:
                return position
            depth -= 1
        elif type_ in ENDING:
            depth += 1
    return None
