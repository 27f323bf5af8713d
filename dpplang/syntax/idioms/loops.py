"""Loops: a constraint for every index."""

from __future__ import annotations

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix, Label
from dpplang.core.source import Source, Span
from dpplang.syntax.brackets import ENDING, OPENING, closes
from dpplang.syntax.idioms.idiom import Idiom, Tokens, joined, made, say, text_of
from dpplang.syntax.words import is_word


def loop(source: Source, tokens: Tokens) -> Idiom | None:
    """``for i in n: x[i] >= 0``, ``forall(i in n) x[i] >= 0``: a constraint for every index."""
    if tokens[0].text not in ("for", "forall", "foreach") or len(tokens) < 5:
        return None
    if tokens[1].type == "LPAR":
        close = closes(tokens, 1)
        if close is None:
            return None
        domain, rest = tokens[2:close], tokens[close + 1 :]
    else:
        colon = _last_colon(tokens)
        if colon is None:
            return None
        domain, rest = tokens[1:colon], tokens[colon + 1 :]
    rest = rest[1:] if rest and rest[0].type == "COLON" else rest
    if len(domain) < 3 or not is_word(domain[0]):
        return None
    domain = tuple(
        t._replace(type="NAME", text="in") if i == 1 and t.type == "ASSIGN" else t for i, t in enumerate(domain)
    )
    return _for_every(source, tokens, tokens[: len(tokens) - len(rest)], domain, rest)


def _last_colon(tokens: Tokens) -> int | None:
    """The `:` that ends the head of a loop: the last one outside brackets, for a range has one as well."""
    depth, found = 0, None
    for i, token in enumerate(tokens):
        depth += (token.type in OPENING) - (token.type in ENDING)
        if depth == 0 and token.type == "COLON":
            found = i
    return found


def trailing_loop(source: Source, tokens: Tokens) -> Idiom | None:
    """``x[i] >= 0 for i in n``."""
    depth, at = 0, None
    relation = False
    for i, token in enumerate(tokens):
        depth += (token.type in OPENING) - (token.type in ENDING)
        if depth == 0:
            relation = relation or token.type in ("EQUAL", "LESS_EQUAL", "GREATER_EQUAL", "ASSIGN", "LESS", "GREATER")
            if token.text == "for" and relation:
                at = i
                break
    if at is None or at + 3 >= len(tokens):
        return None
    return _for_every(source, tokens, tokens[at:], tokens[at + 1 :], tokens[:at])


def _for_every(source: Source, tokens: Tokens, marked: Tokens, domain: Tokens, relation: Tokens) -> Idiom:
    """``marked``: the loop itself, without its relation."""
    label = "each"
    if relation and len(relation) > 2 and relation[1].type == "COLON" and is_word(relation[0]._replace(type="NAME")):
        label, relation = relation[0].text, relation[2:]
    head = " ".join(f"{label}[{joined(domain)}]:".split())
    text = f"{head} {text_of(source, relation)}".rstrip()
    message = f"a constraint for every index is written `{head} …`"
    if not relation:
        return Idiom(
            say(source, "SYN011", message, tokens, help_="write the relation on the same line, behind the `:`")
        )
    at = tokens[0]
    meant = (
        made("LABEL", label, at), made("LSQB", "[", at), *domain,
        made("RSQB", "]", at), made("COLON", ":", at), *relation,
    )  # fmt: skip
    span, whole = Span(source, marked[0].start, marked[-1].end), Span(source, tokens[0].start, tokens[-1].end)
    fix = Fix(f"write `{text}`", (Edit(whole, text),), Applicability.SAFE)
    return Idiom(Diagnostic("SYN011", message, Label(span), fixes=(fix,)), meant)
