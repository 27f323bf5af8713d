"""A call that cannot be carried out."""

from __future__ import annotations

from pathlib import Path

from dpplang.core.errors import DppError


class UsageError(DppError):
    """What is wrong with the call (options, files named), and what to do about it. Exit code 2."""

    def __init__(self, message: str, help: str = "") -> None:
        self.message = message
        self.help = help
        super().__init__(message)


def existing_file(name: str, what: str) -> Path:
    """The path of a file that is there and is a file.

    Raises:
        UsageError: it is not.
    """
    path = Path(name)
    if path.is_file():
        return path
    if path.is_dir():
        raise UsageError(f"`{name}` is a folder, not {what}", f"name the file in it, as in `{name.rstrip('/')}/NAME`")
    near = _near(path)
    raise UsageError(f"there is no file `{name}`", f"did you mean `{near}`?" if near else f"give the path of {what}")


def _near(path: Path) -> Path | None:
    from difflib import get_close_matches

    if not path.parent.is_dir():
        return None
    close = get_close_matches(path.name, (p.name for p in path.parent.iterdir()), n=1)
    return path.parent / close[0] if close else None
