"""Typed tree to program: bind, declare, constrain, lower the objective and what is returned, stuff."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.evaluate import references
from dpplang.asa.program import Parameter, Program
from dpplang.core.diagnostics import Diagnostic, Label
from dpplang.core.errors import BindError
from dpplang.core.source import Origin
from dpplang.lowering.affine import Affine, Floats, constant
from dpplang.lowering.atoms import lower_atom, lower_constraint
from dpplang.lowering.builder import Builder, offsets
from dpplang.lowering.data import bind_data
from dpplang.lowering.env import Env
from dpplang.lowering.expressions import Lowering
from dpplang.lowering.outputs import NamedDual, dual_form, index_box, output, output_form
from dpplang.lowering.parameters import parameter_blocks, parameter_form
from dpplang.lowering.scope import Scope
from dpplang.lowering.stuffing import stuff_objective, stuff_rows
from dpplang.lowering.variables import declare
from dpplang.semantics.tree import Expr, Model, Symbol


def lower(model: Model, sizes: Mapping[str, int], data: Mapping[str, Any]) -> Program:
    """Lower a checked program for these sizes and data.

    Args:
        model: the typed tree. sizes: a value for every dim. data: an array for every ``data`` without a default.

    Returns:
        The program; its rows, cones and vectorization as :mod:`dpplang.asa.cones` has them, its duals' signs CVXPY's.

    Raises:
        BindError: data that do not fit (see :func:`dpplang.lowering.data.bind_data`), an index that leaves its axis at
            these sizes (BND740), an extremum over nothing (BND741), a coefficient that is no number (BND742).
    """
    lowering, scope = Lowering(Builder(), lower_atom), Scope(sizes, {}, Env.root())
    arrays = _bind(model, lowering, scope, data)
    parameters = _parameters(model, lowering, scope)
    n_theta = sum(p.size for p in parameters)
    for symbol in model.variables:
        scope.symbols[symbol] = declare(lowering.builder, symbol, scope, lowering.lower, "attribute")
    duals = _constrain(model, lowering, scope)
    objective = _objective(model, lowering, scope)
    ordered, start = offsets(lowering.builder.blocks)
    n, m = lowering.builder.n, sum(b.rows for b in ordered)
    dual_forms = {name: dual_form(d, start, n) for name, d in duals.items()}
    returned = {o.name: output_form(o.value, lowering, scope, dual_forms, n + m) for o in model.outputs}
    scope.forget()  # what is stuffed takes its place in memory
    P, q, d = stuff_objective(objective, n, n_theta)
    A, b, cones, rows = stuff_rows(ordered, n, n_theta)
    return Program(
        parameters=parameters,
        P=P,
        q=q,
        d=d,
        A=A,
        b=b,
        cones=cones,
        sense=model.sense,
        outputs=tuple(output(name, form, n, m, n_theta) for name, form in returned.items()),
        variables=tuple(output(v.name, scope.symbols[v], n, m, n_theta) for v in model.variables),
        duals=tuple(output(f"dual.{name}", form, n, m, n_theta) for name, form in dual_forms.items()),
        rows=rows,
        sizes=tuple(sorted(sizes.items())),
        name=model.source_name,
        constants=_constants(parameters, arrays),
    )


def _bind(model: Model, lowering: Lowering, scope: Scope, data: Mapping[str, Any]) -> dict[str, Floats]:
    """Data become constants of the scope. Returns them by name."""
    arrays: dict[str, Floats] = {}

    def bind(symbol: Symbol, array: Floats) -> None:
        arrays[symbol.name] = array
        scope.symbols[symbol] = constant(array[None])

    bind_data(model, data, lambda s: scope.shape(s.shape), lambda e: _constant(e, lowering, scope), bind)
    return arrays


def _constant(expr: Expr, lowering: Lowering, scope: Scope) -> Floats:
    return lowering.lower(expr, scope.base, scope).dense()[0]


def _parameters(model: Model, lowering: Lowering, scope: Scope) -> tuple[Parameter, ...]:
    blocks = parameter_blocks(model, scope.sizes, lambda e: _constant(e, lowering, scope))
    for symbol, block in blocks:
        scope.symbols[symbol] = parameter_form(block)
    return tuple(block for _, block in blocks)


def _constrain(model: Model, lowering: Lowering, scope: Scope) -> dict[str, NamedDual]:
    """Rows of every constraint. Returns the duals of those that have one: a name of their own, and no chain."""
    duals: dict[str, NamedDual] = {}
    for constraint in model.constraints:
        origin = Origin.of(constraint.name, constraint.span)
        found, env = lower_constraint(lowering, constraint, scope, origin, "constraint")
        if constraint.name.isidentifier() and not constraint.chained:
            box = index_box(constraint.binders, env, scope.sizes)
            shape = found[0].shape if found else scope.shape(constraint.shape, constraint.span)
            duals[constraint.name] = NamedDual(found, shape, env, box)
    return duals


def _objective(model: Model, lowering: Lowering, scope: Scope) -> Affine:
    """The minimized objective, ``[1]``: a maximized one is negated."""
    if model.objective is None:
        return constant(np.zeros(1))
    form = lowering.lower(model.objective, scope.base, scope, quadratic=True)
    if not form.is_finite:
        raise BindError((Diagnostic("BND742", "a number in the objective is not finite", Label(model.objective.span)),))
    return -form if model.sense == "maximize" else form


def _constants(
    parameters: tuple[Parameter, ...], arrays: Mapping[str, Floats]
) -> tuple[tuple[str, NDArray[np.float64]], ...]:
    """The data that derived parameters refer to."""
    used = frozenset[str]().union(*(references(p.value) for p in parameters if p.value is not None))
    return tuple((name, array) for name, array in arrays.items() if name in used)
