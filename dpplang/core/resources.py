"""Where the grammar and the standard library lie, in a wheel and in a checkout alike."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from dpplang.core.errors import InternalError


@cache
def resource_dir(kind: str) -> Path:
    """Folder of packaged files of one kind: ``grammar``, ``stdlib`` or ``examples``.

    A wheel holds them under ``dpplang/_data/<kind>``; an editable install finds ``<repository>/<kind>``.

    Raises:
        InternalError: neither is there.
    """
    package = Path(__file__).parents[1]
    packaged = package / "_data" / kind
    if packaged.is_dir():
        return packaged
    repository = package.parent
    if (repository / "pyproject.toml").is_file() and (repository / kind).is_dir():
        return repository / kind
    raise InternalError(f"the packaged folder `{kind}` is missing: reinstall dpplang")
