"""The server starts fast because it loads little."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.lsp_latency import Client, program
from tests.pace import python, times_slower

SCRIPT = """
import sys
from dpplang.lsp.server import make_server
from dpplang.lsp.analysis import Session
from dpplang.lsp.diagnostics import diagnostics
make_server()
Session("a.dpp", None).analyze(sys.argv[1]).diagnostics
heavy = {"numpy", "scipy", "torch", "rich", "matplotlib", "dpplang.asa.program"} & set(sys.modules)
later = {"dpplang.lsp." + name for name in ("completion", "hover", "actions", "formatting")} & set(sys.modules)
sys.exit(f"loaded {heavy | later}" if heavy | later else 0)
"""


def test_the_server_loads_no_numeric_library() -> None:
    command = [sys.executable, "-c", SCRIPT, program(30)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


def test_what_the_first_diagnostics_did_not_wait_for_is_loaded_afterwards() -> None:
    script = (
        "import asyncio, sys; from dpplang.lsp.offers import load_features; asyncio.run(load_features());"
        "assert {'dpplang.lsp.completion', 'dpplang.lsp.hover', 'dpplang.lsp.actions'} <= set(sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


def to_first_diagnostics() -> float:
    """Seconds of the processor."""
    client = Client()
    client.open("file:///a.dpp", program(30))
    client.diagnostics("file:///a.dpp")
    taken = client.cpu()
    client.close()
    return taken


@pytest.mark.slow
def test_first_diagnostics_take_little_more_than_the_import_of_pygls() -> None:
    """Of which more than half is `lsprotocol.types`; the language, the analysis and the answers are the rest."""
    assert times_slower(to_first_diagnostics, python("import pygls.lsp.server")) < 1.85
