"""Syntax errors in words for people: what was expected, what was found, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix, Label
from dpplang.core.source import Source, Span
from dpplang.syntax.brackets import opener as innermost
from dpplang.syntax.expectations import describe, describe_token
from dpplang.syntax.limits import MAX_CHARACTERS, MAX_DEPTH
from dpplang.syntax.machine import Stuck
from dpplang.syntax.mends import near, two_relations
from dpplang.syntax.places import place
from dpplang.syntax.tables import Tables
from dpplang.syntax.token import Token
from dpplang.syntax.words import (
    ENTRY_WORDS,
    INFIX,
    ITEM_WORDS,
    LEADING,
    ends_operand,
    is_word,
    stands_as_keyword,
)


def stuck(source: Source, tables: Tables, start: str, tokens: Sequence[Token], outcome: Stuck) -> Diagnostic:
    """Why an item does not parse, where no mend helps."""
    if start == "item" and (found := _behind_keyword(source, tokens, outcome)) is not None:
        return found
    if outcome.index == len(tokens):
        return _too_early(source, tables, start, tokens, outcome)
    token = tokens[outcome.index]
    special = _special(source, start, tokens, outcome)
    if special is not None:
        return special
    wanted = describe(outcome.expected, tables)
    message = f"{wanted} was expected, not {describe_token(token)}"
    return Diagnostic("SYN001", message, Label(token.span(source), "not expected here"), help=_belongs(start, outcome))


def _belongs(start: str, outcome: Stuck) -> tuple[str, ...]:
    """What belongs in the place where the parser is stuck."""
    words = None if start == "expression" and not outcome.before else place(outcome.before)
    return (words,) if words else ()


def _behind_keyword(source: Source, tokens: Sequence[Token], outcome: Stuck) -> Diagnostic | None:
    """What was read as a name, for nothing follows that goes with a keyword: ``dim 3``, ``param = 1``."""
    words = place((tokens[0].text.upper(),)) if tokens[0].type == "NAME" and tokens[0].text in ITEM_WORDS else None
    if words is None or outcome.index != 1 or tokens[0].text == "atom":
        return None
    if len(tokens) == 1:
        message = f"this ends too early: nothing stands behind `{tokens[0].text}`"
        end = Span(source, tokens[0].end, tokens[0].end)
        return Diagnostic("SYN014", message, Label(end, "here"), help=(words,))
    message = f"`{tokens[0].text}` cannot be followed by {describe_token(tokens[1])}"
    return Diagnostic("SYN001", message, Label(tokens[1].span(source), "not expected here"), help=(words,))


def _too_early(source: Source, tables: Tables, start: str, tokens: Sequence[Token], outcome: Stuck) -> Diagnostic:
    end = Span(source, tokens[-1].end, tokens[-1].end)
    if start == "item" and {"EQUAL", "PRECEDES"} <= outcome.expected and outcome.before[-1:] != ("tuple",):
        whole = tokens[0].span(source).to(tokens[-1].span(source))
        if tokens[0].type in ("PLUS", "MINUS"):
            return _leading(source, tokens[0])
        message = "a constraint is a relation; this is an expression alone"
        help_ = ("compare it with something (`==`, `<=`, `>=`), or say what set it lies in (`in soc`)",)
        return Diagnostic("SYN023", message, Label(whole), help=help_)
    if start == "item" and tokens[-1].type == "COLON" and tokens[0].type == "LABEL":
        message = f"this ends too early: what must hold for `{tokens[0].text}`?"
        help_ = ("a relation was expected behind the `:`, such as `x >= 0`",)
        return Diagnostic("SYN014", message, Label(end, "here"), help=help_)
    wanted = describe(outcome.expected, tables)
    message = f"this ends too early: {wanted} was expected"
    return Diagnostic("SYN014", message, Label(end, "here"), help=_belongs(start, outcome))


def _special(source: Source, start: str, tokens: Sequence[Token], outcome: Stuck) -> Diagnostic | None:
    """Mistakes that have words of their own."""
    at, token = outcome.index, tokens[outcome.index]
    span, label = token.span(source), Label(token.span(source))
    match token.type, token.text:
        case _ if start == "item" and tokens[0].text == "atom" and stands_as_keyword("atom", tokens[1]):
            help_ = ("write `atom name(x) {`, then an entry to a line, then `}`",)
            return Diagnostic("SYN021", "this atom has no record", Label(tokens[0].span(source)), help=help_)
        case "NAME", "in" if start == "item" and at == 3 and tokens[1].type == "LSQB":
            help_ = (f"write `{tokens[0].text}[{tokens[2].text} in …]: `, then the relation",)
            return Diagnostic("SYN001", "the name of an indexed constraint ends in `:`", label, help=help_)
        case (("NAME" | "LABEL"), _) if at == 0 and start == "entry":
            meant = near(token.text, ENTRY_WORDS)
            entries = ", ".join(f"`{word}`" for word in ENTRY_WORDS)
            help_ = (f"did you mean `{meant}`?" if meant else f"entries are {entries}",)
            return Diagnostic("SYN021", f"`{token.text}` is no entry of an atom's record", label, help=help_)
        case (("RPAR" | "RSQB" | "COMMA"), _) if outcome.expected == frozenset({"IN"}) and at:
            index = tokens[at - 1]
            help_ = (f"write `{index.text} in n`, or `{index.text} in 1:n`",)
            message = f"what does `{index.text}` run over? `in` and a set were expected"
            return Diagnostic("SYN001", message, label, help=help_)
        case "NAME", "for":
            help_ = ("write `sum(… for i in n)`; a constraint for every index is `name[i in n]: …`",)
            return Diagnostic("SYN011", "`for` can only stand alone in the brackets of a call", label, help=help_)
        case "NAME", "and" | "or" | "not" | "if" | "where" if at:
            help_ = ("two constraints are two lines; a condition stands behind an index: `name[t in T if t > 0]: …`",)
            if token.text == "if" and innermost(tokens, at) is not None:
                help_ = ("choose the members by their index: `sum(x[i] for i in n if i > 0)`",)
                return Diagnostic("SYN011", "an expression has no `if`", label, help=help_)
            return Diagnostic("SYN011", f"`{token.text}` joins conditions, and there is none here", label, help=help_)
        case "NAME", _ if token.text in INFIX and "NAME" in outcome.expected:
            return Diagnostic("SYN001", f"`{token.text}` is a word of the language and cannot be a name", label)
        case "NAME", _ if at and tokens[at - 1].text == "dual":
            message = "`dual` is a word of the language before a name"
            return Diagnostic("SYN019", message, label)
        case "UNEQUAL", _ if "EQUAL" in outcome.expected:
            notes = ("the points where two expressions differ are no convex set",)
            return Diagnostic("SYN009", "`!=` cannot be a constraint", label, notes=notes)
        case "STRING", _:
            norm = {'"inf"': "norm_inf", '"fro"': "norm_fro", '"nuc"': "norm_nuc"}.get(token.text)
            help_ = (f"that norm is `{norm}(…)`" if norm else 'text stands only in `from "file.dpp" import …`',)
            return Diagnostic("SYN001", f"a text cannot stand in an expression: {token.text}", label, help=help_)
        case "QUOTE", _ if "STRING" in outcome.expected:
            end = tokens[-1].end
            closing = next((t for t in tokens[at + 1 :] if t.type == "QUOTE"), None)
            edits = (Edit(span, '"'), Edit(closing.span(source), '"')) if closing else ()
            fix = Fix('write `"`', edits, Applicability.SAFE)
            whole = Span(source, token.start, closing.end if closing else end)
            return Diagnostic("SYN003", 'a file name stands in `"`', Label(whole), fixes=(fix,) if edits else ())
        case "COMMA", _ if (opener := innermost(tokens, at)) is not None and _groups(tokens, opener):
            help_ = ("an array is written `[a, b]`",)
            message = "a tuple can only stand to the left of `in`: `(t, x) in soc`"
            opened = Label(tokens[opener].span(source), "opened here")
            return Diagnostic("SYN018", message, label, (opened,), help=help_)
        case "COLON", _ if (opener := innermost(tokens, at)) is not None and tokens[opener].type == "LSQB":
            help_ = ("write `x[a:b]`: every entry from `a` up to, not including, `b`",)
            return Diagnostic("SYN001", "a slice has a start and an end, and no step", label, help=help_)
        case "COLON", _ if at and tokens[at - 1].type == "LPAR":
            help_ = ("indices stand in `[ ]`; every entry in one vector is `vec(X)`",)
            return Diagnostic("SYN001", "a `:` cannot stand in `( )`", label, help=help_)
        case (("LESS" | "GREATER" | "EQUAL" | "UNEQUAL" | "LESS_EQUAL" | "GREATER_EQUAL"), _) if (
            (opener := innermost(tokens, at)) is not None and tokens[opener].type == "LSQB" and opener
        ):
            help_ = (
                "weigh the entries by a mask, `mask * x`, or put the condition behind an index: `for i in n if i > 0`",
            )
            return Diagnostic("SYN001", "an index is a whole number, not a condition", label, help=help_)
        case "ELLIPSIS", _:
            help_ = ("`x[...]` in an atom's formals is an argument of any shape",)
            return Diagnostic("SYN001", "`...` can only be the shape of an atom's argument", label, help=help_)
        case type_, _ if at == 0 and start == "item" and type_ in LEADING:
            return _leading(source, token)
        case (("NAME" | "NUMBER" | "LPAR" | "LSQB"), _) if (
            at > 1 and ends_operand(tokens[at - 1]) and token.text not in INFIX
        ):
            return _nothing_between(source, tokens, at, outcome)
        case _:
            return None


def _nothing_between(source: Source, tokens: Sequence[Token], at: int, outcome: Stuck) -> Diagnostic:
    """Two operands side by side, which may have been meant in more than one way."""
    before, span = tokens[at - 1].span(source), tokens[at].span(source)
    if two_relations(tokens, at) and innermost(tokens, at) is None:
        fix = Fix("begin a new line here", (Edit(Span(source, before.end, span.start), "\n  "),), Applicability.SAFE)
        message = "two constraints stand on one line"
        return Diagnostic("SYN010", message, Label(span, "the second begins here"), fixes=(fix,))
    comma = "COMMA" in outcome.expected
    missing = "an operator or a `,` is" if comma else "an operator is"
    message = f"{missing} missing between `{before.text}` and `{span.text}`"
    gap = Span(source, before.end, span.start)
    texts = [" @ ", " * ", *([", "] if comma else [])] if before.end <= span.start else []
    fixes = tuple(Fix(f"write `{before.text}{t}{span.text}`", (Edit(gap, t),), Applicability.UNSAFE) for t in texts)
    help_ = ("`@` is the matrix product, `*` multiplies entry by entry",)
    return Diagnostic("SYN010", message, Label(span), help=help_, fixes=fixes)


def joined(source: Source, token: Token, end: int) -> Diagnostic:
    """A line that begins with an operator, and continues the item that ends at ``end``."""
    gap = Span(source, end, token.start)
    found = _leading(source, token)
    if "#" in gap.text:
        return found
    return replace(found, help=(), fixes=(Fix("join the lines", (Edit(gap, " "),), Applicability.SAFE),))


def _leading(source: Source, token: Token) -> Diagnostic:
    help_ = ("to go on with an expression, end the line before with the operator, or put the whole in brackets",)
    message = f"this line begins with `{token.text}`: it does not continue the line before"
    return Diagnostic("SYN022", message, Label(token.span(source)), help=help_)


def _groups(tokens: Sequence[Token], opener: int) -> bool:
    """Whether a ``(`` groups, and is not that of a call."""
    before = tokens[opener - 1] if opener else None
    called = before is not None and is_word(before) and not (opener == 1 and before.text in ITEM_WORDS)
    return tokens[opener].type == "LPAR" and not called


def repaired(source: Source, token: Token, meant: str) -> Diagnostic:
    """A token that was taken for another because only that could be meant."""
    span = token.span(source)
    match token.text:
        case "=":
            fix = Fix("write `==`", (Edit(span, "=="),), Applicability.SAFE)
            message = "an equation is written with `==`"
            notes = ("`=` gives a name to something, `let e = …`, or a default, `data eps = 0.05`",)
            return Diagnostic("SYN007", message, Label(span, "write `==`"), notes=notes, fixes=(fix,))
        case _:
            text = token.text + "="
            fix = Fix(f"write `{text}`", (Edit(span, text),), Applicability.SAFE)
            message = f"`{token.text}` cannot be a constraint: an inequality is `{text}`"
            notes = ("the set would be open, and an optimum on its boundary would not exist",)
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
