"""The formatter: one form, the same program, every comment; and what that form looks like."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dpplang.core.source import Source
from dpplang.syntax import ast
from dpplang.syntax.document import HARD, LINE, SOFT, Doc, Remark, flat, group, joined, nest, render, width
from dpplang.syntax.formatting import format_source
from dpplang.syntax.parser import parse
from dpplang.syntax.phrases import WIDTH
from dpplang.syntax.printer import print_file
from dpplang.syntax.tokens import tokenize
from tests.conftest import Golden
from tests.syntax import trees
from tests.syntax.helpers import FILES

GOLDEN = Path(__file__).parent / "golden"


def formatted(text: str) -> str:
    found = format_source(Source("t.dpp", text))
    assert found.text is not None, [d.message for d in found.diagnostics]
    return found.text


def comments(text: str) -> list[str]:
    return sorted(c.text.lstrip("#").strip() for c in parse(Source("t", text)).file.comments)


# --- the program stays the same ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_shipped_files_are_in_canonical_form(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert formatted(text) == text, f"run `dpp fmt {path}`"


def commented(text: str, seed: int) -> str:
    """The text with a comment at the end of some lines, and with its lines broken wherever they may be."""
    rng, source = random.Random(seed), Source("t", text)
    made, at, depth, number = [], 0, 0, 0
    for token in tokenize(source).code:
        made.append(text[at : token.end])
        at = token.end
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if (
            token.type == "\n"
            or not (depth or token.type in ("COMMA", "PLUS", "STAR", "LESS_EQUAL"))
            or rng.random() < 0.6
        ):
            continue
        number += 1
        made.append(rng.choice(["\n", f"  # c{number}\n", f"\n# c{number}\n", f"  # c{number}\n  # d{number}\n\n"]))
    return "".join(made) + text[at:]


def _survives(text: str) -> bool:
    """Whether the text is a program; then that formatting it keeps it and its comments."""
    before = parse(Source("t", text))
    if before.diagnostics:
        return False  # a break there changed what a line is
    once = formatted(text)
    assert parse(Source("t", once)).file == before.file
    assert comments(once) == comments(text)
    assert formatted(once) == once
    return True


# Making these trees takes far longer than formatting them.
@settings(
    max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
@given(trees.files, st.integers(0, 10**6))
def test_comments_anywhere_survive(tree: ast.File, seed: int) -> None:
    for shift in range(10):
        _survives(commented(print_file(tree), seed + shift))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_comments_anywhere_in_shipped_files_survive(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    kept = [_survives(commented(text, seed)) for seed in range(4 if len(text) < 2000 else 1)]
    assert any(kept) or len(text) > 2000


def test_a_file_with_errors_has_no_canonical_form() -> None:
    found = format_source(Source("t", "param n[\nvar x\n"))
    assert found.text is None and found.diagnostics


def test_long_files_take_linear_time() -> None:
    numbers = ", ".join(map(str, range(4_000)))
    text = formatted(f"dim n\ndata a[n] = [{numbers}]\nvar x\nminimize x\n")
    assert max(map(len, text.splitlines())) <= WIDTH


# --- the algebra -------------------------------------------------------------------------------------------------


def _lists(below: st.SearchStrategy[Doc]) -> st.SearchStrategy[Doc]:
    return st.lists(below, min_size=1, max_size=4).map(
        lambda parts: group("(", nest(2, SOFT, joined((",", LINE), parts)), SOFT, ")")
    )


documents = st.recursive(st.sampled_from(["a", "bb", "ccc"]), _lists, max_leaves=20)


@given(documents, st.integers(5, 40))
def test_a_group_is_broken_only_where_it_does_not_fit(doc: Doc, columns: int) -> None:
    lines = render(doc, columns)
    text = flat(doc)
    assert "".join("".join(line.split()) for line in lines) == "".join(text.split())
    assert (len(lines) == 1) == (len(text) <= columns)
    assert width(doc, columns) == (len(text) if len(text) <= columns else None)
    # A line is too long only where it cannot be broken: an atom, its bracket and what must follow it.
    assert all(len(line) <= columns or len(line.strip()) <= 5 for line in lines)


def test_what_is_forced_breaks_all_around_it() -> None:
    assert render(group("(", nest(2, SOFT, "a", HARD, "b"), SOFT, ")"), 80) == ["(", "  a", "  b", ")"]
    assert render(group("f(", nest(2, SOFT, "a,", Remark("# why"), LINE, "b"), SOFT, ")"), 80) == [
        "f(", "  a,  # why", "  b", ")",
    ]  # fmt: skip


# --- what it looks like ------------------------------------------------------------------------------------------


def test_the_look_of_it(golden: Golden) -> None:
    """``tests/syntax/golden/canonical.dpp`` is what ``untidy.dpp`` beside it becomes (``pytest --bless``)."""
    text = (GOLDEN / "untidy.dpp").read_text(encoding="utf-8")
    golden(GOLDEN / "canonical.dpp", formatted(text))
    lines = formatted(text).splitlines()
    assert max(len(line) for line in lines if "#" not in line) <= WIDTH


ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(?:dpp(?: broken)?)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", ["README.md", "docs/language.md"])
def test_programs_in_the_docs_are_canonical(name: str) -> None:
    blocks = _BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))
    programs = [b for b in blocks if format_source(Source(name, b)).text is not None]
    assert len(programs) >= 3
    assert [formatted(program) for program in programs] == programs


def test_every_program_of_the_repository_can_be_formatted() -> None:
    """Those of the tests among them, which are not in canonical form; what comes out is."""
    count = 0
    for path in sorted((ROOT / "tests").rglob("*.dpp")):
        found = format_source(Source(path.name, path.read_text(encoding="utf-8")))
        if found.text is not None:
            count += 1
            assert formatted(found.text) == found.text, path
    assert count >= 3
