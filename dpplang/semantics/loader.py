"""Reading of files: the program itself, and what it imports.

A program comes from strangers: an import reads ``.dpp`` files below the importing file's folder or a library folder and
nothing else, links followed, within bounds of size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from dpplang.core.errors import DiagnosticsError
from dpplang.core.source import Source, Span
from dpplang.semantics.report import diagnose, mistake
from dpplang.syntax.limits import MAX_CHARACTERS

MAX_IMPORT_DEPTH = 20


class Files:
    """Where imports are read: the disk. A language server puts the texts that an editor has open in front of it."""

    def is_file(self, path: Path) -> bool:
        return path.is_file()

    def text(self, path: Path) -> str:
        """A file's text, with ``\\n`` for ``\\r\\n`` and without a byte order mark.

        Raises:
            OSError, UnicodeDecodeError, ValueError: it cannot be read, is not UTF-8, or is too long.
        """
        with path.open("rb") as file:
            content = file.read(4 * MAX_CHARACTERS + 1)
        if len(content) > 4 * MAX_CHARACTERS:
            raise ValueError(f"it is longer than {MAX_CHARACTERS} characters")
        return content.decode("utf-8-sig").replace("\r\n", "\n")


DISK = Files()


@dataclass(frozen=True, slots=True)
class Loader:
    """Resolves imports.

    Attributes:
        folder: of the importing file; None for a text that has none (then only library folders are read).
        library: folders that every file may import from. files: where they are read.
    """

    folder: Path | None = None
    library: tuple[Path, ...] = field(default=())
    files: Files = DISK

    @staticmethod
    def beside(path: Path, library: tuple[Path, ...] = (), files: Files = DISK) -> Loader:
        """The loader of a file's own imports."""
        return Loader(path.parent, library, files)

    def load(self, path: str, span: Span) -> tuple[Source, Loader, Path]:
        """The imported text, the loader of its own imports, and the file's real path.

        Raises:
            Mistake: no such file, or one that may not be read.
        """
        written = PurePosixPath(path)
        if written.suffix != ".dpp":
            raise mistake("NAM112", "an import reads `.dpp` files only", span, "not a `.dpp` file")
        if not may_be_imported(written):
            raise mistake(
                "NAM112",
                "an import reads files below the importing file's folder only",
                span,
                "leaves the folder",
                help=("write a path relative to this file, without `..`",),
            )
        found = self.find(written)
        if found is not None:
            return self._read(found, path, span), Loader(found.parent, self.library, self.files), found
        folders = self.folder is not None or self.library
        where = "no such file below this file's folder" if folders else "this text has no folder to import from"
        raise mistake("NAM112", f"cannot import `{path}`: {where}", span)

    def find(self, written: PurePosixPath) -> Path | None:
        """The real path of the file that is meant, if there is one that may be read."""
        if written.suffix != ".dpp" or not may_be_imported(written):
            return None
        roots = ([] if self.folder is None else [self.folder]) + list(self.library)
        return next((found for root in roots if (found := self._inside(root, written)) is not None), None)

    def _inside(self, root: Path, written: PurePosixPath) -> Path | None:
        """The real path if it is a file below the real root."""
        try:
            real_root = root.resolve()
            found = (real_root / written).resolve()
        except (OSError, RuntimeError):
            return None
        return found if found.is_relative_to(real_root) and self.files.is_file(found) else None

    def _read(self, path: Path, shown: str, span: Span) -> Source:
        try:
            return Source(shown, self.files.text(path), path)
        except (OSError, UnicodeDecodeError, ValueError) as error:
            raise mistake("NAM112", f"cannot import `{shown}`: {reason(error)}", span) from None


def may_be_imported(written: PurePosixPath) -> bool:
    """Whether the path of an import stays below a folder."""
    text = str(written)
    return not (written.is_absolute() or ".." in written.parts or "\\" in text or ":" in text)


def read_source(path: Path) -> Source:
    """A file's text, named as the user wrote its path.

    Raises:
        DiagnosticsError: it cannot be read, is not UTF-8, or is too long (NAM112).
    """
    try:
        return Source(str(path), DISK.text(path), path)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        found = diagnose("NAM112", f"cannot read `{path}`: {reason(error)}", None)
        raise DiagnosticsError((found,)) from None


def reason(error: Exception) -> str:
    """Why a file could not be read, in words."""
    match error:
        case FileNotFoundError():
            return "no such file"
        case IsADirectoryError():
            return "it is a folder"
        case PermissionError():
            return "permission denied"
        case UnicodeDecodeError():
            return "it is not UTF-8 text"
        case OSError():
            return error.strerror or "it cannot be read"
        case _:
            return str(error)
