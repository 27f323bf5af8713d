"""Neovim drives the server by its own client: 0.7 as in Debian, or later."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NVIM = shutil.which("nvim")
SCRIPT = Path(__file__).parent / "neovim.lua"
BROKEN = "dim n\nparam q[n], p pos\nvar x[n]\nminimize q' @ x / p\nsubject to\n  x >= 0\n"


@pytest.mark.slow
@pytest.mark.skipif(NVIM is None, reason="Neovim is not installed: `apt-get install neovim`")
def test_neovim(tmp_path: Path) -> None:
    file = tmp_path / "a.dpp"
    file.write_text(BROKEN, encoding="utf-8")
    environment = {
        **os.environ,
        "DPP_FILE": str(file),
        "DPP_PYTHON": sys.executable,
        **{f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("CONFIG", "STATE", "DATA", "CACHE")},
    }
    assert NVIM is not None
    done = subprocess.run(
        [NVIM, "--headless", "-n", "-u", "NONE", "-c", f"luafile {SCRIPT}"],
        capture_output=True, text=True, env=environment, timeout=200, check=False, cwd=tmp_path,
    )  # fmt: skip
    found = next((json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")), None)
    assert found is not None and done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert found.get("timeout") is None and found.get("failure") is None
    assert found["broken"] == [{"code": "DPP302", "line": 3}]
    assert "param q[n]" in found["hover"] and found["completion"] > 50
    assert found["mended"] != BROKEN.splitlines() and "/ p" not in found["mended"][-3]
    assert found["renamed"] == [line.replace(" x", " portfolio") for line in found["mended"]]
    assert found["lens"].endswith(" · canonical: 3 variables, 3 rows (3 ≥) · n = 3")
