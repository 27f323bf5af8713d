"""Programs written back to their files: all of it or nothing, and as the file was in what the text does not say."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from dpplang.cli.usage import UsageError

_MARK = b"\xef\xbb\xbf"


def write_back(path: Path, text: str) -> None:
    """Replace a file's text at once: a reader, or a crash, sees the old text or the new one.

    The file keeps its mode, its byte order mark and its ends of lines; a link stays a link.

    Args:
        path: of a file that is there. text: with ``\\n`` at the ends of lines.

    Raises:
        UsageError: it cannot be written.
    """
    real = path.resolve()
    temporary = ""
    try:
        before = real.read_bytes()
        windows = 2 * before.count(b"\r\n") > before.count(b"\n")
        content = (text.replace("\n", "\r\n") if windows else text).encode()
        handle, temporary = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(_MARK * before.startswith(_MARK) + content)
        os.chmod(temporary, stat.S_IMODE(real.stat().st_mode))
        os.replace(temporary, real)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise UsageError(f"`{path}` cannot be written: {error.strerror or error}") from None
