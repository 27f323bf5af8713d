"""Which files are generated, and their texts."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from editors.generate import textmate, vim
from editors.generate.vocabulary import vocabulary


@cache
def generated() -> dict[str, str]:
    """Path below `editors/` → text."""
    words = vocabulary()
    return {
        "neovim/syntax/dpp.vim": vim.syntax(words),
        "vscode/syntaxes/dpp.tmLanguage.json": _json(textmate.grammar(words)),
        "vscode/syntaxes/markdown.tmLanguage.json": _json(textmate.fences()),
        "vscode/syntaxes/python.tmLanguage.json": _json(textmate.strings()),
    }


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
