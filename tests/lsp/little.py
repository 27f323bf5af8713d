"""Little workspaces: folders of files that import one another, made at random, without a mistake in them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from dpplang.core.source import Source
from dpplang.lsp.across import Ranges, Target
from dpplang.lsp.files import Files
from dpplang.lsp.uses import uses_of
from dpplang.lsp.workspace import Index, Workspace
from dpplang.pipeline import Compilation
from dpplang.semantics.loader import Loader

FOLDERS = ("", "a", "a/b", "c", "c/d d")
NAMES = ("f", "g", "h", "size", "größe")
FORMALS = ("x", "k", "f", "M")
ATOM = """\
atom {name}({x}, param {k} nonneg = 1) {{
  curvature: convex
  sign:      nonneg
  value:     {k} * abs({x})
  graph {{
    var t
    minimize {k} * t
    subject to
      {x} <= t
      -{x} <= t
  }}
}}
"""


@dataclass
class _File:
    path: str
    lines: list[str] = field(default_factory=list[str])
    known: dict[str, tuple[str, str]] = field(default_factory=dict[str, "tuple[str, str]"])  # name -> its arguments


def little(rng: random.Random) -> dict[str, str]:
    """Texts by path. A library imports from those made before it that lie in its folder or below, and passes on what
    it imports; a program imports likewise, and calls its tensors by names of functions, too."""
    made: list[_File] = []
    for number in range(rng.randint(2, 5)):
        file = _begun(rng, made, f"lib{number}.dpp")
        for name in rng.sample(NAMES, rng.randint(1, 3)):
            if name not in file.known:
                _define(rng, file, name)
        made.append(file)
    for number in range(rng.randint(1, 3)):
        file = _begun(rng, made, f"main{number}.dpp")
        if rng.random() < 0.5:
            own = rng.choice([n for n in NAMES if n not in file.known] or ["own"])
            _define(rng, file, own)
        file.lines += ["param p nonneg, f nonneg", "var y, g"]
        calls = [_call(rng, file, name, rng.choice(["y", "g", "y - p"])) for name in file.known]
        file.lines += [
            f"minimize {' + '.join([*calls, 'abs(y)', 'square(g) * f + p * abs(y)'])}",
            "subject to",
            "  h: y >= g",
        ]
        made.append(file)
    return {file.path: "\n".join(file.lines) + "\n" for file in made}


def _begun(rng: random.Random, made: list[_File], name: str) -> _File:
    folder = rng.choice(("", "", "a", *FOLDERS))
    file = _File(f"{folder}/{name}".lstrip("/"))
    for other in rng.sample(made, len(made)):
        below = Path(other.path).is_relative_to(folder) if folder else True
        names = [n for n in other.known if n not in file.known]
        if below and other.path.split("/")[-1].startswith("lib") and names and rng.random() < 0.7:
            chosen = rng.sample(names, rng.randint(1, len(names)))
            shown = Path(other.path).relative_to(folder).as_posix() if folder else other.path
            file.lines.append(f'from "{shown}" import {", ".join(chosen)}')
            file.known |= {n: other.known[n] for n in chosen}
    return file


def _define(rng: random.Random, file: _File, name: str) -> None:
    x, k = rng.sample(FORMALS, 2)
    if rng.random() < 0.25:
        file.lines.append(ATOM.format(name=name, x=x, k=k))
    else:
        inner = [_call(rng, file, other, x) for other in rng.sample(list(file.known), min(len(file.known), 1))]
        file.lines.append(f"func {name}({x}, {k} = 1) = {' + '.join([f'square({x}) * 2', *inner])} + {k}")
    file.known[name] = (x, k)


def _call(rng: random.Random, file: _File, name: str, argument: str) -> str:
    k = file.known[name][1]
    return f"{name}({argument}{rng.choice(['', ', 2', f', {k} = 3'])})"


def written(folder: Path, texts: dict[str, str]) -> Path:
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def workspace(folder: Path) -> Workspace:
    """The files below a folder as they are now, none of them open."""
    return Workspace(Index(Files()), {folder.resolve(): folder}, {})


def targets(folder: Path, texts: dict[str, str]) -> list[Target]:
    """Everything that could be asked for: each mention of a function, and each argument where it is named."""
    found: list[Target] = []
    for path, text in texts.items():
        uses, real = uses_of(text), (folder / path).resolve()
        for name, mentions in uses.functions.items():
            found += [Target(real, name, start=use.start) for use in mentions]
            for use in (u for u in mentions if u.defines):
                formals = {formal for record in uses.records[name] for formal in record.formals}
                found += [Target(real, name, formal, use.start) for formal in sorted(formals)]
        found += [Target(real, use.owner, name) for name, named in uses.arguments.items() for use in named]
    return found


def said(folder: Path, texts: dict[str, str]) -> dict[str, list[tuple[str, str, int]]]:
    """What is found in every file: code, message and line."""
    found: dict[str, list[tuple[str, str, int]]] = {}
    for path, text in texts.items():
        check = Compilation(Source(path, text), Loader.beside(folder / path))
        found[path] = [(d.code, d.message, d.primary.span.line if d.primary else 0) for d in check.diagnostics]
    return found


def moved(places: Ranges, by: int) -> Ranges:
    """Ranges where they are once each is longer by so much."""
    return {p: [(s + i * by, e + (i + 1) * by) for i, (s, e) in enumerate(ranges)] for p, ranges in places.items()}
