"""The classes of tokens are those of the tree, wherever a text parses; and there are some for any text at all."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpplang.core.source import Source
from dpplang.syntax import ast
from dpplang.syntax.classes import Class, classify
from dpplang.syntax.parser import parse
from dpplang.syntax.printer import print_file
from dpplang.syntax.tokens import Token, tokenize
from dpplang.syntax.walk import walk
from tests.syntax import trees
from tests.syntax.helpers import FILES

KEYWORDS = {Class.DECLARATOR, Class.KEYWORD, Class.JOINT}


def by_tree(source: Source) -> dict[int, Class | None]:
    """What the tree says of every word, by where it starts: its class as a name, or None for a keyword."""
    parsed = parse(source)
    assert not any(d.is_error for d in parsed.diagnostics), [d.message for d in parsed.diagnostics]
    words = [t for t in tokenize(source).code if t.type == "NAME"]
    named: dict[int, Class] = {}
    for item in parsed.file.items:
        for node in walk(item):
            for span, kind in _names(node):
                first = next(t for t in words if t.start >= span.start)  # a span may begin with brackets
                named[first.start] = kind
        if isinstance(item, ast.AtomItem):
            named |= {t.start: Class.ATTRIBUTE for t in _record_words(words, item)}
    return {t.start: named.get(t.start) for t in words}


def _names(node: ast.Node) -> Iterator[tuple[ast.Span, Class]]:
    match node:
        case ast.Declaration() | ast.Formal():
            yield node.name.span, Class.DECLARED
        case ast.FuncItem() | ast.AtomItem():
            yield node.name.span, Class.DECLARED
        case ast.ImportItem():
            yield from ((name.span, Class.DECLARED) for name in node.names)
        case ast.ConstraintItem() if node.name is not None:
            yield node.name.span, Class.LABEL
        case ast.Call():
            yield node.function.span, Class.CALLED
        case ast.Membership():
            yield node.cone.span, Class.CONE
        case ast.Attribute() if node.name != "in":
            yield node.span, Class.ATTRIBUTE
        case ast.Clause():
            yield node.span, Class.ATTRIBUTE
            if node.argument is not None:
                yield node.argument.span, Class.NAME
        case ast.Keyword() | ast.Binder():
            yield node.name.span, Class.NAME
        case ast.Dual():
            yield node.constraint.span, Class.NAME
        case ast.Name():
            yield node.span, Class.NAME
        case _:
            pass


def _record_words(words: list[Token], atom: ast.AtomItem) -> Iterator[Token]:
    """The words of ``kind:`` and ``variadic:``, of which the tree keeps only the meaning."""
    source, inside = atom.span.source, [t for t in words if atom.span.start <= t.start < atom.span.end]
    for entry, word in pairwise(inside):
        line = source.line(source.position(entry.start)[0]).strip()
        if entry.text in ("kind", "variadic") and line.startswith(f"{entry.text}:"):
            yield word


def agree(text: str) -> None:
    source = Source("t.dpp", text)
    found = {c.start: c for c in classify(source)}
    for start, kind in by_tree(source).items():
        at = source.position(start)
        got = found[start].kind
        assert (got in KEYWORDS) if kind is None else (got is kind), (text.splitlines()[at[0] - 1], at, got, kind)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_shipped_files(path: Path) -> None:
    agree(path.read_text(encoding="utf-8"))


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(trees.files)
def test_generated_files(tree: ast.File) -> None:
    agree(print_file(tree))


@pytest.mark.parametrize(
    "text",
    [
        "var data[n], dual, value nonneg in [0, 1], test\n",
        "data: data >= 0\nminimize: minimize[0] <= find\nfind\n",
        "var(x) + data[0] <= 1\nreturn >= 0\n",
        "minimize sum(x) subject to cap: x <= 1 return x, dual cap\n",
        "dim\n  n, # sizes\n  m\nparam x[n] nonneg,\n  y psd\n",
        "where(in, for) + if <= import\n",
        "return not, dual dual, not(x)\n",
        "(t, x) in soc\nk[in in in, j in 1:n if not in_ > j and j != 2]: in[j] in pow_cone(0.3)\n",
        "func param(param, const[...]) = param(const, param = 1) + hstack(a for a in const)\n",
        'from "a.dpp" import from, import_, f\n',
        "let e[n] pos = x'\nderived data = let(data, let)\n",
        ("atom atom(param param pos = 1, const const, param) {\n  graph {\n    var test\n    minimize test\n  graph: kind <= 1\n }\n"
        "  test test(1, 2) == 3\n  value: value\n}\n"),
    ],
)  # fmt: skip
def test_words_that_are_names(text: str) -> None:
    agree(text)


def test_every_class() -> None:
    text = '## d\n# c\nparam x[n] pos\ncap: f(x) + "s" in soc\nreturn dual cap, 1\n'
    found = [(text[c.start : c.end], c.kind) for c in classify(Source("t", text))]
    assert found == [
        ("## d", Class.DOC), ("# c", Class.COMMENT),
        ("param", Class.DECLARATOR), ("x", Class.DECLARED), ("[", Class.PUNCTUATION), ("n", Class.NAME), ("]", Class.PUNCTUATION),
        ("pos", Class.ATTRIBUTE), ("cap", Class.LABEL), (":", Class.PUNCTUATION), ("f", Class.CALLED), ("(", Class.PUNCTUATION),
        ("x", Class.NAME), (")", Class.PUNCTUATION), ("+", Class.OPERATOR), ('"s"', Class.STRING), ("in", Class.JOINT),
        ("soc", Class.CONE), ("return", Class.KEYWORD), ("dual", Class.JOINT), ("cap", Class.NAME), (",", Class.PUNCTUATION),
        ("1", Class.NUMBER),
    ]  # fmt: skip


_PIECES = ["x", " ", "\n", "dim ", "in ", "(", "]", "{", "}", ",", "=", ":", "²", "≤", '"', "#", "atom f(x) {"]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=60).map("".join))
def test_any_text_has_classes_in_order(text: str) -> None:
    found = classify(Source("t", text))
    assert all(a.end <= b.start for a, b in pairwise(found))
    covered = "".join(text[c.start : c.end] for c in found)
    assert covered.replace(" ", "").replace("\n", "") == text.replace(" ", "").replace("\n", "")
