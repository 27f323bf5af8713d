"""Atoms as their graphs: fresh variables and rows, one instance for every row of the environment at once.

An elementwise atom has one instance per entry, a reduction along an axis one per remaining position; the graph itself
is lowered once, whatever their number.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from dpplang.core.diagnostics import Diagnostic, Label
from dpplang.core.errors import BindError, InternalError
from dpplang.core.source import Origin
from dpplang.lowering.affine import Affine, Ints
from dpplang.lowering.constraints import DualMap, add_cone, add_relation
from dpplang.lowering.env import Env, extend
from dpplang.lowering.expressions import Lowering
from dpplang.lowering.primitives import positions, repeat_rows, spread
from dpplang.lowering.scope import Scope
from dpplang.lowering.variables import declare
from dpplang.semantics.tree import Atom, AtomCall, Constraint, Kind

Layout = Callable[[Affine], Affine]
"""From the instances' results to the call's ``[N, *shape]``."""


def lower_atom(lowering: Lowering, call: AtomCall, env: Env, scope: Scope, quadratic: bool) -> Affine:
    """The form that stands for an atom's value: numbers where all arguments are, its graph's objective otherwise."""
    atom = call.atom
    args = [lowering.lower(a, env, scope) for a in call.args]
    shape = scope.shape(call.shape, call.span)
    members, layout = _members(call, args, shape)
    sizes = {name: int(poly.evaluate(scope.sizes)) for name, poly in call.sizes}
    symbols = {f.symbol: a for f, a in zip(atom.formals, members, strict=True)}
    inner = Scope(sizes, symbols, Env.root(members[0].rows if members else env.rows))
    origin = Origin.of(atom.name, call.span)
    if atom.value is not None and all(a.is_constant for a in members):
        form = lowering.lower(atom.value, inner.base, inner)
        if np.isnan(form.coefficient).any():
            message = f"`{atom.name}` has no value for these constants"
            raise BindError((Diagnostic("BND742", message, Label(call.span, "not a number")),))
    elif quadratic and atom.quadratic is not None:
        for formal in atom.formals:
            if not formal.mode:
                symbols[formal.symbol] = _simple(lowering, symbols[formal.symbol], origin)
        form = lowering.lower(atom.quadratic, inner.base, inner, True)
    else:
        form = lower_graph(lowering, atom, inner, origin, quadratic)
    return layout(form)


def lower_graph(lowering: Lowering, atom: Atom, scope: Scope, origin: Origin, quadratic: bool) -> Affine:
    """Instances of an atom's graph: its variables and rows, and the form of its objective."""
    graph = atom.graph
    if graph is None:
        raise InternalError(f"`{atom.name}` has no graph and stands outside a quadratic objective ({origin})")
    for variable in graph.variables:
        scope.symbols[variable] = declare(lowering.builder, variable, scope, lowering.lower, "atom", origin)
    for constraint in graph.constraints:
        lower_constraint(lowering, constraint, scope, origin, "atom")
    return lowering.lower(graph.objective, scope.base, scope, quadratic)


def lower_constraint(
    lowering: Lowering, constraint: Constraint, scope: Scope, origin: Origin, why: str
) -> tuple[DualMap, Env]:
    """Rows of all members of a constraint. Returns its dual's map and the environment of the members."""
    env, _ = extend(scope.base, constraint.binders, constraint.condition, scope.sizes)
    parts = [lowering.lower(p, env, scope) for p in constraint.parts]
    if constraint.kind is Kind.CONE:
        exponent = np.zeros(env.rows)
        if constraint.cone_args:
            exponent = lowering.lower(constraint.cone_args[0], env, scope).dense()
        dual = add_cone(lowering.builder, constraint.cone, parts, exponent, origin, why)
    else:
        shape = next((p.own for p in parts if p.own), ())
        dual = add_relation(lowering.builder, constraint.kind, parts, shape, origin, why)
    return dual, env


def _members(call: AtomCall, args: list[Affine], shape: tuple[int, ...]) -> tuple[list[Affine], Layout]:
    """Arguments with one row per instance, and how the instances' results are laid out as ``[N, *shape]``."""
    atom, rows = call.atom, args[0].rows if args else 1
    if atom.kind == "elementwise":
        count = rows * prod(shape)
        spread_args = [spread(a, shape).reshape(count) for a in args]
        return spread_args, lambda form: form.reshape(rows, *shape)
    if call.axis is not None:
        return _along_axis(call, args, shape)
    members: list[Affine] = []
    for formal, arg in zip(atom.formals, args, strict=True):
        first = atom.kind == "reduction" and formal is atom.formals[0]
        flat = first or formal.any_shape
        members.append(arg.reshape(rows, prod(arg.own)) if flat else arg)
    return members, lambda form: form.reshape(rows, *shape)


def _along_axis(call: AtomCall, args: list[Affine], shape: tuple[int, ...]) -> tuple[list[Affine], Layout]:
    """A reduction's instances: every position of the other axes."""
    first, *others = args
    axis = (call.axis or 0) + 1
    moved = np.moveaxis(positions(first), axis, -1)
    rest = moved.shape[:-1]
    vectors = first.gather(np.ascontiguousarray(moved)).reshape(prod(rest), first.shape[axis])
    repeat = np.repeat(np.arange(first.rows), prod(rest[1:]))
    members = [vectors, *(repeat_rows(o, repeat) for o in others)]

    def layout(form: Affine) -> Affine:
        if not form.own:
            return form.reshape(first.rows, *shape)
        place = np.arange(form.size).reshape(*rest, *form.own)
        return form.gather(np.ascontiguousarray(np.moveaxis(place, -1, axis))).reshape(first.rows, *shape)

    return members, layout


def _simple(lowering: Lowering, form: Affine, origin: Origin) -> Affine:
    """The form itself where its square costs no more than a copy of it would, else a fresh variable equal to it.

    A square of a form with parameters is not affine in them, and that of a form with many variables is dense.
    """
    counts = _terms_per_entry(form)
    pairs = int((counts * (counts + 1) // 2).sum())
    if (form.par < 0).all() and pairs <= 2 * form.entry.shape[0]:
        return form
    copy = lowering.builder.fresh(*form.shape)
    lowering.builder.zero(form + -copy, origin, "definition")
    return copy


def _terms_per_entry(form: Affine) -> Ints:
    return np.bincount(form.entry, minlength=form.size)
