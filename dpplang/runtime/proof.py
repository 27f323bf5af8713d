"""Whether what a solver gives as a proof of infeasibility or unboundedness is one.

Solvers compare ‖Aᵀy‖ with a tolerance that is not relative to the sizes of A and y; where x is naturally large they
take the first steps of a solvable problem for a proof. Here each sum that must vanish is compared with the sum of the
absolute values of its terms, which no scaling of rows, columns or certificates changes.

A certificate y with ‖Aᵀy‖ > 0 excludes only solutions of size up to |bᵀy| / ‖Aᵀy‖, so that Aᵀy must also be small
beside what is left of bᵀy.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.cones.product import Product

_ZERO = 1e-6  # relative size of what counts as zero
_ROUNDING = 1e-13  # of the largest entry of a direction, that a smaller one may be off
_STRICT = 1e-9  # relative size from which bᵀy, or qᵀx, counts as negative
_DENSE = 1_000_000  # entries of a matrix that is decomposed rather than iterated on
_SHARE = 1e-2  # of Aᵀy in bᵀy at most


def proves_infeasible(y: Array, A: sp.csc_matrix, b: Array, cone: Product) -> bool:
    """Aᵀy = 0, y ∈ K*, bᵀy < 0."""
    if not np.isfinite(y).all():
        return False
    return _is_certificate(y, A, b, cone) or _is_certificate(_cleaned(y, A), A, b, cone)


def _is_certificate(y: Array, A: sp.csc_matrix, b: Array, cone: Product) -> bool:
    terms = float(np.abs(b) @ np.abs(y))
    strictness = -float(b @ y) / terms if terms > 0 else 0.0
    return (
        strictness > _STRICT
        and _vanishes(A.T @ y, abs(A).T @ np.abs(y), min(_ZERO, _SHARE * strictness))
        and _inside(y, cone.project_dual(y))
    )


def proves_unbounded(x: Array, P: sp.csc_matrix, q: Array, A: sp.csc_matrix, cone: Product) -> bool:
    """Px = 0, −Ax ∈ K, qᵀx < 0. ``P`` is the upper triangle."""
    if not np.isfinite(x).all():
        return False
    whole = sp.csc_matrix(P + sp.triu(P, 1).T)
    if _is_ray(x, whole, q, A, cone):
        return True
    equations = sp.csc_matrix(sp.vstack([whole, A.tocsr()[: cone.equations]]))
    curved = P.nnz > 0 and _is_ray(_cleaned(x, whole), whole, q, A, cone)
    return curved or _is_ray(_projected(x, equations), whole, q, A, cone)


def _is_ray(x: Array, whole: sp.csc_matrix, q: Array, A: sp.csc_matrix, cone: Product) -> bool:
    terms = float(np.abs(q) @ np.abs(x))
    moved, sizes = -(A @ x), _sizes(A, x)
    return (
        terms > 0
        and -float(q @ x) > _STRICT * terms
        and _vanishes(whole @ x, _sizes(whole, x), _ZERO)
        and _vanishes(moved - cone.project(moved), sizes, _ZERO)
    )


def _sizes(matrix: sp.csc_matrix, x: Array) -> Array:
    """The terms of each row's sum, and what rounding makes of them where the entries of x in it are 0."""
    magnitude = abs(matrix)
    rounding = _ROUNDING / _ZERO * np.abs(x).max(initial=0.0)
    return magnitude @ np.abs(x) + rounding * (magnitude @ np.ones_like(x))


def _projected(x: Array, equations: sp.csc_matrix) -> Array:
    """The direction nearest to x that the equations leave at 0: what a solver leaves in entries that must not move."""
    left = equations @ x
    if x.size * left.size <= _DENSE:
        return x - np.linalg.lstsq(equations.toarray(), left, rcond=None)[0]
    return x - spla.lsmr(equations, left, atol=1e-14, btol=1e-14, conlim=0)[0]


def _cleaned(y: Array, A: sp.csc_matrix) -> Array:
    """The multipliers with Aᵀy = 0 that differ least from y, each relative to its own size; directions x likewise.

    With B = |Y|A they are |y|·(sign y − Bw), where w is the least-squares solution of Bw = sign y.
    """
    size, sign = np.abs(y), np.sign(y)
    rows = sp.diags_array(size / max(size.max(initial=0.0), np.finfo(float).tiny))
    scaled = sp.csc_array(rows @ A)
    if y.size * (A.indptr.size - 1) <= _DENSE:
        w = np.linalg.lstsq(scaled.toarray(), sign, rcond=None)[0]
    else:
        w = spla.lsmr(scaled, sign, atol=1e-14, btol=1e-14, conlim=0)[0]
    return size * (sign - scaled @ w)


def _vanishes(sums: Array, terms: Array, share: float) -> bool:
    """Each sum is nothing beside its terms, or beside the largest terms of any (what is left of others' noise)."""
    return bool(np.all(np.abs(sums) <= share * np.maximum(terms, 0.1 * terms.max(initial=0.0))))


def _inside(y: Array, projection: Array) -> bool:
    return float(np.abs(y - projection).max(initial=0.0)) <= _ZERO * float(np.abs(y).max(initial=0.0))
