"""`dpp check` starts fast because it loads little."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.pace import processor_time, times_slower

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "portfolio" / "portfolio.dpp"


def test_check_loads_no_numeric_library_and_no_rich() -> None:
    script = (
        "import sys; from dpplang.cli.main import main; code = main(['check', sys.argv[1]]); "
        "heavy = {'numpy', 'scipy', 'torch', 'rich', 'matplotlib', 'dpplang.asa.program'} & set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else code)"
    )
    found = subprocess.run([sys.executable, "-c", script, str(PROGRAM)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr + found.stdout


@pytest.mark.slow
def test_check_takes_less_than_four_times_an_import_of_the_standard_library() -> None:
    """Under three times it where it was written, 0.27 s, for want of bytecode; installed, with it, under twice."""
    check = [sys.executable, "-m", "dpplang.cli", "check", str(PROGRAM)]
    assert times_slower(lambda: processor_time(check)) < 4
