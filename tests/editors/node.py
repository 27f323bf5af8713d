"""Node for the tests: the extension's packages from npm, and its TypeScript bundled; skipped aloud where that cannot be."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "editors" / "vscode"
OLDEST = 20


def require_node() -> Path:
    """The folder of the bundled test programs.

    Skips the test where node, npm or the registry is missing; fails where the packages are there and do not build.
    """
    why = _missing()
    if why:
        pytest.skip(why)
    return _built()


def run(program: str, *arguments: str, stdin: str = "", timeout: float = 120) -> str:
    """What a bundled program of `editors/vscode/test` prints; its failure is the test's."""
    bundle = require_node() / f"{program}.js"
    done = subprocess.run(
        ["node", str(bundle), *arguments], input=stdin, capture_output=True, encoding="utf-8", timeout=timeout,
        cwd=EXTENSION, env=environment(), check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{program} failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "NODE_NO_WARNINGS": "1"}


@cache
def _missing() -> str:
    """Why the tests on node cannot run here; empty where they can."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "node and npm are not installed: the tests of the editors on VS Code's own packages did not run"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < OLDEST:
        return f"node {version} is older than {OLDEST}: the tests of the editors on VS Code's own packages did not run"
    with (EXTENSION / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # pytest's workers share the folder
        return _install()


def _install() -> str:
    stamp = EXTENSION / "node_modules" / ".stamp"
    wanted = hashlib.sha256((EXTENSION / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return ""
    done = subprocess.run(
        ["npm", "ci", "--loglevel=error", "--no-fund", "--no-audit"],
        cwd=EXTENSION,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "EUSAGE" not in done.stderr, f"package.json and its lock disagree: {done.stderr[:300]}"
    if done.returncode != 0:
        return f"`npm ci` failed in editors/vscode (is there a registry?): {done.stderr.strip()[-300:]}"
    stamp.write_text(wanted)
    return ""


@cache
def _built() -> Path:
    with (EXTENSION / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            ["npm", "run", "--silent", "build:test"], cwd=EXTENSION, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, f"`npm run build:test` failed:\n{done.stdout}{done.stderr}"
    return EXTENSION / "dist" / "test"
