"""Elementwise operations. A scalar operand spreads over the others; comparisons give 0.0 and 1.0."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from dpplang.asa.evaluate_rule import Array, Floats, Namespace, Rule, lift
from dpplang.asa.numeric import Numeric


def _elementwise(function: Callable[..., Array], slopes: Callable[..., Sequence[Floats]], arity: int) -> Rule:
    """``function(xp, *args)`` and its partial derivatives ``slopes(out, *args)``, over aligned operands."""

    def aligned(xp: Namespace, node: Numeric, args: Sequence[Array]) -> list[Array]:
        rank = len(node.shape)
        return [lift(xp, a, len(n.shape), rank) for a, n in zip(args, node.args, strict=True)]

    def forward(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
        return function(xp, *aligned(xp, node, args))

    def vjp(node: Numeric, args: Sequence[Floats], out: Floats, g: Floats) -> list[Floats]:
        core = tuple(range(-len(node.shape), 0))
        grads: list[Floats] = []
        for operand, slope in zip(node.args, slopes(out, *aligned(np, node, args)), strict=True):
            grad = np.where(np.equal(slope, 0), 0.0, g * slope)
            grads.append(grad if len(operand.shape) == len(node.shape) else grad.sum(axis=core))
        return grads

    return Rule(forward, vjp, (arity, arity))


def _unary(function: Callable[[Namespace, Array], Array], slope: Callable[[Floats, Floats], Floats]) -> Rule:
    """``slope(out, x)``"""

    def slopes(out: Floats, x: Floats) -> tuple[Floats]:
        return (slope(out, x),)

    return _elementwise(function, slopes, 1)


def _binary(
    function: Callable[[Namespace, Array, Array], Array],
    slopes: Callable[[Floats, Floats, Floats], tuple[Floats, Floats]],
) -> Rule:
    """``slopes(out, a, b)``"""
    return _elementwise(function, slopes, 2)


def _nan(xp: Namespace, like: Array) -> Array:
    return xp.full_like(like, float("nan"))


def _div(xp: Namespace, a: Array, b: Array) -> Array:
    inside = b != 0
    a, b = xp.broadcast_arrays(a, b)
    inf = xp.full_like(a, float("inf"))
    pole = xp.where(a > 0, inf, xp.where(a < 0, -inf, _nan(xp, a)))
    return xp.where(inside, a / xp.where(inside, b, xp.ones_like(b)), pole)


def _div_slopes(out: Floats, a: Floats, b: Floats) -> tuple[Floats, Floats]:
    inverse = np.where(b != 0, 1 / np.where(b != 0, b, 1.0), 0.0)
    return inverse, np.where(b != 0, -out * inverse, 0.0)


def _exp(xp: Namespace, x: Array) -> Array:
    inside = x <= float(np.log(xp.finfo(x.dtype).max))
    grown = xp.exp(xp.where(inside, x, xp.zeros_like(x)))
    return xp.where(inside, grown, xp.where(x != x, x, xp.full_like(x, float("inf"))))


def _log(xp: Namespace, x: Array) -> Array:
    inside = x > 0
    edge = xp.where(x == 0, xp.full_like(x, -float("inf")), _nan(xp, x))
    return xp.where(inside, xp.log(xp.where(inside, x, xp.ones_like(x))), edge)


def _log1p(xp: Namespace, x: Array) -> Array:
    inside = x > -1
    edge = xp.where(x == -1, xp.full_like(x, -float("inf")), _nan(xp, x))
    return xp.where(inside, xp.log1p(xp.where(inside, x, xp.zeros_like(x))), edge)


def _sqrt(xp: Namespace, x: Array) -> Array:
    inside = x > 0
    edge = xp.where(x == 0, xp.zeros_like(x), _nan(xp, x))
    return xp.where(inside, xp.sqrt(xp.where(inside, x, xp.ones_like(x))), edge)


def _pow(xp: Namespace, x: Array, y: Array) -> Array:
    """x^y, of a negative base for integral exponents only: ±|x|^y, which is smooth in the base and finite in y."""
    x, y = xp.broadcast_arrays(x, y)
    zero, one = xp.zeros_like(x), xp.ones_like(x)
    integral = y == xp.floor(y)
    odd = integral & (y != 2 * xp.floor(y / 2))
    inside = (x > 0) | ((x == 0) & (y >= 1)) | ((x < 0) & integral)
    size = xp.where(inside, xp.where(x < 0, -x, x), one) ** xp.where(inside, y, one)
    at_zero = xp.where(y == 0, one, xp.where(y > 0, zero, xp.full_like(x, float("inf"))))
    edge = xp.where(x == 0, at_zero, _nan(xp, x))
    return xp.where(inside, xp.where((x < 0) & odd, -size, size), edge)


def _pow_slopes(out: Floats, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    inside = (x > 0) | ((x == 0) & (y >= 1)) | ((x < 0) & (y == np.floor(y)))
    base = np.where(inside, x, 1.0)
    return (
        np.where(inside, y * base ** np.where(inside, y - 1, 1.0), 0.0),
        np.where(inside & (x != 0), out * np.log(np.abs(np.where(x != 0, base, 1.0))), 0.0),
    )


def _sigmoid(xp: Namespace, x: Array) -> Array:
    return 0.5 * xp.tanh(0.5 * x) + 0.5


def _where(xp: Namespace, condition: Array, then: Array, other: Array) -> Array:
    return xp.where(condition != 0, then, other)


def _where_slopes(out: Floats, condition: Floats, then: Floats, other: Floats) -> tuple[Floats, Floats, Floats]:
    chosen = condition != 0
    return 0.0, np.where(chosen, 1.0, 0.0), np.where(chosen, 0.0, 1.0)


def _share(
    first_wins: Callable[[Floats, Floats], Floats],
) -> Callable[[Floats, Floats, Floats], tuple[Floats, Floats]]:
    """Slopes of maximum and minimum: on ties both operands get half."""

    def slopes(out: Floats, a: Floats, b: Floats) -> tuple[Floats, Floats]:
        share = np.where(a == b, 0.5, np.where(first_wins(a, b), 1.0, 0.0))
        return share, 1 - share

    return slopes


def _test(holds: Callable[[Array, Array], Array]) -> Rule:
    """A comparison or connective of two: locally constant."""
    return _binary(lambda xp, a, b: xp.astype(holds(a, b), a.dtype), lambda out, a, b: (0.0, 0.0))


def _flat(function: Callable[[Namespace, Array], Array]) -> Rule:
    """A function that is constant in pieces."""
    return _unary(function, lambda out, x: 0.0)


ELEMENTWISE: dict[str, Rule] = {
    "add": _binary(lambda xp, a, b: a + b, lambda out, a, b: (1.0, 1.0)),
    "sub": _binary(lambda xp, a, b: a - b, lambda out, a, b: (1.0, -1.0)),
    "mul": _binary(lambda xp, a, b: a * b, lambda out, a, b: (b, a)),
    "div": _binary(_div, _div_slopes),
    "neg": _unary(lambda xp, x: -x, lambda out, x: -1.0),
    "pow": _binary(_pow, _pow_slopes),
    "exp": _unary(_exp, lambda out, x: np.where(np.isfinite(out), out, 0.0)),
    "log": _unary(_log, lambda out, x: np.where(x > 0, 1 / x, 0.0)),
    "log1p": _unary(_log1p, lambda out, x: np.where(x > -1, 1 / (1 + x), 0.0)),
    "sqrt": _unary(_sqrt, lambda out, x: np.where(x > 0, 0.5 / out, 0.0)),
    "abs": _unary(lambda xp, x: xp.abs(x), lambda out, x: np.sign(x)),
    "sign": _flat(lambda xp, x: xp.sign(x)),
    "floor": _flat(lambda xp, x: xp.floor(x)),
    "tanh": _unary(lambda xp, x: xp.tanh(x), lambda out, x: 1 - out**2),
    "sigmoid": _unary(_sigmoid, lambda out, x: out * (1 - out)),
    "sin": _unary(lambda xp, x: xp.sin(x), lambda out, x: np.cos(x)),
    "cos": _unary(lambda xp, x: xp.cos(x), lambda out, x: -np.sin(x)),
    "maximum": _binary(lambda xp, a, b: xp.maximum(a, b), _share(np.greater)),
    "minimum": _binary(lambda xp, a, b: xp.minimum(a, b), _share(np.less)),
    "where": _elementwise(_where, _where_slopes, 3),
    "le": _test(lambda a, b: a <= b),
    "lt": _test(lambda a, b: a < b),
    "ge": _test(lambda a, b: a >= b),
    "gt": _test(lambda a, b: a > b),
    "eq": _test(lambda a, b: a == b),
    "ne": _test(lambda a, b: a != b),
    "and": _test(lambda a, b: (a != 0) & (b != 0)),
    "or": _test(lambda a, b: (a != 0) | (b != 0)),
    "not": _flat(lambda xp, x: xp.astype(x == 0, x.dtype)),
}
