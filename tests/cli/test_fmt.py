"""``dpp fmt``: what it writes, what it leaves alone, and what it says."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from dpplang.cli.main import main
from dpplang.core.errors import InternalError

UNTIDY = "var x\nminimize x+1  # one\n"
TIDY = "var x\n\nminimize x + 1  # one\n"
BROKEN = "var x[\nminimize x\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "untidy.dpp").write_text(UNTIDY)
    (tmp_path / "tidy.dpp").write_text(TIDY)
    return tmp_path


def test_files_are_formatted_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "untidy.dpp", "tidy.dpp", "untidy.dpp"]) == 0
    assert capsys.readouterr().out == "formatted untidy.dpp\n1 file formatted, 1 in canonical form already\n"
    assert (folder / "untidy.dpp").read_text() == TIDY
    assert main(["fmt", "."]) == 0
    assert capsys.readouterr().out == "2 files in canonical form already\n"


def test_check_and_diff_write_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "--check", "untidy.dpp", "tidy.dpp"]) == 1
    assert "would format untidy.dpp" in capsys.readouterr().out
    assert main(["fmt", "--diff", "untidy.dpp"]) == 1
    out = capsys.readouterr().out
    assert "-minimize x+1  # one" in out and "+minimize x + 1  # one" in out
    assert (folder / "untidy.dpp").read_text() == UNTIDY
    assert main(["fmt", "--check", "--diff", "tidy.dpp"]) == 0


def test_folders_are_searched_but_for_hidden_ones(folder: Path) -> None:
    for name in ("below/deeper", ".hidden", "venv/lib/site-packages/p"):
        (folder / name).mkdir(parents=True)
        (folder / name / "p.dpp").write_text(UNTIDY)
    assert main(["fmt", "."]) == 0
    assert (folder / "below/deeper/p.dpp").read_text() == TIDY
    assert (folder / ".hidden/p.dpp").read_text() == UNTIDY
    assert (folder / "venv/lib/site-packages/p/p.dpp").read_text() == UNTIDY


def test_a_broken_file_is_left_alone_and_the_others_are_not(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "broken.dpp").write_text(BROKEN)
    assert main(["fmt", "."]) == 1
    out = capsys.readouterr().out
    assert "broken.dpp:1" in out and "1 file formatted, 1 in canonical form already, 1 with errors, left alone" in out
    assert (folder / "broken.dpp").read_text() == BROKEN
    assert (folder / "untidy.dpp").read_text() == TIDY


@pytest.mark.parametrize(
    ("arguments", "code", "printed"), [(["-"], 0, TIDY), (["--check", "-"], 1, "would format <stdin>\n")]
)
def test_standard_input(
    arguments: list[str], code: int, printed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(UNTIDY))
    assert main(["fmt", *arguments]) == code
    assert capsys.readouterr().out == printed


def test_broken_standard_input_prints_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(BROKEN))
    assert main(["fmt", "-"]) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and "<stdin>:1" in captured.err


def test_wrong_calls(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "-", "tidy.dpp"]) == 2
    assert main(["fmt", "nothing.dpp"]) == 2
    (folder / "empty").mkdir()
    assert main(["fmt", "empty"]) == 2
    assert "there is no .dpp file in `empty`" in capsys.readouterr().err


def test_nothing_is_written_that_would_be_another_program(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the printer makes is read again: here one that loses the objective."""
    monkeypatch.setattr("dpplang.syntax.formatting.print_file", lambda _: "var x\n")
    monkeypatch.setenv("DPP_TRACEBACK", "1")
    with pytest.raises(InternalError, match="would change its meaning"):
        main(["fmt", "untidy.dpp"])
    assert (folder / "untidy.dpp").read_text() == UNTIDY
