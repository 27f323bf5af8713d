"""What docs/editors.md tells to write into configurations: it parses, and Emacs runs its part."""

from __future__ import annotations

import json
import plistlib
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)


def test_toml_and_json_parse() -> None:
    helix = next(t for t in map(tomllib.loads, blocks("toml")) if "language" in t)
    (language,) = helix["language"]
    assert set(language["language-servers"]) <= set(helix["language-server"])
    assert len([json.loads(text) for text in blocks("json")]) == 2


def test_the_grammar_becomes_a_property_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = (text for text in blocks("python") if "plistlib" in text)
    (tmp_path / "editors").symlink_to(ROOT / "editors")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "docs/editors.md", "exec"), {})
    assert plistlib.loads((tmp_path / "dpp.tmLanguage").read_bytes())["scopeName"] == "source.dpp"


def test_emacs_colours_by_the_mode_of_the_docs(tmp_path: Path) -> None:
    if shutil.which("emacs") is None:
        pytest.skip("emacs is not installed (Debian: `apt-get install emacs-nox`): the mode of the docs was not tried")
    (code,) = blocks("elisp")
    (tmp_path / "mode.el").write_text(code, encoding="utf-8")
    (tmp_path / "a.dpp").write_text("# c\nvar data[n]\ncap[i in n]: f(data') <= 1\n", encoding="utf-8")
    ask = (
        '(progn (find-file "a.dpp") (font-lock-ensure) (princ (format "%s" (list major-mode (mapcar (lambda (word) '
        "(goto-char (point-min)) (search-forward word) (get-text-property (match-beginning 0) 'face)) "
        '\'("c" "var" "data" "cap" "f("))))))'
    )
    done = subprocess.run(
        ["emacs", "-Q", "--batch", "-l", "mode.el", "--eval", ask],
        cwd=tmp_path, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "(dpp-mode (font-lock-comment-face font-lock-keyword-face nil font-lock-variable-name-face font-lock-function-name-face))"
    ), done.stdout
