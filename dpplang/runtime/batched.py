"""Products of a batch of matrices, or of one that the batch shares, with a batch of vectors."""

from __future__ import annotations

from dpplang.runtime.cones.cone import Array


def times(matrices: Array, vectors: Array) -> Array:
    """M v ``[B, k]`` for M ``[1|B, k, n]``, v ``[B, n]``."""
    if matrices.shape[0] == 1:
        return vectors @ matrices[0].T
    return (matrices @ vectors[:, :, None])[:, :, 0]


def transposed_times(matrices: Array, vectors: Array) -> Array:
    """Mᵀ v ``[B, n]`` for M ``[1|B, k, n]``, v ``[B, k]``."""
    if matrices.shape[0] == 1:
        return vectors @ matrices[0]
    return (vectors[:, None, :] @ matrices)[:, 0, :]
