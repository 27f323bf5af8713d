"""What a Python loop wrote out, rolled up again: ``x[0]^2 + x[1]^2 + …`` is ``sum(x[t]^2 for t in T)``.

Two trees are members of one loop if they differ in nothing but integers in subscripts, and those grow by equal steps
from member to member. A body of several statements is told by its period.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

from dpplang.convert import nodes
from dpplang.convert.tools import Tools
from dpplang.syntax import ast
from dpplang.syntax.walk import walk

LEAST = 3
"""Members that make a loop."""

WIDEST = 8
"""Statements of a loop's body at most."""

VARIABLES = ("t", "i", "k", "s")

Made = tuple[Any, ast.Binder | None]
"""A tree, and what it is repeated for."""


def roll_terms(terms: Sequence[ast.Expr], tools: Tools) -> list[ast.Expr]:
    """Terms of a scalar sum, with sums over an index set in the place of those that a loop wrote out."""
    rolled: list[ast.Expr] = []
    for bodies, binder in _groups(terms, tools):
        if binder is None:
            rolled += bodies
        else:
            body = ast.Generator(nodes.total(bodies), (binder,), None, span=nodes.NOWHERE)
            rolled.append(nodes.call("sum", body))
    return rolled


def roll_relations(relations: Sequence[Any], tools: Tools) -> list[Made]:
    """Relations, each with the index set that it is repeated for, or None."""
    return [(body, binder) for bodies, binder in _groups(relations, tools) for body in bodies]


def _groups(members: Sequence[Any], tools: Tools) -> list[tuple[tuple[Any, ...], ast.Binder | None]]:
    """Runs of members that are one loop each, and single members between them."""
    shapes = [_skeleton(m) for m in members]
    groups: list[tuple[tuple[Any, ...], ast.Binder | None]] = []
    at = 0
    while at < len(members):
        best: tuple[int, int] = (0, 0)
        for period in range(1, min(WIDEST, (len(members) - at) // LEAST) + 1):
            count = _repeats(shapes, at, period)
            if count >= LEAST and count * period > best[0] * best[1]:
                best = (count, period)
        count, period = best
        if not count:
            groups.append(((members[at],), None))
            at += 1
            continue
        groups.append(_loop(members, shapes, at, period, count, tools))
        at += count * period
    return groups


_Skeleton = tuple[Any, tuple[int, ...]]
"""A tree without the integers of its subscripts, and those integers in order."""


def _skeleton(tree: Any) -> _Skeleton:
    holes: list[int] = []
    return _mapped(tree, lambda n: holes.append(int(n.value)) or nodes.name("?")), tuple(holes)


def _repeats(shapes: Sequence[_Skeleton], at: int, period: int) -> int:
    """How often a body of some statements is repeated from a place on."""
    steps: list[tuple[int, ...] | None] = [None] * period
    count = 1
    while at + (count + 1) * period <= len(shapes):
        for j in range(period):
            (before, low), (after, high) = shapes[at + (count - 1) * period + j], shapes[at + count * period + j]
            if len(low) != len(high) or (before is not after and before != after):
                return count if any(s and any(s) for s in steps) else 0
            step = tuple(b - a for a, b in zip(low, high, strict=True))
            if steps[j] not in (None, step):
                return count if any(s and any(s) for s in steps) else 0
            steps[j] = step
        if not all(s is not None and any(s) for s in steps):
            return 0  # a statement that is the same each time is no member of a loop
        count += 1
    return count if any(s and any(s) for s in steps) else 0


def _loop(
    members: Sequence[Any], shapes: Sequence[_Skeleton], at: int, period: int, count: int, tools: Tools
) -> tuple[tuple[Any, ...], ast.Binder]:
    body = members[at : at + period]
    first = [shapes[at + j][1] for j in range(period)]
    steps = [tuple(b - a for a, b in zip(first[j], shapes[at + period + j][1], strict=True)) for j in range(period)]
    plain = [a for low, step in zip(first, steps, strict=True) for a, s in zip(low, step, strict=True) if s == 1]
    start = min(plain, default=0)
    taken = {n.name for m in body for n in walk(m) if isinstance(n, ast.Name)} | set(tools.names.things)
    variable = next((v for v in VARIABLES if v not in taken), None) or tools.names.fresh("t")
    bodies = tuple(
        _filled(member, [_place(a, s, start, variable) for a, s in zip(low, step, strict=True)])
        for member, low, step in zip(body, first, steps, strict=True)
    )
    domain = tools.size(count) if start == 0 else nodes.slice_(nodes.number(start), tools.size(start + count))
    return bodies, nodes.binder(variable, domain)


def _place(first: int, step: int, start: int, variable: str) -> ast.Expr | None:
    """The subscript that is ``first`` at the loop's start and grows by ``step``; None where it stays as it is."""
    if step == 0:
        return None
    node = nodes.name(variable) if step == 1 else nodes.binary("*", nodes.number(abs(step)), nodes.name(variable))
    offset = first - step * start
    if step < 0:
        return nodes.binary("-", nodes.number(offset), node)
    if offset == 0:
        return node
    return nodes.binary("+" if offset > 0 else "-", node, nodes.number(abs(offset)))


def _filled(tree: Any, places: list[ast.Expr | None]) -> Any:
    left = iter(places)
    return _mapped(tree, lambda n: next(left) or n)


def _mapped(node: Any, change: Callable[[ast.Number], ast.Expr], inside: bool = False) -> Any:
    """A tree with the integers of its subscripts changed, in order."""
    if isinstance(node, ast.Number):
        return change(node) if inside else node
    if isinstance(node, tuple):
        made = tuple(_mapped(part, change, inside) for part in node)
        return made if any(a is not b for a, b in zip(made, node, strict=True)) else node
    if isinstance(node, ast.Index):
        operand = _mapped(node.operand, change)
        return replace(node, operand=operand, items=_mapped(node.items, change, True))
    if not isinstance(node, ast.Node):
        return node
    changed = {}
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, ast.Node | tuple) and field.name not in (
            "span",
            "op_span",
            "op_spans",
            "cone",
            "function",
        ):
            made = _mapped(value, change, inside)
            if made is not value:
                changed[field.name] = made
    return replace(node, **changed) if changed else node
