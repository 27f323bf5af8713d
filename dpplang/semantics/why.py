"""A derivation as lines of text: what ``:why`` shows in the REPL, and a hover in an editor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from dpplang.core.columns import show, visible
from dpplang.lattice.curvature import Curvature
from dpplang.lattice.dims import show_shape
from dpplang.lattice.sign import Sign
from dpplang.semantics.derivation import Claim, Dependence, Part, Verdict
from dpplang.semantics.tree import Facts

MAX_LINES = 200
MAX_DEPTH = 12
WIDEST = 56  # columns of the tree: guide, role and text
_NARROWEST = 16
_SILENT_ROLES = frozenset(("factor", "member", "dividend", "divisor", "objective"))


class Kind(Enum):
    """``NODE`` has cells; ``RULE``, ``FAULT`` and ``CUT`` are remarks on the node above."""

    NODE = auto()
    RULE = auto()
    FAULT = auto()
    CUT = auto()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a derivation.

    Attributes:
        guide: the branches of the tree left of it. role: in the whole, with a colon; may be empty.
        text: the expression, or the remark. cells: shape, sign, curvature, verdict, parameters (a node's alone).
        verdict: of the node.
    """

    kind: Kind
    guide: str
    text: str
    role: str = ""
    cells: tuple[str, ...] = ()
    verdict: Verdict = Verdict.DPP


def why(whole: Part | Claim) -> str:
    """The derivation tree as plain text, the whole first, every part below what it is a part of.

    A node's line holds its source, shape, sign, curvature, verdict and parameters; below it stands the rule that gave
    them, or what is wrong. Parts that occur twice are derived once; the tree is cut (``…``) at 12 levels and 200 lines.
    """
    return "\n".join(aligned(lines(whole)))


def lines(whole: Part | Claim, widest: int = WIDEST) -> list[Line]:
    """The lines of a derivation, to be aligned and coloured; expressions are cut to ``widest`` columns of the tree."""
    made: list[Line] = []
    drawing = _Drawing(widest, set())
    for line in drawing.claim(whole) if isinstance(whole, Claim) else drawing.node(whole, "", "", MAX_DEPTH):
        if len(made) == MAX_LINES:
            made.append(Line(Kind.CUT, "", "…"))
            break
        made.append(line)
    return made


def aligned(found: Sequence[Line]) -> Iterator[str]:
    """Plain text of the lines, the cells of nodes in columns."""
    first, others = widths(found)
    for line in found:
        if line.kind is Kind.NODE:
            cells = "  ".join(cell + " " * (w - _columns(cell)) for cell, w in zip(line.cells, others, strict=True))
            head = line.guide + line.role + line.text
            yield f"{head}{' ' * (first - _columns(head))}  {cells}".rstrip()
        else:
            yield f"{line.guide}{'✗ ' if line.kind is Kind.FAULT else ''}{line.text}"


def widths(found: Iterable[Line]) -> tuple[int, list[int]]:
    """Display columns of the tree, and of every cell."""
    nodes = [line for line in found if line.kind is Kind.NODE]
    first = max((_columns(n.guide + n.role + n.text) for n in nodes), default=0)
    return first, [max(map(_columns, column)) for column in zip(*(n.cells for n in nodes), strict=True)]


def cells(facts: Facts, verdict: Verdict, dependence: Sequence[Dependence]) -> tuple[str, ...]:
    """Shape, sign, curvature, verdict and parameters, each a word or a few; an unknown sign is left empty."""
    return (
        show_shape(facts.shape),
        "" if facts.sign is Sign.UNKNOWN else facts.sign.value,
        "?" if facts.curvature is Curvature.UNKNOWN else facts.curvature.value,
        verdict.value if facts.params or facts.variables or verdict is not Verdict.DPP else "",
        parameters(dependence),
    )


def parameters(dependence: Sequence[Dependence]) -> str:
    """``gamma, Omega through R``, no more than three."""
    shown = [d.name + (f" through {', '.join(d.through)}" if d.through else "") for d in dependence[:3]]
    return ", ".join(shown) + (f" and {len(dependence) - 3} more" if len(dependence) > 3 else "")


@dataclass(frozen=True, slots=True)
class _Drawing:
    """Draws each derivation once; ``seen`` are those that were."""

    widest: int
    seen: set[int]

    def claim(self, claim: Claim) -> Iterator[Line]:
        yield Line(Kind.RULE, "", claim.rule)
        for part in claim.parts:
            yield from self.node(part, "", "", MAX_DEPTH)

    def node(self, part: Part, first: str, rest: str, depth: int) -> Iterator[Line]:
        derivation = part.derivation
        parts = derivation.parts
        again = bool(parts) and id(derivation) in self.seen
        self.seen.add(id(derivation))
        role = f"{part.role}: " if part.role and part.role not in _SILENT_ROLES else ""
        text = _cut(derivation.shown, max(self.widest - len(first) - len(role), _NARROWEST))
        known = cells(derivation.facts, part.verdict, derivation.dependence)
        yield Line(Kind.NODE, first, text, role, known, part.verdict)
        below = rest + ("│ " if parts and not again and depth else "  ")
        if part.complaint:
            yield Line(Kind.FAULT, below, part.complaint)
        elif again:
            yield Line(Kind.RULE, below, "as above")
        elif parts and derivation.rule:
            yield Line(Kind.RULE, below, derivation.rule)
        if again or not parts:
            return
        if depth == 0:
            yield Line(Kind.CUT, rest, "└ …")
            return
        for position, below_part in enumerate(parts):
            last = position == len(parts) - 1
            branch, stem = ("└ ", "  ") if last else ("├ ", "│ ")
            yield from self.node(below_part, rest + branch, rest + stem, depth - 1)


def _columns(text: str) -> int:
    return show(text).width


def _cut(text: str, room: int) -> str:
    text = visible(text)
    return text if len(text) <= room else text[: room - 1] + "…"
