"""Small text files in the user's cache folder: safe against concurrent writers, done without where it is read-only."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from threading import get_ident


def cache_dir() -> Path:
    """``$DPPLANG_CACHE``, or the platform's cache folder for dpplang. It need not exist; for a user without a home it
    cannot, and nothing is written."""
    given = os.environ.get("DPPLANG_CACHE")
    if given:
        return Path(given)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~\\AppData\\Local")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.devnull if base.startswith("~") else base) / "dpplang"


def read_cached(path: Path) -> str | None:
    """The file's text, or None if there is none that can be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def write_cached(path: Path, text: str) -> None:
    """Write through a temporary file and an atomic rename; where that is not allowed, do nothing."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{get_ident()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
