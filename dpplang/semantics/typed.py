"""A program as far as it could be typed, whatever is wrong with it, and the typing of one more expression in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.source import Source
from dpplang.semantics.infer import Inference
from dpplang.semantics.report import Report
from dpplang.semantics.scope import FileScope, Scope
from dpplang.semantics.tree import Apply, AtomCall, Expr, Model, Reduce, Take
from dpplang.semantics.walk import Inlined, State, reserve_index_names
from dpplang.syntax import ast
from dpplang.syntax.parser import parse_expression


@dataclass(frozen=True, slots=True, eq=False)
class Typed:
    """What faces show of a program that may have errors.

    Attributes:
        model: what could be typed; lowering takes a model without errors only, ``Checked.model``.
        scope: what the names of the file mean.
        inlined: ``func`` calls by ``id`` of the expression that they stand for.
    """

    model: Model
    scope: FileScope
    inlined: Mapping[int, Inlined]

    def named(self, name: str) -> Expr | None:
        """What a ``let``, a tensor or a dim of the file is; None if there is none, or its declaration is wrong."""
        found = self.scope.names.get(name)
        return found if isinstance(found, Expr) else None

    def roots(self) -> Iterator[Expr]:
        """Every expression of the program that is part of no other, in no order that means anything."""
        model = self.model
        if model.objective is not None:
            yield model.objective
        for constraint in model.constraints:
            yield from (*constraint.parts, *constraint.cone_args)
        yield from (d.value for d in model.derived)
        yield from (o.value for o in model.outputs)
        for symbol in (*model.data, *model.params, *model.variables, *(d.symbol for d in model.derived)):
            yield from (a for attribute in symbol.attributes for a in attribute.arguments)
            if symbol.default is not None:
                yield symbol.default
        yield from (b for b in self.scope.names.values() if isinstance(b, Expr))


@dataclass(frozen=True, slots=True)
class Probed:
    """An expression typed in a program: None if something is wrong with it. ``numeric``: as one of ``derived``."""

    expr: Expr | None
    diagnostics: tuple[Diagnostic, ...]
    numeric: bool = False


def type_in(program: Typed, text: str, name: str = "<expression>") -> Probed:
    """Type an expression that is no part of the program, with the program's names in scope.

    One that only ``derived`` may hold (``chol(Q)``) is typed as such a one.
    """
    node, found = parse_expression(Source(name, text))
    if node is None:
        return Probed(None, found)
    return type_node_in(program, node)


def type_node_in(program: Typed, node: ast.Expr) -> Probed:
    """As :func:`type_in`, of a parsed expression."""
    plain = _typed(program, node, numeric=False)
    if plain.expr is not None:
        return plain
    numeric = _typed(program, node, numeric=True)
    if numeric.expr is not None:
        return plain if numeric.expr.facts.variables else numeric
    meant = any(d.code == "DPP303" for d in plain.diagnostics)
    return numeric if meant else plain


def _typed(program: Typed, node: ast.Expr, *, numeric: bool) -> Probed:
    # An unknown name is poisoned where it is found: that must stay within this expression.
    scope = replace(program.scope, names=dict(program.scope.names.items()))
    report, state = Report(), State(inlined=dict(program.inlined))
    reserve_index_names(state, [d.name for d in program.model.dims])
    expr = Inference(report, state).infer(node, Scope(scope, numeric=numeric, returning=not numeric))
    return Probed(expr, report.diagnostics, numeric)


def parts_of(expr: Expr) -> tuple[Expr, ...]:
    """The typed expressions directly below."""
    match expr:
        case AtomCall(args=args) | Apply(args=args):
            return args
        case Reduce(body=body):
            return (body,)
        case Take(operand=operand):
            return (operand,)
        case _:
            return ()


def expression_at(program: Typed, source: Source, offset: int) -> Expr | None:
    """The smallest typed expression of the program whose text holds the character at ``offset`` of ``source``.

    Of several with the same text the outermost. Arguments of a ``func`` are found where they are written, its body
    as it was typed for one of the calls.
    """
    best: Expr | None = None
    pending, seen = list(program.roots()), set[int]()
    while pending:
        expr = pending.pop()
        if id(expr) in seen:
            continue
        seen.add(id(expr))
        span = expr.span
        if (
            span.source is source
            and span.start <= offset < span.end
            and (best is None or span.end - span.start < best.span.end - best.span.start)
        ):
            best = expr
        pending.extend(parts_of(expr))
    return best
