"""The files of a workspace, and which function, atom or set a name means in each: imports followed to what they name.

A file is known by its real path, and what is defined in it under a name is one thing. Imports lead downwards only, so
that what imports a file lies in its own folder or one above, and mentions by name what it imports: of hundreds of files
few are read, and those that did not change are not read again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from dpplang.core.resources import resource_dir
from dpplang.lsp.files import MAX_KEPT, Files
from dpplang.lsp.symbols import dpp_files
from dpplang.lsp.uses import Record, Use, Uses, uses_of
from dpplang.semantics import loader
from dpplang.semantics.library import standard_library
from dpplang.semantics.loader import MAX_IMPORT_DEPTH, Loader

MAX_FILES = 2000


class TooMany(Exception):
    """There are more files than are looked at."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A text that is open, as it was when something was asked. ``folder``: where its imports are looked for."""

    uri: str
    version: int
    text: str
    folder: Path


class Index:
    """What files say of functions, kept for as long as they hold the same text."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._uses: dict[Path, tuple[str, Uses]] = {}
        self._kept = 0

    def uses(self, path: Path, text: str) -> Uses:
        known = self._uses.get(path)
        if known is None or known[0] != text:
            self._kept += len(text)
            if self._kept > MAX_KEPT:
                self._uses, self._kept = {}, len(text)
            known = self._uses[path] = (text, uses_of(text))
        return known[1]


@dataclass(slots=True)
class Workspace(loader.Files):
    """A workspace at one moment.

    Attributes:
        folders: that the client has open, by their real paths. opened: the texts that are open, by theirs.
        edited: texts that take the place of others, to see what they would mean.
    """

    index: Index
    folders: Mapping[Path, Path]
    opened: Mapping[Path, Opened]
    edited: Mapping[Path, str] = field(default_factory=dict[Path, str])
    _uses: dict[Path, Uses | None] = field(default_factory=dict[Path, "Uses | None"])
    _found: dict[tuple[Path, str], Path | None] = field(default_factory=dict["tuple[Path, str]", "Path | None"])
    _listed: dict[Path, list[Path]] = field(default_factory=dict[Path, "list[Path]"])

    # --- files ---------------------------------------------------------------------------------------------------

    def is_file(self, path: Path) -> bool:
        return path in self.opened or path.is_file()

    def text(self, path: Path) -> str:
        """Raises:
        OSError, UnicodeDecodeError, ValueError: it cannot be read.
        """
        if path in self.edited:
            return self.edited[path]
        return self.opened[path].text if path in self.opened else self.index.files.text(path)

    def uses(self, path: Path) -> Uses | None:
        """None if the file cannot be read."""
        if path not in self._uses:
            try:
                text = self.text(path)
                self._uses[path] = uses_of(text) if path in self.edited else self.index.uses(path, text)
            except (OSError, ValueError):
                self._uses[path] = None
        return self._uses[path]

    def mentions(self, path: Path, words: Iterable[str]) -> bool:
        """Whether one of the words is anywhere in the text; False if it cannot be read."""
        try:
            text = self.text(path)
        except (OSError, ValueError):
            return False
        return any(word in text for word in words)

    def importers(self, declaring: Iterable[Path]) -> list[Path]:
        """The files that could import one of these, and these: what is open, and what is in the workspace.

        Raises:
            TooMany: there are more than :data:`MAX_FILES`.
        """
        above = {folder for path in declaring for folder in path.parents}
        listed = [file for folder in sorted(above) if self._holds(folder) for file in self._files_in(folder)]
        opened = [path for path, text in self.opened.items() if {path.parent, text.folder} & above]
        found = dict.fromkeys((*sorted(declaring), *opened, *listed))
        if len(found) > MAX_FILES:
            raise TooMany
        return list(found)

    def everything(self) -> list[Path]:
        """What is open, and all the files of the workspace, no more than :data:`MAX_FILES`."""
        listed = (self._real(file) for folder in self.folders for file in dpp_files(folder, MAX_FILES))
        return list(dict.fromkeys((*self.opened, *(file for file in listed if file is not None))))[:MAX_FILES]

    def _holds(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in self.folders)

    def _files_in(self, folder: Path) -> list[Path]:
        if folder not in self._listed:
            try:
                entries = sorted(entry.path for entry in os.scandir(folder) if entry.name.endswith(".dpp"))
            except OSError:
                entries = []
            found = (self._real(Path(entry)) for entry in entries)
            self._listed[folder] = [file for file in found if file is not None]
        return self._listed[folder]

    def _real(self, file: Path) -> Path | None:
        """A file as it is listed; None for a link to one that is listed elsewhere."""
        if not file.is_symlink():
            return file
        try:
            real = file.resolve()
        except (OSError, RuntimeError):
            return None
        return None if self._holds(real) or real in self.opened else file

    def is_inside(self, path: Path) -> bool:
        """Whether a file is one of the workspace, and none of the standard library."""
        return self._holds(path) and not path.is_relative_to(resource_dir("stdlib"))

    def uri(self, path: Path) -> str:
        """A file as the client calls it."""
        if path in self.opened:
            return self.opened[path].uri
        for real, given in self.folders.items():
            if path.is_relative_to(real):
                return (given / path.relative_to(real)).as_uri()
        return path.as_uri()

    def shown(self, path: Path) -> str:
        """A file as it is called in a message."""
        inside = [folder for folder in self.folders if path.is_relative_to(folder)]
        return path.relative_to(inside[0]).as_posix() if inside else path.name

    # --- names ---------------------------------------------------------------------------------------------------

    def records(self, path: Path, name: str) -> tuple[Record, ...]:
        """What a file itself defines under a name."""
        uses = self.uses(path)
        return () if uses is None else uses.records.get(name, ())

    def meaning(self, path: Path, name: str, seen: tuple[Path, ...] = ()) -> frozenset[Path] | None:
        """The files that define what a name means in a file: more than one for an atom whose records come from several.

        None if the file neither imports nor defines it, so that it is the language's own; empty if what is imported
        cannot be found.
        """
        uses = self.uses(path)
        if uses is None or path in seen or len(seen) > MAX_IMPORT_DEPTH:
            return None
        if path.is_relative_to(resource_dir("stdlib")) and name in standard_library().names():
            return None
        lines = [i for i, (_, names) in enumerate(uses.imports) if name in names]
        sources = [self.imported(path, line, name, seen) for line in lines]
        if name in uses.records:
            sources.append(frozenset((path,)))
        if not sources:
            return None
        functions = [s for s in sources if any(r.is_func for d in s for r in self.records(d, name))]
        return functions[0] if functions else frozenset[Path]().union(*sources)

    def imported(self, path: Path, line: int, name: str, seen: tuple[Path, ...] = ()) -> frozenset[Path]:
        """The files that define what an import line of a file imports under a name."""
        uses = self.uses(path)
        target = None if uses is None else self.target(path, uses.imports[line][0])
        return (target and self.meaning(target, name, (*seen, path))) or frozenset()

    def target(self, path: Path, written: str) -> Path | None:
        """The file that a path in an import line of a file leads to."""
        folder = self.opened[path].folder if path in self.opened else path.parent
        if (folder, written) not in self._found:
            self._found[folder, written] = Loader(folder, files=self).find(PurePosixPath(written))
        return self._found[folder, written]

    def means(self, path: Path, name: str, use: Use) -> frozenset[Path] | None:
        """:meth:`meaning` of one mention of a function."""
        if use.defines:
            return frozenset((path,)) if self.is_own(path, name) else None
        return self.meaning(path, name) if use.line < 0 else self.imported(path, use.line, name)

    def is_own(self, path: Path, name: str) -> bool:
        """Whether it is no record of the standard library."""
        return not (path.is_relative_to(resource_dir("stdlib")) and name in standard_library().names())

    def joined(self, sources: frozenset[Path], name: str) -> frozenset[Path]:
        """The files that define one thing together: an atom's records from several files, wherever a file takes them
        together.

        Raises:
            TooMany: as :meth:`importers`.
        """
        while True:
            grown = sources
            for path in self.importers(sources):
                meant = self.meaning(path, name) if self.mentions(path, (name,)) else None
                if meant is not None and not meant.isdisjoint(sources):
                    grown |= meant
            if grown == sources:
                return sources
            sources = grown

    def bindings(self, path: Path, names: Iterable[str]) -> Iterator[tuple[str, Use, frozenset[Path] | None]]:
        """Mentions of functions of these names in a file, and of arguments that are named in their calls, each with
        its name and what the function means."""
        uses = self.uses(path)
        if uses is None:
            return
        for name in names:
            for use in uses.functions.get(name, ()):
                yield name, use, self.means(path, name, use)
        for argument, found in uses.arguments.items():
            for use in found:
                if use.owner in names:
                    yield argument, use, self.meaning(path, use.owner)
