"""Membership in a set: the rows of its constraints, and the element's dual from theirs.

The graph is lowered with placeholders in the element's place, so that every row says how it depends on the element:
s = c + G e with multiplier y. The Lagrangian f(x) − yᵀs is −(Gᵀy)ᵀe in the element, so Gᵀy is the dual of e ∈ C: −Gᵀy
lies in the normal cone of C, and for a cone Gᵀy is its dual. Then the element's forms replace the placeholders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from dpplang.core.errors import InternalError
from dpplang.core.source import Origin
from dpplang.lowering.affine import Affine, concatenate_terms, join, product, variables
from dpplang.lowering.builder import Block
from dpplang.lowering.constraints import DualMap
from dpplang.lowering.env import Env
from dpplang.lowering.expressions import Lowering
from dpplang.lowering.instances import members
from dpplang.lowering.primitives import concatenate, spread
from dpplang.lowering.scope import Scope
from dpplang.lowering.variables import declare
from dpplang.semantics.tree import AtomCall, Constraint

Constrain = Callable[[Lowering, Constraint, Scope, Origin, str], object]
"""Lowers a constraint: :func:`dpplang.lowering.atoms.lower_constraint`."""


def lower_set(
    lowering: Lowering, call: AtomCall, env: Env, scope: Scope, origin: Origin, why: str, constrain: Constrain
) -> tuple[DualMap, ...]:
    """Rows for every row of ``env``; the element's dual is the sum of the maps.

    Args:
        call: the set's indicator. constrain: lowers the constraints of its graph.
    """
    atom, builder = call.atom, lowering.builder
    if atom.graph is None:
        raise InternalError(f"the set `{atom.name}` has no constraints")
    args = [lowering.lower(a, env, scope) for a in call.args]
    shape = scope.shape(call.shape, call.span)
    if atom.kind == "elementwise":
        args = [spread(a, shape) for a in args]
    convex = [k for k, formal in enumerate(atom.formals) if not formal.mode]
    parts = [args[k] for k in convex]
    element = concatenate([p.reshape(p.rows, prod(p.own)) for p in parts], 1)
    first = builder.placeholders(element.size)
    place = first + np.arange(element.size).reshape(element.shape)
    start = 0
    for k, part in zip(convex, parts, strict=True):
        stop = start + prod(part.own)
        args[k] = variables(place[:, start:stop]).reshape(*part.shape)
        start = stop
    sizes = {name: int(poly.evaluate(scope.sizes)) for name, poly in call.sizes}
    inside, _ = members(call, args, shape)
    symbols = {f.symbol: a for f, a in zip(atom.formals, inside, strict=True)}
    inner = Scope(sizes, symbols, Env.root(inside[0].rows))
    before = len(builder.blocks)
    for variable in atom.graph.variables:
        symbols[variable] = declare(builder, variable, inner, lowering.lower, why, origin)
    for constraint in atom.graph.constraints:
        constrain(lowering, constraint, inner, origin, why)
    own = _shape(call, parts, shape)
    duals: list[DualMap] = []
    for position, block in enumerate(builder.blocks[before:], before):
        at = (block.form.var >= first) & (block.form.var < first + element.size)
        if at.any():
            held = block.form.select(at)
            built = builder.blocks[position] = replace(block, form=_replaced(block, held, ~at, element, first))
            duals.append(DualMap(built, own, held.entry, held.var - first, held.coefficient, held.par))
    return tuple(duals)


def _shape(call: AtomCall, parts: list[Affine], shape: tuple[int, ...]) -> tuple[int, ...]:
    """One member's dual (see :func:`dpplang.semantics.sets.element_shape`)."""
    if len(parts) == 1:
        return parts[0].own
    return (len(parts), *shape) if call.atom.kind == "elementwise" else (sum(prod(p.own) for p in parts),)


def _replaced(block: Block, held: Affine, rest: NDArray[np.bool_], element: Affine, first: int) -> Affine:
    """The block's form with the element in place of the placeholders."""
    i, j = join(held.var - first, element.entry, element.size)
    scale = Affine(held.shape, held.entry, np.full(held.var.shape, -1), held.par, held.coefficient)
    put = product(held.shape, held.entry[i], scale, i, element, j)
    return concatenate_terms(held.shape, [block.form.select(rest), put])
