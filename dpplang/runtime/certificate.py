"""A sparse certificate of infeasibility from any certificate.

Interior-point methods return certificates from the middle of the set of all of them, with weight on constraints that
have no part in the conflict. A vertex names few: minimize Σ sizeᵢ·|yᵢ| subject to Aᵀy = 0, bᵀy = −1, y ∈ K*, where
each curved cone keeps the direction that its part of y has and only its length is free. That is a linear program.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

from dpplang.asa.cones import Cones, svec_size
from dpplang.runtime.cones.cone import Array

_LARGEST = 1_000_000  # entries of A, zeros included, beyond which the certificate stays as it is
_ZERO = 1e-7


def sparsest(y: Array, A: sp.csc_matrix, b: Array, cones: Cones, size: Array) -> Array:
    """A certificate ``[m]`` with as little support as a linear program finds; ``y`` itself where that fails.

    Args:
        y: a certificate ``[m]``. A, b: the data. size: ``[m]``, what a unit of each multiplier weighs.
    """
    n = A.indptr.size - 1
    if y.size * n > _LARGEST or b @ y >= 0:
        return y
    basis, kinds = _directions(y, cones)
    free = np.arange(cones.zero)
    scale = abs(basis).T @ size
    scale[scale == 0] = 1.0
    # lengths z / scale, with z split into z⁺ − z⁻ where its sign is free
    columns = np.zeros((n + 1, kinds + free.size))
    columns[:n, :kinds] = (basis.T @ A).T.toarray() / scale
    columns[n, :kinds] = (b @ basis) / scale
    columns[:, kinds:] = -columns[:, free]
    lines = np.abs(columns[:n]).max(axis=1, initial=0.0)
    columns[:n] /= np.where(lines > 0, lines, 1.0)[:, None]
    rhs = np.append(np.zeros(n), -1.0)
    found = linprog(np.ones(kinds + free.size), A_eq=columns, b_eq=rhs, bounds=(0, None), method="highs")
    if found.x is None:
        return y
    z = found.x[:kinds].copy()
    z[free] -= found.x[kinds:]
    z[np.abs(z) < _ZERO * np.abs(z).max(initial=0.0)] = 0.0
    return basis @ (z / scale)


def _directions(y: Array, cones: Cones) -> tuple[sp.csc_matrix, int]:
    """A unit vector for each zero and nonneg row, y's own part for each other cone, as columns; and how many."""
    linear = cones.zero + cones.nonneg
    sizes = [*cones.soc, *map(svec_size, cones.psd), *[3] * (cones.exp + len(cones.pow))]
    columns = np.concatenate((np.arange(linear), linear + np.repeat(np.arange(len(sizes)), sizes))).astype(np.intp)
    values = np.concatenate((np.ones(linear), y[linear:]))
    shape = (y.size, linear + len(sizes))
    return sp.csc_matrix((values, (np.arange(y.size), columns)), shape=shape), shape[1]
