"""Typed expressions to affine forms ``[N, *shape]``, one row per row of the environment.

What does not depend on an index variable is lowered once for all its values, and spread when it is used. A convex
subexpression becomes its graph (:mod:`dpplang.lowering.atoms`). With ``quadratic`` set the expression stands in the
objective, under affine operations only, and atoms that have a quadratic form give pairs of variables instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import TypeAlias, assert_never

import numpy as np

from dpplang.core.diagnostics import Diagnostic, Label
from dpplang.core.errors import BindError, InternalError
from dpplang.core.source import Origin, Span
from dpplang.lattice.dims import Poly
from dpplang.lowering.affine import Affine, Ints, concatenate_terms, constant, empty
from dpplang.lowering.builder import Builder
from dpplang.lowering.constants import apply_numeric, filled
from dpplang.lowering.env import Env, evaluate, extend, groups
from dpplang.lowering.indices import Dependence
from dpplang.lowering.primitives import PRIMITIVES, PRODUCTS, positions, repeat_rows
from dpplang.lowering.scope import Scope
from dpplang.semantics.tree import (
    Apply,
    AtomCall,
    Const,
    DualRef,
    Expr,
    OptimalValue,
    Range,
    Reduce,
    Ref,
    Size,
    Take,
)

AtomRule: TypeAlias = "Callable[[Lowering, AtomCall, Env, Scope, bool], Affine]"
"""What becomes of an atom: :func:`dpplang.lowering.atoms.lower_atom`."""


class Lowering:
    """One walk over typed expressions that leaves its variables and rows with ``builder``."""

    def __init__(self, builder: Builder, lower_atom: AtomRule) -> None:
        self.builder = builder
        self._lower_atom = lower_atom
        self.names = Dependence()

    def lower(self, expr: Expr, env: Env, scope: Scope, quadratic: bool = False) -> Affine:
        """The form of ``expr`` in every row of ``env``, an environment over ``scope.base``."""
        inner, pointer = self._narrowed(expr, env, scope)
        if inner is not env:
            return repeat_rows(self.lower(expr, inner, scope, quadratic), pointer)
        key = (expr, env, quadratic)
        if key not in scope.memo:
            varying = frozenset(self.names.ragged(expr) & env.columns.keys()) - scope.sizes.keys()
            if varying and not _shape_names(expr) & varying:
                scope.memo[key] = self._by_shape(expr, env, scope, quadratic, varying)
            else:
                scope.memo[key] = self._lower(expr, env, scope, quadratic)
        return scope.memo[key]

    def _narrowed(self, expr: Expr, env: Env, scope: Scope) -> tuple[Env, Ints]:
        """The environment in the index variables that ``expr`` depends on, and its row for each of ``env``'s."""
        names = self.names.free(expr)
        return (env, np.arange(env.rows)) if names >= env.columns.keys() else scope.project(env, names)

    def _by_shape(self, expr: Expr, env: Env, scope: Scope, quadratic: bool, varying: frozenset[str]) -> Affine:
        """An expression whose parts vary in shape from row to row (``norm2(x[0:t])``): one shape at a time."""
        own = scope.shape(expr.shape, expr.span)
        size, parts = prod(own), [empty((env.rows, *own))]
        for values, rows in groups(env, varying):
            form = self.lower(expr, env.take(rows), scope.where(values), quadratic)
            target = rows[:, None] * size + np.arange(size)
            parts.append(form.scatter(target, (env.rows, *own)))
        return concatenate_terms((env.rows, *own), parts)

    def _lower(self, expr: Expr, env: Env, scope: Scope, quadratic: bool) -> Affine:
        match expr:
            case Const(value):
                return repeat_rows(constant(np.asarray(value, np.float64)[None]), np.zeros(env.rows, np.int64))
            case Size(poly):
                return constant(np.asarray(evaluate(poly, scope.sizes, env), np.float64))
            case Ref(symbol):
                return repeat_rows(scope.symbols[symbol], env.base)
            case Take():
                return self._take(expr, env, scope, quadratic)
            case Apply():
                return self._apply(expr, env, scope, quadratic)
            case Reduce():
                return self._reduce(expr, env, scope, quadratic)
            case AtomCall():
                return self._lower_atom(self, expr, env, scope, quadratic)
            case DualRef() | OptimalValue():
                raise InternalError("duals and the optimal value stand in `return` alone")
            case _:
                assert_never(expr)

    def _apply(self, expr: Apply, env: Env, scope: Scope, quadratic: bool) -> Affine:
        shape = scope.shape(expr.shape, expr.span)
        fixed = filled(expr, env.rows, shape)
        if fixed is not None:
            return constant(fixed)
        args = tuple(self.lower(a, env, scope, quadratic) for a in expr.args)
        primitive = PRIMITIVES.get(expr.op)
        if expr.op == "div" and not args[1].is_constant:
            raise InternalError(f"a quotient by something that is no constant ({expr.span})")
        # Products of constant arrays are BLAS's business.
        if primitive is None or (expr.op in PRODUCTS and all(a.is_constant for a in args)):
            return constant(apply_numeric(_resolved(expr, scope), args, shape))
        return primitive(_resolved(expr, scope), args, shape)

    def _take(self, expr: Take, env: Env, scope: Scope, quadratic: bool) -> Affine:
        inner, row = self._narrowed(expr.operand, env, scope)
        operand = self.lower(expr.operand, inner, scope, quadratic)
        flat: Ints = row
        for item, axis in zip(expr.items, operand.own, strict=True):
            place = self._positions(item, axis, env, scope, expr.span)
            flat = flat.reshape(*flat.shape, *(1,) * (place.ndim - 1)) * axis
            flat = flat + place.reshape(env.rows, *(1,) * (flat.ndim - place.ndim), *place.shape[1:])
        return operand.gather(flat)

    def _positions(self, item: Poly | Range, axis: int, env: Env, scope: Scope, span: Span) -> Ints:
        """Indices into one axis, ``[N]`` for an entry and ``[N, length]`` for a range, checked against its size."""
        if isinstance(item, Range):
            start, stop = evaluate(item.start, scope.sizes, env), evaluate(item.stop, scope.sizes, env)
            lengths = np.unique(np.maximum(stop - start, 0))
            if lengths.shape[0] > 1:
                raise InternalError(f"slices of different lengths at {span}")
            place = start[:, None] + np.arange(int(lengths[0]) if lengths.size else 0)
        else:
            place = evaluate(item, scope.sizes, env)
        if place.size and (place.min() < 0 or place.max() >= axis):
            worst = int(place.max()) if place.max() >= axis else int(place.min())
            raise _out_of_range(span, worst, axis, scope.sizes)
        return place

    def _reduce(self, expr: Reduce, env: Env, scope: Scope, quadratic: bool) -> Affine:
        inner, parent = extend(env, expr.binders, expr.condition, scope.sizes)
        body = self.lower(expr.body, inner, scope, quadratic and expr.op == "sum")
        shape = scope.shape(expr.shape, expr.span)
        if expr.op == "sum":
            size = prod(body.own)
            target = parent[:, None] * size + np.arange(size)
            return body.scatter(target, (env.rows, *shape))
        counts = np.bincount(parent, minlength=env.rows)
        if expr.op in ("max", "min"):
            return self._extremum(expr, body, parent, env.rows, counts)
        if env.rows and (counts != counts[0]).any():
            raise InternalError(f"stacks of different lengths at {expr.span}")
        members = int(counts[0]) if env.rows else 0
        stacked = body.reshape(env.rows, members, *body.own)  # members are in order within each row
        if expr.op == "hstack" and len(body.own) == 2:
            stacked = stacked.gather(positions(stacked).swapaxes(1, 2))
        return stacked.reshape(env.rows, *shape)

    def _extremum(self, expr: Reduce, body: Affine, parent: Ints, rows: int, counts: Ints) -> Affine:
        """max (min) over members: a bound on all of them, entry by entry."""
        if (counts == 0).any():
            raise BindError((_diagnostic("BND741", f"`{expr.op}` over an empty index set", expr.span),))
        if body.is_constant:
            reduce = np.maximum if expr.op == "max" else np.minimum
            starts = np.concatenate(([0], np.cumsum(counts)))[:-1]
            return constant(reduce.reduceat(body.dense(), starts, axis=0))
        bound = self.builder.fresh(rows, *body.own)
        gap = repeat_rows(bound, parent) + -body
        self.builder.nonneg(gap if expr.op == "max" else -gap, Origin.of(expr.op, expr.span), "atom")
        return bound


def _shape_names(expr: Expr) -> frozenset[str]:
    return frozenset[str]().union(*(axis.names for axis in expr.shape))


def _resolved(expr: Apply, scope: Scope) -> Apply:
    """Options in numbers: polynomials evaluated, an axis counted from the front."""
    options: list[tuple[str, object]] = []
    for name, value in expr.options:
        if isinstance(value, Poly):
            value = int(value.evaluate(scope.sizes))
        elif isinstance(value, tuple):
            value = tuple(int(v.evaluate(scope.sizes)) if isinstance(v, Poly) else v for v in value)
        if name == "axis" and isinstance(value, int) and value < 0 and expr.args:
            value += len(expr.args[0].shape)
        options.append((name, value))
    return Apply(expr.op, expr.args, tuple(options), facts=expr.facts, span=expr.span)


def _diagnostic(code: str, message: str, span: Span) -> Diagnostic:
    return Diagnostic(code, message, Label(span))


def _out_of_range(span: Span, index: int, axis: int, sizes: Mapping[str, int]) -> BindError:
    known = ", ".join(f"{k} = {v}" for k, v in sorted(sizes.items()))
    return BindError(
        (_diagnostic("BND740", f"index {index} is outside an axis of size {axis} at these sizes ({known})", span),)
    )
