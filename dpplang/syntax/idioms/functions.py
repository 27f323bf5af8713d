"""Functions, imports, assignments."""

from __future__ import annotations

from dpplang.core.source import Source
from dpplang.syntax.brackets import closes
from dpplang.syntax.idioms.idiom import Idiom, Tokens, joined, say, text_of, texts
from dpplang.syntax.token import Token
from dpplang.syntax.words import is_word


def definition(source: Source, tokens: Tokens) -> Idiom | None:
    """``def f(x): return e``, ``let f(x) = e``."""
    if tokens[0].text not in ("def", "function", "let", "fn") or len(tokens) < 6 or tokens[2].type != "LPAR":
        return None
    close = closes(tokens, 2)
    if close is None or close + 2 > len(tokens) - 1 or tokens[close + 1].type not in ("COLON", "ASSIGN"):
        return None
    formals = tokens[3:close]
    if not all(is_word(t) or t.type in ("COMMA", "LSQB", "RSQB", "ASSIGN", "NUMBER") for t in formals):
        return None
    body = tokens[close + 2 :]
    body = body[1:] if body[0].text == "return" else body
    return _func(source, tokens, tokens[1], formals, body)


def anonymous(source: Source, tokens: Tokens) -> Idiom | None:
    """``let f = lambda r: e``."""
    start = 1 if tokens[0].text == "let" else 0
    if len(tokens) < start + 6 or tokens[start + 1].type != "ASSIGN" or tokens[start + 2].text != "lambda":
        return None
    colon = next((i for i, t in enumerate(tokens) if t.type == "COLON"), None)
    if colon is None or colon + 1 >= len(tokens):
        return None
    return _func(source, tokens, tokens[start], tokens[start + 3 : colon], tokens[colon + 1 :])


def _func(source: Source, tokens: Tokens, name: Token, formals: Tokens, body: Tokens) -> Idiom | None:
    if not body:
        return None
    text = f"func {name.text}({joined(formals)}) = {text_of(source, body)}"
    message = f"a function is written `func {name.text}({joined(formals)}) = …`"
    help_ = "an argument that is no scalar has its shape behind it: `r[n]`"
    return Idiom(say(source, "SYN013", message, tokens, text=text, help_=help_), None, (name.text,))


def importing(source: Source, tokens: Tokens) -> Idiom | None:
    """``import numpy as np``, ``from numpy import sum``."""
    words = texts(tokens)
    if words[0] not in ("import", "from", "using", "include") or len(tokens) < 2 or tokens[1].type != "NAME":
        return None
    message = "only `.dpp` files are imported, and the functions of the library need no import"
    help_ = 'leave the line out; a file of your own: `from "file.dpp" import f`'
    return Idiom(say(source, "SYN013", message, tokens, help_=help_))


def augmented(source: Source, tokens: Tokens) -> Idiom | None:
    """``loss += e``."""
    if len(tokens) < 4 or not is_word(tokens[0]) or tokens[2].type != "ASSIGN":
        return None
    if tokens[1].type not in ("PLUS", "MINUS", "STAR") or tokens[1].end != tokens[2].start:
        return None
    name, op = tokens[0].text, tokens[1].text
    message = f"nothing is assigned twice: there is no `{op}=`"
    help_ = f"name the whole once, `let total = {name} {op} …`, or write it in the objective"
    return Idiom(say(source, "SYN007", message, tokens[1:3], help_=help_))
