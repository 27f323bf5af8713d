"""The README's snippets, run in order in one folder: programs check, Python runs, commands print what they are said to."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from dpplang.cli.main import main
from dpplang.pipeline import check_path
from tests.conftest import Golden

README = Path(__file__).resolve().parents[2] / "README.md"
_FENCE = re.compile(r"^```(\w+)( \w+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Snippet:
    language: str
    note: str
    text: str


def snippets() -> list[Snippet]:
    return [Snippet(m[1], (m[2] or "").strip(), m[3]) for m in _FENCE.finditer(README.read_text(encoding="utf-8"))]


def programs() -> list[Snippet]:
    return [s for s in snippets() if s.language == "dpp"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the README's programs under the names it uses."""
    simplex, tracking, broken = programs()
    for name, snippet in (("simplex", simplex), ("tracking", tracking), ("m", broken)):
        (tmp_path / f"{name}.dpp").write_text(snippet.text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["simplex", "tracking"])
def test_programs_check_without_a_warning(name: str, folder: Path) -> None:
    model, diagnostics = check_path(folder / f"{name}.dpp")
    assert model is not None
    assert not diagnostics


def test_commands_print_what_the_readme_says(folder: Path, capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    """``pytest --bless`` writes what the commands print into the README."""

    def run(block: re.Match[str]) -> str:
        commands = re.findall(r"^\$ (.*)$", block[1], flags=re.MULTILINE)
        return "```console\n" + "".join(f"$ {command}\n{output(command)}\n" for command in commands) + "```"

    def output(command: str) -> str:
        program, *arguments = shlex.split(command)
        assert program == "dpp"
        main(arguments)
        return "\n".join(line.rstrip() for line in capsys.readouterr().out.strip("\n").split("\n"))

    text, count = re.subn(r"^```console\n(.*?)^```$", run, README.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert count >= 2
    golden(README, text)


@pytest.mark.slow
def test_python_snippets_run(folder: Path) -> None:
    namespace: dict[str, object] = {}
    code = [s.text for s in snippets() if s.language == "python"]
    assert len(code) >= 3
    for text in code:
        exec(compile(text, "README.md", "exec"), namespace)
    assert set(namespace["gradients"]) == {"x", "weight"}  # type: ignore[call-overload]
