"""The ``test`` lines of a record, held against its ``value:`` while a program is checked."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator

from dpplang.core.diagnostics import Diagnostic, Label
from dpplang.semantics.atom_feasible import feasible
from dpplang.semantics.atom_scalar import Unsupported, evaluate
from dpplang.semantics.atom_tensor import Tensor, spread
from dpplang.semantics.infer import Inference
from dpplang.semantics.relations import member
from dpplang.semantics.report import Mistake, Report
from dpplang.semantics.scope import FileScope, Library, Scope
from dpplang.semantics.walk import State
from dpplang.syntax import ast

TOLERANCE = 1e-6
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": lambda a, b: a == b or math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE),
    "<=": operator.le,
    ">=": operator.ge,
}


def failing_tests(item: ast.AtomItem, library: Library) -> Iterator[Diagnostic]:
    """What is wrong with the tests of a record: they are not well formed, or do not hold (ATM428).

    Args:
        item: the record, whose contract holds.
        library: atoms, this one among them.
    """
    for relation in item.tests:
        report = Report()
        walk = Inference(report, State())
        scope = Scope(FileScope(library, own_atoms=frozenset({item.name.name})), numeric=True)
        if isinstance(relation, ast.Membership):
            yield from _membership(item, relation, walk, scope)
            yield from report.diagnostics
            continue
        sides = [walk.infer(operand, scope) for operand in relation.operands]
        yield from report.diagnostics
        try:
            values = [None if side is None else evaluate(side, {}, {}) for side in sides]
        except Unsupported:
            continue
        for op, left, right in zip(relation.ops, values[:-1], values[1:], strict=True):
            if op in _COMPARE and None not in sides and not _compare(op, left, right):
                have, wanted = _shown(left), _shown(right)
                message = (
                    f"a test of `{item.name.name}` fails: by its `value:` the left side is {have}, the right {wanted}"
                )
                blamed = () if item.value is None else (Label(item.value.span, "the value"),)
                yield Diagnostic("ATM428", message, Label(relation.span), blamed)


def _membership(item: ast.AtomItem, node: ast.Membership, walk: Inference, scope: Scope) -> Iterator[Diagnostic]:
    try:
        constraint = member(walk, node, scope)
        holds = constraint is None or feasible(constraint, {}, {}, TOLERANCE) is not node.negated
    except Mistake as found:
        yield from found.diagnostics
        return
    except Unsupported:
        return
    if not holds:
        what = "is in the set" if node.negated else "is not in the set"
        message = f"a test of `{item.name.name}` fails: by its constraints `{node.element.span.text}` {what}"
        blamed = () if item.graph is None else (Label(item.graph.span, "its constraints"),)
        yield Diagnostic("ATM428", message, Label(node.span), blamed)


def _compare(op: str, left: Tensor | None, right: Tensor | None) -> bool:
    if left is None or right is None:
        return False
    count = max(len(left.entries), len(right.entries))
    return all(_COMPARE[op](a, b) for a, b in zip(spread(left, count), spread(right, count), strict=True))


def _shown(tensor: Tensor | None) -> str:
    if tensor is None:
        return "not a number"
    entries = ", ".join(f"{v:.6g}" for v in tensor.entries)
    return f"[{entries}]" if tensor.shape else entries
