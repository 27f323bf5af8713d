"""Everything that may stand in an expression or behind `in`: records of the library, affine functions, cones.

As rows for a terminal, as JSON for a machine, and as the page ``docs/atoms.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath

from dpplang.core.resources import resource_dir
from dpplang.lsp import words
from dpplang.semantics.library import Library
from dpplang.semantics.relations import ALIASES, CONES
from dpplang.syntax.ast import AtomItem, Node

OPERATOR = "perspective"
_PRODUCTS = frozenset({"multiply", "matmul", "inner", "vdot", "dot", "outer", "convolve", "conv", "kron"})


@dataclass(frozen=True, slots=True)
class Entry:
    """``kind`` is a record's, or ``affine``, ``operator`` or ``cone``; those have no record, and no ``item``."""

    name: str
    signature: str
    doc: str
    kind: str
    item: AtomItem | None = None

    @property
    def place(self) -> str:
        """``stdlib/piecewise.dpp:85``; empty where there is no record."""
        if self.item is None:
            return ""
        return f"{self.item.span.source.name}:{self.item.span.source.position(self.item.name.span.start)[0]}"

    @property
    def facts(self) -> str:
        """``convex, nonneg; increasing in x where x >= 0``."""
        if self.kind == "affine":
            return "affine in one factor, the other free of variables" if self.name in _PRODUCTS else "affine"
        if self.item is None:
            return "the curvature and the sign of `f(x)`" if self.kind == "operator" else "a convex cone"
        if self.kind == "set":
            return "a convex set"
        curvature = [] if self.item.curvature is None else [self.item.curvature.word]
        sign = [_text(c) for c in self.item.sign if c.word != "unknown"]
        monotone = [_text(c) for c in self.item.monotone]
        return "; ".join(part for part in (", ".join(curvature + sign), ", ".join(monotone)) if part)


def entries(library: Library) -> tuple[Entry, ...]:
    """All there is, by name; several records of one name in their order."""
    found = [_of_record(item) for name in library.names() for item in library.items(name)]
    for name, word in words.FUNCTIONS.items():
        found.append(Entry(name, word.signature, word.doc, "operator" if name == OPERATOR else "affine"))
    for name in (*CONES, *ALIASES):
        found.append(Entry(name, words.CONES[name].signature, words.CONES[name].doc, "cone"))
    return tuple(sorted(found, key=lambda e: e.name))


def _of_record(item: AtomItem) -> Entry:
    formals = ", ".join(map(_text, item.formals))
    if item.kind != "set":
        return Entry(item.name.name, f"{item.name.name}({formals})", item.doc.strip(), item.kind, item)
    parts = [_text(f) for f in item.formals if not f.mode.value]
    given = ", ".join(_text(f) for f in item.formals if f.mode.value)
    left = parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
    right = f"{item.name.name}({given})" if given else item.name.name
    return Entry(item.name.name, f"{left} in {right}", item.doc.strip(), item.kind, item)


def as_json(entry: Entry) -> dict[str, object]:
    """One entry for a machine: its clauses as they are written, ``null`` or empty where there is none."""
    item = entry.item
    return {
        "name": entry.name,
        "signature": entry.signature,
        "doc": entry.doc,
        "kind": entry.kind,
        "requires": _maybe(item and item.requires),
        "curvature": item.curvature.word if item is not None and item.curvature is not None else None,
        "sign": [_text(c) for c in item.sign] if item else [],
        "monotone": [_text(c) for c in item.monotone] if item else [],
        "domain": [_text(r) for r in item.domain] if item else [],
        "value": _maybe(item and item.value),
        "quadratic": _maybe(item and item.quadratic),
        "graph": item.graph.span.text if item is not None and item.graph is not None else None,
        "file": PurePosixPath(item.span.source.name).name if item else None,
        "line": item.span.source.position(item.name.span.start)[0] if item else None,
    }


def _text(node: Node) -> str:
    return " ".join(node.span.text.split())


def _maybe(node: Node | None) -> str | None:
    return None if node is None else node.span.text


# --- the page ----------------------------------------------------------------------------------------------------

_HEAD = """# Atoms, sets, cones and affine functions

<!-- Made of the records by `make atoms`; a test holds it against them. -->

What may stand in a program, under CVXPY's names. `param` marks an argument that may be a parameter, `const` one that
must be constant; any other may depend on variables. `x[n]` is a vector, `x[...]` takes any shape, and a function of
scalars alone is mapped over the entries. Several rows of one name are forms of one atom. `dpp atoms NAME` shows a
record whole: its value, the graph that proves its curvature, and its tests. [The language](language.md) says how
records are written (§5 and §7), and how atoms are composed (§4).
"""


def page(library: Library) -> str:
    """The page of the documentation, in Markdown: one table for every file of the library, then what has no record."""
    found = entries(library)
    parts = [_HEAD]
    recorded = sorted((e for e in found if e.item is not None), key=lambda e: (e.place.rpartition(":")[0], e.name))
    for file, group in groupby(recorded, key=lambda e: e.place.rpartition(":")[0]):
        name = PurePosixPath(file).name
        title, *rest = _head_doc(name)
        parts.append(_section(title, [*rest, f"[`{file}`](../{file})"], list(group)))
    parts.append(_section("Perspectives", [], [e for e in found if e.kind == "operator"]))
    parts.append(_section("Affine functions", [], [e for e in found if e.kind == "affine"]))
    parts.append(_section("Cones", [], [e for e in found if e.kind == "cone"]))
    return "\n".join(parts)


def _head_doc(file: str) -> list[str]:
    """The first sentence of a file's doc, and the rest."""
    lines: list[str] = []
    for line in (resource_dir("stdlib") / file).read_text(encoding="utf-8").splitlines():
        if not line.startswith("##"):
            break
        lines.append(line.removeprefix("##").strip())
    first, _, more = " ".join(lines).partition(". ")
    return [first.removesuffix("."), *([more] if more else [])]


def _section(title: str, notes: Sequence[str], found: Sequence[Entry]) -> str:
    rows = ["| | | |", "|---|---|---|", *_rows(found)]
    return "\n".join([f"## {title}", "", *(line for note in notes for line in (note, "")), *rows, ""])


def _rows(found: Sequence[Entry]) -> Iterator[str]:
    for entry in found:
        first = " ".join(entry.doc.split("\n\n", 1)[0].split())
        domain = [] if entry.item is None else [_text(r) for r in entry.item.domain]
        requires = [] if entry.item is None or entry.item.requires is None else [_text(entry.item.requires)]
        facts = entry.facts + (f"; for {', '.join(domain)}" if domain else "")
        signature = f"`{entry.signature}`" + (f" with `{requires[0]}`" if requires else "")
        yield "| " + " | ".join(_cell(c) for c in (signature, first, facts)) + " |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
