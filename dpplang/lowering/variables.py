"""Declared variables: columns for their free entries, and rows for what their attributes demand."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Protocol

import numpy as np

from dpplang.core.source import Origin
from dpplang.lowering.affine import Affine, Ints, empty
from dpplang.lowering.builder import Builder
from dpplang.lowering.constraints import add_relation
from dpplang.lowering.env import Env
from dpplang.lowering.primitives import positions
from dpplang.lowering.scope import Scope
from dpplang.semantics.tree import Expr, Kind, Symbol

SYMMETRIC = frozenset({"symmetric", "psd", "nsd"})


class Lower(Protocol):
    """``Lowering.lower``: an expression's form in every row of an environment."""

    def __call__(self, expr: Expr, env: Env, scope: Scope) -> Affine: ...


def declare(
    builder: Builder, symbol: Symbol, scope: Scope, lower: Lower, why: str, origin: Origin | None = None
) -> Affine:
    """Allocate a variable in every row of the scope and add the rows of its attributes.

    Args:
        why: their kind. origin: whom to blame for them, if it is not the declaration.
    """
    rows, shape = scope.base.rows, scope.shape(symbol.shape, symbol.span)
    origin = origin or Origin.of(symbol.name, symbol.span)

    def evaluate(expr: Expr) -> Affine:
        return lower(expr, scope.base, scope)

    form = _allocate(builder, symbol, rows, shape, evaluate)
    once = _distinct(symbol, form)
    zero = empty(form.shape)
    for attribute in symbol.attributes:
        match attribute.name:
            case "nonneg" | "pos":
                add_relation(builder, Kind.LE, (empty(once.shape), once), once.own, origin, why)
            case "nonpos" | "neg":
                add_relation(builder, Kind.LE, (once, empty(once.shape)), once.own, origin, why)
            case "psd":
                add_relation(builder, Kind.PSD, (form, zero), shape, origin, why)
            case "nsd":
                add_relation(builder, Kind.PSD, (zero, form), shape, origin, why)
            case "in":
                low, high = (evaluate(a) for a in attribute.arguments)
                bounded = form if low.own or high.own else once
                add_relation(builder, Kind.LE, (low, bounded), bounded.own, origin, why)
                add_relation(builder, Kind.LE, (bounded, high), bounded.own, origin, why)
            case _:
                pass  # symmetric, diagonal and sparse are in the allocation
    return form


def _distinct(symbol: Symbol, form: Affine) -> Affine:
    """The form without the entries that others repeat."""
    if not {a.name for a in symbol.attributes} & SYMMETRIC:
        return form
    i, j = np.triu_indices(form.shape[-1])
    return form.gather(positions(form)[..., i, j])


def _allocate(
    builder: Builder, symbol: Symbol, rows: int, shape: tuple[int, ...], evaluate: Callable[[Expr], Affine]
) -> Affine:
    """Columns for the free entries of the last two axes' matrices, or for those that a mask allows."""
    names = {a.name for a in symbol.attributes}
    if "diagonal" in names:
        k = shape[-1]
        return _placed(builder, rows, shape, np.arange(k) * (k + 1), k * k)
    if names & SYMMETRIC:
        k = shape[-1]
        i, j = np.triu_indices(k)
        place = np.empty((k, k), np.int64)
        place[i, j] = place[j, i] = np.arange(i.shape[0])
        entries = builder.fresh(rows, *shape[:-2], i.shape[0])
        first = np.arange(rows * prod(shape[:-2])) * i.shape[0]
        return entries.gather(first.reshape(rows, *shape[:-2], 1, 1) + place)
    for attribute in symbol.attributes:
        if attribute.name == "sparse":
            mask = evaluate(attribute.arguments[0]).dense()[0]
            return _placed(builder, rows, shape, np.flatnonzero(mask), prod(shape))
    return builder.fresh(rows, *shape)


def _placed(builder: Builder, rows: int, shape: tuple[int, ...], support: Ints, period: int) -> Affine:
    """Variables at the positions ``support`` of every ``period`` entries, zeros elsewhere."""
    repeats = rows * prod(shape) // max(period, 1)
    target = np.arange(repeats)[:, None] * period + support
    return builder.fresh(*target.shape).scatter(target, (rows, *shape))
