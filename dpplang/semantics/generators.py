"""Index sets: binders, conditions, and ``sum max min hstack vstack`` over them."""

from __future__ import annotations

from dataclasses import replace

from dpplang.core.diagnostics import Label
from dpplang.lattice.curvature import Curvature, Monotonicity
from dpplang.lattice.dims import Poly, Shape, show_shape, shown
from dpplang.semantics.build import polynomial, size_node
from dpplang.semantics.facts import composed
from dpplang.semantics.report import mistake
from dpplang.semantics.scope import POISON, Scope
from dpplang.semantics.tree import Condition, Expr, Logic, Range, Reason, Reduce, Test, TypedBinder
from dpplang.semantics.walk import Walk
from dpplang.syntax import ast

GENERATORS = ("sum", "max", "min", "hstack", "vstack")


def integer_expression(walk: Walk, node: ast.Expr, scope: Scope, what: str) -> Poly | None:
    """A polynomial in dims and index variables; None if the expression is wrong, which is then reported.

    Raises:
        Mistake: it is no integer expression.
    """
    expr = walk.infer(node, scope)
    if expr is None:
        return None
    poly = polynomial(expr)
    if poly is None:
        raise mistake(
            "SHP508",
            f"{what} must be a whole number, built from dims, index variables and numbers with `+ - *`",
            node.span,
            "not an index expression",
        )
    return poly


def domain_of(walk: Walk, domain: ast.Expr | ast.Slice, scope: Scope) -> Range | None:
    """The range that ``in n`` or ``in a:b`` means."""
    if not isinstance(domain, ast.Slice):
        stop = integer_expression(walk, domain, scope, "the index set")
        return None if stop is None else Range(Poly(), stop)
    if domain.stop is None:
        raise mistake("SHP508", "a range needs an end: `1:T`", domain.span)
    start = Poly() if domain.start is None else integer_expression(walk, domain.start, scope, "a range's start")
    stop = integer_expression(walk, domain.stop, scope, "a range's end")
    return None if start is None or stop is None else Range(start, stop)


def open_binders(
    walk: Walk, binders: tuple[ast.Binder, ...], condition: ast.Condition | None, scope: Scope
) -> tuple[Scope, tuple[TypedBinder, ...], Condition | None] | None:
    """The scope inside ``for t in T, j in n if …``; None if a part is wrong, which is then reported.

    Raises:
        Mistake: an index set that is no range, two index variables of one name.
    """
    typed: list[TypedBinder] = []
    seen: dict[str, ast.Ident] = {}
    sound = True
    for binder in binders:
        name = binder.name.name
        if name in seen:
            raise mistake(
                "NAM102",
                f"index variable `{name}` is bound twice",
                binder.name.span,
                secondary=(Label(seen[name].span, "first here"),),
            )
        seen[name] = binder.name
        extent = domain_of(walk, binder.domain, scope)
        if extent is None:
            sound = False
            scope = scope.bind(name, POISON)
            continue
        own = TypedBinder(walk.state.fresh_index(name), extent.start, extent.stop)
        typed.append(own)
        scope = replace(scope, binders=(*scope.binders, own))
        scope = scope.bind(name, size_node(Poly.var(own.name), binder.name.span, scope.binders))
    test = None if condition is None else typed_condition(walk, condition, scope)
    if test is not None:
        scope = replace(scope, conditions=(*scope.conditions, test))
    return (scope, tuple(typed), test) if sound and (condition is None or test is not None) else None


def typed_condition(walk: Walk, node: ast.Condition, scope: Scope) -> Condition | None:
    """A condition over index expressions; None if a part is wrong, which is then reported."""
    match node:
        case ast.Comparison():
            polys = [integer_expression(walk, o, scope, "each side of a condition") for o in node.operands]
            known = [p for p in polys if p is not None]
            if len(known) < len(polys):
                return None
            tests = tuple(map(Test, node.ops, known[:-1], known[1:]))
            return tests[0] if len(tests) == 1 else Logic("and", tests)
        case ast.BoolOp():
            parts = [typed_condition(walk, p, scope) for p in node.parts]
            sound = tuple(p for p in parts if p is not None)
            return Logic(node.op, sound) if len(sound) == len(parts) else None
        case ast.Not():
            part = typed_condition(walk, node.part, scope)
            return None if part is None else Logic("not", (part,))


def generate(walk: Walk, call: ast.Call, node: ast.Generator, scope: Scope) -> Expr | None:
    """``sum(body for t in T if …)`` and its kin.

    Raises:
        Mistake: not one of the five, or a shape that depends on the index where it may not.
    """
    op = call.function.name
    if op not in GENERATORS:
        raise mistake(
            "NAM104",
            f"`{op}` does not take a generator",
            call.function.span,
            help=(f"generators stand in {', '.join(f'`{g}`' for g in GENERATORS)}",),
        )
    for keyword in call.keywords:
        raise mistake("NAM118", f"`{op}` over a generator takes no named arguments", keyword.span)
    opened = open_binders(walk, node.binders, node.condition, scope)
    if opened is None:
        return None
    inner, binders, condition = opened
    body = walk.infer(node.body, inner)
    if body is None:
        return None
    _check_shape(op, body, binders, node)
    shape = body.shape
    if op in ("hstack", "vstack"):
        shape = _stacked(op, body, _count(op, binders, condition, node))
    return reduce(op, body, binders, condition, shape, call)


def reduce(
    op: str,
    body: Expr,
    binders: tuple[TypedBinder, ...],
    condition: Condition | None,
    shape: Shape,
    call: ast.Call,
) -> Expr:
    outer = {"max": Curvature.CONVEX, "min": Curvature.CONCAVE}.get(op, Curvature.AFFINE)
    facts = composed(shape, body.facts.sign, outer, (body,), (Monotonicity.INCREASING,))
    rule = {
        "max": "the maximum of convex expressions is convex",
        "min": "the minimum of concave expressions is concave",
        "sum": "a sum over an index set has the curvature of its members",
    }.get(op, "a stack has the curvature of its parts")
    return Reduce(op, body, binders, condition, facts=facts, span=call.span, reason=Reason(rule, (body,)))


def _check_shape(op: str, body: Expr, binders: tuple[TypedBinder, ...], node: ast.Generator) -> None:
    bound = {b.name for b in binders}
    for axis in body.shape:
        if axis.names & bound:
            raise mistake(
                "SHP517",
                f"the members of this `{op}` have different shapes: {show_shape(body.shape)}",
                node.body.span,
                f"its shape depends on `{shown(min(axis.names & bound))}`",
            )


def _count(op: str, binders: tuple[TypedBinder, ...], condition: Condition | None, node: ast.Generator) -> Poly:
    """Number of members, which has to be a polynomial in the dims."""
    if condition is not None:
        raise mistake(
            "SHP517",
            f"how many members this `{op}` has depends on a condition, so its shape is not known",
            node.span,
            help=("use ranges in place of the condition: `for t in 1:T`",),
        )
    total = Poly.const(1)
    bound: set[str] = set()
    for binder in binders:
        extent = binder.stop - binder.start
        if extent.names & bound:
            raise mistake(
                "SHP517",
                f"the range of `{shown(binder.name)}` depends on another index, so this `{op}` has no known shape",
                node.span,
            )
        bound.add(binder.name)
        total = total * extent
    return total


def _stacked(op: str, body: Expr, count: Poly) -> Shape:
    """NumPy's: a scalar counts as one entry, and ``vstack`` makes a row of it or of a vector."""
    one = Poly.const(1)
    shape = body.shape or (one,)
    if op == "vstack":
        return (count, *shape) if len(shape) == 1 else (count * shape[0], *shape[1:])
    return (count * shape[0],) if len(shape) == 1 else (shape[0], count * shape[1], *shape[2:])


def extents(binders: tuple[TypedBinder, ...]) -> Shape | None:
    """Sizes of the index sets; None where one depends on another index."""
    bound: set[str] = set()
    sizes: list[Poly] = []
    for binder in binders:
        extent = binder.stop - binder.start
        if extent.names & bound:
            return None
        bound.add(binder.name)
        sizes.append(extent)
    return tuple(sizes)
