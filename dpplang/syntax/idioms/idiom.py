"""What an idiom is, and how its tokens are put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix, Label
from dpplang.core.source import Source, Span
from dpplang.syntax.brackets import ENDING, OPENING
from dpplang.syntax.token import Token

Tokens = tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Idiom:
    """``tokens`` are what was meant, None where that is nothing of this language (then ``names`` are declared)."""

    diagnostic: Diagnostic
    tokens: Tokens | None = None
    names: tuple[str, ...] = ()


_ATTRIBUTES = {"nonneg": "nonneg", "nonpos": "nonpos", "pos": "pos", "neg": "neg", "PSD": "psd", "NSD": "nsd",
               "symmetric": "symmetric", "diag": "diagonal"}  # fmt: skip


def say(
    source: Source, code: str, message: str, tokens: Sequence[Token], *, help_: str = "", text: str = ""
) -> Diagnostic:
    """``text``: what to write in the place of ``tokens``."""
    span = Span(source, tokens[0].start, tokens[-1].end)
    fixes: tuple[Fix, ...] = ()
    if text:
        title = f"write `{text}`" if len(text) <= 70 else "write that"
        fixes = (Fix(title, (Edit(span, text),), Applicability.SAFE),)
    return Diagnostic(code, message, Label(span), help=(help_,) if help_ else (), fixes=fixes)


def texts(tokens: Sequence[Token]) -> tuple[str, ...]:
    return tuple(t.text for t in tokens)


def text_of(source: Source, tokens: Sequence[Token]) -> str:
    """The text that tokens stand in, on one line."""
    return " ".join(source.text[tokens[0].start : tokens[-1].end].split()) if tokens else ""


def made(type_: str, text: str, at: Token) -> Token:
    return Token(type_, text, at.start, at.start)


def joined(tokens: Sequence[Token]) -> str:
    """Tokens as text, a space where two words meet."""
    words: list[str] = []
    for i, token in enumerate(tokens):
        spaced = i > 0 and token.type in ("NAME", "NUMBER") and tokens[i - 1].type in ("NAME", "NUMBER", "COMMA")
        words.append((" " if spaced else "") + token.text)
    return "".join(words)


def split(tokens: Tokens) -> list[Tokens]:
    """At the commas outside of brackets."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.type in OPENING) - (token.type in ENDING)
        if depth == 0 and token.type == "COMMA":
            parts.append([])
        else:
            parts[-1].append(token)
    return [tuple(p) for p in parts if p]


def arguments(tokens: Tokens) -> tuple[Tokens, tuple[str, ...] | None]:
    """``(m, n), nonneg=True`` as a shape and attributes; None for the latter if a named argument means nothing here."""
    shape: list[Token] = []
    attributes: list[str] = []
    parts = split(tokens)
    for part in parts:
        if len(part) == 3 and part[1].type == "ASSIGN":
            if part[0].text in ("name", "value"):
                continue
            if part[0].text not in _ATTRIBUTES or part[2].text != "True":
                return (), None
            attributes.append(_ATTRIBUTES[part[0].text])
        else:
            inner = part[1:-1] if part[0].type == "LPAR" and part[-1].type == "RPAR" else part
            if shape and inner:
                shape.append(part[0]._replace(type="COMMA", text=","))
            shape.extend(inner[:-1] if inner and inner[-1].type == "COMMA" else inner)
    return tuple(shape), tuple(attributes)
