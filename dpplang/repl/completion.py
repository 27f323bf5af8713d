"""What can be typed at a place: words of the language, names of the program, atoms, commands and what they take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dpplang.core.codes import CODES
from dpplang.lattice.dims import show_shape
from dpplang.repl.commands import COMMANDS, PREFIX
from dpplang.repl.computing import OPTIONS
from dpplang.repl.session import Session
from dpplang.semantics.attributes import KNOWN
from dpplang.semantics.library import standard_library
from dpplang.semantics.numeric_functions import NUMERIC_NAMES
from dpplang.semantics.primitives import PRIMITIVES
from dpplang.semantics.relations import CONE_MEANINGS
from dpplang.semantics.tree import Ref, Size
from dpplang.syntax.words import DECLARING

_WORD = re.compile(r"[^\W\d]\w*\Z|\Z")
_PATH = re.compile(r"\S*\Z")
_OPENERS = {
    "dim": "sizes that are index sets", "param": "given at every call, differentiated", "data": "given once",
    "var": "found by the solver", "derived": "computed from parameters", "let": "a name for an expression",
    "func": "an expression with arguments", "minimize": "a convex expression", "maximize": "a concave expression",
    "find": "any feasible point", "return": "what is given back", "from": "import from a file", "atom": "a record",
}  # fmt: skip
VALUES = (
    *("randn", "rand", "ones", "zeros", "psd", "eye", "linspace", "arange"),
    *("exp", "log", "sqrt", "abs", "sum", "mean", "max", "min", "diag", "chol", "inv"),
)
"""The functions of values: those of ``recipes.NAMES``, which only another process loads."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """``text`` for the last ``length`` characters before the cursor; ``what`` it is, in a few words."""

    text: str
    length: int
    what: str = ""


def complete(session: Session, text: str) -> list[Candidate]:
    """Candidates for what stands before the cursor, of all lines of the item; best first."""
    line = text.lstrip()
    if line.startswith(PREFIX):
        return list(_command(session, line))
    word = _word(text)
    known = _language(session, text, word)
    return [Candidate(t, len(word), what) for t, what in known if t.startswith(word) and t != word]


def _command(session: Session, line: str) -> Iterator[Candidate]:
    name, space, rest = line.partition(" ")
    if not space:
        for known, command in COMMANDS.items():
            if (PREFIX + known).startswith(name):
                yield Candidate(PREFIX + known, len(name), command.what)
        return
    name = next((n for n in COMMANDS if n.startswith(name.removeprefix(PREFIX))), "")
    if name in ("load", "save") or (name == "bind" and ("=" in rest or "." in rest or "/" in rest)):
        yield from _paths(rest, (".dpp",) if name in ("load", "save") else (".npz", ".npy", ".json", ".csv"))
        if name != "bind":
            return
    word = _word(rest)
    for text, what in _arguments(session, name, rest):
        if text.startswith(word) and text != word:
            yield Candidate(text, len(word), what)


def _arguments(session: Session, name: str, rest: str) -> Iterator[tuple[str, str]]:
    model = session.typed.model
    match name:
        case "bind" if "=" in rest:
            yield from ((f"{n}(", "a value") for n in VALUES)
            yield from ((n, v) for n, v in session.bindings.items())
            yield from ((d.name, "a dim") for d in model.dims)
        case "bind":
            for symbol in (*model.data, *model.params):
                yield f"{symbol.name} = ", f"{symbol.role.value} {show_shape(symbol.shape)}"
        case "unbind":
            yield from session.bindings.items()
        case "dim":
            yield from ((f"{d.name}=", "a dim") for d in model.dims)
        case "set":
            yield from OPTIONS.items()
        case "grad" if " " in rest:
            yield "wrt ", "with respect to"
            yield from ((p.name, f"param {show_shape(p.shape)}") for p in model.params)
        case "grad":
            yield from ((o.name, show_shape(o.value.shape)) for o in model.outputs)
            yield "value", "the optimal value"
        case "explain":
            yield from ((code, info.title) for code, info in CODES.items())
        case "atoms":
            yield from _atoms("")
        case "help":
            yield from ((n, c.what) for n, c in COMMANDS.items())
        case "why" | "type":
            yield from ((c.name, "a constraint") for c in model.constraints if name == "why")
            yield from _expressions(session, _word(rest))
        case _:
            return


def _language(session: Session, text: str, word: str) -> Iterator[tuple[str, str]]:
    before = text[: len(text) - len(word)]
    if not before.strip():
        yield from ((f"{w} ", what) for w, what in _OPENERS.items())
        yield from _expressions(session, word)
        return
    opener = before.split(None, 1)[0]
    inside = before.count("[") > before.count("]")
    if opener in DECLARING - {"derived", "let", "func", "from", "atom"} and not inside and before.endswith(" "):
        if not before.rstrip().endswith((",", opener, "=")):
            yield from ((a, "an attribute") for a in KNOWN)
            return
        if not before.rstrip().endswith("="):
            return  # a new name
    if inside and opener in DECLARING and "=" not in before:
        yield from ((d.name, "a dim") for d in session.typed.model.dims)
        return
    if re.search(r"[\w)\]] in \Z", before):
        yield from CONE_MEANINGS.items()
        library = standard_library()
        yield from ((name, library.items(name)[0].doc.strip().partition("\n")[0]) for name in library.sets())
    if opener == "derived":
        yield from ((f"{n}(", "computed before solving") for n in sorted(NUMERIC_NAMES))
    yield from _expressions(session, word)


def _expressions(session: Session, word: str) -> Iterator[tuple[str, str]]:
    """Names of the program, functions, and atoms by their signatures."""
    for name, binding in session.typed.scope.names.items():
        match binding:
            case Ref(symbol=symbol):
                yield name, f"{symbol.role.value} {show_shape(symbol.shape)}"
            case Size():
                yield name, "a dim"
            case _ if not name.startswith("dual "):
                yield name, "a name"
            case _:
                pass
    yield from ((f"{name}(", "a function") for name in session.typed.scope.functions)
    if word:
        yield from ((f"{name}(", what) for name, what in _atoms(word))
        yield from ((f"{name}(", "affine") for name in PRIMITIVES)


def _atoms(word: str) -> Iterator[tuple[str, str]]:
    library = standard_library()
    for name in library.functions():
        if name.startswith(word):
            item = next(iter(library.items(name)), None)
            if item is not None:
                formals = ", ".join(" ".join(f.span.text.split()) for f in item.formals)
                yield name, f"({formals})  {item.doc.strip().partition(chr(10))[0]}"


def _paths(rest: str, suffixes: tuple[str, ...]) -> Iterator[Candidate]:
    match = _PATH.search(rest)
    written = match.group() if match else ""
    written = written.rpartition("=")[2]
    folder, _, stem = written.rpartition("/")
    where = Path((folder or "/") if written.startswith("/") else folder or ".").expanduser()
    try:
        found = sorted(where.iterdir())
    except OSError:
        return
    for path in found:
        if path.name.startswith(stem) and not path.name.startswith(".") and (path.is_dir() or path.suffix in suffixes):
            yield Candidate(path.name + ("/" if path.is_dir() else ""), len(stem), "a folder" if path.is_dir() else "")


def _word(text: str) -> str:
    match = _WORD.search(text)
    return match.group() if match else ""
