"""Signs and characters of other languages, and what they mean in this one."""

from __future__ import annotations

import re

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix, Label
from dpplang.core.source import Source, Span
from dpplang.syntax import foreign
from dpplang.syntax.foreign import Slip

# What a person wrote → what this language writes. Longest match first, by the lexer.
SIGNS: dict[str, str] = {
    "**": "^", ".*": "*", "./": "/", ".^": "^", ".@": "@",
    "===": "==", "=<": "<=", "=>": ">=", "<>": "!=", "~=": "!=", ":=": "=",
    ".<=": "<=", ".>=": ">=", ".==": "==", ".+": "+", ".-": "-",
    "&&": "and", "||": "or", "&": "and", "|": "or", "!": "not",
    "≤": "<=", "≥": ">=", "⩽": "<=", "⩾": ">=", "≠": "!=", "＝": "=",
    "⪰": ">>", "⪯": "<<", "≽": ">>", "≼": "<<", "≫": ">>", "≪": "<<",
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-",
    "×": "*", "·": "*", "⋅": "*", "∗": "*", "∙": "*", "⊙": "*", "∘": "*",
    "÷": "/", "∕": "/", "⁄": "/",
    "’": "'", "‘": "'", "′": "'", "`": "'", "´": "'", "⊤": "'",
    "∈": "in", "∞": "inf", "∧": "and", "∨": "or", "¬": "not", "∑": "sum", "√": "sqrt",
}  # fmt: skip
# Raised signs, which Unicode counts as letters or digits.
RAISED: dict[str, tuple[str, ...]] = {
    "ᵀ": ("'",), "²": ("^", "2"), "³": ("^", "3"), "¹": ("^", "1"), "⁴": ("^", "4"),
}  # fmt: skip
# What must be seen before a token of the grammar begins there: `s.t.`, a file name in single quotes, and idioms.
FIRST = rf"\bs\.t\.?(?!\w)|'[^'\n]*\.dpp'|{foreign.FIRST}"
_SUCH_THAT = re.compile(r"s\.t\.?")
_QUOTED = re.compile(r"'[^'\n]*\.dpp'")
_TRANSPOSED = re.compile(r"\.T\b")
_SIGNS = re.compile("|".join(re.escape(s) for s in sorted(SIGNS, key=lambda s: -len(s))))
_MAX_DIGITS = 400
# What else to do where a character means nothing.
_MEANINGLESS = {
    "~": "there are no distributions: a normal one adds `0.5 * sum_squares((x - mu) / sigma)` to the objective",
    "\\": "a system is solved before the problem is: `derived z = solve(A, b)`; a line goes on inside brackets",
    "±": "write both bounds: `-1 <= x <= 1`",
    "?": "there is no `a ? b : c`; a condition on an index stands behind it: `for i in n if i > 0`",
    "$": "names are letters, digits and `_`",
    "{": "indices and shapes stand in `[ ]`, arguments in `( )`",
}


def read(source: Source, start: int, behind_operand: bool) -> Slip:
    """What stands at ``start``, where no token of the language does; ``behind_operand``: a value ends before it."""
    text = source.text
    if (found := foreign.read(source, start, behind_operand)) is not None:
        return found
    if (match := _SUCH_THAT.match(text, start)) is not None:
        words = (("NAME", "subject"), ("NAME", "to"))
        return _other_sign(Span(source, start, match.end()), "subject to", words)
    if (match := _QUOTED.match(text, start)) is not None:
        return _quoted(Span(source, start, match.end()))
    if (match := _TRANSPOSED.match(text, start)) is not None:
        return _other_sign(Span(source, start, match.end()), "'", (("", "'"),))
    if (match := _SIGNS.match(text, start)) is not None:
        meant = SIGNS[match.group()]
        if meant in ("sum", "sqrt") and not text.startswith("(", match.end()):
            return _bare(Span(source, start, match.end()), meant)
        kind = "NAME" if meant.isidentifier() else ""
        return _other_sign(Span(source, start, match.end()), meant, ((kind, meant),))
    character = text[start]
    if character in RAISED:
        parts = RAISED[character]
        meant = tuple(("NUMBER" if p.isdigit() else "", p) for p in parts)
        return _other_sign(Span(source, start, start + 1), "".join(parts), meant)
    if character == '"':
        return _open_string(source, start)
    if character == ";":
        return _semicolon(Span(source, start, start + 1))
    return _unknown(Span(source, start, start + 1))


def number(span: Span) -> tuple[Diagnostic, ...]:
    """What is wrong with a number literal: too long, beyond what a double holds, or rounded to zero."""
    digits = span.text.replace("_", "")
    value = float(digits) if len(digits) <= _MAX_DIGITS else float("inf")
    if value == float("inf"):
        why, help_ = "is larger than the largest double, 1.8e308", "write `inf` where no bound is meant"
    elif value == 0 and re.search("[1-9]", re.split("[eE]", digits)[0]):
        why, help_ = "is smaller than the smallest double and would be 0", "write 0, or rescale the problem"
    else:
        return ()
    return (Diagnostic("SYN015", f"this number {why}", Label(span), help=(help_,)),)


def _other_sign(span: Span, meant: str, tokens: tuple[tuple[str, str], ...]) -> Slip:
    found = span.text
    spaced = f" {meant} " if meant.isidentifier() else meant
    fix = Fix(f"write `{meant}`", (Edit(span, spaced),), Applicability.SAFE)
    message = f"`{found}` is written `{meant}` here"
    return Slip(span.end, tokens, Diagnostic("SYN006", message, Label(span, f"write `{meant}`"), fixes=(fix,)))


def _bare(span: Span, function: str) -> Slip:
    """``∑`` or ``√`` without brackets: where it ends is not known."""
    written = "sum(… for i in n)" if function == "sum" else "sqrt(…)"
    message = f"`{span.text}` is written `{written}` here"
    return Slip(span.end, (), Diagnostic("SYN002", message, Label(span)))


def _quoted(span: Span) -> Slip:
    name = f'"{span.text[1:-1]}"'
    fix = Fix(f"write `{name}`", (Edit(span, name),), Applicability.SAFE)
    diagnostic = Diagnostic("SYN003", 'a file name stands in `"`', Label(span), fixes=(fix,))
    return Slip(span.end, (("STRING", name),), diagnostic)


def _open_string(source: Source, start: int) -> Slip:
    end = source.text.find("\n", start)
    end = len(source.text) if end < 0 else end
    span = Span(source, start, start + len(source.text[start:end].rstrip()))
    diagnostic = Diagnostic(
        "SYN003",
        "this string has no end",
        Label(span, "opened here"),
        help=('close it with `"` on the same line',),
    )
    return Slip(span.end, (("STRING", span.text + '"'),), diagnostic)


def _semicolon(span: Span) -> Slip:
    diagnostic = Diagnostic(
        "SYN006",
        "no `;` is needed: an item ends with its line",
        Label(span),
        fixes=(Fix("leave out the `;`", (Edit(span, ""),), Applicability.SAFE),),
    )
    return Slip(span.end, (("\n", ""),), diagnostic)


def _unknown(span: Span) -> Slip:
    from unicodedata import category, name, normalize

    character = span.text
    if category(character) == "Cf":
        message = f"a character that is not seen stands here: {name(character, f'U+{ord(character):04X}').lower()}"
        fix = Fix("leave it out", (Edit(span, ""),), Applicability.SAFE)
        return Slip(span.end, (), Diagnostic("SYN006", message, Label(span), fixes=(fix,)))
    called = name(character, "").lower()
    shown = f"`{character}`" if character.isprintable() and not character.isspace() else f"U+{ord(character):04X}"
    message = f"the character {shown} means nothing here"
    plain = normalize("NFKC", character)
    if plain != character and plain.isascii() and plain.isprintable() and plain.strip():
        fix = Fix(f"write `{plain}`", (Edit(span, plain),), Applicability.SAFE)
        meant = (("NAME" if plain.isidentifier() else "NUMBER" if plain.isdigit() else "", plain),)
        diagnostic = Diagnostic("SYN006", f"{shown} is written `{plain}` here", Label(span, called), fixes=(fix,))
        return Slip(span.end, meant, diagnostic)
    help_ = (_MEANINGLESS[character],) if character in _MEANINGLESS else ()
    return Slip(span.end, (), Diagnostic("SYN002", message, Label(span, called), help=help_))
