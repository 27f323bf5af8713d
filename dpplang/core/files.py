"""Programs written back to their files: all of it or nothing, and as the file was in what the text does not say."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from dpplang.core.errors import WriteError

_MARK = b"\xef\xbb\xbf"


def write_back(path: Path, text: str) -> None:
    """Write a file's text at once: a reader, or a crash, sees the old text or the new one.

    A file that is there keeps its mode, its byte order mark and its ends of lines; a link stays a link. A new one
    gets the mode that the process gives new files.

    Args:
        path: of the file. text: with ``\\n`` at the ends of lines.

    Raises:
        WriteError: it cannot be written.
    """
    real = path.resolve()
    temporary = ""
    try:
        before = real.read_bytes() if real.exists() else b""
        windows = 2 * before.count(b"\r\n") > before.count(b"\n")
        content = (text.replace("\n", "\r\n") if windows else text).encode()
        handle, temporary = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(_MARK * before.startswith(_MARK) + content)
        os.chmod(temporary, stat.S_IMODE(real.stat().st_mode) if real.exists() else 0o666 & ~_umask())
        os.replace(temporary, real)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise WriteError(f"`{path}` cannot be written: {error.strerror or error}") from None


def _umask() -> int:
    """What the process takes from the mode of new files; to read it is to set it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
