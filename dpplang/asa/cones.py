"""Cones of a program: their order, sizes and vectorization, defined once.

Rows of a program stand in this order: zero, nonneg, second-order, PSD, exponential, power.

* second-order of dimension k: (t, x) with ‖x‖₂ ≤ t, t first.
* PSD of order k: the svec of a symmetric k × k matrix, its upper triangle column by column
  (a₀₀, √2·a₀₁, a₁₁, √2·a₀₂, √2·a₁₂, a₂₂, …), so that ⟨svec A, svec B⟩ = tr AB. Clarabel's order.
* exponential: (x, y, z) with y·exp(x/y) ≤ z, y > 0 (closure). Clarabel's and SCS's order.
* power with exponent a: (x, y, z) with xᵃ y¹⁻ᵃ ≥ |z|, x, y ≥ 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Cones:
    """Sizes: ``zero`` and ``nonneg`` rows, dimensions of the second-order cones, orders of the PSD cones, number of
    exponential cones, exponents of the power cones."""

    zero: int = 0
    nonneg: int = 0
    soc: tuple[int, ...] = ()
    psd: tuple[int, ...] = ()
    exp: int = 0
    pow: tuple[float, ...] = ()

    @property
    def rows(self) -> int:
        return (
            self.zero
            + self.nonneg
            + sum(self.soc)
            + sum(svec_size(k) for k in self.psd)
            + 3 * self.exp
            + 3 * len(self.pow)
        )


def svec_size(order: int) -> int:
    """Entries of the svec of a matrix of this order."""
    return order * (order + 1) // 2


@lru_cache(maxsize=256)
def svec_indices(order: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(row, column) of every svec entry, in order: upper triangle, column by column."""
    column, row = np.tril_indices(order)
    column.setflags(write=False)
    row.setflags(write=False)
    return row, column


@lru_cache(maxsize=256)
def svec_scale(order: int) -> NDArray[np.float64]:
    """Factor from matrix entry to svec entry: 1 on the diagonal, √2 off it."""
    row, column = svec_indices(order)
    scale = np.where(row == column, 1.0, np.sqrt(2.0))
    scale.setflags(write=False)
    return scale


def svec(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """svec of symmetric matrices ``[..., k, k]`` → ``[..., k(k+1)/2]``."""
    order = matrix.shape[-1]
    row, column = svec_indices(order)
    return matrix[..., row, column] * svec_scale(order)


def unsvec(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of :func:`svec`: ``[..., k(k+1)/2]`` → symmetric ``[..., k, k]``."""
    order = int((np.sqrt(8 * vector.shape[-1] + 1) - 1) / 2 + 0.5)
    row, column = svec_indices(order)
    values = vector / svec_scale(order)
    matrix = np.empty((*vector.shape[:-1], order, order))
    matrix[..., row, column] = values
    matrix[..., column, row] = values
    return matrix
