"""`dpp repl` starts at once, since it loads no numeric library: another process does, when a command needs numbers."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.pace import python, times_slower

SCRIPT = "var x\nminimize square(x)\n:why\n:fix\n:show\n:data\n:check\n:quit\n"


def test_items_and_verdicts_load_no_numeric_library_and_start_no_process() -> None:
    script = (
        "import sys; from dpplang.cli.main import main; code = main(['repl']); "
        "import dpplang.repl.prompt, dpplang.repl.shell; "
        "heavy = {'numpy', 'scipy', 'torch', 'rich', 'clarabel'} & set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else code)"
    )
    found = subprocess.run([sys.executable, "-c", script], input=SCRIPT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr + found.stdout
    assert "minimize  scalar  nonneg  convex  DPP" in found.stdout


@pytest.mark.slow
def test_the_prompt_is_there_within_two_imports_of_the_standard_library() -> None:
    """The language is loaded behind the prompt."""
    program = (
        "import dpplang.cli.main, dpplang.cli.repl, dpplang.repl.process, dpplang.repl.prompt, sys; "
        "assert 'dpplang.pipeline' not in sys.modules"
    )
    assert times_slower(python(program)) < 2
