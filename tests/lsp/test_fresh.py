"""After every edit, what is found is what a fresh check of the text finds; and nothing that is asked makes it fall."""

from __future__ import annotations

import gc
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from lsprotocol.types import CompletionList, Position, PrepareRenamePlaceholder

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.source import Source
from dpplang.lsp import (
    actions,
    completion,
    diagnostics,
    folding,
    formatting,
    hints,
    hover,
    lens,
    navigation,
    signature,
    symbols,
    tokens,
)
from dpplang.lsp.analysis import Session
from dpplang.lsp.lines import Encoding, Lines
from dpplang.lsp.settings import Hints
from dpplang.lsp.view import View
from dpplang.pipeline import Compilation
from dpplang.semantics.memo import Stopped
from dpplang.semantics.tree import Constraint
from tests.lsp.helpers import PORTFOLIO, received, sent

ROOT = Path(__file__).resolve().parents[2]
WARNED = """\
# Every lint has something to say, of constraints that have names and of such that are counted.
dim n, T = 4
param a[n], b nonneg, shift, idle pos
param c[n] nonneg
derived e = b * b
var x[n], y[n], u[T, n], far
let r = x - y
func size(z[n]) = sum_squares(z) + norm1(z)
minimize size(r) + shift + e + far
subject to
  x >= 0
  0 <= x
  first: a' @ x == b
  b == a' @ x
  c >= 0
  1 <= 2
  x == 1
  ball[t in T]: size(u[t]) <= 3
  same[s in T]: size(u[s]) <= 3
  -1 <= y <= 1
  c' @ y <= b  # allow: LNT107
  c' @ y <= b
"""
TEXTS = [PORTFOLIO, *(p.read_text(encoding="utf-8") for p in sorted((ROOT / "examples").rglob("*.dpp")))]
JUNK = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "'",
    "=",
    "==",
    "<",
    ",",
    ":",
    "\n",
    " in ",
    "for ",
    "minimize ",
    "dual ",
    "#",
    "≤",
]
WORDS = [
    "x",
    "n",
    "T",
    "w",
    "risk",
    "0",
    "1",
    "var z[n]\n",
    "dim q\n",
    "let e = sum(w)\n",
    "param nn\n",
    " @ ",
    " * ",
    "t",
]


def said(found: tuple[Diagnostic, ...]) -> list[str]:
    """Everything of the diagnostics but their fixes, and the help that a fix makes needless."""
    return [
        f"{(d.code, d.message, d.primary, d.secondary, d.notes, d.severity)}"
        for d in sorted(found, key=lambda d: d.sort_key)
    ]


def fresh(text: str) -> list[str]:
    return said(Compilation(Source("a.dpp", text)).diagnostics)


def edit(text: str, rng: random.Random) -> str:
    """Something typed, deleted, or moved."""
    start = rng.randrange(len(text) + 1)
    match rng.randrange(8):
        case 0 | 1:
            return text[:start] + rng.choice(JUNK) + text[start:]
        case 2 | 3:
            return text[:start] + rng.choice(WORDS) + text[start:]
        case 4:
            return text[:start] + text[start + rng.choice([1, 1, 2, 5]) :]
        case 5:
            lines = text.split("\n")
            del lines[rng.randrange(len(lines))]
            return "\n".join(lines)
        case 6:
            lines = text.split("\n")
            i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
            lines[i], lines[j] = lines[j], lines[i]
            return "\n".join(lines)
        case _:
            lines = text.split("\n")
            lines.insert(rng.randrange(len(lines)), rng.choice(lines))
            return "\n".join(lines)


def ask(view: View, rng: random.Random) -> dict[str, object]:
    """The answers to every request, as they are sent, at a place that may be anywhere."""
    size = len(view.analysis.text)
    offset = view.offset(Position(rng.randrange(40), rng.randrange(80)))
    start, end = sorted((rng.randrange(size + 1), rng.randrange(size + 1)))
    snippets = rng.random() < 0.5
    answers: dict[str, object] = {
        "diagnostics": diagnostics.diagnostics(view),
        "hover": hover.hover(view, offset),
        "completion": completion.completion(view, offset, snippets=snippets),
        "signature": signature.signature_help(view, offset),
        "definition": navigation.definition(view, offset),
        "references": navigation.references(view, offset, declaration=True),
        "highlights": navigation.highlights(view, offset),
        "renamable": navigation.renamable(view, offset),
        "tokens": tokens.written(tokens.encoded(view)),
        "some tokens": tokens.encode(tokens.tokens(view, start, end), view.lines),
        **{f"{level.value} hints": hints.hints(view, start, end, level) for level in Hints},
        "all hints": hints.hints(view, 0, size, Hints.TOP),
        "lenses": lens.lenses(view),
        "folding": folding.folding(view),
        "selection": folding.selection(view, view.lines.position(offset)),
        "symbols": symbols.outline(view),
        "flat symbols": symbols.flattened(view),
        "formatting": formatting.formatting(view),
        "actions": actions.actions(view, start, end, ["quickfix"], 1, view.analysis.diagnostics),
    }
    return {name: found if isinstance(found, str) else sent(found) for name, found in answers.items()}


def consistent(view: View, answers: dict[str, Any]) -> None:
    """What is written from pieces is what the protocol's own objects say, and answers agree with each other."""
    whole = tokens.encode(tokens.tokens(view, 0, len(view.analysis.text)), view.lines)
    assert json.loads(answers["tokens"]) == whole and len(whole) % 5 == 0 and min(whole, default=0) >= 0
    made = symbols.document_symbols(view.analysis.items, view.lines)
    assert json.loads(answers["symbols"]) == sent(made)
    assert json.loads(answers["flat symbols"]) == sent(symbols.flat(view.uri, made))
    listed = received(answers["completion"], CompletionList)
    for item in listed.items[:3]:
        completion.resolve(item)
    found = answers["references"]
    assert len(answers["highlights"]) == len(found)
    if answers["renamable"] is not None:
        at = view.offset(received(json.dumps(answers["renamable"]), PrepareRenamePlaceholder).range.start)
        assert len(navigation.rename(view, at, "quite_new_name")) == len(found)


def edits(seed: int, count: int, texts: Sequence[str] = TEXTS) -> None:
    rng = random.Random(seed)
    start = text = rng.choice(texts)
    session = Session("a.dpp", None)
    encoding = rng.choice(list(Encoding))
    chunks: list[tokens.Chunk] = []
    for _ in range(count):
        analysis = session.analyze(text)
        assert said(analysis.diagnostics) == fresh(text), text
        view = View("file:///a.dpp", analysis, Lines(text, encoding))
        state = rng.getstate()
        answers = ask(view, rng)
        consistent(view, answers)
        before, chunks = chunks, tokens.encoded(view)
        assert applied(before, chunks) == json.loads(tokens.written(chunks))
        rng.setstate(state)
        again = ask(View(view.uri, Session("a.dpp", None).analyze(text), view.lines), rng)
        assert [name for name in answers if answers[name] != again[name]] == [], text
        text = start if rng.random() < 0.1 else edit(text, rng)


def applied(before: list[tokens.Chunk], after: list[tokens.Chunk]) -> list[int]:
    """The numbers of a version as a client has them, from those before and their delta."""
    numbers = json.loads(tokens.written(before))
    for found in json.loads(tokens.delta(before, after)):
        numbers[found["start"] : found["start"] + found["deleteCount"]] = found["data"]
    return numbers


@pytest.mark.parametrize("seed", range(12))
def test_edits(seed: int) -> None:
    edits(seed, 20)


@pytest.mark.parametrize("seed", range(4))
def test_edits_that_leave_a_program_with_warnings(seed: int) -> None:
    """Lines are left out, doubled and exchanged, most often twice in a row, and what lints remember is right."""
    rng = random.Random(seed)
    session = Session("a.dpp", None)
    text, linted = WARNED, 0
    for _ in range(40):
        found = session.analyze(text).diagnostics
        assert said(found) == fresh(text), text
        linted += any(d.code.startswith("LNT") for d in found)
        lines = (WARNED if rng.random() < 0.3 else text).split("\n")
        i, j = rng.randrange(10, len(lines) - 1), rng.randrange(10, len(lines) - 1)
        match rng.randrange(3):
            case 0:
                del lines[i]
            case 1:
                lines.insert(i, lines[j])
            case _:
                lines[i], lines[j] = lines[j], lines[i]
        text = "\n".join(lines)
    assert linted > 15


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_more_edits(seed: int) -> None:
    """Seeds to thousands are run by hand: `edits(seed, 100)` for as many as time allows."""
    edits(seed, 100)


def test_a_stopped_analysis_leaves_nothing_behind() -> None:
    session = Session("a.dpp", None)
    session.analyze(PORTFOLIO)
    calls = iter(range(1000))
    with pytest.raises(Stopped):
        session.analyze(PORTFOLIO.replace("dim T", "dim TT"), lambda: next(calls) > 3)
    for text in (PORTFOLIO.replace("tau nonneg", "tau nonpos"), PORTFOLIO):
        assert said(session.analyze(text).diagnostics) == fresh(text)


def test_an_edit_leaves_what_it_does_not_touch() -> None:
    """The very objects are kept: an edit of one constraint types that one again, and no other."""
    session = Session("a.dpp", None)
    before = session.analyze(PORTFOLIO).checked.typed.model.constraints
    after = session.analyze(PORTFOLIO.replace("<= 0.2", "<= 0.3")).checked.typed.model.constraints
    assert [a is b for a, b in zip(before, after, strict=True)] == [True, True, True, False, False, True]


def test_nothing_is_kept_of_what_is_gone() -> None:
    """A text that is edited a thousand times leaves no more behind than one version of it."""
    session = Session("a.dpp", None)
    for number in range(100):
        assert session.analyze(PORTFOLIO + f"# {number}\n").diagnostics is not None
    gc.collect()
    few = sum(isinstance(o, Constraint) for o in gc.get_objects())
    for number in range(100, 300):
        assert session.analyze(PORTFOLIO.replace("0.2", f"0.{number}")).diagnostics is not None
    gc.collect()
    assert sum(isinstance(o, Constraint) for o in gc.get_objects()) <= few + 12


def test_an_index_that_strays_in_two_constraints_is_said_in_both() -> None:
    """Index variables are numbered for each item: what is said once of one is not of another."""
    text = "dim T\nvar x[T]\nminimize sum(x)\nsubject to\n  a[t in T]: x[t + 1] >= 0\n  b[t in T]: x[t + 1] <= 1\n"
    assert said(Session("a.dpp", None).analyze(text).diagnostics) == fresh(text)
    assert len(fresh(text)) == 2
