"""Operations along one axis, or over all entries (``axis`` None): sums, extrema, norms, scans.

Over all entries an operand is first flattened, so that every operation here works along a single axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from dpplang.asa.evaluate_rule import Array, Floats, Namespace, Rule, batch_of, integer, reduced_axis
from dpplang.asa.numeric import Numeric

Along = Callable[[Namespace, Array, int], Array]
Slope = Callable[[Floats, int, Floats, Floats], Floats]


def _line(xp: Namespace, node: Numeric, x: Array) -> tuple[Array, int]:
    """The operand and the axis to work along: flattened and the last one, if no axis is given."""
    axis = reduced_axis(node)
    if axis is not None:
        return x, axis
    return xp.reshape(x, (*batch_of(x, len(node.args[0].shape)), _size(node.args[0].shape))), -1


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))


def _reduction(function: Along, slope: Slope) -> Rule:
    """``function(xp, x, axis)`` drops the axis; ``slope(x, axis, out, g)``, out and g with the axis kept as size 1."""

    def forward(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
        return function(xp, *_line(xp, node, args[0]))

    def vjp(node: Numeric, args: Sequence[Floats], out: Floats, g: Floats) -> list[Floats]:
        x, axis = _line(np, node, args[0])
        grad = slope(x, axis, np.expand_dims(out, axis), np.expand_dims(g, axis))
        return [np.broadcast_to(grad, x.shape).reshape(args[0].shape)]

    return Rule(forward, vjp)


def _scan(function: Along, slope: Slope) -> Rule:
    """Like :func:`_reduction`, but the axis stays."""

    def forward(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
        scanned = function(xp, *_line(xp, node, args[0]))
        batch = batch_of(args[0], len(node.args[0].shape))
        return xp.reshape(scanned, (*batch, *node.shape))

    def vjp(node: Numeric, args: Sequence[Floats], out: Floats, g: Floats) -> list[Floats]:
        x, axis = _line(np, node, args[0])
        return [slope(x, axis, out.reshape(x.shape), g.reshape(x.shape)).reshape(args[0].shape)]

    return Rule(forward, vjp)


def _extremum_slope(x: Floats, axis: int, out: Floats, g: Floats) -> Floats:
    """Ties share evenly."""
    ties = x == out
    return g * ties / np.maximum(ties.sum(axis=axis, keepdims=True), 1)


def _prod_slope(x: Floats, axis: int, out: Floats, g: Floats) -> Floats:
    """Product of all other factors, by products of those before and those behind: exact where a factor is zero."""
    x = np.moveaxis(x, axis, -1)
    one = np.ones((*x.shape[:-1], 1))
    before = np.cumprod(np.concatenate([one, x[..., :-1]], axis=-1), axis=-1)
    behind = np.cumprod(np.concatenate([one, x[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    return g * np.moveaxis(before * behind, -1, axis)


def _norm2(xp: Namespace, x: Array, axis: int) -> Array:
    square = xp.sum(x * x, axis=axis)
    zero = square == 0
    root = xp.sqrt(xp.where(zero, xp.ones_like(square), square))
    return xp.where(zero, xp.zeros_like(square), root)


def _norm2_slope(x: Floats, axis: int, out: Floats, g: Floats) -> Floats:
    return g * x / np.where(out == 0, 1.0, out)


def _norm_inf_slope(x: Floats, axis: int, out: Floats, g: Floats) -> Floats:
    return _extremum_slope(np.abs(x), axis, out, g) * np.sign(x)


def _softmax(xp: Namespace, x: Array, axis: int) -> Array:
    grown = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    return grown / xp.sum(grown, axis=axis, keepdims=True)


def _softmax_slope(x: Floats, axis: int, out: Floats, g: Floats) -> Floats:
    return out * (g - (g * out).sum(axis=axis, keepdims=True))


def _sort_slope(x: Floats, axis: int, out: Floats, g: Floats) -> Floats:
    grad = np.empty_like(g)
    np.put_along_axis(grad, np.argsort(x, axis=axis, kind="stable"), g, axis=axis)
    return grad


def _cumsum_slope(x: Floats, axis: int, out: Floats, g: Floats) -> Floats:
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)


def _diff(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    x, axis = _line(xp, node, args[0])
    for _ in range(integer(node, "k", 1)):
        ahead, behind = [slice(None)] * -axis, [slice(None)] * -axis
        ahead[0], behind[0] = slice(1, None), slice(None, -1)
        x = x[(..., *ahead)] - x[(..., *behind)]
    return x


def _diff_vjp(node: Numeric, args: Sequence[Floats], out: Floats, g: Floats) -> list[Floats]:
    x, axis = _line(np, node, args[0])
    for _ in range(integer(node, "k", 1)):
        edge = np.zeros((*g.shape[:axis], 1, *g.shape[g.ndim + axis + 1 :]))
        g = np.concatenate([edge, g], axis=axis) - np.concatenate([g, edge], axis=axis)
    return [g.reshape(x.shape).reshape(args[0].shape)]


VECTOR_NORM2 = _reduction(_norm2, _norm2_slope)

REDUCTIONS: dict[str, Rule] = {
    "sum": _reduction(lambda xp, x, axis: xp.sum(x, axis=axis), lambda x, axis, out, g: g),
    "mean": _reduction(lambda xp, x, axis: xp.mean(x, axis=axis), lambda x, axis, out, g: g / x.shape[axis]),
    "prod": _reduction(lambda xp, x, axis: xp.prod(x, axis=axis), _prod_slope),
    "max": _reduction(lambda xp, x, axis: xp.max(x, axis=axis), _extremum_slope),
    "min": _reduction(lambda xp, x, axis: xp.min(x, axis=axis), _extremum_slope),
    "norm1": _reduction(lambda xp, x, axis: xp.sum(xp.abs(x), axis=axis), lambda x, axis, out, g: g * np.sign(x)),
    "norm_inf": _reduction(lambda xp, x, axis: xp.max(xp.abs(x), axis=axis), _norm_inf_slope),
    "norm_fro": VECTOR_NORM2,
    "softmax": _scan(_softmax, _softmax_slope),
    "sort": _scan(lambda xp, x, axis: xp.sort(x, axis=axis), _sort_slope),
    "cumsum": _scan(lambda xp, x, axis: xp.cumulative_sum(x, axis=axis), _cumsum_slope),
    "diff": Rule(_diff, _diff_vjp),
}
