"""Numeric expressions evaluated on any array namespace, with leading batch dims.

No recursion: an expression is a list of nodes, operands first, so that a sum of ten thousand terms is no deeper than
one of two. A node that occurs twice (a shared ``let``) is computed once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dpplang.asa.evaluate_elementwise import ELEMENTWISE
from dpplang.asa.evaluate_layout import LAYOUT
from dpplang.asa.evaluate_linalg import LINALG
from dpplang.asa.evaluate_products import PRODUCTS
from dpplang.asa.evaluate_reductions import REDUCTIONS
from dpplang.asa.evaluate_rule import Array, Namespace, Rule
from dpplang.asa.numeric import Numeric
from dpplang.core.errors import InternalError

RULES: dict[str, Rule] = {**ELEMENTWISE, **REDUCTIONS, **PRODUCTS, **LINALG, **LAYOUT}
LEAVES = frozenset({"ref", "const", "full", "eye"})


def in_order(numeric: Numeric) -> list[Numeric]:
    """Every node once (by identity), operands before what uses them; the expression itself is last."""
    found: list[Numeric] = []
    seen: set[int] = set()
    stack = [(numeric, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            found.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((a, False) for a in reversed(node.args))
    return found


def references(numeric: Numeric) -> frozenset[str]:
    """Names the expression refers to."""
    return frozenset(str(n.option("name")) for n in in_order(numeric) if n.op == "ref")


def evaluate(numeric: Numeric, values: Mapping[str, Array], xp: Namespace) -> Array:
    """Value of an expression.

    Args:
        numeric: the expression.
        values: per name it refers to, an array ``[*batch, *shape]``; batch dims may differ and broadcast.
        xp: the array namespace (``numpy``, ``array_api_compat.torch`` …).

    Returns:
        ``[*batch, *numeric.shape]``, in the floating dtype and on the device of the values. Where an operation is not
        defined (a logarithm of a negative number, a Cholesky factor of an indefinite matrix) that element is NaN or
        infinite, never an exception.

    Raises:
        InternalError: an operation that does not exist, or a name without a value.
    """
    nodes = in_order(numeric)
    return trace(nodes, values, xp)[-1]


def trace(nodes: Sequence[Numeric], values: Mapping[str, Array], xp: Namespace) -> list[Array]:
    """The value of every node of :func:`in_order`."""
    like = _like(values, xp)
    results: list[Array] = []
    place: dict[int, int] = {}
    with np.errstate(all="ignore"):
        for node in nodes:
            if node.op in LEAVES:
                result = _leaf(node, values, xp, like)
            elif node.op in RULES:
                result = RULES[node.op].forward(xp, node, [results[place[id(a)]] for a in node.args])
            else:
                raise InternalError(f"the numeric library has no operation `{node.op}`")
            place[id(node)] = len(results)
            results.append(result)
    return results


def _like(values: Mapping[str, Array], xp: Namespace) -> Array:
    """An array with the dtype and the device that constants shall have."""
    for value in values.values():
        if hasattr(value, "dtype") and xp.isdtype(value.dtype, "real floating"):
            return value
    return xp.zeros((), dtype=xp.float64)


def _leaf(node: Numeric, values: Mapping[str, Array], xp: Namespace, like: Array) -> Array:
    match node.op:
        case "ref":
            name = str(node.option("name"))
            if name not in values:
                raise InternalError(f"`{name}` has no value")
            value = values[name]
            return value if getattr(value, "dtype", None) == like.dtype else _array(xp, value, like)
        case "const":
            return _array(xp, np.asarray(node.option("value"), dtype=np.float64), like)
        case "full":
            return _array(xp, np.full(node.shape, node.option("value", 0.0), dtype=np.float64), like)
        case _:
            return _array(xp, np.eye(node.shape[0], node.shape[1]), like)


def _array(xp: Namespace, value: Array, like: Array) -> Array:
    return xp.asarray(value, dtype=like.dtype, device=like.device)
