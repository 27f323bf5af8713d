"""Forward-mode differentiation of numeric expressions on NumPy, from the rules of reverse mode.

An operation has one rule, its forward map and its vjp, and both serve here: a linear operation is its own derivative, a
product differentiates by parts, the Jacobian of an elementwise operation is diagonal and so its own transpose; of the
rest (matrix functions, norms) the Jacobian is read off the vjp, row by row, many rows at once along an axis in front.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

import numpy as np

from dpplang.asa.evaluate import LEAVES, RULES, in_order, trace
from dpplang.asa.evaluate_elementwise import ELEMENTWISE
from dpplang.asa.evaluate_layout import LAYOUT
from dpplang.asa.evaluate_products import PRODUCTS
from dpplang.asa.evaluate_rule import Floats
from dpplang.asa.numeric import Numeric

_LINEAR = frozenset({*LAYOUT, "sum", "mean", "cumsum", "diff", "add", "sub", "neg"})
_BILINEAR = frozenset({*PRODUCTS, "mul"})
_FLAT = frozenset({"le", "lt", "ge", "gt", "eq", "ne", "and", "or", "not"})
_ENTRIES = 1 << 21  # of rows of a Jacobian that are held at once


def evaluate_jvp(numeric: Numeric, values: Mapping[str, Floats], tangents: Mapping[str, Floats]) -> Floats:
    """The derivative of an expression's value in a direction.

    Args:
        numeric, values: as for :func:`dpplang.asa.evaluate.evaluate`.
        tangents: per name that moves, a direction of the shape of its value, or broadcast to it.

    Returns:
        ``[*batch, *numeric.shape]``.
    """
    nodes = in_order(numeric)
    outs = trace(nodes, values, np)
    place = {id(node): i for i, node in enumerate(nodes)}
    moved: list[Floats | None] = []
    with np.errstate(all="ignore"):
        for node, out in zip(nodes, outs, strict=True):
            if node.op in LEAVES:
                moved.append(tangents.get(str(node.option("name"))) if node.op == "ref" else None)
                continue
            where = [place[id(a)] for a in node.args]
            args, steps = [outs[j] for j in where], [moved[j] for j in where]
            moved.append(None if all(s is None for s in steps) else _push(node, args, out, steps))
    last = moved[-1]
    return np.zeros_like(outs[-1]) if last is None else np.broadcast_to(last, outs[-1].shape)


def _push(node: Numeric, args: Sequence[Floats], out: Floats, steps: Sequence[Floats | None]) -> Floats:
    """The tangent of one operation's value."""
    rule = RULES[node.op]
    full = [np.zeros_like(a) if s is None else s for a, s in zip(args, steps, strict=True)]
    if node.op in _FLAT:
        return np.zeros_like(out)
    if node.op in _LINEAR:
        return rule.forward(np, node, full)
    if node.op in _BILINEAR:
        return rule.forward(np, node, [full[0], args[1]]) + rule.forward(np, node, [args[0], full[1]])
    if node.op == "where":
        return rule.forward(np, node, [args[0], *full[1:]])
    if node.op in ELEMENTWISE:
        return _push_elementwise(node, args, out, full)
    return _push_by_rows(node, args, out, full)


def _push_elementwise(node: Numeric, args: Sequence[Floats], out: Floats, steps: Sequence[Floats]) -> Floats:
    """Σ of partial derivatives times steps, with every operand spread to the shape of the result."""
    alike = replace(node, args=tuple(replace(a, shape=node.shape) for a in node.args))

    def spread(values: Floats, operand: Numeric) -> Floats:
        batch = np.shape(values)[: np.ndim(values) - len(operand.shape)]
        lifted = np.reshape(values, (*batch, *(1,) * (len(node.shape) - len(operand.shape)), *operand.shape))
        return np.broadcast_to(lifted, out.shape)

    wide = [spread(a, operand) for a, operand in zip(args, node.args, strict=True)]
    partials = RULES[node.op].vjp(alike, wide, out, np.ones_like(out))
    spread_steps = [spread(s, operand) for s, operand in zip(steps, node.args, strict=True)]
    return sum((p * s for p, s in zip(partials, spread_steps, strict=True)), np.zeros_like(out))


def _push_by_rows(node: Numeric, args: Sequence[Floats], out: Floats, steps: Sequence[Floats]) -> Floats:
    own, size = node.shape, prod(node.shape)
    batch = out.shape[: out.ndim - len(own)]
    ahead = [
        np.reshape(a, (*(1,) * (1 + len(batch) + len(n.shape) - np.ndim(a)), *np.shape(a)))
        for a, n in zip(args, node.args, strict=True)
    ]
    found = np.zeros((size, *batch))
    step = max(1, _ENTRIES // max(out.size + sum(np.size(a) for a in args), 1))
    for start in range(0, size, step):
        count = min(step, size - start)
        seeds = np.zeros((count, *(1,) * len(batch), size))
        seeds.reshape(count, size)[np.arange(count), start + np.arange(count)] = 1.0
        rows = np.broadcast_to(seeds.reshape(*seeds.shape[:-1], *own), (count, *batch, *own))
        many = [np.broadcast_to(a, (count, *a.shape[1:])) for a in ahead]
        parts = RULES[node.op].vjp(node, many, np.broadcast_to(out, rows.shape), rows)
        for part, moved, operand in zip(parts, steps, node.args, strict=True):
            axes = tuple(range(-len(operand.shape), 0))
            found[start : start + count] += np.sum(part * moved, axis=axes) if axes else part * moved
    jacobian: Floats = np.moveaxis(found, 0, -1)
    return jacobian.reshape(out.shape)
