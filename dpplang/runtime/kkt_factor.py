"""Symmetric, indefinite, perhaps singular systems Kz = g: factorized once, solved for any number of right-hand sides.

Where K is singular to working precision the solution of least norm is taken, K⁺g. The choice is symmetric, so that
adjoints and tangents stay transposes of each other.
"""

from __future__ import annotations

from collections.abc import Container
from functools import cached_property, lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import get_lapack_funcs

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.threads import split

SINGULAR = 1e-12
"""Reciprocal condition number (of the matrix scaled to unit row maxima) below which a matrix counts as singular."""

_CUTOFF = 1e-10  # eigenvalues below this share of the largest count as zero in K⁺
_INVERT = 48  # up to this order a batch is inverted in one call, beyond it each element is factorized


_getrf, _getrs = get_lapack_funcs(("getrf", "getrs"), dtype=np.float64)


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


def factorize(matrices: Array) -> Factor:
    """Factorize a batch of dense matrices ``[B, N, N]``."""
    if matrices.shape[-1] <= _INVERT:
        return _Inverses(matrices)
    return _Solves(matrices)


class _Inverses:
    """Explicit inverses with one step of iterative refinement: the least overhead for many small systems."""

    def __init__(self, matrices: Array) -> None:
        scale = _scale(matrices)
        scaled = matrices * scale[:, :, None] * scale[:, None, :]
        inverses, regular = _invert(scaled)
        condition = np.abs(scaled).sum(axis=1).max(axis=1) * np.abs(inverses).sum(axis=1).max(axis=1)
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
    second one are factors made and kept, one element at a time."""

    def __init__(self, matrices: Array) -> None:
        self._matrices = matrices
        self._pseudo: dict[int, Array] = {}

    @cached_property
    def _probed(self) -> tuple[Array, NDArray[np.bool_]]:
        """Solutions for the probe alone, where nothing was solved yet, and which elements are singular."""
        return self._judge(self._once(np.zeros(self._matrices.shape[:2])))

    @property
    def singular(self) -> NDArray[np.bool_]:
        return self._probed[1]

    def solve(self, rhs: Array) -> Array:
        if "_probed" in self.__dict__:
            z = self._factors.solve(rhs)
        else:
            z, _ = self._probed = self._judge(self._once(rhs))
        for i, inverse in self._pseudo.items():
            z[i] = inverse @ rhs[i]
        return z

    def times(self, vector: Array) -> Array:
        out = np.zeros_like(vector)
        for i in self._pseudo:
            out[i] = self._matrices[i] @ vector[i]
        return out

    @cached_property
    def _factors(self) -> _Triangular:
        return _Triangular(self._matrices, self._pseudo)

    def _once(self, rhs: Array) -> tuple[Array, Array]:
        """(z, how much larger than the probe its solution is, relative to 1/‖K‖)."""
        order = rhs.shape[1]
        probe = probe_of(order)

        def solve(part: slice) -> tuple[Array, Array]:
            matrices = self._matrices[part]
            scale = _scale(matrices)
            scaled = matrices * scale[:, :, None]
            scaled *= scale[:, None, :]
            sides = np.empty((*rhs[part].shape, 2))
            sides[:, :, 0], sides[:, :, 1] = scale * rhs[part], probe
            found = solve_each(scaled, sides)
            size = np.abs(scaled).sum(axis=1).max(axis=1)
            return scale * found[:, :, 0], size * np.abs(found[:, :, 1]).sum(axis=1) / np.abs(probe).sum()

        parts = split(solve, rhs.shape[0], 2 * order**3 / 3)
        z, growth = (np.concatenate(found) for found in zip(*parts, strict=True))
        return z, growth

    def _judge(self, found: tuple[Array, Array]) -> tuple[Array, NDArray[np.bool_]]:
        z, growth = found
        singular = ~(growth * SINGULAR < 1)
        for i in np.flatnonzero(singular):
            self._pseudo[int(i)] = _pseudo_inverse(self._matrices[i])
        return z, singular


class _Triangular:
    """LU factors, one element at a time; ``without`` are not wanted."""

    def __init__(self, matrices: Array, without: Container[int]) -> None:
        self._scale = _scale(matrices)
        self._factors: list[tuple[Array, Array] | None] = []
        for i, (matrix, scale) in enumerate(zip(matrices, self._scale, strict=True)):
            # A symmetric matrix is its own transpose, which LAPACK takes without a copy.
            lu = None if i in without else _getrf((matrix * scale[:, None] * scale).T, overwrite_a=1)[:2]
            self._factors.append(lu)

    def solve(self, rhs: Array) -> Array:
        z = np.zeros_like(rhs)
        for i, factor in enumerate(self._factors):
            if factor is not None:
                z[i] = self._scale[i] * _getrs(*factor, self._scale[i] * rhs[i])[0]
        return z


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
