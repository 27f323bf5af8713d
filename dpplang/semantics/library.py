"""The atoms in scope: the standard library, read record by record as it is asked for, and a file's own atoms on top.

A scan of ``stdlib/*.dpp`` for ``atom NAME(`` finds where each record stands; it is parsed and typed when its name
is first looked up. A library is a value: what it remembers of earlier look-ups never changes an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from threading import RLock
from typing import TypeAlias

from dpplang.core.diagnostics import Diagnostic, Label
from dpplang.core.errors import InternalError
from dpplang.core.resources import resource_dir
from dpplang.core.source import Source
from dpplang.semantics.atoms import build
from dpplang.semantics.tree import Atom
from dpplang.syntax import ast
from dpplang.syntax.parser import parse

_RECORD = re.compile(r"^((?:##[^\n]*\n)*)atom\s+(\w+)\s*\(.*?^\}", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Place:
    """A record that is not parsed yet: [start, end) of a file's text."""

    file: str
    text: str
    start: int
    end: int


_Record: TypeAlias = _Place | ast.AtomItem
_SET = re.compile(r"^\s*kind:\s*set\b", re.MULTILINE)


def _is_set(record: _Record) -> bool:
    if isinstance(record, _Place):
        return _SET.search(record.text, record.start, record.end) is not None
    return record.kind == "set"


class Library:
    """Atoms by name. Several records of one name are forms of one atom, in order of preference."""

    def __init__(self, records: Mapping[str, tuple[_Record, ...]], homes: Mapping[int, Library] | None = None) -> None:
        """``homes``: of records that are imported, by ``id``, the library of the file that holds them."""
        self._records = dict(records)
        self._homes = dict(homes or {})
        self._made: dict[int, Atom] = {}
        self._items: dict[str, tuple[ast.AtomItem, ...]] = {}
        self._atoms: dict[str, tuple[Atom, ...]] = {}
        self._building: dict[str, list[Atom]] = {}
        self._findings: dict[str, tuple[Diagnostic, ...]] = {}
        self._lock = RLock()

    def names(self) -> tuple[str, ...]:
        """Every name that is taken, sorted; those whose record is wrong among them."""
        return tuple(sorted(self._records))

    def functions(self) -> tuple[str, ...]:
        """The names that are no sets', sorted."""
        return self._kinds[0]

    def sets(self) -> tuple[str, ...]:
        """The names of sets, sorted."""
        return self._kinds[1]

    @cached_property
    def _kinds(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        names = self.names()
        sets = {n: {_is_set(r) for r in self._records[n]} for n in names}
        return tuple(n for n in names if sets[n] != {True}), tuple(n for n in names if True in sets[n])

    def items(self, name: str) -> tuple[ast.AtomItem, ...]:
        """The records of a name as they are written; empty if there is none."""
        if name not in self._items:
            records = self._records.get(name, ())
            self._items[name] = tuple(_parsed(r) if isinstance(r, _Place) else r for r in records)
        return self._items[name]

    def lookup(self, name: str) -> tuple[Atom, ...]:
        """The records of an atom, typed; empty if there is none or all are wrong.

        A record may use the earlier ones of its own name, so that while one is typed the name stands for those.
        """
        with self._lock:
            if name in self._building:
                return tuple(self._building[name])
            if name not in self._atoms:
                self._build(name)
            return self._atoms[name]

    def _build(self, name: str) -> None:
        done = self._building[name] = []
        findings: list[Diagnostic] = []
        try:
            for item in self.items(name):
                home = self._homes.get(id(item))
                if home is not None:  # its graph means what it does in its own file, where it was proved
                    done.extend(home.made(item))
                    continue
                built = build(item, self)
                findings.extend(built.diagnostics)
                if built.atom is not None:
                    done.append(built.atom)
                    self._made[id(item)] = built.atom
        finally:
            del self._building[name]
        self._findings[name] = tuple(findings)
        self._atoms[name] = tuple(done)

    def findings(self, name: str) -> tuple[Diagnostic, ...]:
        """What is wrong with the records of a name as they are written (see
        :func:`dpplang.semantics.atoms.build`)."""
        self.lookup(name)
        return self._findings[name]

    def made(self, item: ast.AtomItem) -> tuple[Atom, ...]:
        """What a record of this library was typed as; empty if it, or another of its name, is wrong."""
        if not self.lookup(item.name.name):
            return ()
        home = self._homes.get(id(item))
        if home is not None:
            return home.made(item)
        return (self._made[id(item)],) if id(item) in self._made else ()

    def extended(
        self, items: Iterable[ast.AtomItem], homes: Mapping[int, Library] | None = None
    ) -> tuple[Library, tuple[Diagnostic, ...]]:
        """This library with a file's own atoms and those it imports, and what is wrong with its own: their records
        and the proof of their contracts.

        An atom that is wrong keeps its name, with no record, so that calls of it are passed over.

        Args:
            homes: of the imported ones, by ``id``, the library of the file that holds them; there they were proved.
        """
        from dpplang.semantics.atom_cycles import find_cycles  # a program without atoms of its own starts without

        own: dict[str, list[ast.AtomItem]] = {}
        findings: list[Diagnostic] = []
        homes = homes or {}
        for item in items:
            name = item.name.name
            if name in self._records and id(item) in homes:
                continue  # that was said where it stands
            if name in self._records:
                message = f"`{name}` is an atom of the standard library"
                fix = ("rename it: a program may not change what a name of the library means",)
                findings.append(Diagnostic("ATM413", message, Label(item.name.span), help=fix))
            else:
                own.setdefault(name, []).append(item)
        cyclic = find_cycles([item for group in own.values() for item in group if id(item) not in homes])
        findings.extend(_cycle(name, path) for name, path in cyclic.items())
        kept = {name: () if name in cyclic else tuple(group) for name, group in own.items()}
        library = Library({**self._records, **kept}, homes)
        for name in kept:
            findings.extend(library._prove(name))
        return library, tuple(findings)

    def _prove(self, name: str) -> list[Diagnostic]:
        """What is wrong with the records of a name, contracts included. If anything is, the name is left without
        records."""
        from dpplang.semantics.atom_tests import failing_tests
        from dpplang.semantics.proof import prove

        atoms = self.lookup(name)
        own = [item for item in self.items(name) if id(item) not in self._homes]
        proofs = (d for item in own if id(item) in self._made for d in prove(self._made[id(item)]))
        found = [*self.findings(name), *_twins(atoms), *proofs]
        if not any(d.is_error for d in found):
            found += [d for item in own for d in failing_tests(item, self)]
        if any(d.is_error for d in found):
            self._atoms[name] = ()
        return found


def _cycle(name: str, path: tuple[ast.Ident, ...]) -> Diagnostic:
    through = " → ".join(f"`{ident.name}`" for ident in path)
    return Diagnostic("ATM414", f"atom `{name}` is defined through itself: {through}", Label(path[-1].span))


def _twins(atoms: tuple[Atom, ...]) -> Iterator[Diagnostic]:
    """Records that no call could ever reach, because an earlier one takes the same arguments."""
    seen: dict[object, Atom] = {}
    for atom in atoms:
        formals = tuple((f.mode, len(f.symbol.shape), *(a.name for a in f.symbol.attributes)) for f in atom.formals)
        key = (atom.requires, formals)
        if key in seen:
            message = f"this record of `{atom.name}` is never chosen: an earlier one takes the same arguments"
            yield Diagnostic("ATM413", message, Label(atom.span), (Label(seen[key].span, "the earlier one"),))
        seen.setdefault(key, atom)


def _parsed(place: _Place) -> ast.AtomItem:
    """Parse one record alone. What stands before it in the file is blanked, so that spans are those of the file."""
    blank = re.sub(r"[^\n]", " ", place.text[: place.start])
    parsed = parse(Source(place.file, blank + place.text[place.start : place.end] + "\n"))
    match parsed.file.items:
        case (ast.AtomItem() as item,) if not parsed.diagnostics:
            return item
        case _:
            found = "; ".join(d.message for d in parsed.diagnostics) or "no single record"
            raise InternalError(f"{place.file} at offset {place.start}: {found}")


@cache
def standard_library() -> Library:
    """The atoms of ``stdlib/*.dpp``.

    Raises:
        InternalError: the packaged folder is missing (here), or a record in it does not parse (at look-up).
    """
    places: dict[str, tuple[_Place, ...]] = {}
    for path in sorted(resource_dir("stdlib").glob("*.dpp")):
        text = path.read_text(encoding="utf-8")
        for found in _RECORD.finditer(text):
            name = found.group(2)
            place = _Place(f"stdlib/{path.name}", text, found.start(), found.end())
            places[name] = (*places.get(name, ()), place)
    return Library(places)
