"""The Pygments lexer: found by its entry point, and true to the text."""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.token import Keyword, Name, String

from dpplang.highlight import DppLexer

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("stdlib/*.dpp"), *ROOT.glob("examples/*/*.dpp")])


def test_the_entry_point_names_the_lexer() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, name = project["entry-points"]["pygments.lexers"]["dpp"].split(":")
    found = getattr(import_module(module), name)
    assert issubclass(found, Lexer) and found is DppLexer


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_no_character_is_lost_and_none_is_an_error(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lexer = DppLexer(stripnl=False)
    assert "".join(part for _, part in lexer.get_tokens(text)) == text
    assert 'class="err"' not in highlight(text, lexer, HtmlFormatter())


def test_soft_keywords_are_coloured_by_where_they_stand() -> None:
    found = [(part, kind) for kind, part in DppLexer().get_tokens("## d\nvar data\ndata: data >= 0\n") if part.strip()]
    assert found[:5] == [
        ("## d", String.Doc),
        ("var", Keyword.Declaration),
        ("data", Name.Variable),
        ("data", Name.Label),
        (":", found[4][1]),
    ]
    assert found[5] == ("data", Name)
