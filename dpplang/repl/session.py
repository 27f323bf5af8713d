"""A session is a program in the making: its items, and what its names are bound to, all of it text and immutable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cached_property
from pathlib import Path

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.source import Source, Span
from dpplang.pipeline import Compilation
from dpplang.semantics.loader import Loader
from dpplang.semantics.typed import Typed
from dpplang.syntax import ast
from dpplang.syntax.formatting import format_source
from dpplang.syntax.isolate import isolate
from dpplang.syntax.parser import parse
from dpplang.syntax.printer import print_node
from dpplang.syntax.tokens import tokenize

NAME = "<session>"


class Rank(IntEnum):
    """Where an item stands in the program, whenever it was given."""

    IMPORT = 0
    DIM = 1
    DECLARATION = 2
    OBJECTIVE = 3
    SUBJECT_TO = 4
    CONSTRAINT = 5
    RETURN = 6


@dataclass(frozen=True, slots=True)
class Entry:
    """An item as it was given, comments and doc included.

    ``keys`` are what it declares: another entry with one of them takes its place there.
    """

    text: str
    rank: Rank
    keys: tuple[str, ...]
    item: ast.AnyItem = field(compare=False)


@dataclass(frozen=True)
class Session:
    """Attributes:
    entries: in the order in which they were given. doc: of the whole program.
    bindings: the text of every bound value, by name. dims: sizes that were given. options: of solving, by name.
    folder: where imports are looked for. path: of the file that was loaded or saved last.
    offered: what was last found wrong, with the program that it was found in: what `:fix` mends.
    """

    entries: tuple[Entry, ...] = ()
    doc: str = ""
    bindings: Mapping[str, str] = field(default_factory=dict[str, str])
    dims: Mapping[str, int] = field(default_factory=dict[str, int])
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    folder: Path = Path()
    path: Path | None = None
    offered: tuple[Diagnostic, ...] = ()

    @cached_property
    def placed(self) -> tuple[Entry, ...]:
        """The entries in the order of the program."""
        return tuple(sorted(self.entries, key=lambda e: e.rank))

    @cached_property
    def source(self) -> Source:
        """The program in canonical form: lines that are named in messages are those that `:show` shows."""
        lines = [f"## {line}".rstrip() for line in self.doc.split("\n")] if self.doc else []
        first = self.placed[0].item if self.placed else None
        if lines and (isinstance(first, ast.AtomItem | ast.FuncItem) or (first is not None and first.doc)):
            lines.append("")  # else the doc would be that item's
        for position, entry in enumerate(self.placed):
            if entry.rank is Rank.CONSTRAINT and self.placed[position - 1].rank is not Rank.CONSTRAINT:
                lines.append("subject to")
            lines.append(entry.text)
        text = "".join(f"{line}\n" for line in lines)
        return Source(NAME, format_source(Source(NAME, text)).text or text)

    @cached_property
    def compilation(self) -> Compilation:
        return Compilation(self.source, Loader(self.folder.resolve()))

    @property
    def typed(self) -> Typed:
        return self.compilation.checked.typed

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What is wrong with the program; that it has no objective yet is nothing wrong while it is made."""
        return tuple(d for d in self.compilation.diagnostics if d.code != "NAM109" or self.has(Rank.OBJECTIVE))

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.diagnostics if d.is_error)

    def has(self, rank: Rank) -> bool:
        return any(entry.rank is rank for entry in self.entries)

    def span_of(self, entry: Entry) -> Span | None:
        """Where an entry stands in the program's text."""
        items = [i for i in self.compilation.parsed.file.items if not isinstance(i, ast.SubjectToItem)]
        return next((i.span for e, i in zip(self.placed, items, strict=False) if e is entry), None)


@dataclass(frozen=True, slots=True)
class Added:
    """A session with new entries, and the keys of those that they replaced."""

    session: Session
    entries: tuple[Entry, ...]
    replaced: tuple[str, ...]


def entries_of(source: Source) -> tuple[tuple[Entry, ...], str]:
    """The items of a text that parses, with the comments around them; and the doc of the whole."""
    file = parse(source).file
    text, at = source.text, _behind_doc(source.text) if file.doc else 0
    found: list[Entry] = []
    for item in file.items:
        end = _line_end(text, item.span.end)
        piece = text[at:end].strip("\n")
        at = end
        if not isinstance(item, ast.SubjectToItem):
            found.append(Entry(_dedented(piece), _rank(item), _keys(item), item))
    rest = text[at:].strip()
    if rest and found:
        last = found[-1]
        found[-1] = replace(last, text=f"{last.text}\n{_dedented(rest)}")
    return tuple(found), file.doc


def add(session: Session, entries: Sequence[Entry]) -> Added:
    """The session with these entries; what they declare again is replaced, in its place where one entry stands for
    one."""
    replaced: list[str] = []
    kept = list(session.entries)
    new: list[Entry] = []  # what is declared twice in one text is a mistake, not a replacement
    for entry in entries:
        place = len(kept)
        for key in entry.keys:
            for position, old in enumerate(kept):
                if key in old.keys and not any(old is e for e in new):
                    replaced.append(key)
                    rest = _without(old, key)
                    kept[position : position + 1] = [rest] if rest else []
                    place = position if rest is None else min(place, position + 1)
                    break
        kept.insert(min(place, len(kept)), entry)
        new.append(entry)
    return Added(replace(session, entries=tuple(kept), offered=()), tuple(entries), tuple(replaced))


def is_incomplete(text: str) -> bool:
    """Whether more lines may belong to the last item: the parser's own sense of where one goes on."""
    if not text.strip() or text.endswith("\n\n"):
        return False
    source = Source("<input>", text)
    code = [t for t in tokenize(source).code if t.type != "\n"]
    if not code:
        return True  # a comment, or a doc, whose item is still to come
    if " ".join(t.text for t in code) == "subject to":
        return False
    more = Source("<input>", text.rstrip("\n") + "\n" + " " * 200 + "goes_on")
    return _count(more) == _count(source)


def _count(source: Source) -> int:
    return len([c for c in isolate(source, tokenize(source).code)[0] if c.tokens])


def _rank(item: ast.AnyItem) -> Rank:
    match item:
        case ast.ImportItem():
            return Rank.IMPORT
        case ast.DimItem():
            return Rank.DIM
        case ast.ObjectiveItem():
            return Rank.OBJECTIVE
        case ast.SubjectToItem():
            return Rank.SUBJECT_TO
        case ast.ConstraintItem():
            return Rank.CONSTRAINT
        case ast.ReturnItem():
            return Rank.RETURN
        case _:
            return Rank.DECLARATION


def _keys(item: ast.AnyItem) -> tuple[str, ...]:
    match item:
        case ast.DimItem() | ast.DataItem() | ast.ParamItem() | ast.VarItem():
            return tuple(f"`{d.name.name}`" for d in item.declarations)
        case ast.DerivedItem() | ast.LetItem():
            return (f"`{item.declaration.name.name}`",)
        case ast.FuncItem():
            return (f"function `{item.name.name}`",)
        case ast.ImportItem():
            return tuple(f"function `{n.name}`" for n in item.names)
        case ast.ObjectiveItem():
            return ("the objective",)
        case ast.ConstraintItem():
            return (f"constraint `{item.name.name}`",) if item.name else (f"constraint `{print_node(item)}`",)
        case ast.ReturnItem():
            return ("`return`",)
        case ast.AtomItem():
            # Records of one name are forms of one atom: told apart by their arguments and what they require of them.
            formals = ", ".join(map(print_node, item.formals))
            requires = f" where {print_node(item.requires)}" if item.requires else ""
            return (f"atom `{item.name.name}({formals}){requires}`",)
        case ast.SubjectToItem():
            return ()


def _without(entry: Entry, key: str) -> Entry | None:
    """What is left of an entry when one name is declared elsewhere."""
    item = entry.item
    if len(entry.keys) == 1:
        return None
    match item:
        case ast.DimItem() | ast.DataItem() | ast.ParamItem() | ast.VarItem():
            left: ast.AnyItem = replace(
                item, declarations=tuple(d for d in item.declarations if f"`{d.name.name}`" != key)
            )
        case ast.ImportItem():
            left = replace(item, names=tuple(n for n in item.names if f"function `{n.name}`" != key))
        case _:
            return None
    return Entry(print_node(left), entry.rank, tuple(k for k in entry.keys if k != key), left)


def _behind_doc(text: str) -> int:
    """Where the lines of the file's own doc end."""
    at = 0
    lines = text.split("\n")
    while lines and not lines[0].lstrip().startswith("##"):
        at += len(lines.pop(0)) + 1
    while lines and lines[0].lstrip().startswith("##"):
        at += len(lines.pop(0)) + 1
    return min(at, len(text))


def _line_end(text: str, at: int) -> int:
    """The end of the line, if nothing but a comment stands behind ``at`` on it; else ``at``."""
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    rest = text[at:end].strip()
    return end if not rest or rest.startswith("#") else at


def _dedented(text: str) -> str:
    from textwrap import dedent

    first, newline, rest = text.partition("\n")
    return first.strip() + newline + dedent(rest) if newline else first.strip()
