"""The TextMate grammar against the language: on vscode-textmate and Oniguruma, what VS Code itself colours with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from dpplang.core.codes import CODES
from dpplang.core.source import Source
from dpplang.syntax.classes import Class, classify
from tests.editors import node
from tests.editors.texts import HALF_WRITTEN, TRICKY

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("stdlib/*.dpp"), *ROOT.glob("examples/*/*.dpp")])

# The longest prefix of the innermost scope that is listed → what it may colour.
SCOPES: dict[str, set[Class]] = {
    "comment.line.number-sign": {Class.COMMENT},
    "comment.line.documentation": {Class.DOC},
    "storage.type": {Class.DECLARATOR},
    "keyword.control": {Class.KEYWORD},
    "keyword.control.import": {Class.DECLARATOR, Class.JOINT},
    "keyword.control.generator": {Class.JOINT},
    "keyword.operator.expression": {Class.JOINT},
    "keyword.other.entry": {Class.KEYWORD},
    "storage.modifier.dual": {Class.JOINT},
    "storage.modifier.mode": {Class.JOINT},
    "storage.modifier.attribute": {Class.ATTRIBUTE},
    "constant.language.fact": {Class.ATTRIBUTE},
    "support.type.cone": {Class.CONE},
    "entity.name.function": {Class.DECLARED},
    "entity.name.function.call": {Class.CALLED},
    "entity.name.label": {Class.LABEL},
    "variable.other.declaration": {Class.DECLARED},
    "variable.parameter": {Class.DECLARED},
    "variable.other.dpp": {Class.NAME, Class.CONE},
    "constant.language": {Class.NAME},
    "constant.numeric": {Class.NUMBER},
    "string.quoted": {Class.STRING},
    "keyword.operator": {Class.OPERATOR},
    "punctuation": {Class.PUNCTUATION},
}


def tokenized(texts: list[str]) -> list[list[tuple[int, int, str]]]:
    """(start, end, scope) in code points for every text, with the innermost scope but for parts of comments, strings."""
    answer = json.loads(node.run("tokenize", stdin=json.dumps(texts)))
    assert answer["complaints"] == []
    return [list(_offsets(text, tokens)) for text, tokens in zip(texts, answer["answers"], strict=True)]


def _offsets(text: str, tokens: list[tuple[int, int, int, list[str]]]) -> Iterator[tuple[int, int, str]]:
    start_of_line = 0
    lines = text.split("\n")
    for number, found in groupby(tokens, key=lambda t: t[0]):
        start_of_line = sum(len(line) + 1 for line in lines[:number])
        encoded = lines[number].encode("utf-16-le")
        for _, start, end, scopes in found:
            before = len(encoded[: 2 * start].decode("utf-16-le"))
            length = len(encoded[2 * start : 2 * end].decode("utf-16-le"))
            whole = next((s for s in scopes if s.startswith(("comment.", "string."))), None)
            yield start_of_line + before, start_of_line + before + length, whole or (scopes[-1] if scopes else "")


def allowed(scope: str) -> set[Class]:
    known = [prefix for prefix in SCOPES if scope.startswith(prefix)]
    return SCOPES[max(known, key=len)] if known else set()


def disagreements(text: str, tokens: list[tuple[int, int, str]]) -> list[str]:
    """Every token of the language whose colour is another's, or runs over its end."""
    scope_at = {at: scope for start, end, scope in tokens for at in range(start, end)}
    source = Source("t.dpp", text)
    wrong: list[str] = []
    for start, end, kind in classify(source):
        scopes = {scope_at.get(at, "") for at in range(start, end)}
        if not all(kind in allowed(scope) for scope in scopes):
            line, column = source.position(start)
            wrong.append(f"{line}:{column} `{text[start:end]}` is a {kind.value}, coloured {sorted(scopes)}")
    return wrong


def test_agrees_on_every_shipped_file() -> None:
    texts = [path.read_text(encoding="utf-8") for path in FILES]
    for path, text, tokens in zip(FILES, texts, tokenized(texts), strict=True):
        assert disagreements(text, tokens) == [], path


def test_agrees_on_tricky_texts() -> None:
    for text, tokens in zip(TRICKY, tokenized(TRICKY), strict=True):
        assert disagreements(text, tokens) == [], text


def test_a_half_written_line_does_not_discolour_what_follows() -> None:
    """The last line of each text is whole, whatever stands above it."""
    for text, tokens in zip(HALF_WRITTEN, tokenized(HALF_WRITTEN), strict=True):
        last = text.rstrip("\n").count("\n") + 1
        assert [w for w in disagreements(text, tokens) if w.startswith(f"{last}:")] == [], text


def test_agrees_on_the_mended_examples_of_the_diagnostics() -> None:
    texts = [code.mended for code in CODES.values() if code.mended]
    assert len(texts) > 50
    for text, tokens in zip(texts, tokenized(texts), strict=True):
        assert disagreements(text, tokens) == [], text


def test_white_space_has_no_colour() -> None:
    text = "var x  # c\n  minimize  x\n"
    (tokens,) = tokenized([text])
    for start, end, scope in tokens:
        if text[start:end].isspace():
            assert not scope or scope.startswith(("meta.", "comment.")), (start, scope)


def test_docs_show_code_and_mathematics() -> None:
    text = "## `x` and $y$\n"
    answer = json.loads(node.run("tokenize", stdin=json.dumps([text])))["answers"][0]
    inner = {text[start:end]: scopes[-1] for _, start, end, scopes in answer if scopes}
    assert inner["`x`"] == "markup.inline.raw.dpp" and inner["$y$"] == "markup.math.inline.dpp"
