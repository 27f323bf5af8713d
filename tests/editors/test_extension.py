"""The VS Code extension: its own tests, its types and lint, and that it packs into a `.vsix`."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.editors import node

BROKEN = "dim n\nparam p, q, x[n]\nvar y[n]\nminimize p * q * sum(y)\nsubject to\n  sqrt(y) <= 1\n  z >= 0\nreturn y\n"


def npm(*arguments: str, **environment: str) -> str:
    node.require_node()
    done = subprocess.run(
        ["npm", "run", "--silent", *arguments], cwd=node.EXTENSION, capture_output=True, encoding="utf-8", check=False,
        env={**node.environment(), **environment},
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout


def test_own_tests_pass_and_the_problem_matcher_reads_dpp_check(tmp_path: Path) -> None:
    program = tmp_path / "a program.dpp"
    program.write_text(BROKEN, encoding="utf-8")
    check = [sys.executable, "-m", "dpplang.cli", "check", str(program)]
    printed = subprocess.run(check, capture_output=True, encoding="utf-8", env=node.environment(), check=False).stdout
    listed = subprocess.run([*check, "--format", "json"], capture_output=True, env=node.environment(), check=False)
    places = [[d["severity"], d["code"], d["line"], d["column"]] for d in json.loads(listed.stdout)]
    assert len(places) >= 3
    output = tmp_path / "printed.txt"
    output.write_text(printed, encoding="utf-8")
    told = npm("test", DPP_CHECK_OUTPUT=str(output), DPP_CHECK_PROBLEMS=json.dumps(places))
    assert "# fail 0" in told and "# skipped 0" in told


@pytest.mark.slow
def test_types_and_lint() -> None:
    npm("types")
    npm("lint")


@pytest.mark.slow
def test_packs_into_a_vsix(tmp_path: Path) -> None:
    target = tmp_path / "dpplang.vsix"
    npm("package", "--", "--out", str(target))
    with zipfile.ZipFile(target) as packed:
        names = set(packed.namelist())
        assert "extension/dist/extension.js" in names and "extension/syntaxes/dpp.tmLanguage.json" in names
        assert not [n for n in names if "node_modules" in n or n.endswith(".ts")]
        manifest = json.loads(packed.read("extension/package.json"))
    assert manifest["main"] == "./dist/extension.js"


def test_the_lock_names_no_host() -> None:
    lock = (node.EXTENSION / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    locked = json.loads(lock)["packages"]
    wanted = json.loads((node.EXTENSION / "package.json").read_text(encoding="utf-8"))
    for name, version in {**wanted["dependencies"], **wanted["devDependencies"]}.items():
        assert locked[f"node_modules/{name}"]["version"] == version
