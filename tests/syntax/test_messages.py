"""Syntax errors are in words for people: the right code at the right place, no terminal's name, a fix that mends."""

from __future__ import annotations

import re

import pytest

from dpplang.core.codes.syntax import SYNTAX_CODES
from dpplang.core.diagnostics import Diagnostic
from dpplang.syntax.tables import load_tables
from tests.syntax.helpers import FILES, clean, codes, read

# text, code, what is marked
SLIPS = [
    ("x = 1", "SYN007", "="),
    ("c: x = 1", "SYN007", "="),
    ("c[i in n if i = 0]: x[i] >= 1", "SYN007", "="),
    ("x < 1", "SYN008", "<"),
    ("0 < x <= 1", "SYN008", "<"),
    ("x != 1", "SYN009", "!="),
    ("minimize x**2", "SYN006", "**"),
    ("minimize x.T @ x", "SYN006", ".T"),
    ("minimize xᵀ @ x", "SYN006", "ᵀ"),
    ("minimize x² + 1", "SYN006", "²"),
    ("x ≤ 1", "SYN006", "≤"),
    ("minimize a − b", "SYN006", "−"),
    ("minimize a · b", "SYN006", "·"),
    ("minimize x’ @ x", "SYN006", "’"),
    ("minimize f（x)", "SYN006", "（"),
    ("minimize a .* b", "SYN006", ".*"),
    ("c[i in n if i > 0 && i < 2]: x[i] >= 1", "SYN006", "&&"),
    ("dim n;", "SYN006", ";"),
    ("s.t.", "SYN006", "s.t."),
    ("subject to:", "SYN012", "subject to:"),
    ("subject", "SYN012", "subject"),
    ("such that", "SYN012", "such that"),
    ("constraints:", "SYN012", "constraints:"),
    ("subjct to", "SYN013", "subjct"),
    ("paramm n", "SYN013", "paramm"),
    ("minimise x", "SYN013", "minimise"),
    ("minimise 2 * x", "SYN013", "minimise"),
    ("variable x[n]", "SYN013", "variable"),
    ("retrun x", "SYN013", "retrun"),
    ("Minimize sum(x)", "SYN013", "Minimize"),
    ("minimize 2 x", "SYN010", "x"),
    ("minimize 2x", "SYN010", "x"),
    ("minimize 3(a + b)", "SYN010", "("),
    ("minimize f(a b)", "SYN010", "b"),
    ("minimize [1 2]", "SYN010", "2"),
    ("param x[n] y[n]", "SYN010", "y"),
    ("minimize a b", "SYN010", "b"),
    ("minimize (a + b", "SYN004", "("),
    ("minimize f[a + b", "SYN004", "["),
    ("minimize a + b)", "SYN005", ")"),
    ("minimize (a + b]", "SYN005", "]"),
    ("minimize x for t in T", "SYN011", "for"),
    ("x[i] <= 1 for i in n", "SYN011", "for i in n"),
    ("x <= 1 and y <= 2", "SYN011", "and"),
    ("minimize f(x for i in n)", "SYN011", "x for i in n"),
    ("minimize f(M = 2, x)", "SYN011", "x"),
    ('let z = "abc', "SYN003", '"abc'),
    ("from 'a.dpp' import f", "SYN003", "'a.dpp'"),
    ("minimize x ? y", "SYN002", "?"),
    ("minimize $x", "SYN002", "$"),
    ("minimize 1e999", "SYN015", "1e999"),
    ("minimize 1e-999", "SYN015", "1e-999"),
    ("minimize (a, b)", "SYN018", ","),
    ("minimize sum((a, b))", "SYN018", ","),
    ("minimize dual c", "SYN019", "dual c"),
    ("dim n[3]", "SYN020", "n[3]"),
    ("dim n nonneg", "SYN020", "nonneg"),
    ("dim n = 1.5", "SYN020", "1.5"),
    ("var x = 3", "SYN020", "3"),
    ("param p = 3", "SYN020", "3"),
    ("func f(param x) = x", "SYN020", "param x"),
    ("* x", "SYN022", "*"),
    ("+ x", "SYN022", "+"),
    ("<= x", "SYN022", "<="),
    ("norm1(x)", "SYN023", "norm1(x)"),
    ("c: norm1(x)", "SYN023", "c: norm1(x)"),
    ("minimize", "SYN014", ""),
    ("minimize x +", "SYN014", ""),
    ("param", "SYN014", ""),
    ("let z =", "SYN014", ""),
    ("let z", "SYN014", ""),
    ("from \"a.dpp\" import", "SYN014", ""),
    ("c[i in n] x >= 0", "SYN001", "in"),
    ("(x, t) <= 1", "SYN001", "<="),
    ("minimize x[1:2:3]", "SYN001", ":"),
    ("minimize x[...]", "SYN001", "..."),
    ("var x in [0]", "SYN001", "]"),
    ("dim 3", "SYN001", "3"),
    ("minimize []", "SYN001", "]"),
    ("atom f(x)", "SYN021", "atom"),
    ("atom f(x) { knid: plain }", "SYN013", "knid"),
    ("atom f(x) { flavour: plain }", "SYN021", "flavour"),
    ("atom f(x) { kind: plian }", "SYN021", "plian"),
    ("atom f(x) {\n value: x\n value: x\n}", "SYN021", "value"),
    ("atom f(x) {\n graph {\n  dim n\n }\n}", "SYN021", "dim n"),
    ("atom f(x) {\n graph\n}", "SYN021", "graph"),
    ("subject to { x >= 0 }", "SYN005", "{"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "marked"), SLIPS, ids=lambda v: str(v)[:30])
def test_code_and_place(text: str, code: str, marked: str) -> None:
    found = read(text + "\n").diagnostics
    assert found and found[0].code == code, [(d.code, d.message) for d in found]
    assert found[0].primary is not None and found[0].primary.span.text == marked
    if text.count("{") == text.count("}") or code != "SYN005":
        assert len({d.code for d in found}) == 1 or code == "SYN005", [(d.code, d.message) for d in found]
    for d in found:
        check_words(d)


@pytest.mark.parametrize(
    ("text", "code", "marked"),
    [s for s in SLIPS if s[1] in {"SYN006", "SYN007", "SYN008", "SYN010", "SYN012", "SYN013"}],
    ids=lambda v: str(v)[:30],
)
def test_fixes_mend(text: str, code: str, marked: str) -> None:
    """Applying the fixes leaves no error of syntax, and the tree that was read all along."""
    parsed = read(text + "\n")
    mended = text + "\n"
    fixes = [d.fixes[0] for d in parsed.diagnostics if d.fixes]
    if any(len(d.fixes) > 1 for d in parsed.diagnostics):
        assert code == "SYN010"  # an operator or a comma is missing, and only the author knows which
        return
    for edit in sorted((e for f in fixes for e in f.edits), key=lambda e: -e.span.start):
        mended = mended[: edit.span.start] + edit.text + mended[edit.span.end :]
    assert clean(mended) == parsed.file


TERMINALS = {name for name in load_tables().terminals if len(name) > 1} | set(load_tables().patterns) | {"LABEL"}


def check_words(d: Diagnostic) -> None:
    """No terminal's name, no piece of a parser's innards, no empty word."""
    parts = [d.message, *d.notes, *d.help, *(f.title for f in d.fixes)]
    parts += [label.text for label in (d.primary, *d.secondary) if label is not None]
    for part in parts:
        bare = re.sub(r"`[^`]*`", "", part)
        assert not set(re.findall(r"\b[A-Z_]{2,}\b", bare)) & TERMINALS, part
        assert "Token(" not in part and "__" not in bare and "$END" not in part and "``" not in part, part
    assert d.message and d.message == d.message.strip() and not d.message.endswith(".")
    assert d.code in {info.code for info in SYNTAX_CODES}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_every_cut_of_a_shipped_file_has_words(path) -> None:
    """Each line ended early at each of its words: whatever the state, what was expected can be said."""
    for line in path.read_text(encoding="utf-8").splitlines():
        for cut in {m.start() for m in re.finditer(r"\W+|\b", line)}:
            for d in read(line[:cut] + "\n").diagnostics:
                check_words(d)


@pytest.mark.parametrize("info", [i for i in SYNTAX_CODES if i.failing], ids=lambda i: i.code)
def test_programs_of_the_registry(info) -> None:
    assert info.code in {code for _, code in codes(info.failing)}
    assert not codes(info.mended)


def test_codes_are_in_order_and_explained() -> None:
    names = [info.code for info in SYNTAX_CODES]
    assert names == sorted(set(names)) and all(re.fullmatch(r"SYN0\d\d", n) for n in names)
    assert all(info.title and len(info.explanation) > 40 for info in SYNTAX_CODES)
