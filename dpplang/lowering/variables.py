"""Declared variables: columns for their free entries, and rows for what their attributes demand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dpplang.core.source import Origin
from dpplang.lowering.affine import Affine
from dpplang.lowering.builder import Builder
from dpplang.lowering.constraints import add_relation
from dpplang.lowering.primitives import spread
from dpplang.semantics.tree import Expr, Kind, Symbol

Evaluate = Callable[[Expr], Affine]
"""An attribute's argument as a form ``[1, *shape]``."""


def declare(builder: Builder, symbol: Symbol, rows: int, shape: tuple[int, ...], why: str, evaluate: Evaluate) -> Affine:
    """Allocate ``rows`` copies of a variable and add the rows of its attributes (``why`` is their kind)."""
    form = _allocate(builder, symbol, rows, shape, evaluate)
    origin = Origin.of(symbol.name, symbol.span)
    zero = Affine((rows, *shape), *(np.zeros(0, np.int64),) * 3, np.zeros(0))
    for attribute in symbol.attributes:
        match attribute.name:
            case "nonneg" | "pos":
                add_relation(builder, Kind.LE, (zero, form), shape, origin, why)
            case "nonpos" | "neg":
                add_relation(builder, Kind.LE, (form, zero), shape, origin, why)
            case "psd":
                add_relation(builder, Kind.PSD, (form, zero), shape, origin, why)
            case "nsd":
                add_relation(builder, Kind.PSD, (zero, form), shape, origin, why)
            case "in":
                lower, upper = (spread(evaluate(a), shape) for a in attribute.arguments)
                _bound(builder, lower, form, lower, origin, why)
                _bound(builder, form, upper, upper, origin, why)
            case _:
                pass  # symmetric, diagonal and sparse are in the allocation
    return form


def _bound(builder: Builder, low: Affine, high: Affine, bound: Affine, origin: Origin, why: str) -> None:
    """low ≤ high, without the entries whose bound is infinite."""
    infinite = bound.entry[np.isinf(bound.coefficient)]
    keep = np.setdiff1d(np.arange(bound.size), infinite)
    gap = high.gather(keep[:, None]) + -low.gather(keep[:, None])
    builder.nonneg(gap, origin, why)


def _allocate(builder: Builder, symbol: Symbol, rows: int, shape: tuple[int, ...], evaluate: Evaluate) -> Affine:
    names = {a.name for a in symbol.attributes}
    if "diagonal" in names:
        k = shape[0]
        entries = builder.fresh(rows, k)
        target = np.arange(rows)[:, None] * k * k + np.arange(k) * (k + 1)
        return entries.scatter(target, (rows, k, k))
    if names & {"symmetric", "psd", "nsd"}:
        k = shape[0]
        i, j = np.triu_indices(k)
        place = np.empty((k, k), np.int64)
        place[i, j] = place[j, i] = np.arange(i.shape[0])
        entries = builder.fresh(rows, i.shape[0])
        return entries.gather(np.arange(rows)[:, None, None] * i.shape[0] + place)
    for attribute in symbol.attributes:
        if attribute.name == "sparse":
            mask = np.flatnonzero(evaluate(attribute.arguments[0]).dense()[0])
            size = int(np.prod(shape))
            entries = builder.fresh(rows, mask.shape[0])
            target = np.arange(rows)[:, None] * size + mask
            return entries.scatter(target, (rows, *shape))
    return builder.fresh(rows, *shape)
