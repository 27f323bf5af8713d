"""Mutants of a record: every declaration flipped, one at a time, and its graph and value changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from dpplang.syntax import ast
from dpplang.syntax.printer import print_node

SIGNS = {"nonneg": ("nonpos",), "nonpos": ("nonneg",), "zero": (), "unknown": ("nonneg", "nonpos")}
CURVATURES = {"convex": ("concave", "affine"), "concave": ("convex", "affine"), "affine": ("concave",)}
SLOPES = {
    "increasing": ("decreasing", "constant"),
    "decreasing": ("increasing", "constant"),
    "constant": (),
}
MIRROR = {">=": "<=", "<=": ">=", "==": ">="}
NAME = "mutant_of_it"


@dataclass(frozen=True)
class Mutant:
    """``part`` is the entry that was changed; ``label`` says how; ``item`` is the record, under another name."""

    part: str
    label: str
    item: ast.AtomItem


def mutants(item: ast.AtomItem) -> Iterator[Mutant]:
    """All mutants of a record that say something else than it, or more.

    Left out is what only says less (``zero`` to ``nonneg``, ``constant`` to ``increasing``, ``affine`` to ``convex``), a
    clause turned into another one that is there, and the sense of an affine graph, which has none.
    """
    own = renamed(item)
    assert own.curvature is not None and own.value is not None
    for word in CURVATURES[own.curvature.word]:
        yield Mutant("curvature", f"curvature {word}", replace(own, curvature=replace(own.curvature, word=word)))
    for part, words in (("sign", SIGNS), ("monotone", SLOPES)):
        clauses: tuple[ast.Clause, ...] = getattr(own, part)
        for i, clause in enumerate(clauses):
            for changed in _clauses(clause, words):
                if _plain(changed) in map(_plain, clauses):
                    continue
                label = f"{part} {print_node(clause)} to {print_node(changed)}"
                yield Mutant(part, label, replace(own, **{part: (*clauses[:i], changed, *clauses[i + 1 :])}))
    for i, relation in enumerate(own.domain):
        label = f"domain without {print_node(relation)}"
        yield Mutant("domain", label, replace(own, domain=own.domain[:i] + own.domain[i + 1 :]))
    for condition in _weaker(own.requires):
        label = f"requires {print_node(condition) if condition else 'nothing'}"
        yield Mutant("requires", label, replace(own, requires=condition))
    if own.graph is not None:
        yield from _graphs(own, own.graph)
    yield Mutant("value", "value + 1", replace(own, value=_plus_one(own.value)))
    for label, value in _constants(own.value):
        yield Mutant("value", f"value: {label}", replace(own, value=value))


def _plain(clause: ast.Clause) -> str:
    return str(print_node(clause))


def renamed(item: ast.AtomItem) -> ast.AtomItem:
    """The record as a user's own atom; its tests call it by that name."""
    tests = tuple(_calling(relation, item.name.name) for relation in item.tests)
    return replace(item, name=replace(item.name, name=NAME), tests=tests)


def _calling(node: Any, name: str) -> Any:
    if isinstance(node, ast.Call) and node.function.name == name:
        return replace(node, function=replace(node.function, name=NAME))
    return (
        replace(node, operands=(_calling(node.operands[0], name), *node.operands[1:]))
        if isinstance(node, ast.Relation)
        else node
    )


def _clauses(clause: ast.Clause, words: dict[str, tuple[str, ...]]) -> Iterator[ast.Clause]:
    for word in words[clause.word]:
        yield replace(clause, word=word)
    for i, condition in enumerate(clause.where):
        flipped = replace(condition, ops=(MIRROR[condition.ops[0]],))
        yield replace(clause, where=(*clause.where[:i], flipped, *clause.where[i + 1 :]))
        yield replace(clause, where=clause.where[:i] + clause.where[i + 1 :])


def _weaker(condition: ast.Condition | None) -> Iterator[ast.Condition | None]:
    if condition is None:
        return
    yield None
    if isinstance(condition, ast.BoolOp) and condition.op == "and":
        for i in range(len(condition.parts)):
            rest = condition.parts[:i] + condition.parts[i + 1 :]
            yield rest[0] if len(rest) == 1 else replace(condition, parts=rest)


def _graphs(own: ast.AtomItem, graph: ast.Graph) -> Iterator[Mutant]:
    for i, item in enumerate(graph.items):
        ahead, behind = graph.items[:i], graph.items[i + 1 :]
        if isinstance(item, ast.ObjectiveItem) and own.curvature and own.curvature.word != "affine":
            sense = {"minimize": "maximize", "maximize": "minimize"}[item.sense]
            yield Mutant(
                "graph",
                f"graph to {sense}",
                replace(own, graph=replace(graph, items=(*ahead, replace(item, sense=sense), *behind))),
            )
        if isinstance(item, ast.ConstraintItem):
            yield Mutant(
                "graph", f"graph without {print_node(item)}", replace(own, graph=replace(graph, items=ahead + behind))
            )


def _plus_one(value: ast.Expr) -> ast.Expr:
    return ast.Binary("+", value, ast.Number(1.0, "1", span=value.span), op_span=value.span, span=value.span)


def _constants(node: Any) -> Iterator[tuple[str, Any]]:
    """The node with one of its numbers raised by one."""
    if isinstance(node, ast.Number):
        raised = replace(node, value=node.value + 1, text=f"{node.value + 1:g}")
        yield f"{node.value:g} to {node.value + 1:g}", raised
    elif isinstance(node, ast.Node):
        for field in fields(node):
            if field.name != "span":
                for label, changed in _constants(getattr(node, field.name)):
                    yield label, replace(node, **{field.name: changed})
    elif isinstance(node, tuple):
        for i, part in enumerate(node):
            for label, changed in _constants(part):
                yield label, (*node[:i], changed, *node[i + 1 :])
