"""``return``: affine expressions of variables, duals and the optimal value, and the names they are reached by."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import cast

from dpplang.core.diagnostics import Label
from dpplang.lattice.curvature import Curvature
from dpplang.lattice.dims import Shape
from dpplang.semantics.generators import extents
from dpplang.semantics.memo import Memo
from dpplang.semantics.report import Mistake, mistake
from dpplang.semantics.scope import POISON, FileScope, Scope
from dpplang.semantics.tree import Constraint, DualRef, Expr, Facts, Output, Reason, Symbol
from dpplang.semantics.walk import Walk
from dpplang.syntax import ast
from dpplang.syntax.walk import walk as walk_nodes

_DUAL = Reason("a dual variable")


def declare_duals(
    file: FileScope,
    items: Sequence[ast.ConstraintItem],
    constraints: Sequence[Constraint],
    memo: Memo | None = None,
) -> None:
    """Put ``dual name`` into scope for every named constraint; poisoned where the constraint is wrong."""
    by_name: dict[str, Constraint] = {}
    for constraint in constraints:
        by_name.setdefault(constraint.name, constraint)
    for item in items:
        if item.name is None:
            continue
        name = item.name.name
        constraint = by_name.get(name)
        if constraint is None:
            file.names[f"dual {name}"] = POISON
            continue
        made = None if memo is None else memo.dual_of(constraint)
        if made is None:
            facts = _dual_facts(dual_shape(constraint) or ())
            made = DualRef(name, facts=facts, span=item.span, reason=_DUAL)
            if memo is not None:
                memo.note_dual(constraint, made)
        file.names[f"dual {name}"] = made


@lru_cache(maxsize=256)
def _dual_facts(shape: Shape) -> Facts:
    return Facts(shape, curvature=Curvature.AFFINE, dpp=Curvature.AFFINE)


def dual_shape(constraint: Constraint) -> Shape | None:
    """Binder extents, then the relation's shape; None where an extent depends on another index."""
    sizes = extents(constraint.binders)
    return None if sizes is None else sizes + constraint.shape


def outputs_of(
    walk: Walk,
    item: ast.ReturnItem | None,
    file: FileScope,
    variables: Sequence[Symbol],
    constraints: Sequence[Constraint],
) -> tuple[Output, ...]:
    """The outputs; what is wrong is reported and left out."""
    if item is None:
        return tuple(Output(v.name, cast("Expr", file.names[v.name])) for v in variables)
    by_name = {c.name: c for c in reversed(constraints)}
    outputs: list[Output] = []
    taken: set[str] = set()
    for node in item.expressions:
        value = walk.infer(node, Scope(file, returning=True))
        if value is None:
            continue
        try:
            _check_duals(node, by_name)
            _check_affine(value)
        except Mistake as error:
            walk.report.add(*error.diagnostics)
            continue
        name = _name(node, file)
        if not name or name in taken:
            name = f"out{sum(o.name.startswith('out') for o in outputs)}"
        taken.add(name)
        outputs.append(Output(name, value))
    return tuple(outputs)


def _name(node: ast.Expr, file: FileScope) -> str:
    match node:
        case ast.Name(name=name):
            return name
        case ast.Dual(constraint=constraint):
            return f"dual.{constraint.name}"
        case _:
            return ""


def _check_affine(value: Expr) -> None:
    if not value.facts.dpp.is_affine:
        wanted = (
            "affine in the variables"
            if not value.facts.curvature.is_affine
            else "affine in the parameters, with the variables times parameter-free factors or alone"
        )
        raise mistake(
            "DCP210",
            f"`return` takes affine expressions; this must be {wanted}",
            value.span,
            "not affine",
            help=("return the variables and compute the rest from them",),
        )


def _check_duals(node: ast.Expr, by_name: dict[str, Constraint]) -> None:
    for dual in (n for n in walk_nodes(node) if isinstance(n, ast.Dual)):
        constraint = by_name.get(dual.constraint.name)
        if constraint is None:
            continue
        if constraint.chained:
            raise mistake(
                "NAM108",
                f"`{constraint.name}` is a chain of relations: it has no single dual",
                dual.span,
                secondary=(Label(constraint.span, "a chain"),),
                help=("name each relation of the chain, and return the dual you mean",),
            )
        if dual_shape(constraint) is None:
            raise mistake(
                "SHP517",
                f"the range of one index of `{constraint.name}` depends on another, so its dual has no shape",
                dual.span,
                secondary=(Label(constraint.span),),
                help=("use full ranges with a condition: `for i in n, j in n if j < i`",),
            )
