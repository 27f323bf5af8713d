"""A sparse certificate of infeasibility from any certificate.

Interior-point methods return certificates from the middle of the set of all of them, with weight on constraints that have no part in the
conflict. A vertex names few: minimize Σ sizeᵢ·|yᵢ| subject to Aᵀy = 0, bᵀy = −1, y ∈ K*, where each curved cone keeps the
direction that its part of y has and only its length is free. That is a linear program.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

from dpplang.asa.cones import Cones, svec_size
from dpplang.runtime.cones.cone import Array

_LARGEST = 20_000  # entries beyond which the certificate stays as it is
_ZERO = 1e-7


def sparsest(y: Array, A: sp.csc_matrix, b: Array, cones: Cones, size: Array) -> Array:
    """A certificate ``[m]`` with as little support as a linear program finds; ``y`` itself where that fails.

    Args:
        y: a certificate ``[m]``. A, b: the data. size: ``[m]``, what a unit of each multiplier weighs.
    """
    if A.nnz > _LARGEST or not b @ y < 0:
        return y
    basis, free = _directions(y, cones)
    columns = sp.csr_array(A.T @ basis)
    scale = np.abs(basis).T @ size
    scale[scale == 0] = 1.0
    # z = lengths · scale, split into z⁺ − z⁻ where the sign is free
    unit = sp.csr_array(columns @ sp.diags_array(1 / scale))
    slope = (b @ basis) / scale
    lines = np.maximum(abs(unit).max(axis=1).toarray().reshape(-1), 1e-300)
    equations = sp.vstack([sp.diags_array(1 / lines) @ unit, sp.csr_array(slope[None, :])])
    equations = sp.hstack([equations, -equations[:, free]], format="csc")
    total = equations.shape[1]
    rhs = np.zeros(equations.shape[0])
    rhs[-1] = -1.0
    found = linprog(np.ones(total), A_eq=equations, b_eq=rhs, bounds=(0, None), method="highs")
    if found.x is None:
        return y
    z = found.x[: basis.shape[1]].copy()
    z[free] -= found.x[basis.shape[1] :]
    z[np.abs(z) < _ZERO * np.abs(z).max(initial=0.0)] = 0.0
    return basis @ (z / scale)


def _directions(y: Array, cones: Cones) -> tuple[sp.csc_array, np.ndarray]:
    """Columns: a unit vector for each zero and nonneg row, y's own part for each other cone; and which may be negative."""
    linear = cones.zero + cones.nonneg
    sizes = [*cones.soc, *map(svec_size, cones.psd), *[3] * (cones.exp + len(cones.pow))]
    columns = np.concatenate((np.arange(linear), linear + np.repeat(np.arange(len(sizes)), sizes))).astype(np.intp)
    values = np.concatenate((np.ones(linear), y[linear:]))
    shape = (y.size, linear + len(sizes))
    return sp.csc_array((values, (np.arange(y.size), columns)), shape=shape), np.arange(cones.zero)
