"""Relations and memberships as typed constraints: chains split, sides matched, cones' parts checked."""

from __future__ import annotations

from dataclasses import replace

from dpplang.core.diagnostics import Label
from dpplang.core.source import Span
from dpplang.lattice.dims import Poly, Shape, show_shape, size
from dpplang.semantics.arithmetic import declaration_labels, operand_labels, shapes_differ
from dpplang.semantics.atom_constants import number
from dpplang.semantics.calls import Site
from dpplang.semantics.generators import open_binders
from dpplang.semantics.hints import SETS
from dpplang.semantics.report import Mistake, mistake, plural, suggestions
from dpplang.semantics.scope import Poison, Scope
from dpplang.semantics.sets import membership
from dpplang.semantics.tree import Constraint, Expr, Kind
from dpplang.semantics.walk import Walk
from dpplang.syntax import ast

CONES: dict[str, tuple[int, ...]] = {
    "nonneg": (1,),
    "nonpos": (1,),
    "zero": (1,),
    "soc": (1, 2),
    "rsoc": (3,),
    "exp_cone": (3,),
    "pow_cone": (3,),
    "psd": (1,),
    "nsd": (1,),
}
"""Cones, and how many parts an element may be given in."""

ALIASES = {"rotated_soc": "rsoc"}

CONE_MEANINGS = {
    "soc": "`(t, x) in soc` means ‖x‖₂ ≤ t",
    "rsoc": "`(u, v, x) in rsoc` means ‖x‖₂² ≤ 2uv",
    "exp_cone": "`(x, y, z) in exp_cone` means y·exp(x/y) ≤ z",
    "pow_cone": "`(x, y, z) in pow_cone(a)` means xᵃ·y¹⁻ᵃ ≥ |z|",
    "psd": "`X in psd` means that X is positive semidefinite",
    "nsd": "`X in nsd` means that X is negative semidefinite",
}


def constraints_of(walk: Walk, item: ast.ConstraintItem, scope: Scope, name: str) -> tuple[Constraint, ...] | None:
    """The constraints that an item states, one per link of a chain; None if it is wrong, which is then reported."""
    try:
        opened = open_binders(walk, item.binders, item.condition, scope)
    except Mistake as error:
        walk.report.add(*error.diagnostics)
        return None
    if opened is None:
        return None
    inner, binders, condition = opened
    found = relation(walk, item.relation, inner, name)
    if found is None:
        return None
    bound = {b.name for b in binders}
    for constraint in found:
        for axis in constraint.shape:
            if axis.names & bound:
                walk.report.add(*_ragged(constraint).diagnostics)
                return None
    return tuple(replace(c, binders=binders, condition=condition) for c in found)


def relation(walk: Walk, node: ast.Relation | ast.Membership, scope: Scope, name: str) -> tuple[Constraint, ...] | None:
    """The typed parts of a relation, without binders; None if it is wrong, which is then reported."""
    try:
        if isinstance(node, ast.Membership):
            member = _membership(walk, node, scope, name)
            return None if member is None else (member,)
        return _chain(walk, node, scope, name)
    except Mistake as error:
        walk.report.add(*error.diagnostics)
        return None


def _ragged(constraint: Constraint) -> Mistake:
    return mistake(
        "SHP517",
        f"the members of `{constraint.name}` have different shapes: {show_shape(constraint.shape)}",
        constraint.span,
        help=("state it entry by entry, with one more index variable",),
    )


def _chain(walk: Walk, node: ast.Relation, scope: Scope, name: str) -> tuple[Constraint, ...] | None:
    operands = [walk.infer(o, scope) for o in node.operands]
    known = [o for o in operands if o is not None]
    if len(known) < len(operands):
        return None
    chained = len(node.ops) > 1
    return tuple(
        _link(op, left, right, node.span, op_span, name, chained)
        for op, op_span, left, right in zip(node.ops, node.op_spans, known[:-1], known[1:], strict=True)
    )


def _link(op: str, left: Expr, right: Expr, span: Span, op_span: Span, name: str, chained: bool) -> Constraint:
    kind = {"==": Kind.ZERO, "<=": Kind.LE, ">=": Kind.LE}.get(op, Kind.PSD)
    swapped = op in (">=", "<<")
    shape = _matrix_order(op, left, right, op_span) if kind is Kind.PSD else _sides(op, left, right, op_span)
    parts = (right, left) if swapped else (left, right)
    return Constraint(name, kind, parts, span, swapped=swapped, chained=chained, shape=shape)


def _sides(op: str, left: Expr, right: Expr, op_span: Span) -> Shape:
    if left.shape and right.shape and left.shape != right.shape:
        raise shapes_differ(f"both sides of `{op}` need equal shapes, or one a scalar", left, right, op_span)
    return left.shape or right.shape


def _matrix_order(op: str, left: Expr, right: Expr, op_span: Span) -> Shape:
    for side, other in ((left, right), (right, left)):
        if not side.shape and other.shape and number(side) != 0:
            raise mistake(
                "SHP516",
                f"`{op}` compares matrices; the only scalar it takes is 0",
                side.span,
                "a scalar",
                help=(f"`{side.span.text} * eye(n)` is the multiple of the identity",),
            )
        if side.shape and (len(side.shape) != 2 or side.shape[0] != side.shape[1]):
            raise mistake(
                "SHP516",
                f"`{op}` compares square matrices, not shape {show_shape(side.shape)}",
                side.span,
                show_shape(side.shape),
                secondary=declaration_labels(side),
            )
    if not left.shape and not right.shape:
        raise mistake(
            "SHP516", f"`{op}` compares matrices; for numbers write `{'>=' if op == '>>' else '<='}`", op_span
        )
    return _sides(op, left, right, op_span)


# --- cones -------------------------------------------------------------------------------------------------------


def _membership(walk: Walk, node: ast.Membership, scope: Scope, name: str) -> Constraint | None:
    if node.negated:
        name_ = node.cone.name
        help_ = (f"a region on one side of a boundary can be convex: state that side in place of `not in {name_}`",)
        raise mistake("DCP213", f"what is not in `{name_}` is no convex set", node.span, help=help_)
    return _member(walk, node, scope, name)


def member(walk: Walk, node: ast.Membership, scope: Scope) -> Constraint | None:
    """That an element is in a cone or a set, whether it is said to be or not to be; None if it is wrong.

    Raises:
        Mistake: NAM121 and what else is wrong with it.
    """
    return _member(walk, node, scope, "test")


def _member(walk: Walk, node: ast.Membership, scope: Scope, name: str) -> Constraint | None:
    cone = ALIASES.get(node.cone.name, node.cone.name)
    library = scope.file.library
    if isinstance(scope.file.functions.get(cone), Poison):
        return None  # its import is wrong, and reported
    if cone not in CONES and cone not in library.names():
        known = [*CONES, *ALIASES, *library.sets()]
        raise mistake(
            "NAM121",
            f"unknown cone or set `{cone}`",
            node.cone.span,
            fixes=suggestions(cone, known, node.cone.span),
            notes=(f"there are {', '.join(f'`{c}`' for c in known)}",),
            help=(SETS[cone],) if cone in SETS else (),
        )
    records = () if cone in CONES else tuple(r for r in library.lookup(cone) if r.is_set)
    if cone not in CONES and not records and library.lookup(cone):
        help_ = (f"a set is where it has a bound: `{cone}(x) <= 1`",)
        raise mistake("NAM121", f"`{cone}` is a function, not a set", node.cone.span, help=help_)
    elements = node.element.elements if isinstance(node.element, ast.Tuple) else (node.element,)
    inferred = [walk.infer(e, scope) for e in elements]
    arguments = [walk.infer(a, scope) for a in (*node.arguments, *(k.value for k in node.keywords))]
    if cone not in CONES and not records:
        return None  # its record is wrong, and reported
    parts = tuple(p for p in inferred if p is not None)
    cone_args = tuple(a for a in arguments if a is not None)
    if len(parts) < len(inferred) or len(cone_args) < len(arguments):
        return None
    if records:
        count = len(node.arguments)
        keywords = tuple((k.name, a) for k, a in zip(node.keywords, cone_args[count:], strict=True))
        site = Site(cone, node.span, node.cone.span, scope.file.requires)
        return membership(node, records, (parts, cone_args[:count], keywords), site, name)
    if len(parts) not in CONES[cone]:
        wanted = " or ".join(plural(c, "part") for c in CONES[cone])
        raise mistake(
            "SHP516",
            f"an element of `{cone}` has {wanted}, not {len(parts)}",
            node.element.span,
            notes=(CONE_MEANINGS[cone],) if cone in CONE_MEANINGS else (),
        )
    _cone_arguments(node, cone, cone_args)
    shape = _cone_shape(cone, parts, node)
    return Constraint(name, Kind.CONE, parts, node.span, cone=cone, cone_args=cone_args, shape=shape)


def _cone_arguments(node: ast.Membership, cone: str, args: tuple[Expr, ...]) -> None:
    wanted = 1 if cone == "pow_cone" else 0
    if len(args) != wanted:
        raise mistake(
            "NAM105",
            f"`{cone}` takes {plural(wanted, 'argument')}, {len(args)} given",
            node.cone.span,
            notes=(CONE_MEANINGS[cone],) if cone in CONE_MEANINGS else (),
        )
    for arg in args:
        exponent = number(arg)
        if not arg.facts.is_constant or arg.shape:
            raise mistake("SHP516", "the exponent of `pow_cone` must be a constant scalar", arg.span)
        if exponent is not None and not 0 <= exponent <= 1:
            raise mistake("SHP516", f"the exponent of `pow_cone` must be from 0 to 1, it is {exponent:g}", arg.span)


def _cone_shape(cone: str, parts: tuple[Expr, ...], node: ast.Membership) -> Shape:
    """Shape of the dual: the parts stacked in the cone's order."""
    match cone, parts:
        case "nonneg" | "nonpos" | "zero", (part,):
            return part.shape
        case "psd" | "nsd", (part,):
            if len(part.shape) != 2 or part.shape[0] != part.shape[1]:
                raise _cone_parts(cone, "a square matrix", part)
            return part.shape
        case "soc", (part,):
            if len(part.shape) != 1:
                raise _cone_parts(cone, "a vector, its first entry the bound", part)
            return part.shape
        case "soc" | "rsoc", (*bounds, vector):
            return _soc_shape(cone, bounds, vector)
        case _:
            return _elementwise_cone(cone, parts, node)


def _soc_shape(cone: str, bounds: list[Expr], vector: Expr) -> Shape:
    """One cone over all entries of ``vector`` for scalar bounds; for bounds [k] and a matrix [k, n], one cone
    per row."""
    lead = bounds[0].shape
    for bound in bounds:
        if bound.shape != lead or len(lead) > 1:
            raise _cone_parts(cone, "scalar bounds (or vectors of one size, with a matrix beside them)", bound)
    if not lead:
        return (size(vector.shape) + len(bounds),)
    if len(vector.shape) != 2 or vector.shape[0] != lead[0]:
        raise mistake(
            "SHP516",
            f"with bounds {show_shape(lead)}, one row each, `{cone}` needs a matrix of {lead[0]} rows beside them",
            vector.span,
            show_shape(vector.shape),
            secondary=operand_labels(bounds[0]),
        )
    return (*lead, vector.shape[1] + len(bounds))


def _elementwise_cone(cone: str, parts: tuple[Expr, ...], node: ast.Membership) -> Shape:
    shape: Shape = ()
    for part in parts:
        if part.shape and shape and part.shape != shape:
            raise mistake(
                "SHP516",
                f"the parts of `{cone}` need equal shapes, or scalars, which spread",
                node.element.span,
                secondary=tuple(Label(p.span, show_shape(p.shape)) for p in parts),
                notes=(CONE_MEANINGS[cone],),
            )
        shape = shape or part.shape
    return (Poly.const(len(parts)), *shape)


def _cone_parts(cone: str, wanted: str, part: Expr) -> Mistake:
    return mistake(
        "SHP516",
        f"`{cone}` takes {wanted}, not {show_shape(part.shape)}",
        part.span,
        show_shape(part.shape),
        secondary=declaration_labels(part),
        notes=(CONE_MEANINGS[cone],) if cone in CONE_MEANINGS else (),
    )
