"""Text with choices of where to break it, and the choice: an algebra of groups and indentation.

A group is put on one line if it fits, with what follows it up to the next possible break; else every line of its own is
broken, and the groups inside choose for themselves. Linear in the size of the document for lines of bounded width.

Source: Wadler, "A prettier printer", 1998; Lindig, "Strictly pretty", 2000; Oppen, "Prettyprinting", 1980.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Line:
    """A possible break. ``flat`` is what stands there if it is not taken; None: it always is."""

    flat: str | None = " "


@dataclass(frozen=True, slots=True)
class Nest:
    """What is broken inside is indented by so much more."""

    indent: int
    body: Doc


@dataclass(frozen=True, slots=True)
class Group:
    """On one line, or broken at all of its own lines; ``forced``: it cannot be on one line."""

    body: Doc
    forced: bool


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment that ends its line, whatever still follows on it up to the next break, which is taken."""

    text: str


Doc: TypeAlias = str | Line | Nest | Group | Remark | tuple["Doc", ...]

LINE, SOFT, HARD = Line(), Line(""), Line(None)


def group(*parts: Doc) -> Group:
    return Group(parts, any(map(_forces, parts)))


def nest(indent: int, *parts: Doc) -> Nest:
    return Nest(indent, parts)


def joined(separator: Doc, parts: Iterable[Doc]) -> Doc:
    """The parts with the separator between them."""
    made: list[Doc] = []
    for part in parts:
        made += [separator, part] if made else [part]
    return tuple(made)


def flat(doc: Doc) -> str:
    """The document on one line. It must hold no remark and no break that is always taken."""
    (line,) = render(Group(doc, False), None)
    return line


def width(doc: Doc, limit: int) -> int | None:
    """Columns of the document on one line; None if it cannot be on one, or is wider than ``limit``."""
    left = None if _forces(doc) else _left(limit, [(0, True, doc)], 1)
    return None if left is None else limit - left


def render(doc: Doc, columns: int | None, indent: int = 0) -> list[str]:
    """The lines of a document, from a first line that is indented by ``indent``, none wider than ``columns`` where a
    break can help it (None: without bound)."""
    lines: list[str] = []
    line, remark = [" " * indent], ""
    column = indent
    pending: list[tuple[int, bool, Doc]] = [(indent, False, doc)]
    while pending:
        margin, on_one_line, part = pending.pop()
        match part:
            case str():
                line.append(part)
                column += len(part)
            case Line(flat=text) if on_one_line and text is not None:
                line.append(text)
                column += len(text)
            case Line():
                lines.append("".join(line).rstrip() + remark)
                line, remark, column = [" " * margin], "", margin
            case Nest(indent=more, body=body):
                pending.append((margin + more, on_one_line, body))
            case Remark(text=text):
                remark += f"  {text}"
            case Group(body=body, forced=forced):
                pending.append((margin, True, body))
                fits = on_one_line or columns is None or _left(columns - column, pending, 1) is not None
                if forced or not fits:
                    pending[-1] = (margin, False, body)
            case _:
                pending.extend((margin, on_one_line, p) for p in reversed(part))
    lines.append("".join(line).rstrip() + remark)
    return lines


def _left(room: int, pending: list[tuple[int, bool, Doc]], own: int) -> int | None:
    """What is left of the room behind the last ``own`` pending documents, on one line, and whatever follows them up to
    the next break; None if there is not enough. Looks no further than the room does."""
    base = len(pending) - own
    stack = pending[base:]
    while True:
        if not stack:
            if base == 0:
                return room
            base -= 1
            stack.append(pending[base])
        _, on_one_line, part = stack.pop()
        match part:
            case str():
                room -= len(part)
            case Line(flat=text):
                if text is None and on_one_line:
                    return None
                if not on_one_line or text is None:
                    return room
                room -= len(text)
            case Nest(body=body):
                stack.append((0, on_one_line, body))
            case Group(body=body, forced=forced):
                stack.append((0, not forced and on_one_line, body))
            case Remark():
                pass
            case _:
                stack.extend((0, on_one_line, p) for p in reversed(part))
        if room < 0:
            return None


def _forces(part: Doc) -> bool:
    match part:
        case Line(flat=text):
            return text is None
        case Remark():
            return True
        case Nest(body=body):
            return _forces(body)
        case Group(forced=forced):
            return forced
        case str():
            return False
        case _:
            return any(map(_forces, part))
