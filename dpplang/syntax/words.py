"""Soft keywords: which words open an item or entry, and when a word that could be a name is a keyword."""

from __future__ import annotations

from dpplang.syntax.token import END, Token

INFIX = frozenset({"in", "for", "if", "and", "or", "where", "import"})
DECLARING = frozenset({"dim", "data", "param", "var", "derived", "let", "func", "from", "atom"})
ITEM_WORDS = DECLARING | {"minimize", "maximize", "find", "subject", "return"}
MODES = frozenset({"param", "const"})  # of an atom's arguments
ENTRY_WORDS = (
    *("kind", "variadic", "shape", "requires", "curvature", "sign", "monotone", "domain"),
    *("value", "quadratic", "graph", "test"),
)
CLAUSE_ENTRIES = frozenset({"kind", "variadic", "curvature", "sign", "monotone"})  # of words, not of expressions
OPENERS = {"LPAR": "RPAR", "LSQB": "RSQB"}
CLOSERS = {close: open_ for open_, close in OPENERS.items()}
LEADING = frozenset({"STAR", "SLASH", "AT", "CARET", "EQUAL", "LESS_EQUAL", "GREATER_EQUAL", "LESS", "GREATER"})
_OPERAND_ENDS = frozenset({"NAME", "NUMBER", "STRING", "RPAR", "RSQB", "QUOTE"})
_LINE_ENDS = frozenset({"\n", END, "}"})


def ends_operand(token: Token) -> bool:
    """Whether an operand can end with this token, so that no other may follow it directly."""
    return token.type in _OPERAND_ENDS and token.text not in INFIX


def leads(token: Token) -> bool:
    """Whether a line that begins with this may have been meant to continue the one before."""
    return token.type in LEADING or token.type in ("PLUS", "MINUS")


def is_word(token: Token) -> bool:
    return token.type == "NAME" and token.text not in INFIX


def _begins_operand(token: Token) -> bool:
    """Whether an operand can begin with this word; behind a keyword ``where`` is the function, not the joint."""
    return is_word(token) or token.text == "where"


def stands_as_keyword(text: str, following: Token) -> bool:
    """Whether a word, where a name could stand as well, is the keyword; ``following`` is the token behind it."""
    match text:
        case "dim" | "data" | "param" | "var" | "derived" | "let" | "func" | "atom" | "const" | "dual":
            return is_word(following)
        case "minimize" | "maximize" | "return" | "not":
            return _begins_operand(following) or following.type in {"NUMBER", "LPAR", "LSQB", "MINUS", "PLUS"}
        case "from":
            return following.type == "STRING"
        case "subject":
            return following.text == "to"
        case "find":
            return following.type in _LINE_ENDS or following.text == "subject"
        case "test":
            return _begins_operand(following) or following.type in {"NUMBER", "LPAR", "LSQB", "MINUS"}
        case "graph":
            return following.type == "{"
        case _ if text in INFIX:
            return True
        case _:
            return following.type == "COLON"
