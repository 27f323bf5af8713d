"""The processes that compute for the REPL and for the language server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_nothing_of_the_folder_one_stands_in_is_run(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('the wrong numpy')\n", encoding="utf-8")
    script = (
        "import dpplang.cli.worker as w, subprocess; subprocess.run(w.command('dpplang.cli.repl_worker'), check=True)"
    )
    found = subprocess.run(
        [sys.executable, "-P", "-c", script], cwd=tmp_path, input=b"", capture_output=True, check=False
    )
    assert found.returncode == 0, found.stderr
