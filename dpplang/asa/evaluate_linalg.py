"""Matrix functions.

Those of symmetric matrices (``chol sqrtm eigvalsh logdet``) read (A + Aᵀ)/2, so their gradients are symmetric. An
element of the batch where one of them, ``inv`` or ``solve`` does not exist becomes NaN and leaves the others alone.
Derivatives: Giles, "Collected matrix derivative results for forward and reverse mode AD", 2008.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dpplang.asa.evaluate_reductions import VECTOR_NORM2
from dpplang.asa.evaluate_rule import Array, Floats, Namespace, Rule, constant, lift, swap
from dpplang.asa.numeric import Numeric

_LU_SOLVE: Any = np.linalg.solve  # its stub loses the type of an array it cannot see through

ASYMMETRY = 1e-5
"""Largest |A − Aᵀ| relative to |A| that is taken for rounding, of a matrix computed in single precision."""


def _symmetric(xp: Namespace, matrix: Array) -> Array:
    """(A + Aᵀ)/2, NaN where A is far from symmetric."""
    mirrored = swap(xp, matrix)
    if 0 in matrix.shape:
        return matrix
    gap = xp.max(xp.abs(matrix - mirrored), axis=(-2, -1), keepdims=True)
    size = xp.max(xp.abs(matrix), axis=(-2, -1), keepdims=True)
    return xp.where(gap <= ASYMMETRY * size, 0.5 * (matrix + mirrored), float("nan"))


def _guard(xp: Namespace, matrix: Array) -> tuple[Array, Array]:
    """The matrix, 0 for elements that are not finite (LAPACK refuses the whole stack for them), and which those are."""
    bad = ~xp.all(xp.isfinite(matrix), axis=(-2, -1), keepdims=True)
    return xp.where(bad, 0.0, matrix), bad


def _each(function: Callable[..., Array], *arrays: Array) -> Array:
    """A NumPy function of stacked matrices, element by element where it fails for the stack; NaN where it fails."""
    try:
        return function(*arrays)
    except np.linalg.LinAlgError:
        pass
    batch = np.broadcast_shapes(*(a.shape[:-2] for a in arrays))
    stacks = [np.broadcast_to(a, (*batch, *a.shape[-2:])) for a in arrays]
    sample = function(*(np.broadcast_to(np.eye(*a.shape[-2:]), a.shape[-2:]) for a in arrays))
    result = np.full((*batch, *sample.shape), np.nan)
    for index in np.ndindex(*batch):
        try:
            result[index] = function(*(s[index] for s in stacks))
        except np.linalg.LinAlgError:
            continue
    return result


def _factor(xp: Namespace, name: str, *arrays: Array) -> Array:
    """``cholesky``, ``inv`` or ``solve``, NaN where it fails: by LAPACK's flag if the namespace gives it."""
    flagged = getattr(xp.linalg, f"{name}_ex", None)
    if flagged is None:
        return _each(getattr(xp.linalg, name), *arrays)
    result, info = flagged(*arrays)
    return xp.where((info != 0)[..., None, None], float("nan"), result)


def _chol(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    return _factor(xp, "cholesky", _symmetric(xp, args[0]))


def _chol_vjp(node: Numeric, args: Sequence[Floats], out: Floats, g: Floats) -> list[Floats]:
    lower = np.tril(swap(np, out) @ g)
    half = lower - 0.5 * lower * np.eye(out.shape[-1])
    inner = _LU_SOLVE(swap(np, out), half)
    grad = swap(np, _LU_SOLVE(swap(np, out), swap(np, inner)))
    return [0.5 * (grad + swap(np, grad))]


def _logdet(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    return 2 * xp.sum(xp.log(xp.linalg.diagonal(_chol(xp, node, args))), axis=-1)


def _logdet_vjp(node: Numeric, args: Sequence[Floats], out: Floats, g: Floats) -> list[Floats]:
    return [g[..., None, None] * np.linalg.inv(_symmetric(np, args[0]))]


def _inv_vjp(node: Numeric, args: Sequence[Floats], out: Floats, g: Floats) -> list[Floats]:
    return [-swap(np, out) @ g @ swap(np, out)]


def _solve(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    vector = len(node.args[1].shape) == 1
    right = xp.expand_dims(args[1], axis=-1) if vector else args[1]
    solution = _factor(xp, "solve", args[0], right)
    return solution[..., 0] if vector else solution


def _solve_vjp(node: Numeric, args: Sequence[Floats], out: Floats, g: Floats) -> list[Floats]:
    vector = len(node.args[1].shape) == 1
    g, out = (g[..., None], out[..., None]) if vector else (g, out)
    grad = _LU_SOLVE(swap(np, args[0]), g)
    return [-grad @ swap(np, out), grad[..., 0] if vector else grad]


def _constant_part(array: Array) -> Array:
    """The value, cut off from the namespace's autodiff where it has one."""
    return array.detach() if hasattr(array, "detach") else array


def _roots(xp: Namespace, matrix: Array) -> tuple[Array, Array, Array]:
    """(√λ, V, 1/(√λᵢ + √λⱼ)) of a symmetric matrix; NaN where an eigenvalue is negative beyond rounding."""
    values, vectors = xp.linalg.eigh(matrix)
    scale = xp.max(xp.abs(values), axis=-1, keepdims=True)
    slack = matrix.shape[-1] * float(xp.finfo(matrix.dtype).eps) * scale
    clipped = xp.where(values > slack, values, xp.zeros_like(values))
    roots = xp.where(values < -slack, xp.full_like(values, float("nan")), xp.sqrt(clipped))
    sums = xp.expand_dims(roots, axis=-1) + xp.expand_dims(roots, axis=-2)
    positive = sums > 0
    inverse = xp.where(positive, 1 / xp.where(positive, sums, xp.ones_like(sums)), xp.zeros_like(sums))
    return roots, vectors, inverse


def _logs(xp: Namespace, matrix: Array) -> tuple[Array, Array, Array]:
    """(log λ, V, (log λᵢ − log λⱼ)/(λᵢ − λⱼ)) of a symmetric matrix; NaN where an eigenvalue is not positive.

    The divided difference is log1p(d)/(dλⱼ) with d = λᵢ/λⱼ − 1, which does not cancel where eigenvalues are close.
    """
    values, vectors = xp.linalg.eigh(matrix)
    positive = xp.where(values > 0, values, xp.full_like(values, float("nan")))
    rows, columns = xp.expand_dims(positive, axis=-1), xp.expand_dims(positive, axis=-2)
    gap = (rows - columns) / columns
    apart = gap != 0
    slope = xp.where(apart, xp.log1p(gap) / xp.where(apart, gap, xp.ones_like(gap)), xp.ones_like(gap))
    return xp.log(positive), vectors, slope / columns


SpectralParts = Callable[[Namespace, Array], tuple[Array, Array, Array]]
"""(f(λ), V, the divided differences of f at λᵢ and λⱼ) of a symmetric matrix."""


def _spectral(parts: SpectralParts) -> Rule:
    """f(A) by eigenvalues, and its derivative V (D ∘ VᵀdA V) Vᵀ with the divided differences D (Daleckii–Krein).

    Differentiating through the eigenvectors instead would divide by zero wherever eigenvalues coincide; so the value is
    taken as constant and the derivative is attached to A − A, which is zero.
    """

    def forward(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
        matrix = _symmetric(xp, args[0])
        if 0 in matrix.shape:
            return matrix
        matrix, bad = _guard(xp, matrix)
        fixed = _constant_part(matrix)
        values, vectors, slopes = parts(xp, fixed)
        values = xp.where(bad[..., 0], float("nan"), values)
        value = (vectors * xp.expand_dims(values, axis=-2)) @ swap(xp, vectors)
        if fixed is matrix:
            return value
        return value + vectors @ ((swap(xp, vectors) @ (matrix - fixed) @ vectors) * slopes) @ swap(xp, vectors)

    def vjp(node: Numeric, args: Sequence[Floats], out: Floats, g: Floats) -> list[Floats]:
        _, vectors, slopes = parts(np, _symmetric(np, args[0]))
        inner = swap(np, vectors) @ (0.5 * (g + swap(np, g))) @ vectors
        return [vectors @ (inner * slopes) @ swap(np, vectors)]

    return Rule(forward, vjp)


def _eigvalsh(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    matrix, bad = _guard(xp, _symmetric(xp, args[0]))
    return xp.where(bad[..., 0], float("nan"), xp.linalg.eigvalsh(matrix))


def _eigvalsh_vjp(node: Numeric, args: Sequence[Floats], out: Floats, g: Floats) -> list[Floats]:
    _, vectors = np.linalg.eigh(_symmetric(np, args[0]))
    return [(vectors * g[..., None, :]) @ swap(np, vectors)]


def _svdvals(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    matrix, bad = _guard(xp, args[0])
    return xp.where(bad[..., 0], float("nan"), xp.linalg.svdvals(matrix))


def _svdvals_vjp(node: Numeric, args: Sequence[Floats], out: Floats, g: Floats) -> list[Floats]:
    left, _, right = np.linalg.svd(args[0], full_matrices=False)
    return [(left * g[..., None, :]) @ right]


def _cofactor(xp: Namespace, matrix: Array) -> Array:
    """The derivative of the determinant, by singular values so that it is right where the determinant is zero."""
    left, values, right = xp.linalg.svd(matrix)
    orientation = xp.linalg.det(left) * xp.linalg.det(right)
    rows = xp.expand_dims(values, axis=-2)
    others = xp.where(constant(xp, np.eye(values.shape[-1]), matrix) != 0, xp.ones_like(rows), rows)
    scaled = (left * xp.expand_dims(xp.prod(others, axis=-1), axis=-2)) @ right
    return lift(xp, orientation, 0, 2) * scaled


def _det(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    """With the derivative attached as in :func:`_spectral`: torch's own is 0 for every singular matrix."""
    matrix, fixed = args[0], _constant_part(args[0])
    value = xp.linalg.det(fixed)
    if fixed is matrix:
        return value
    return value + xp.sum(_cofactor(xp, _guard(xp, fixed)[0]) * (matrix - fixed), axis=(-2, -1))


def _norm2(xp: Namespace, node: Numeric, args: Sequence[Array]) -> Array:
    """Euclidean norm along an axis; of a whole matrix, the spectral norm."""
    if len(node.args[0].shape) == 2 and node.option("axis") is None:
        return xp.max(_svdvals(xp, node, args), axis=-1)
    return VECTOR_NORM2.forward(xp, node, args)


def _norm2_vjp(node: Numeric, args: Sequence[Floats], out: Floats, g: Floats) -> Sequence[Floats]:
    if len(node.args[0].shape) == 2 and node.option("axis") is None:
        values = np.linalg.svd(args[0], compute_uv=False)
        ties = values == values[..., :1]
        share = g[..., None] * ties / ties.sum(axis=-1, keepdims=True)
        return _svdvals_vjp(node, args, values, share)
    return VECTOR_NORM2.vjp(node, args, out, g)


LINALG: dict[str, Rule] = {
    "chol": Rule(_chol, _chol_vjp),
    "logdet": Rule(_logdet, _logdet_vjp),
    "inv": Rule(lambda xp, node, args: _factor(xp, "inv", args[0]), _inv_vjp),
    "solve": Rule(_solve, _solve_vjp, (2, 2)),
    "sqrtm": _spectral(_roots),
    "logm": _spectral(_logs),
    "eigvalsh": Rule(_eigvalsh, _eigvalsh_vjp),
    "svdvals": Rule(_svdvals, _svdvals_vjp),
    "det": Rule(_det, lambda node, args, out, g: [g[..., None, None] * _cofactor(np, args[0])]),
    "norm2": Rule(_norm2, _norm2_vjp),
}
