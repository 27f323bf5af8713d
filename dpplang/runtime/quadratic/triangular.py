"""Inverses of batches of lower triangular matrices, by matrix products."""

from __future__ import annotations

import numpy as np

from dpplang.runtime.cones.cone import Array

_BASE = 16  # up to this order LAPACK's general inverse is quicker than another level of products


def invert_lower(factors: Array) -> Array:
    """L⁻¹ of ``[b, n, n]``, by halves: [[A, 0], [C, B]]⁻¹ = [[A⁻¹, 0], [−B⁻¹CA⁻¹, B⁻¹]]."""
    n = factors.shape[-1]
    if n <= _BASE:
        return np.asarray(np.linalg.inv(factors), np.float64) if n else factors
    half = n // 2
    out = np.zeros_like(factors)
    first, second = invert_lower(factors[:, :half, :half]), invert_lower(factors[:, half:, half:])
    out[:, :half, :half], out[:, half:, half:] = first, second
    np.negative(second @ (factors[:, half:, :half] @ first), out=out[:, half:, :half])
    return out
