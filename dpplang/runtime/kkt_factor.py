"""Symmetric, indefinite, perhaps singular systems Kz = g: factorized once, solved for any number of right-hand sides.

Where K is singular to working precision the solution of least norm is taken, K⁺g. The choice is symmetric, so that
adjoints and tangents stay transposes of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import get_lapack_funcs

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.threads import split

SINGULAR = 1e-12
"""Reciprocal condition number (of the matrix scaled to unit row maxima) below which a matrix counts as singular."""

_CUTOFF = 1e-10  # eigenvalues below this share of the largest count as zero in K⁺
_BLOCK = 1 << 17  # entries of matrices that are factorized one after the other in the same memory
_INVERT = 48  # up to this order a batch is inverted in one call, beyond it each element is factorized


_getrf, _getrs = get_lapack_funcs(("getrf", "getrs"), dtype=np.float64)


Make: TypeAlias = "Callable[[slice], Array]"
"""A few matrices ``[k, N, N]`` of a batch, in memory of their own."""


class Factor(Protocol):
    """A factorized batch."""

    @property
    def singular(self) -> NDArray[np.bool_]:
        """``[B]``: the elements that are solved by least squares."""
        ...

    def solve(self, rhs: Array) -> Array:
        """z ``[B, N]`` for g ``[B, N]``."""
        ...

    def times(self, vector: Array) -> Array:
        """K vector, ``[B, N]``; needed only where K is singular, and 0 elsewhere."""
        ...


def null_component(factor: Factor, size: int) -> Array:
    """p − K⁺Kp ``[B, size]``: a vector of the null space of each K, without structure there; 0 where K is regular."""
    probe = np.where(factor.singular[:, None], probe_of(size), 0.0)
    return probe - factor.solve(factor.times(probe))


def factorize(make: Make, count: int, order: int) -> Factor:
    """Factorize a batch of dense matrices ``[count, order, order]``."""
    if order <= _INVERT:
        return _Inverses(make(slice(0, count)))
    return _Solves(make, count, order)


class _Inverses:
    """Explicit inverses with one step of iterative refinement: the least overhead for many small systems."""

    def __init__(self, matrices: Array) -> None:
        scale = _scale(matrices)
        scaled = matrices * scale[:, :, None] * scale[:, None, :]
        inverses, regular = _invert(scaled)
        size, growth = (np.abs(part).sum(axis=1).max(axis=1, initial=0.0) for part in (scaled, inverses))
        condition = size * growth
        regular &= condition * SINGULAR < 1
        inverses *= scale[:, :, None] * scale[:, None, :]
        for i in np.flatnonzero(~regular):
            inverses[i] = _pseudo_inverse(matrices[i])
        self.singular = ~regular
        self._matrices, self._inverses = matrices, inverses

    def solve(self, rhs: Array) -> Array:
        column = rhs[..., None]
        z = self._inverses @ column
        z += self._inverses @ (column - self._matrices @ z)
        return z[..., 0]

    def times(self, vector: Array) -> Array:
        return (self._matrices @ vector[..., None])[..., 0]


def _invert(matrices: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Inverses, and which of them exist."""
    regular = np.ones(matrices.shape[0], dtype=bool)
    try:
        return np.asarray(np.linalg.inv(matrices), dtype=np.float64), regular
    except np.linalg.LinAlgError:
        inverses = np.zeros_like(matrices)
        for i, matrix in enumerate(matrices):
            try:
                inverses[i] = np.linalg.inv(matrix)
            except np.linalg.LinAlgError:
                regular[i] = False
        return inverses, regular


class _Solves:
    """The first right-hand side is solved together with a probe of the condition, over the cores; only if there is a
    second one are factors kept.

    Matrices are made, factorized and forgotten a few at a time, in the same memory: fresh memory for a whole batch
    takes longer to get than the factors.
    """

    def __init__(self, make: Make, count: int, order: int) -> None:
        self._make, self._count, self._order = make, count, order
        self._pseudo: dict[int, Array] = {}

    @cached_property
    def _probed(self) -> tuple[Array, NDArray[np.bool_]]:
        """Solutions for the probe alone, where nothing was solved yet, and which elements are singular."""
        return self._judge(self._once(np.zeros((self._count, self._order))))

    @property
    def singular(self) -> NDArray[np.bool_]:
        return self._probed[1]

    def solve(self, rhs: Array) -> Array:
        if "_probed" in self.__dict__:
            z = np.zeros_like(rhs)
            for i, (scale, lu, pivots) in enumerate(self._factors):
                z[i] = scale * _getrs(lu, pivots, scale * rhs[i])[0]
        else:
            z, _ = self._probed = self._judge(self._once(rhs))
        for i, inverse in self._pseudo.items():
            z[i] = inverse @ rhs[i]
        return z

    def times(self, vector: Array) -> Array:
        out = np.zeros_like(vector)
        for i in self._pseudo:
            out[i] = self._one(i) @ vector[i]
        return out

    @cached_property
    def _factors(self) -> list[tuple[Array, Array, Array]]:
        return [(scale, lu, pivots) for scale, _, lu, pivots in self._factorized(slice(0, self._count))]

    def _factorized(self, part: slice) -> Iterator[tuple[Array, float, Array, Array]]:
        """For each element of a part, the scaling, the norm of the scaled matrix, and its LU factors."""
        step = max(1, _BLOCK // self._order**2)
        for start in range(part.start, part.stop, step):
            matrices = self._make(slice(start, min(start + step, part.stop)))
            scale = _scale(matrices)
            matrices *= scale[:, :, None]
            matrices *= scale[:, None, :]
            sizes = np.abs(matrices).sum(axis=1).max(axis=1)
            for k, matrix in enumerate(matrices):
                # A symmetric matrix is its own transpose, which LAPACK takes without a copy.
                lu, pivots, _ = _getrf(matrix.T, overwrite_a=1)
                yield scale[k], sizes[k], lu, pivots

    def _once(self, rhs: Array) -> tuple[Array, Array]:
        """(z, how much larger than the probe its solution is, relative to 1/‖K‖)."""
        probe = probe_of(self._order)
        z, growth = np.empty_like(rhs), np.empty(self._count)

        def solve(part: slice) -> None:
            sides = np.empty((self._order, 2), order="F")
            for i, (scale, size, lu, pivots) in enumerate(self._factorized(part), part.start):
                sides[:, 0], sides[:, 1] = scale * rhs[i], probe
                found = _getrs(lu, pivots, sides)[0]
                z[i] = scale * found[:, 0]
                growth[i] = size * np.abs(found[:, 1]).sum()

        split(solve, self._count, 2 * self._order**3 / 3)
        return z, growth / np.abs(probe).sum()

    def _judge(self, found: tuple[Array, Array]) -> tuple[Array, NDArray[np.bool_]]:
        z, growth = found
        singular = ~(growth * SINGULAR < 1)
        for i in np.flatnonzero(singular):
            self._pseudo[int(i)] = _pseudo_inverse(self._one(int(i)))
        return z, singular

    def _one(self, i: int) -> Array:
        return self._make(slice(i, i + 1))[0]


def solve_each(matrices: Array, rhs: Array) -> Array:
    """Solutions ``[B, N, …]`` of each system; NaN where the matrix is exactly singular."""
    try:
        return np.asarray(np.linalg.solve(matrices, rhs), np.float64)
    except np.linalg.LinAlgError:
        out = np.full_like(rhs, np.nan)
        for i, (matrix, column) in enumerate(zip(matrices, rhs, strict=True)):
            try:
                out[i] = np.linalg.solve(matrix, column)
            except np.linalg.LinAlgError:
                continue
        return out


def _pseudo_inverse(matrix: Array) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    large = np.abs(values) > _CUTOFF * np.abs(values).max(initial=0.0)
    return (vectors[:, large] / values[large]) @ vectors[:, large].T


def _scale(matrices: Array) -> Array:
    """Symmetric scaling ``[B, N]`` towards unit row maxima."""
    rows = np.abs(matrices).max(axis=-1, initial=0.0)
    return 1 / np.sqrt(np.where(rows > 0, rows, 1.0))


@lru_cache(maxsize=64)
def probe_of(size: int) -> Array:
    """A vector with no structure that a null space could be orthogonal to."""
    return np.random.default_rng(0).normal(size=size)
