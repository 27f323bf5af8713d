"""`dpp lsp` under a client made of VS Code's own packages (`editors/vscode/test/client.ts`)."""

from __future__ import annotations

import sys

from tests.editors import node


def test_vs_codes_own_client_is_content() -> None:
    """Diagnostics pulled and pushed, incremental edits behind astral characters, and every request of an editing session."""
    told = node.run("client", sys.executable, "-m", "dpplang.cli")
    assert told.strip() == "the client is content"
