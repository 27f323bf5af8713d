"""Colours where they are wanted, carets where their text is."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from dpplang.cli.main import main
from dpplang.cli.terminal import wants_color
from dpplang.core.render import render_human
from dpplang.core.source import Source
from dpplang.pipeline import Compilation


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "environment, terminal, pipe",
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": ""}, True, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "3"}, True, True),
    ],
)
def test_who_gets_colours(
    environment: dict[str, str], terminal: bool, pipe: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert wants_color(Terminal()) is terminal
    assert wants_color(io.StringIO()) is pipe


def test_check_through_a_pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "m.dpp"
    program.write_text("var x\nminimize sqrt(x) + y\n")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert main(["check", str(program)]) == 1
    assert "\x1b[" not in capsys.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert main(["check", str(program)]) == 1
    assert "\x1b[1;31merror" in capsys.readouterr().out


def columns(text: str) -> int:
    """Columns of a terminal, by the book: Unicode's East Asian widths, and nothing for marks that combine."""
    import unicodedata

    return sum(
        0 if unicodedata.combining(c) or c in "\u200d\ufe0f" else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


@pytest.mark.parametrize(
    "line",
    [
        "minimize sum_squares(x) + 変数 * 変数",
        "minimize\tsum_squares(x) +\tα\t* α",
        "minimize sum_squares(x) + ｆｕｌｌ * ｆｕｌｌ",
        "minimize sum_squares(x) + e\u0301te\u0301 * $ u",
        "minimize\tsum_squares(x) + 変\t数 * e\u0301 $",
    ],
)
def test_carets_stand_below_their_text(line: str) -> None:
    text = f"dim n\nparam u\nvar x[n], 変数, α, ｆｕｌｌ\n{line}\n"
    found = [d for d in Compilation(Source("m.dpp", text)).diagnostics if d.primary and d.primary.span.line == 4][-1]
    assert found.primary is not None
    assert found.primary.span.column > len("minimize sum_squares(x) +")
    lines = render_human([found], color=False).split("\n")
    at = next(i for i, shown in enumerate(lines) if shown.startswith("4 |"))
    caret = columns(lines[at + 1][: lines[at + 1].index("^")])
    start = found.primary.span.column - 1
    expected = 0
    for character in line[:start]:
        expected += 4 - expected % 4 if character == "\t" else columns(character)
    assert caret == expected + len("4 | ")
