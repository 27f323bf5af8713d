"""Values made to be what a tensor is declared to be: for trying a program out before it has values."""

from __future__ import annotations

import numpy as np

from dpplang.lowering.affine import Floats
from dpplang.semantics.tree import Symbol


def as_declared(symbol: Symbol, value: Floats) -> Floats:
    """An array of the declared shape that has the declared attributes, but for a mask (``sparse``).

    Args:
        value: any numbers of that shape. They keep their magnitudes where the attributes allow it; those of a
            semidefinite matrix V become ±(VVᵀ/k + I/2), so that it has no small eigenvalue.
    """
    if symbol.has("psd") or symbol.has("nsd"):
        order = value.shape[-1]
        value = value @ np.swapaxes(value, -1, -2) / order + 0.5 * np.eye(order)
        return value if symbol.has("psd") else -value
    if symbol.has("symmetric"):
        value = (value + np.swapaxes(value, -1, -2)) / 2
    if symbol.has("diagonal"):
        value = value * np.eye(value.shape[-1])
    if symbol.has("nonneg") or symbol.has("pos"):
        return np.abs(value) + 0.1 if symbol.has("pos") else np.abs(value)
    if symbol.has("nonpos") or symbol.has("neg"):
        return -np.abs(value) - 0.1 if symbol.has("neg") else -np.abs(value)
    return value
