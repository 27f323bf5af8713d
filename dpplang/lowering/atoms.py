"""Atoms as their graphs: fresh variables and rows, one instance for every row of the environment at once.

An elementwise atom has one instance per entry, a reduction along an axis one per remaining position; the graph itself
is lowered once, whatever their number.
"""

from __future__ import annotations

import numpy as np

from dpplang.core.diagnostics import Diagnostic, Label
from dpplang.core.errors import BindError, InternalError
from dpplang.core.source import Origin
from dpplang.lowering.affine import Affine, Ints
from dpplang.lowering.constraints import DualMap, add_cone, add_relation
from dpplang.lowering.env import Env, extend
from dpplang.lowering.expressions import Lowering
from dpplang.lowering.instances import members
from dpplang.lowering.scope import Scope
from dpplang.lowering.sets import lower_set
from dpplang.lowering.variables import declare
from dpplang.semantics.tree import Atom, AtomCall, Constraint, Kind


def lower_atom(lowering: Lowering, call: AtomCall, env: Env, scope: Scope, quadratic: bool) -> Affine:
    """The form that stands for an atom's value: numbers where all arguments are, its graph's objective otherwise."""
    atom = call.atom
    args = [lowering.lower(a, env, scope) for a in call.args]
    shape = scope.shape(call.shape, call.span)
    inside, layout = members(call, args, shape)
    sizes = {name: int(poly.evaluate(scope.sizes)) for name, poly in call.sizes}
    symbols = {f.symbol: a for f, a in zip(atom.formals, inside, strict=True)}
    inner = Scope(sizes, symbols, Env.root(inside[0].rows if inside else env.rows))
    origin = Origin.of(atom.name, call.span)
    if atom.value is not None and all(a.is_constant for a in inside):
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
) -> tuple[tuple[DualMap, ...], Env]:
    """Rows of all members of a constraint. Returns the maps whose sum its dual is, and the members' environment."""
    env, _ = extend(scope.base, constraint.binders, constraint.condition, scope.sizes)
    if constraint.indicator is not None:
        return lower_set(lowering, constraint.indicator, env, scope, origin, why, lower_constraint), env
    parts = [lowering.lower(p, env, scope) for p in constraint.parts]
    if constraint.kind is Kind.CONE:
        exponent = np.zeros(env.rows)
        if constraint.cone_args:
            exponent = lowering.lower(constraint.cone_args[0], env, scope).dense()
        dual = add_cone(lowering.builder, constraint.cone, parts, exponent, origin, why)
    else:
        shape = next((p.own for p in parts if p.own), ())
        dual = add_relation(lowering.builder, constraint.kind, parts, shape, origin, why)
    return (dual,), env


def _simple(lowering: Lowering, form: Affine, origin: Origin) -> Affine:
    """The form itself where its square costs no more than a copy of it would, else a fresh variable equal to it.

    A square of a form with parameters is not affine in them, and that of a form with many variables is dense.
    """
    if not form.has_parameters:
        counts = _terms_per_entry(form)
        if int((counts * (counts + 1) // 2).sum()) <= 2 * form.entry.shape[0]:
            return form
    copy = lowering.builder.fresh(*form.shape)
    lowering.builder.zero(form + -copy, origin, "definition")
    return copy


def _terms_per_entry(form: Affine) -> Ints:
    return np.bincount(form.entry, minlength=form.size)
