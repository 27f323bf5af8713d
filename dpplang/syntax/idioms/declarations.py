"""Declarations: shapes in `( )`, types, models of other packages, bounds and defaults."""

from __future__ import annotations

from dpplang.core.source import Source
from dpplang.syntax.brackets import closes
from dpplang.syntax.idioms.idiom import Idiom, Tokens, arguments, joined, made, say, split, text_of, texts
from dpplang.syntax.token import Token
from dpplang.syntax.words import is_word

_DECLARING = frozenset({"dim", "data", "param", "var"})


_MODELS = {"variable": "var", "parameter": "param", "constant": "data"}


_TYPES = frozenset({"vector", "matrix", "real", "row_vector", "simplex", "cov_matrix", "array", "float", "double"})


def model(source: Source, tokens: Tokens) -> Idiom | None:
    """``x = Variable(n, nonneg=True)``, ``p = Parameter((m, n))``, ``@variable(model, x[1:n])``."""
    if tokens[0].type == "AT":
        if len(tokens) < 2 or tokens[1].text not in ("variable", "parameter", "constraint", "objective", "expression"):
            return None
        help_ = "declare `var x[n]`, say `minimize …`, and write every constraint on a line of its own"
        names = tuple(t.text for t in tokens[2:] if is_word(t))
        return Idiom(
            say(source, "SYN013", f"`@{tokens[1].text}` is a macro of another language", tokens[:2], help_=help_),
            None,
            names,
        )
    if len(tokens) < 5 or not is_word(tokens[0]) or tokens[1].type != "ASSIGN" or tokens[3].type != "LPAR":
        return None
    kind = _MODELS.get(tokens[2].text.lower())
    close = closes(tokens, 3)
    if kind is None or close != len(tokens) - 1:
        return None
    shape, attributes = arguments(tokens[4:close])
    if attributes is None:
        return None
    text = " ".join((kind, tokens[0].text + (f"[{joined(shape)}]" if shape else ""), *attributes))
    at = tokens[0]
    brackets = (made("LSQB", "[", at), *shape, made("RSQB", "]", at)) if shape else ()
    meant = (made("NAME", kind, at), tokens[0], *brackets, *(made("NAME", a, at) for a in attributes))
    return Idiom(say(source, "SYN013", f"it is declared `{text}`", tokens, text=text), meant)


def declaration(source: Source, tokens: Tokens) -> Idiom | None:
    """Shapes in ``( )``, index ranges for shapes, bounds behind `>=`, ``default 0.1``: one at a time."""
    if tokens[0].text not in _DECLARING or len(tokens) < 3:
        return None
    for reading in (_bounds, _parentheses, _range_shape, _default):
        found = reading(source, tokens)
        if found is not None:
            return found
    return None


def _parentheses(source: Source, tokens: Tokens) -> Idiom | None:
    for at in range(2, len(tokens)):
        before = tokens[at - 2]
        if tokens[at].type == "LPAR" and is_word(tokens[at - 1]) and (at == 2 or before.type == "COMMA"):
            close = closes(tokens, at)
            if close is None:
                return None
            shape, attributes = arguments(tokens[at + 1 : close])
            if attributes is None or not (shape or attributes):
                return None
            name = tokens[at - 1]
            text = " ".join((name.text + (f"[{joined(shape)}]" if shape else ""), *attributes))
            brackets = (made("LSQB", "[", tokens[at]), *shape, made("RSQB", "]", tokens[at])) if shape else ()
            words = (made("NAME", a, tokens[at]) for a in attributes)
            what = "a shape stands in `[ ]`" if shape else "an attribute is a word behind the name"
            diagnostic = say(source, "SYN020", f"{what}: `{text}`", tokens[at - 1 : close + 1], text=text)
            return Idiom(diagnostic, (*tokens[:at], *brackets, *words, *tokens[close + 1 :]))
    return None


def _range_shape(source: Source, tokens: Tokens) -> Idiom | None:
    for at in range(2, len(tokens) - 3):
        if tokens[at].type == "LSQB" and is_word(tokens[at - 1]):
            close = closes(tokens, at)
            if close is None:
                return None
            sizes = [p[2:] if len(p) > 2 and p[1].type == "COLON" else p for p in split(tokens[at + 1 : close])]
            if texts(tuple(t for p in sizes for t in p)) == texts(
                tuple(t for t in tokens[at + 1 : close] if t.type != "COMMA")
            ):
                continue
            inner: list[Token] = []
            for size in sizes:
                inner += [made("COMMA", ",", tokens[at])] if inner else []
                inner += size
            text = f"{tokens[at - 1].text}[{joined(inner)}]"
            message = f"a shape is made of sizes, not of ranges: `{text}`"
            diagnostic = say(
                source,
                "SYN020",
                message,
                tokens[at - 1 : close + 1],
                text=text,
                help_="indices count from 0: they run up to n - 1",
            )
            return Idiom(diagnostic, (*tokens[: at + 1], *inner, *tokens[close:]))
    return None


def _bounds(source: Source, tokens: Tokens) -> Idiom | None:
    """``var x[n] >= 0``, ``>= 0, <= 1``, ``<lower=0>``."""
    at = next((i for i, t in enumerate(tokens) if t.type in ("LESS_EQUAL", "GREATER_EQUAL", "LESS", "GREATER")), None)
    if at is None or at < 2:
        return None
    low, high, end = _limits(tokens, at)
    if end is None or (low is None and high is None):
        return None
    kind = tokens[0].text
    zero = (texts(low) == ("0",) if low else False, texts(high) == ("0",) if high else False)
    at_token = tokens[at]
    if zero[0] and high is None:
        meant: Tokens = (made("NAME", "nonneg", at_token),)
    elif zero[1] and low is None:
        meant = (made("NAME", "nonpos", at_token),)
    elif kind == "var":
        minus_inf = (made("MINUS", "-", at_token), made("NAME", "inf", at_token))
        ends = (low or minus_inf, high or (made("NAME", "inf", at_token),))
        comma, close = made("COMMA", ",", at_token), made("RSQB", "]", at_token)
        meant = (made("NAME", "in", at_token), made("LSQB", "[", at_token), *ends[0], comma, *ends[1], close)
    else:
        message = f"a `{kind}` has no bounds; what is known of it is said by `nonneg`, `pos`, `nonpos` or `neg`"
        names = tuple(t.text for t in tokens[1:at] if is_word(t))
        return Idiom(say(source, "SYN020", message, tokens[at:end]), None, names)
    text = joined(meant).replace("in[", "in [").replace(",", ", ").replace(",  ", ", ")
    message = f"bounds in a declaration are written `{text}`"
    return Idiom(say(source, "SYN020", message, tokens[at:end], text=text), (*tokens[:at], *meant, *tokens[end:]))


def _limits(tokens: Tokens, at: int) -> tuple[Tokens | None, Tokens | None, int | None]:
    """The lower and upper bound that stand at ``at``, and where they end; no end if that is not what they are."""
    low: Tokens | None = None
    high: Tokens | None = None
    if tokens[at].type == "LESS" and at + 2 < len(tokens) and tokens[at + 1].text in ("lower", "upper"):
        end = next((i for i in range(at, len(tokens)) if tokens[i].type == "GREATER"), None)
        if end is None:
            return None, None, None
        for part in split(tokens[at + 1 : end]):
            if len(part) < 3 or part[1].type != "ASSIGN":
                return None, None, None
            low, high = (part[2:], high) if part[0].text == "lower" else (low, part[2:])
        return low, high, end + 1
    position = at
    while position < len(tokens) and tokens[position].type in ("LESS_EQUAL", "GREATER_EQUAL", "LESS", "GREATER"):
        stop = position + 1
        while stop < len(tokens) and tokens[stop].type in ("NUMBER", "NAME", "MINUS", "PLUS"):
            stop += 1
        bound = tokens[position + 1 : stop]
        if not bound:
            return None, None, None
        if tokens[position].type.startswith("LESS"):
            high = bound
        else:
            low = bound
        position = stop
        if (
            position + 1 < len(tokens)
            and tokens[position].type == "COMMA"
            and tokens[position + 1].type in ("LESS_EQUAL", "GREATER_EQUAL")
        ):
            position += 1
    return low, high, position


def _default(source: Source, tokens: Tokens) -> Idiom | None:
    for at in range(2, len(tokens) - 1):
        if tokens[at].text == "default" and tokens[at + 1].type in ("NUMBER", "MINUS", "NAME"):
            end = at + 2 + (tokens[at + 1].type == "MINUS")
            kind = tokens[0].text
            if kind in ("dim", "data"):
                value = text_of(source, tokens[at + 1 : end])
                diagnostic = say(
                    source, "SYN020", f"a default is written `= {value}`", tokens[at:end], text=f"= {value}"
                )
                return Idiom(diagnostic, (*tokens[:at], made("ASSIGN", "=", tokens[at]), *tokens[at + 1 :]))
            message = f"a `{kind}` has no default"
            help_ = "a constant with a default is `data lam = 0.1`" if kind == "param" else "the solver finds its value"
            return Idiom(say(source, "SYN020", message, tokens[at:end], help_=help_), (*tokens[:at], *tokens[end:]))
    return None


def typed(source: Source, tokens: Tokens) -> Idiom | None:
    """``vector[n] x``, ``real<lower=0> sigma``."""
    if tokens[0].text not in _TYPES or len(tokens) < 2:
        return None
    name = tokens[-1]
    if not is_word(name) or tokens[1].type not in ("LSQB", "LESS", "NAME"):
        return None
    shape: Tokens = ()
    at = next((i for i, t in enumerate(tokens) if t.type == "LSQB"), None)
    if at is not None and (close := closes(tokens, at)) is not None:
        shape = tokens[at : close + 1]
    text = name.text + joined(shape)
    message = "a declaration says what a tensor is for, not its type"
    help_ = f"write `param {text}` if it is given, `var {text}` if it is sought"
    return Idiom(say(source, "SYN013", message, tokens, help_=help_), None, (name.text,))


def nameless(source: Source, tokens: Tokens) -> Idiom | None:
    """``derived [n, n] = chol(Q)``, which would be read as an entry of a tensor named `derived`."""
    keyword = tokens[0].text
    if keyword not in ("dim", "param", "var", "derived", "let") or len(tokens) < 3:
        return None
    if tokens[1].type not in ("LSQB", "ASSIGN"):
        return None
    message = f"a name is missing behind `{keyword}`"
    shape = "[…]" if tokens[1].type == "LSQB" else ""
    return Idiom(say(source, "SYN014", message, tokens[:2], help_=f"write `{keyword} name{shape} = …`"))
