"""What the server says that it can do, before the modules that do it are loaded."""

from __future__ import annotations

import asyncio
from importlib import import_module

from lsprotocol.types import SemanticTokensLegend

TYPES = (
    *("keyword", "comment", "string", "number", "operator"),
    *("variable", "parameter", "property", "typeParameter", "function", "enumMember"),
    *("modifier", "type", "macro", "label"),
)
MODIFIERS = ("declaration", "readonly", "defaultLibrary", "documentation", "static", "modification")
LEGEND = SemanticTokensLegend(list(TYPES), list(MODIFIERS))
TRIGGERS = ["[", "(", ",", " ", '"', "'"]
"""Characters after which completion is asked for; besides, an editor asks at every letter of a word."""
EXPLAIN = "dpp.explain"
FIX_ALL = "source.fixAll.dpp"

_FEATURES = (
    *("tokens", "symbols", "hints", "folding", "hover", "completion", "navigation", "signature"),
    *("everywhere", "lenses", "actions", "formatting"),
)


async def load_features() -> None:
    """Import what the first diagnostics did not wait for, a module at a time and whatever comes in first."""
    for name in _FEATURES:
        await asyncio.sleep(0.01)
        import_module(f"dpplang.lsp.{name}")
