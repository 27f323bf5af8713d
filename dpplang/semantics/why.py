"""The derivation of an expression's facts, as a tree in words: what `why` shows in the REPL and on hover."""

from __future__ import annotations

from collections.abc import Iterator

from dpplang.lattice.curvature import Curvature
from dpplang.lattice.dims import show_shape
from dpplang.lattice.sign import Sign
from dpplang.semantics.tree import Expr

MAX_LINES = 200


def why(expr: Expr, *, depth: int = 8) -> str:
    """The derivation tree of an expression, the whole first, every part below what it is a part of.

    One line per node: its source, its facts, and the rule that gave them. Parts that are shared are derived
    once; below ``depth``
    levels, and beyond 200 lines, the tree is cut (with ``…``).
    """
    lines: list[str] = []
    for line in _lines(expr, "", "", depth, set()):
        if len(lines) == MAX_LINES:
            lines.append("…")
            break
        lines.append(line)
    return "\n".join(lines)


def facts_line(expr: Expr) -> str:
    """``convex, nonneg, scalar; depends on the parameter `p``` in one line."""
    facts = expr.facts
    words = [facts.curvature.value if facts.curvature is not Curvature.UNKNOWN else "unknown curvature"]
    if facts.sign is not Sign.UNKNOWN:
        words.append(facts.sign.value)
    words.append(show_shape(facts.shape))
    if facts.params:
        names = ", ".join(f"`{s.name}`" for s in sorted(facts.params, key=lambda s: s.name))
        dpp = "not DPP" if facts.dpp is Curvature.UNKNOWN else f"{facts.dpp.value} with parameters counted"
        return f"{', '.join(words)}; depends on {names}: {dpp}"
    return ", ".join(words)


def _lines(expr: Expr, first: str, rest: str, depth: int, seen: set[int]) -> Iterator[str]:
    source = " ".join(expr.span.text.split())
    shown = source if len(source) <= 60 else source[:57] + "..."
    rule = f" ({expr.reason.rule})" if expr.reason.rule else ""
    parts = expr.reason.parts
    again = bool(parts) and id(expr) in seen
    seen.add(id(expr))
    yield f"{first}`{shown}`: {facts_line(expr)}{' – as above' if again else rule}"
    if again or not parts:
        return
    if depth == 0:
        yield f"{rest}└ …"
        return
    for position, part in enumerate(parts):
        last = position == len(parts) - 1
        yield from _lines(part, f"{rest}{'└ ' if last else '├ '}", f"{rest}{'  ' if last else '│ '}", depth - 1, seen)
