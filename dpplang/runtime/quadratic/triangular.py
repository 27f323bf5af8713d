"""Inverses of batches of lower triangular matrices, by matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import lapack

from dpplang.runtime.cones.cone import Array

_BASE = 32  # up to this order LAPACK's triangular inverse is quicker than another level of products

_lapack: Any = lapack  # made of routines that no type stub names


def invert_lower(factors: Array) -> Array:
    """L⁻¹ of ``[b, n, n]``, by halves: [[A, 0], [C, B]]⁻¹ = [[A⁻¹, 0], [−B⁻¹CA⁻¹, B⁻¹]].

    LAPACK alone would take as long, but does one matrix after the other whatever the number of threads.
    """
    n = factors.shape[-1]
    if n <= _BASE:
        out = np.array(factors, np.float64, order="C")
        for matrix in out if n else ():
            _lapack.dtrtri(matrix.T, lower=0, overwrite_c=1)  # by columns, a lower triangle is an upper one
        return out
    half = n // 2
    out = np.zeros_like(factors)
    first, second = invert_lower(factors[:, :half, :half]), invert_lower(factors[:, half:, half:])
    out[:, :half, :half], out[:, half:, half:] = first, second
    np.negative(second @ (factors[:, half:, :half] @ first), out=out[:, half:, :half])
    return out
