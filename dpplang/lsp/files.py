"""What files hold: of those that the editor has open its own text, of the others what is on disk, read again once it
changed.

Asked from the threads that analyze while texts are opened and closed in another: each step is one look-up in a dict.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol, TypeAlias

from dpplang.semantics import loader

MAX_KEPT = 32_000_000
"""Characters of files that are not open, all together; beyond it they are read again."""

Stamp: TypeAlias = tuple[int, int, int]
"""Of a file as it was read: times of change, of its text and of anything, and size."""


class HasText(Protocol):
    @property
    def text(self) -> str: ...


class Files(loader.Files):
    """All files, by their real paths."""

    def __init__(self) -> None:
        self._open: dict[Path, HasText] = {}
        self._read: dict[Path, tuple[Stamp, str]] = {}
        self._kept = 0

    def open(self, path: Path, document: HasText) -> None:
        """From now on a file holds what the document does."""
        self._open[path] = document

    def close(self, path: Path, document: HasText) -> None:
        """The file holds again what is on disk, unless another document took over."""
        if self._open.get(path) is document:
            del self._open[path]

    def is_open(self, path: Path) -> bool:
        return path in self._open

    def is_file(self, path: Path) -> bool:
        return path in self._open or path.is_file()

    def text(self, path: Path) -> str:
        opened = self._open.get(path)
        if opened is not None:
            return opened.text.replace("\r\n", "\n")
        now = stamp(path)
        known = self._read.get(path)
        if known is not None and known[0] == now:
            return known[1]
        text = super().text(path)
        self._keep(path, now, text)
        return text

    def text_or_none(self, path: Path) -> str | None:
        """The text; None if it cannot be read."""
        try:
            return self.text(path)
        except (OSError, ValueError):
            return None

    def changed(self) -> set[Path]:
        """Files that were read and are not open, and are not now as they were."""
        return {path for path, (then, _) in list(self._read.items()) if path not in self._open and _now(path) != then}

    def _keep(self, path: Path, now: Stamp, text: str) -> None:
        self._kept += len(text)
        if self._kept > MAX_KEPT:
            self._read, self._kept = {}, len(text)
        self._read[path] = (now, text)


class Reader(loader.Files):
    """Files as one text's imports ask for them; ``asked`` are their real paths, those among them that are not there."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.asked: set[Path] = set()

    def is_file(self, path: Path) -> bool:
        self.asked.add(path)
        return self.files.is_file(path)

    def text(self, path: Path) -> str:
        return self.files.text(path)


def stamp(path: Path) -> Stamp:
    """Raises:
    OSError: there is no such file.
    """
    found = os.stat(path)
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size


def _now(path: Path) -> Stamp | None:
    try:
        return stamp(path)
    except OSError:
        return None
