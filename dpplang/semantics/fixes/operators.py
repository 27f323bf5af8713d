"""Candidates for operators: a relation the other way round, the other sense, a transpose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dpplang.core.diagnostics import Edit
from dpplang.core.source import Span
from dpplang.semantics.fixes.program import Around
from dpplang.syntax import ast
from dpplang.syntax.grouping import binding
from dpplang.syntax.walk import walk

Candidate = tuple[str, tuple[Edit, ...]]


def flipped(around: Around, span: Span, others: Mapping[str, tuple[str, ...]]) -> Iterator[Candidate]:
    """The relation that the span stands in, with another sign; a chain is left alone."""
    item = around.item_at(span)
    if not isinstance(item, ast.ConstraintItem) or not isinstance(item.relation, ast.Relation):
        return
    relation = item.relation
    if len(relation.ops) != 1:
        return
    for sign in others.get(relation.ops[0], ()):
        yield f"write `{sign}`, if that is what is meant", (Edit(relation.op_spans[0], sign),)


def other_sense(around: Around) -> Iterator[Candidate]:
    """``maximize`` for ``minimize``, and the reverse."""
    objective = next((i for i in around.file.items if isinstance(i, ast.ObjectiveItem)), None)
    if objective is None or objective.expression is None:
        return
    other = "maximize" if objective.sense == "minimize" else "minimize"
    start = objective.span.start
    word = Span(objective.span.source, start, start + len(objective.sense))
    if word.text == objective.sense:
        yield f"write `{other}`, if that is what is meant", (Edit(word, other),)


def transposed(around: Around, operator: Span) -> Iterator[Candidate]:
    """``A' @ x`` or ``A @ B'`` for the product whose operator is underlined."""
    item = around.item_at(operator)
    for node in walk(item) if item is not None else ():
        if isinstance(node, ast.Binary) and node.op_span == operator:
            for part, other in ((node.left, "left"), (node.right, "right")):
                text = part.span.text
                written = f"{text}'" if binding(part) == 5 else f"({text})'"
                yield f"transpose the {other} side: `{written}`", (Edit(part.span, written),)
