"""Text to AST: tokens, chunks, and each chunk parsed alone. Never raises for bad text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

from dpplang.core.diagnostics import Diagnostic, Label
from dpplang.core.source import Source, Span
from dpplang.syntax import ast
from dpplang.syntax.atoms import record
from dpplang.syntax.build import Builder
from dpplang.syntax.docs import Docs, comments, read_docs
from dpplang.syntax.isolate import Chunk, isolate
from dpplang.syntax.limits import MAX_CHARACTERS, MAX_ERRORS, MAX_MENDS, MAX_PATIENCE
from dpplang.syntax.machine import Parse, Stuck, TooDeep, run
from dpplang.syntax.placement import check_placement
from dpplang.syntax.tables import Tables, load_tables
from dpplang.syntax.tokens import Token, tokenize
from dpplang.syntax.uncovered import joined, uncovered
from dpplang.syntax.words import ITEM_WORDS, is_word, leads

if TYPE_CHECKING:
    from dpplang.syntax.idioms import Idiom

_LOSSES = frozenset({"SYN002", "SYN003", "SYN024"})  # something was left out
_SIGNS = frozenset({"SYN002", "SYN006", "SYN024"})  # said of single signs


@dataclass(frozen=True, slots=True)
class Parsed:
    """``file`` holds what did parse; ``diagnostics`` are in order of the text."""

    file: ast.File
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What some whole lines of a file hold; the fields are those of :class:`ast.File`, ``diagnostics`` in any order."""

    items: tuple[ast.AnyItem, ...]
    doc: str
    broken: tuple[str, ...]
    comments: tuple[ast.Comment, ...]
    uncovered: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]


def parse(source: Source) -> Parsed:
    """Parse a file.

    Everything wrong is a diagnostic; every item that stands, or can be mended without doubt, is in the file.
    """
    return assemble(source, [] if len(source.text) > MAX_CHARACTERS else [parse_part(source)])


def parse_part(source: Source, *, first: bool = True) -> Part:
    """Parse whole lines that hold whole items; only the ``first`` of a file can begin with the file's own doc."""
    parser = _Parser(source)
    tokens = tokenize(source)
    chunks, found = isolate(source, tokens.code)
    parser.report((*tokens.diagnostics, *found))
    parser.docs = docs = read_docs(source, tokens, first=first)
    items = tuple(item for chunk in parser.whole(chunks) for item in parser.item(chunk))
    if docs.file is not None:
        parser.documented.update(t.start for t in docs.file.tokens)
    parser.found.extend(check_placement(items))
    return Part(
        items,
        docs.file.text if docs.file else "",
        tuple(dict.fromkeys(parser.broken)),
        comments(source, tokens, parser.documented),
        uncovered(source.text, items),
        tuple(parser.findings()),
    )


def assemble(source: Source, parts: Sequence[Part]) -> Parsed:
    """The file that its parts, in order, make up; no parts if the text is too long to be parsed."""
    whole = Span(source, 0, len(source.text))
    if len(source.text) > MAX_CHARACTERS:
        from dpplang.syntax import messages

        file = ast.File((), uncovered=uncovered(source.text, ()), span=whole, source=source)
        return Parsed(file, (messages.too_big(source),))
    file = ast.File(
        tuple(chain.from_iterable([part.items for part in parts])),
        parts[0].doc if parts else "",
        tuple(dict.fromkeys(chain.from_iterable([part.broken for part in parts]))),
        tuple(chain.from_iterable([part.comments for part in parts])),
        joined([part.uncovered for part in parts]),
        span=whole,
        source=source,
    )
    return Parsed(file, _ordered(source, list(chain.from_iterable([part.diagnostics for part in parts]))))


def parse_expression(source: Source) -> tuple[ast.Expr | None, tuple[Diagnostic, ...]]:
    """Parse one expression, which may run over several lines; None if there is an error."""
    if len(source.text) > MAX_CHARACTERS:
        from dpplang.syntax import messages

        return None, (messages.too_big(source),)
    tokens = tokenize(source)
    chunks, found = isolate(source, tokens.code)
    parser = _Parser(source)
    parser.report((*tokens.diagnostics, *found))
    flat = tuple(token for chunk in chunks for token in chunk.tokens)
    faulty = any(chunk.faulty for chunk in chunks)
    value = parser.run("expression", Chunk(flat, None, faulty, len(source.text)))
    diagnostics = _ordered(source, parser.found)
    return (None if any(d.is_error for d in diagnostics) else value), diagnostics


class _Parser:
    """The chunks of one file, one after the other; ``found`` and ``broken`` gather what is wrong."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.tables: Tables = load_tables()
        self.builder = Builder(source)
        self.found: list[Diagnostic] = []
        self.broken: list[str] = []
        self.lost: list[int] = []  # where characters were left out, in order
        self.covered: list[tuple[int, int]] = []  # items of which all is said, in order
        self.docs = Docs(None, {})
        self.documented: set[int] = set()  # where the tokens of items' docs start

    def report(self, found: Sequence[Diagnostic]) -> None:
        """Take up what was found before parsing; of an item that lost a character or a string no more is said."""
        self.found.extend(found)
        self.lost = sorted(d.primary.span.start for d in found if d.code in _LOSSES and d.primary)

    def findings(self) -> list[Diagnostic]:
        """Everything found, without the signs of items of which all is said."""
        starts = [start for start, _ in self.covered]

        def stands(d: Diagnostic) -> bool:
            if d.code not in _SIGNS or d.primary is None:
                return True
            at = bisect_right(starts, d.primary.span.start) - 1
            return at < 0 or d.primary.span.start > self.covered[at][1]

        return [d for d in self.found if stands(d)]

    def whole(self, chunks: Sequence[Chunk]) -> Iterator[Chunk]:
        """Chunks, a line that begins with an operator joined to the one before where only that makes sense."""
        waiting: Chunk | None = None
        for chunk in chunks:
            if waiting is not None and self._continues(waiting, chunk):
                from dpplang.syntax import messages

                self.found.append(messages.joined(self.source, chunk.tokens[0], waiting.tokens[-1].end))
                waiting = replace(waiting, tokens=(*waiting.tokens, *chunk.tokens), end=chunk.end)
                continue
            if waiting is not None:
                yield waiting
            waiting = chunk
        if waiting is not None:
            yield waiting

    def _continues(self, before: Chunk, chunk: Chunk) -> bool:
        if not before.tokens or not chunk.tokens or not leads(chunk.tokens[0]):
            return False
        if before.body is not None or chunk.body is not None or before.faulty or chunk.faulty:
            return False
        if len(self.found) > MAX_PATIENCE or self._lost(before) or self._lost(chunk):
            return False
        if isinstance(self._tried(chunk.tokens), Parse):
            return False
        return isinstance(self._tried((*before.tokens, *chunk.tokens)), Parse)

    def _tried(self, tokens: tuple[Token, ...]) -> Parse | Stuck | TooDeep:
        return run(self.tables, "item", labelled(tokens), self.builder)

    def item(self, chunk: Chunk) -> tuple[Any, ...]:
        """The item of a chunk, with its doc; nothing if it did not parse."""
        if not chunk.tokens:
            return ()
        block = self.docs.by_line.pop(self.source.position(chunk.tokens[0].start)[0], None)
        if chunk.body is not None:
            parsed = self._atom(chunk, chunk.body)
        else:
            parsed = self.run("item", replace(chunk, tokens=labelled(chunk.tokens)))
        if parsed is None:
            self.broken.extend(_declared(chunk.tokens))
            return ()
        if block is None:
            return (parsed,)
        self.documented.update(t.start for t in block.tokens)
        return (replace(parsed, doc=block.text),)

    def run(self, start: str, chunk: Chunk) -> Any:
        """Parse a chunk as one of the grammar's start symbols; None, with a diagnostic, if that fails."""
        if not chunk.tokens:
            if not chunk.faulty and start == "expression":
                from dpplang.syntax import messages

                self.found.append(messages.nothing(self.source))
            return None
        lost = self._lost(chunk)
        faulty = chunk.faulty or lost
        outcome = run(self.tables, start, chunk.tokens, self.builder)
        if isinstance(outcome, Stuck) and len(self.found) > MAX_PATIENCE:
            place = chunk.tokens[min(outcome.index, len(chunk.tokens) - 1)].span(self.source)
            self.found.append(Diagnostic("SYN001", "this does not parse", Label(place)))
            return None
        repaired = isinstance(outcome, Parse) and bool(outcome.repairs)
        if start == "item" and not faulty and (repaired or isinstance(outcome, Stuck)):
            from dpplang.syntax import idioms  # most files need none

            read = idioms.read(self.source, chunk.tokens, repaired)
            if read is not None:
                return self._idiom(read, chunk)
        if isinstance(outcome, Stuck):
            outcome = self._mended(start, chunk.tokens, outcome, faulty)
        if lost and isinstance(outcome, Parse):
            return None  # read without what was lost it would mean something else
        match outcome:
            case Parse():
                self._repaired(outcome.repairs)
                if repaired and is_word(chunk.tokens[0]) and chunk.tokens[1].type == "ASSIGN":
                    self.broken.append(chunk.tokens[0].text)  # it may have been meant to be named here
                return outcome.value
            case TooDeep():
                if not faulty:
                    from dpplang.syntax import messages

                    self.found.append(messages.too_deep(Span(self.source, outcome.start, outcome.end)))
            case Stuck():
                if not faulty:
                    from dpplang.syntax import messages

                    self._repaired(outcome.repairs)
                    self.found.append(messages.stuck(self.source, self.tables, start, chunk.tokens, outcome))
        return None

    def _idiom(self, read: Idiom, chunk: Chunk, left: int = MAX_MENDS) -> Any:
        """The item that was meant by one of another language; nothing else is said of its signs."""
        from dpplang.syntax import idioms

        self.covered.append((chunk.tokens[0].start, chunk.end))
        self.found.append(read.diagnostic)
        self.broken.extend(read.names)
        if read.tokens is None:
            return None
        outcome = run(self.tables, "item", read.tokens, self.builder)
        if isinstance(outcome, Stuck):
            more = idioms.read(self.source, read.tokens, False) if left else None
            if more is not None:
                return self._idiom(more, chunk, left - 1)
            outcome = self._mended("item", read.tokens, outcome, False)
        if isinstance(outcome, Parse):
            self._repaired(outcome.repairs)
            return replace(outcome.value, span=Span(self.source, chunk.tokens[0].start, chunk.end))
        return None

    def _lost(self, chunk: Chunk) -> bool:
        at = bisect_left(self.lost, chunk.tokens[0].start)
        return at < len(self.lost) and self.lost[at] <= chunk.end

    def _mended(
        self, start: str, tokens: tuple[Token, ...], stuck: Stuck, faulty: bool, left: int = MAX_MENDS
    ) -> Parse | Stuck | TooDeep:
        """The parse of what was likely meant, with its diagnostics; else ``stuck`` as it is."""
        from dpplang.syntax import idioms

        if left == 0:
            return stuck
        from dpplang.syntax.mends import mends

        for mend in mends(self.source, start, tokens, stuck):
            outcome = run(self.tables, start, mend.tokens, self.builder)
            if isinstance(outcome, Stuck) and _went_on(tokens, stuck, mend.tokens, outcome):
                outcome = self._mended(start, mend.tokens, outcome, faulty, left - 1)
                read = idioms.read(self.source, mend.tokens, False) if start == "item" and not faulty else None
                if isinstance(outcome, Stuck) and read is not None and read.tokens is not None:
                    again = run(self.tables, start, read.tokens, self.builder)
                    if isinstance(again, Parse):
                        self.found.append(read.diagnostic)
                        whole = Span(self.source, tokens[0].start, tokens[-1].end)
                        outcome = replace(again, value=replace(again.value, span=whole))
            if isinstance(outcome, Parse):
                if not faulty:
                    self.found.append(mend.diagnostic)
                return outcome
        return stuck

    def _repaired(self, repairs: tuple[tuple[Token, str], ...]) -> None:
        if not repairs:
            return
        from dpplang.syntax import messages

        self.found.extend(messages.repaired(self.source, token, meant) for token, meant in repairs)

    def _atom(self, chunk: Chunk, body: Sequence[Chunk]) -> ast.AtomItem | None:
        """An atom from its head and its entries. What is wrong in one entry leaves the others, but no atom."""
        head = self.run("atom_head", chunk)
        entries = [self.run("entry", entry) for entry in body if entry.tokens]
        outside = len(self.broken)
        graphs: list[tuple[Chunk, tuple[Any, ...]]] = []
        whole = head is not None and None not in entries
        for entry in body:
            if entry.body is None:
                continue
            found = [self.item(part) for part in entry.body if part.tokens]
            graphs.append((entry, tuple(item for items in found for item in items)))
            whole = whole and () not in found
        del self.broken[outside:]  # names of a graph are no one else's
        if head is None:
            return None
        span = Span(self.source, chunk.tokens[0].start, chunk.end)
        item, wrong = record(self.source, head, [e for e in entries if e is not None], graphs, span)
        self.found.extend(wrong)
        return item if whole and not wrong else None


def _went_on(tokens: Sequence[Token], stuck: Stuck, mended: Sequence[Token], outcome: Stuck) -> bool:
    """Whether the mended tokens were read further than the ones that stood there: fewer are left."""
    return len(mended) - outcome.index < len(tokens) - stuck.index


def labelled(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """Give the type LABEL to a name that stands before a ``:`` outside brackets, or before the brackets before one."""
    first = tokens[0]
    if first.type != "NAME" or len(tokens) < 2:
        return tokens
    depth = 0
    for position, token in enumerate(tokens[1:], 1):
        if depth == 0 and token.type == "COLON" and (position == 1 or tokens[1].type == "LSQB"):
            return (first._replace(type="LABEL"), *tokens[1:])
        if depth == 0 and token.type != "LSQB":
            return tokens
        depth += (token.type in ("LSQB", "LPAR")) - (token.type in ("RSQB", "RPAR"))
        if depth == 0 and position + 1 < len(tokens) and tokens[position + 1].type == "LSQB":
            return tokens
    return tokens


def _declared(tokens: Sequence[Token]) -> list[str]:
    """The names an item that did not parse seems to declare: its label, or the words behind keyword and commas."""
    if not tokens:
        return []
    names = [tokens[0].text] if is_word(tokens[0]) and tokens[0].text not in ITEM_WORDS else []
    depth = 0
    for before, token in pairwise(tokens):
        depth += (before.text in ("(", "[")) - (before.text in (")", "]"))
        if depth == 0 and is_word(token) and (before is tokens[0] or before.type == "COMMA"):
            names.append(token.text)
    return names


def _ordered(source: Source, found: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    """In order of the text, the first MAX_ERRORS of them."""
    ordered = sorted(found, key=lambda d: d.sort_key)
    if len(ordered) <= MAX_ERRORS:
        return tuple(ordered)
    last = ordered[MAX_ERRORS - 1].primary or Label(Span(source, 0, 0))
    rest = Diagnostic("SYN025", f"{len(ordered) - MAX_ERRORS + 1} more syntax errors are not shown", last)
    return (*ordered[: MAX_ERRORS - 1], rest)
