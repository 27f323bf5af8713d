"""The sizes of dims that a program is looked at with: of its comments, before those of `dpp.toml`, before defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from dpplang.semantics.tree import Model

_COMMENT = re.compile(r"^[ \t]*#[ \t]*dims:(.*)$", re.MULTILINE)
_BETWEEN = re.compile(r"[,;]|\s+(?=[^\W\d]\w*\s*=)")
_SIZE = re.compile(r"([^\W\d]\w*)\s*=\s*([1-9][0-9]{0,17})")
_SETTINGS = "dpp.toml"


@dataclass(frozen=True, slots=True)
class Given:
    """Attributes:
    sizes: of the program's dims, in their order, as far as they are known.
    remarks: what is wrong with what was written, in words.
    """

    sizes: Mapping[str, int]
    remarks: tuple[str, ...] = ()
    complete: bool = True


def given_sizes(text: str, path: Path | None, model: Model) -> Given:
    """What `# dims: n = 10` says in the text, else `dpp.toml` beside or above its file, else defaults.

    A program without a word about sizes is not remarked upon: only one that has some and lacks others.
    """
    declared = {d.name: d.default for d in model.dims}
    written, remarks = _comments(text)
    remarks += [f"`{name}` is not a dim" for name in written if name not in declared]
    stated = {n: v for n, v in {**_settings(path), **written}.items() if n in declared}
    known = {n: size for n, default in declared.items() if (size := stated.get(n, default)) is not None}
    if stated:
        remarks += [f"`{name}` has no size" for name in declared if name not in known]
    return Given(known, tuple(remarks), len(known) == len(declared))


def _comments(text: str) -> tuple[dict[str, int], list[str]]:
    sizes: dict[str, int] = {}
    wrong: list[str] = []
    for found in _COMMENT.finditer(text):
        for part in filter(None, map(str.strip, _BETWEEN.split(found.group(1)))):
            size = _SIZE.fullmatch(part)
            if size is None:
                wrong.append(f"`{part}` is not a dim and its size")
            else:
                sizes[size.group(1)] = int(size.group(2))
    return sizes, wrong


def _settings(path: Path | None) -> dict[str, int]:
    """``[dims]`` of the nearest `dpp.toml` beside or above the file, then ``["qp.dpp".dims]``."""
    for folder in () if path is None else path.parents:
        settings = folder / _SETTINGS
        try:
            text = settings.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        import tomllib  # takes longer to load than everything else here, and few folders have settings

        try:
            content = tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            continue
        try:
            own = content.get(path.relative_to(folder).as_posix()) if path is not None else None
        except ValueError:
            own = None
        return {**_dims(content), **_dims(own)}
    return {}


def _dims(table: object) -> dict[str, int]:
    found = cast("dict[str, object]", table).get("dims") if isinstance(table, dict) else None
    if not isinstance(found, dict):
        return {}
    return {n: v for n, v in cast("dict[str, object]", found).items() if type(v) is int and 0 < v < 10**18}
