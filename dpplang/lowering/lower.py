"""Typed tree to program: declare, constrain, lower the objective, stuff, and map back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.evaluate import references
from dpplang.asa.program import Parameter, Program
from dpplang.core.diagnostics import Diagnostic, Label
from dpplang.core.errors import BindError
from dpplang.core.source import Origin
from dpplang.lattice.dims import show_shape
from dpplang.lowering.affine import Affine, constant, parameters, variables
from dpplang.lowering.atoms import lower_constraint
from dpplang.lowering.builder import Builder, offsets
from dpplang.lowering.env import Env
from dpplang.lowering.expressions import Lowering, Scope
from dpplang.lowering.numeric import to_numeric
from dpplang.lowering.outputs import NamedDual, dual_form, index_box, output
from dpplang.lowering.stuffing import stuff_objective, stuff_rows
from dpplang.lowering.variables import declare
from dpplang.semantics.tree import DualRef, Expr, Model, OptimalValue, Symbol, TypedAttribute

Arrays = Mapping[str, NDArray[np.float64]]


def lower(model: Model, sizes: Mapping[str, int], data: Arrays) -> Program:
    """Lower a checked program for these sizes and data.

    Args:
        model: the typed tree. sizes: a value for every dim. data: an array for every ``data`` without a default.

    Raises:
        BindError: data that are missing, of another shape or not finite; an index that leaves its axis at these sizes.
    """
    builder = Builder()
    lowering = Lowering(builder)
    scope = Scope(sizes, {}, Env.root())
    bound = _bind_data(model, lowering, scope, data)
    blocks = _parameters(model, lowering, scope)
    n_theta = sum(p.size for p in blocks)
    for parameter, symbol in zip(blocks, [*model.params, *(d.symbol for d in model.derived)], strict=True):
        scope.symbols[symbol] = _entries(parameter).reshape(1, *parameter.shape)
    for symbol in model.variables:
        scope.symbols[symbol] = declare(
            builder, symbol, 1, scope.shape(symbol.shape), "attribute", lambda e: lowering.lower(e, scope.base, scope)
        )
    duals: dict[str, NamedDual] = {}
    for constraint in model.constraints:
        origin = Origin.of(constraint.name, constraint.span)
        found, env, _ = lower_constraint(lowering, constraint, scope, origin, "constraint")
        if not constraint.chained:
            duals[constraint.name] = NamedDual(found, env, index_box(constraint.binders, env, sizes))
    objective = _objective(model, lowering, scope)
    # `return` may hold convex-free affine expressions only, so nothing below adds variables or rows.
    ordered, start = offsets(builder.blocks)
    n, m = builder.n, sum(b.rows for b in ordered)
    dual_forms = {
        name: dual_form(d, start.get(id(d.map.block), 0), n) for name, d in duals.items()
    }
    forms = {o.name: _output_form(o.value, lowering, scope, dual_forms, n + m) for o in model.outputs}
    P, q, d = stuff_objective(objective, n, n_theta)
    A, b, cones, rows = stuff_rows(ordered, n, n_theta)
    return Program(
        parameters=blocks,
        P=P,
        q=q,
        d=d,
        A=A,
        b=b,
        cones=cones,
        sense=model.sense,
        outputs=tuple(output(name, form, n, m, n_theta) for name, form in forms.items()),
        variables=tuple(output(v.name, scope.symbols[v], n, m, n_theta) for v in model.variables),
        duals=tuple(
            output(f"dual.{name}", form, n, m, n_theta)
            for name, form in dual_forms.items()
            if not name.startswith("constraint ")
        ),
        rows=rows,
        sizes=tuple(sorted(sizes.items())),
        name=model.source_name,
        constants=_constants(blocks, bound),
    )


def _objective(model: Model, lowering: Lowering, scope: Scope) -> Affine:
    """The minimized objective, ``[1]``: a maximized one is negated."""
    if model.objective is None:
        return constant(np.zeros(1))
    form = lowering.lower(model.objective, scope.base, scope, quadratic=True)
    return -form if model.sense == "maximize" else form


def _parameters(model: Model, lowering: Lowering, scope: Scope) -> tuple[Parameter, ...]:
    blocks: list[Parameter] = []
    offset = 0
    values: list[tuple[Symbol, Expr | None]] = [(p, None) for p in model.params]
    values += [(d.symbol, d.value) for d in model.derived]
    for symbol, value in values:
        shape = scope.shape(symbol.shape)
        support = None
        for attribute in symbol.attributes:
            if attribute.name == "sparse":
                support = _support(attribute, lowering, scope)
        block = Parameter(
            symbol.name,
            shape,
            offset,
            tuple(a.name for a in symbol.attributes),
            None if value is None else to_numeric(value, scope.sizes),
            Origin.of(symbol.name, symbol.span),
            support,
        )
        blocks.append(block)
        offset += block.size
    return tuple(blocks)


def _entries(parameter: Parameter) -> Affine:
    """A parameter as a form: entries that its attributes make zero are absent."""
    form = parameters(parameter.offset, parameter.shape)
    if "diagonal" in parameter.attributes:
        row, column = np.divmod(form.entry, parameter.shape[-1])
        form = form.select(row % parameter.shape[-2] == column)
    if parameter.support is not None:
        form = form.select(np.isin(form.entry, parameter.support))
    return form


def _support(attribute: TypedAttribute, lowering: Lowering, scope: Scope) -> tuple[int, ...]:
    mask = lowering.lower(attribute.arguments[0], scope.base, scope).dense()
    return tuple(int(i) for i in np.flatnonzero(mask))


def _bind_data(model: Model, lowering: Lowering, scope: Scope, data: Arrays) -> dict[str, NDArray[np.float64]]:
    """Check what is bound and make it part of the scope; everything wrong is reported at once."""
    found: list[Diagnostic] = []
    bound: dict[str, NDArray[np.float64]] = {}
    for symbol in model.data:
        shape = scope.shape(symbol.shape)
        if symbol.name in data:
            value = data[symbol.name]
            problem = _misfit(symbol, np.asarray(value), shape)
            if problem is not None:
                found.append(Diagnostic("BND705", problem, Label(symbol.span, "declared here")))
                continue
            array = np.asarray(value, np.float64)
        elif symbol.default is not None:
            array = np.broadcast_to(lowering.lower(symbol.default, scope.base, scope).dense()[0], shape)
        else:
            message = f"the data `{symbol.name}` {show_shape(symbol.shape)} have no value"
            help = (f"bind them: `data={{\"{symbol.name}\": …}}`, `--data` or `--set`, or give a default",)
            found.append(Diagnostic("BND706", message, Label(symbol.span, "declared here"), help=help))
            continue
        bound[symbol.name] = array
        scope.symbols[symbol] = constant(array[None])
    unknown = sorted(set(data) - {s.name for s in model.data})
    found += [Diagnostic("BND704", f"there are no data `{name}` in this program") for name in unknown]
    if found:
        raise BindError(found)
    return bound


def _misfit(symbol: Symbol, value: NDArray[np.generic], shape: tuple[int, ...]) -> str | None:
    """What is wrong with a value for ``data``, if anything."""
    name = f"the data `{symbol.name}`"
    if value.dtype.kind not in "fiub":
        return f"{name} must be real numbers, not {value.dtype}"
    if value.shape != shape:
        return f"{name} must have the shape {list(shape)} ({show_shape(symbol.shape)}), not {list(value.shape)}"
    numbers = value.astype(np.float64)
    if not np.isfinite(numbers).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(numbers))[0])
        return f"{name} hold {numbers[place]} at {list(place)}"
    scale = 1e-9 * max(1.0, float(np.abs(numbers).max(initial=0.0)))
    checks = {
        "nonneg": lambda: numbers.min(initial=0.0) >= 0,
        "nonpos": lambda: numbers.max(initial=0.0) <= 0,
        "pos": lambda: bool((numbers > 0).all()),
        "neg": lambda: bool((numbers < 0).all()),
        "symmetric": lambda: bool((np.abs(numbers - numbers.T) <= scale).all()),
        "diagonal": lambda: bool((np.abs(numbers - np.diag(np.diag(numbers))) <= scale).all()),
        "psd": lambda: _semidefinite(numbers, scale),
        "nsd": lambda: _semidefinite(-numbers, scale),
    }
    for attribute in symbol.attributes:
        if attribute.name in checks and not checks[attribute.name]():
            return f"{name} are declared {attribute.name}, but are not"
    return None


def _semidefinite(matrix: NDArray[np.float64], scale: float) -> bool:
    symmetric = bool((np.abs(matrix - matrix.T) <= scale).all())
    return symmetric and float(np.linalg.eigvalsh((matrix + matrix.T) / 2).min(initial=0.0)) >= -len(matrix) * scale


def _constants(blocks: tuple[Parameter, ...], bound: Arrays) -> tuple[tuple[str, NDArray[np.float64]], ...]:
    """The data that derived parameters refer to."""
    used = frozenset[str]().union(*(references(p.value) for p in blocks if p.value is not None))
    return tuple((name, array) for name, array in bound.items() if name in used)


def _output_form(expr: Expr, lowering: Lowering, scope: Scope, duals: Mapping[str, Affine], value: int) -> Affine:
    """An expression of ``return``: duals and the optimal value are further variables behind x."""
    local = Scope(scope.sizes, scope.symbols, scope.base, scope.memo)
    for node in _leaves(expr):
        if isinstance(node, DualRef):
            local.memo[(node, scope.base, False)] = duals[node.constraint]
        elif isinstance(node, OptimalValue):
            local.memo[(node, scope.base, False)] = variables(np.array([value]))
    return lowering.lower(expr, local.base, local)


def _leaves(expr: Expr) -> list[Expr]:
    """Every node below an expression, itself included."""
    found: list[Expr] = []
    stack: list[object] = [expr]
    while stack:
        node = stack.pop()
        found.append(node)  # type: ignore[arg-type]
        for name in ("args", "operand", "body"):
            below = getattr(node, name, ())
            stack.extend(below if isinstance(below, tuple) else (below,))
    return found
