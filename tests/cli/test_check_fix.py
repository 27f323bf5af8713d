"""``dpp check --fix``: what it writes, what it leaves alone, what it says."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from dpplang.cli.main import main

PROGRAM = """\
# a comment
dim n
param p pos
data b[n]
var x[n]
minimize sum_squares(x - b) / p   # the cost
"""
MENDED = """\
# a comment
dim n
param p pos
data b[n]
var x[n]
derived p_inv = 1 / p
minimize sum_squares(x - b) * p_inv   # the cost
"""
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def put(text: str) -> Path:
        path = Path("m.dpp")
        path.write_bytes(text.encode())
        return path

    return put


def test_safe_fixes_are_written_and_told(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(PROGRAM.replace("/ p ", "/ (1 + p) "))
    assert main(["check", "--fix", "m.dpp"]) == 0
    out = capsys.readouterr().out
    assert path.read_text() == MENDED.replace("p_inv", "inv").replace("1 / p", "1 / (1 + p)")
    assert "fixed[DPP301] m.dpp:6:" in out or "fixed[DPP302] m.dpp:6:" in out
    assert out.endswith("1 file: no errors\n")


def test_nothing_is_written_where_nothing_is_to_mend(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(MENDED)
    before = os.stat(path)
    assert main(["check", "--fix", "m.dpp"]) == 0
    assert (os.stat(path).st_mtime_ns, os.stat(path).st_ino) == (before.st_mtime_ns, before.st_ino)
    assert capsys.readouterr().out == "1 file: no errors\n"


def test_a_diff_alone_changes_nothing(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(PROGRAM)
    assert main(["check", "--diff", "m.dpp"]) == 1
    out = capsys.readouterr().out
    assert path.read_text() == PROGRAM
    assert "would fix[" in out
    assert "+derived p_inv = 1 / p\n" in out
    assert "-minimize sum_squares(x - b) / p   # the cost\n" in out
    assert "1 file: 1 error; `--fix` mends 1" in out


def test_a_fix_can_show_its_diff(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(PROGRAM)
    assert main(["check", "--fix", "--diff", "m.dpp"]) == 0
    assert path.read_text() == MENDED
    assert "+derived p_inv = 1 / p\n" in capsys.readouterr().out


def test_unsafe_fixes_are_asked_for(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    text = PROGRAM.replace("x - b", "x - bb")
    path = write(text)
    assert main(["check", "--fix", "m.dpp"]) == 1
    assert path.read_text() == text
    assert "`--fix --unsafe-fixes` mends 1" in capsys.readouterr().out
    assert main(["check", "--fix", "--unsafe-fixes", "m.dpp"]) == 0
    assert path.read_text() == MENDED


def test_syntax_is_mended_first_and_a_file_it_cannot_mend_is_left_alone(write: Write) -> None:
    path = write(PROGRAM + "subject to\n  sum(x) = 1\n")
    assert main(["check", "--fix", "m.dpp"]) == 0
    assert path.read_text() == MENDED + "subject to\n  sum(x) == 1\n"
    broken = PROGRAM + "subject to\n  sum(x) = 1\n  sum(( = 2\n"
    write(broken)
    assert main(["check", "--fix", "m.dpp"]) == 1
    assert path.read_text() == broken


def test_mode_marks_ends_of_lines_and_links_stay(write: Write, tmp_path: Path) -> None:
    path = write("\ufeff" + PROGRAM.replace("\n", "\r\n"))
    path.chmod(0o640)
    link = tmp_path / "link.dpp"
    link.symlink_to(path)
    assert main(["check", "--fix", "link.dpp"]) == 0
    assert link.is_symlink()
    assert path.read_bytes() == ("\ufeff" + MENDED.replace("\n", "\r\n")).encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.dpp", "m.dpp"]


def test_a_write_that_fails_leaves_the_file(
    write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(PROGRAM)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    assert main(["check", "--fix", "m.dpp"]) == 2
    assert "cannot be written: No space left" in capsys.readouterr().err
    assert path.read_text() == PROGRAM
    assert [p.name for p in path.parent.iterdir()] == ["m.dpp"]


def test_reports_for_programs_stay_clean(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(PROGRAM)
    assert main(["check", "--fix", "--format", "json", "m.dpp"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == []
    assert "fixed[" in captured.err


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--unsafe-fixes"], "add `--fix`, or `--diff`"),
        (["--diff", "--format", "sarif"], "`--diff` is for people"),
    ],
)
def test_calls_that_make_no_sense(
    arguments: list[str], said: str, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    write(PROGRAM)
    assert main(["check", *arguments, "m.dpp"]) == 2
    assert said in capsys.readouterr().err


def test_only_the_file_named_is_written(write: Write) -> None:
    imported = Path("lib.dpp")
    imported.write_text("func cost(s) = s / (1 - 1)\n")
    path = write('from "lib.dpp" import cost\n' + PROGRAM.replace("# the cost", "+ cost(1)"))
    main(["check", "--fix", "--unsafe-fixes", "m.dpp"])
    assert imported.read_text() == "func cost(s) = s / (1 - 1)\n"
    assert path.is_file()
