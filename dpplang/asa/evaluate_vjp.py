"""Reverse-mode differentiation of numeric expressions on NumPy, one rule per operation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dpplang.asa.evaluate import LEAVES, RULES, in_order, trace
from dpplang.asa.evaluate_rule import Floats
from dpplang.asa.numeric import Numeric


def evaluate_vjp(numeric: Numeric, values: Mapping[str, Floats], gradient: Floats) -> dict[str, Floats]:
    """∂⟨gradient, value⟩/∂v for every value the expression refers to.

    Args:
        numeric, values: as for :func:`dpplang.asa.evaluate.evaluate`.
        gradient: ``[*batch, *numeric.shape]``, batch the one of the expression's value or broadcast to it.

    Returns:
        Per name an array of the shape of its value: summed over the batch dims that were broadcast.
    """
    nodes = in_order(numeric)
    outs = trace(nodes, values, np)
    place = {id(node): i for i, node in enumerate(nodes)}
    grads: list[Floats | None] = [None] * len(nodes)
    grads[-1] = np.broadcast_to(gradient, outs[-1].shape)
    found: dict[str, Floats] = {}
    with np.errstate(all="ignore"):
        for i in reversed(range(len(nodes))):
            node, grad = nodes[i], grads[i]
            grads[i] = None
            if grad is None:
                continue
            if node.op == "ref":
                name = str(node.option("name"))
                found[name] = found[name] + grad if name in found else grad
            if node.op in LEAVES:
                continue
            where = [place[id(a)] for a in node.args]
            args = [outs[j] for j in where]
            for j, part in zip(where, RULES[node.op].vjp(node, args, outs[i], grad), strict=True):
                part = unbroadcast(part, outs[j].shape)
                known = grads[j]
                grads[j] = part if known is None else known + part
    return found


def unbroadcast(gradient: Floats, shape: tuple[int, ...]) -> Floats:
    """Sum over the leading axes that broadcasting to ``gradient.shape`` added to ``shape`` or stretched."""
    ahead = gradient.ndim - len(shape)
    if ahead:
        gradient = gradient.sum(axis=tuple(range(ahead)))
    stretched = tuple(i for i, size in enumerate(shape) if size == 1 and gradient.shape[i] != 1)
    return gradient.sum(axis=stretched, keepdims=True) if stretched else gradient
