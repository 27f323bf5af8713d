"""Declared and derived parameters: their blocks of θ, and their forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from dpplang.asa.program import Parameter
from dpplang.core.source import Origin
from dpplang.lowering.affine import Affine, Floats, parameters
from dpplang.lowering.numeric import to_numeric
from dpplang.semantics.tree import Expr, Model, Symbol

Constant = Callable[[Expr], Floats]
"""The value of a constant expression."""


def parameter_blocks(
    model: Model, sizes: Mapping[str, int], constant: Constant
) -> tuple[tuple[Symbol, Parameter], ...]:
    """Declared parameters in order of declaration, then derived ones in order of evaluation."""
    values: list[tuple[Symbol, Expr | None]] = [(p, None) for p in model.params]
    values += [(d.symbol, d.value) for d in model.derived]
    blocks: list[tuple[Symbol, Parameter]] = []
    offset = 0
    for symbol, value in values:
        block = Parameter(
            name=symbol.name,
            shape=tuple(int(axis.evaluate(sizes)) for axis in symbol.shape),
            offset=offset,
            attributes=tuple(a.name for a in symbol.attributes),
            value=None if value is None else to_numeric(value, sizes),
            origin=Origin.of(symbol.name, symbol.span),
            support=_support(symbol, constant),
        )
        blocks.append((symbol, block))
        offset += block.size
    return tuple(blocks)


def parameter_form(parameter: Parameter) -> Affine:
    """A parameter as a form ``[1, *shape]``: entries that its attributes make zero are absent."""
    form = parameters(parameter.offset, parameter.shape)
    if "diagonal" in parameter.attributes:
        row, column = np.divmod(form.entry, parameter.shape[-1])
        form = form.select(row % parameter.shape[-2] == column)
    if parameter.support is not None:
        form = form.select(np.isin(form.entry, parameter.support))
    return form.reshape(1, *parameter.shape)


def _support(symbol: Symbol, constant: Constant) -> tuple[int, ...] | None:
    """Flat positions that the mask of ``sparse`` allows."""
    for attribute in symbol.attributes:
        if attribute.name == "sparse":
            return tuple(np.flatnonzero(constant(attribute.arguments[0])).tolist())
    return None
