"""The plugin for Vim and Neovim, in Neovim itself without a window: filetype, colours, indentation, `:make`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dpplang.core.source import Source
from dpplang.syntax.classes import Class, classify
from tests.editors import node
from tests.editors.texts import TRICKY

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "editors" / "neovim"
FILES = sorted([*ROOT.glob("stdlib/*.dpp"), *ROOT.glob("examples/*/*.dpp")])

GROUPS: dict[str, set[Class]] = {
    "dppComment": {Class.COMMENT},
    "dppTodo": {Class.COMMENT},
    "dppDoc": {Class.DOC},
    "dppDocCode": {Class.DOC},
    "dppDeclarator": {Class.DECLARATOR},
    "dppKeyword": {Class.KEYWORD},
    "dppEntry": {Class.KEYWORD},
    "dppJoint": {Class.JOINT},
    "dppImport": {Class.DECLARATOR, Class.JOINT},
    "dppFunction": {Class.DECLARED},
    "dppCall": {Class.CALLED},
    "dppLabel": {Class.LABEL},
    "dppAttribute": {Class.ATTRIBUTE},
    "dppFact": {Class.ATTRIBUTE},
    "dppCone": {Class.CONE},
    "dppNumber": {Class.NUMBER},
    "dppConstant": {Class.NAME},
    "dppString": {Class.STRING},
    "dppOperator": {Class.OPERATOR},
    "dppBrace": {Class.PUNCTUATION},
    "dppRecord": {Class.NAME, Class.PUNCTUATION, Class.DECLARED},
    "dppGraph": {Class.NAME, Class.PUNCTUATION, Class.DECLARED},
    "": {Class.NAME, Class.PUNCTUATION, Class.DECLARED},
}


def nvim(*commands: str, stdin: str = "") -> str:
    if shutil.which("nvim") is None:
        pytest.skip("neovim is not installed (Debian: `apt-get install neovim`): the plugin was not tried in it")
    done = subprocess.run(
        ["nvim", "--headless", "-n", "-i", "NONE", "-u", "NONE", "--cmd", f"set rtp^={PLUGIN} | let g:dpp_lsp = v:false",
         "--cmd", "filetype plugin indent on | syntax on", *(f"+{c}" for c in commands)],
        input=stdin, capture_output=True, encoding="utf-8", timeout=60, env=node.environment(), check=False,
    )  # fmt: skip
    assert done.returncode == 0 and "Error" not in done.stderr, done.stderr[-3000:]
    return done.stdout


def coloured(paths: list[Path]) -> list[dict[str, object]]:
    script = Path(__file__).with_name("vim_groups.lua")
    return json.loads(nvim(f"luafile {script}", stdin=json.dumps([str(p) for p in paths])))


def disagreements(text: str, answer: dict[str, object]) -> list[str]:
    source = Source("t.dpp", text)
    groups = answer["lines"]
    assert isinstance(groups, list)
    wrong: list[str] = []
    for start, end, kind in classify(source):
        line, column = source.position(start)
        found = set(groups[line - 1][column - 1 : column - 1 + end - start])
        if not all(kind in GROUPS[group] for group in found):
            wrong.append(f"{line}:{column} `{text[start:end]}` is a {kind.value}, coloured {sorted(found)}")
    return wrong


# On one line, or with names that only the tree can tell from keywords, regular expressions of one line give up.
_BEYOND = (
    "find subject to",
    "var x y:",
    "atom f(x) { kind",
    "atom atom(",
    "param data in",
    "var 𝒙",
    "minimize\n  sum(x) +",
)


def test_agrees_on_tricky_texts(tmp_path: Path) -> None:
    texts = [text for text in TRICKY if not text.startswith(_BEYOND)]
    assert len(texts) > 20
    paths = [tmp_path / f"{number}.dpp" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    for text, answer in zip(texts, coloured(paths), strict=True):
        assert disagreements(text, answer) == [], text


def test_agrees_on_every_shipped_file() -> None:
    for path, answer in zip(FILES, coloured(FILES), strict=True):
        assert answer["filetype"] == "dpp" and answer["comments"] == "# %s"
        assert disagreements(path.read_text(encoding="utf-8"), answer) == [], path


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_indents_as_the_formatter(path: Path, tmp_path: Path) -> None:
    """From the left margin, `gg=G` brings every line that does not go on a line above to where it was."""
    text = path.read_text(encoding="utf-8")
    flat = tmp_path / "flat.dpp"
    flat.write_text("".join(line.lstrip() + "\n" for line in text.splitlines()), encoding="utf-8")
    nvim(f"edit {flat}", "normal gg=G", "write", "qall")
    assert flat.read_text(encoding="utf-8").splitlines() == text.splitlines()


def test_make_fills_the_quickfix_list(tmp_path: Path) -> None:
    broken = tmp_path / "broken.dpp"
    broken.write_text("var x[3]\nminimize sqrt(x)\nsubject to\n  y >= 0\nreturn x\n", encoding="utf-8")
    dpp = tmp_path / "dpp"
    dpp.write_text(f'#!/bin/sh\nexec {sys.executable} -m dpplang.cli "$@"\n', encoding="utf-8")
    dpp.chmod(0o755)
    listed = nvim(
        f"edit {broken}", f"let $PATH = '{tmp_path}:' . $PATH", "silent make!",
        "call writefile([json_encode(map(filter(getqflist(), 'v:val.valid'), "
        f"'[v:val.lnum, v:val.col, v:val.type]'))], '{tmp_path}/list')", "qall!",
    )  # fmt: skip
    found = json.loads((tmp_path / "list").read_text(encoding="utf-8"))
    assert [line for line, _, kind in found if kind == "E"] == [2, 4], (found, listed)


def test_the_plugin_starts_the_server(tmp_path: Path) -> None:
    """In Debian's Neovim 0.7 as in later ones: opening a file brings its diagnostics."""
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    (tmp_path / "dpp.toml").write_text("", encoding="utf-8")
    (folder / "dpp").write_text(f'#!/bin/sh\nexec {sys.executable} -m dpplang.cli "$@"\n', encoding="utf-8")
    (folder / "dpp").chmod(0o755)
    broken = tmp_path / "sub" / "broken.dpp"
    broken.parent.mkdir()
    broken.write_text("var x[3]\nminimize sum(x)\nsubject to\n  yy >= 0\nreturn x\n", encoding="utf-8")
    listed = tmp_path / "list"
    nvim(
        "let $VIRTUAL_ENV = ''", "let g:dpp_lsp = v:true", f"source {PLUGIN}/plugin/dpp.lua", f"edit {broken}",
        "lua vim.wait(20000, function() return #vim.diagnostic.get(0) > 0 end, 20)",
        "call writefile([luaeval('vim.json.encode(vim.diagnostic.get(0))')], '" + str(listed) + "')", "qall!",
    )  # fmt: skip
    lines = [d["lnum"] for d in json.loads(listed.read_text(encoding="utf-8")) if d["severity"] == 1]
    assert lines == [3]
