"""What the grammar expects, in words for people: no terminal's name is ever shown."""

from __future__ import annotations

from collections.abc import Iterable

from dpplang.syntax.tables import Tables
from dpplang.syntax.token import END, Token

_OPERAND = frozenset({"NUMBER", "NAME", "LPAR", "LSQB", "PLUS", "MINUS", "DUAL"})
_OPERATORS = frozenset({"PLUS", "MINUS", "STAR", "SLASH", "AT", "CARET", "QUOTE", "LSQB", "LPAR"})
_RELATIONS = frozenset({"EQUAL", "LESS_EQUAL", "GREATER_EQUAL", "PRECEDES", "SUCCEEDS"})
_COMPARISONS = frozenset({"EQUAL", "LESS_EQUAL", "GREATER_EQUAL", "LESS", "GREATER", "UNEQUAL"})
_ITEMS = frozenset({"DIM", "PARAM", "VAR", "RETURN"})
_ENTRIES = frozenset({"KIND", "VALUE", "TEST"})
_ATTRIBUTES = frozenset({"NAME", "IN"})
# A set that is wholly expected → what it is called, and what else it stands for.
_GROUPS: tuple[tuple[frozenset[str], str, frozenset[str]], ...] = (
    (_ITEMS, "a declaration, an objective, a constraint or `return`", frozenset()),
    (_ENTRIES, "an entry of an atom's record", frozenset()),
    (_OPERAND - {"DUAL"}, "an expression", _OPERAND),
    (_COMPARISONS, "a comparison", _COMPARISONS | {"PRECEDES", "SUCCEEDS"}),
    (_RELATIONS, "a relation (`==`, `<=`, `>=`, `<<`, `>>`)", _RELATIONS),
    (frozenset({"STAR", "CARET"}), "an operator", _OPERATORS),
    (frozenset({"PLUS", "MINUS"}), "an operator", _OPERATORS),
    (frozenset({"PARAM", "CONST", "NAME"}), "an argument's name", frozenset({"PARAM", "CONST", "NAME"})),
)
_NAMED = {
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": 'a file name in `"`',
    "LABEL": "a constraint's name",
    END: "the end of the line",
}


def describe(expected: Iterable[str], tables: Tables) -> str:
    """``an expression``, ``an operator, `,` or `)` ``."""
    left, parts = set(expected), list[str]()
    for whole, words, covered in _GROUPS:
        if whole <= left:
            if not covered:
                return words
            parts.append(words)
            left -= covered
    if left >= _ATTRIBUTES:
        parts.append("an attribute")
        left -= _ATTRIBUTES
    ordered = sorted(left, key=lambda t: (t == END, t not in _NAMED, tables.terminals.get(t, "")))
    parts.extend(_NAMED[t] if t in _NAMED else f"`{tables.terminals[t]}`" for t in ordered)
    parts = list(dict.fromkeys(parts))
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + f" or {parts[-1]}"


def describe_token(token: Token) -> str:
    match token.type:
        case "NUMBER":
            return f"the number `{token.text}`"
        case "STRING":
            return f"the text `{_short(token.text)}`"
        case "NAME" | "LABEL":
            return f"the word `{_short(token.text)}`"
        case _:
            return f"`{token.text}`"


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "…"
