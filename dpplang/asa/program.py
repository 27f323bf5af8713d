"""The program: one conic problem whose data are affine in the parameters, and the way back to the user's names.

    minimize ½ xᵀP(θ)x + q(θ)ᵀx + d(θ)   subject to   A(θ)x + s = b(θ),  s ∈ K

Source: Agrawal, Amos, Barratt, Boyd, Diamond, Kolter, "Differentiable Convex Optimization Layers", NeurIPS 2019, §4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from threading import RLock
from typing import Any, TypeAlias, cast

import numpy as np
import scipy.sparse as sp  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from dpplang.asa.cones import Cones
from dpplang.asa.numeric import Numeric
from dpplang.core.source import Origin


@dataclass(frozen=True, slots=True, eq=False)
class AffineMap:
    """θ ↦ constant + matrix @ θ.

    Attributes:
        matrix: CSR ``[size, n_theta]``, canonical (sorted, no duplicates, no stored zeros).
        constant: ``[size]``.
    """

    matrix: sp.csr_array
    constant: NDArray[np.float64]

    @property
    def size(self) -> int:
        return self.constant.shape[0]

    def __call__(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values ``[..., size]`` at ``theta`` ``[..., n_theta]``."""
        batch = theta.shape[:-1]
        rows = theta.reshape(prod(batch), theta.shape[-1])
        values = np.asarray(cast("Any", self.matrix) @ rows.T, dtype=np.float64)
        return values.T.reshape(*batch, self.size) + self.constant

    @staticmethod
    def fixed(constant: NDArray[np.float64], n_theta: int) -> AffineMap:
        return AffineMap(sp.csr_array((constant.shape[0], n_theta)), constant)


class SparseMatrixMap:
    """A sparse matrix whose pattern is fixed and whose entries are affine in θ.

    Attributes:
        shape: (rows, columns).
        indptr, indices: the CSC pattern, rows sorted within a column; entries that are zero for every θ are absent.
        values: entries in CSC order, affine in θ.
    """

    __slots__ = ("_made", "_make", "shape")

    def __init__(
        self, shape: tuple[int, int], indptr: NDArray[np.int64], indices: NDArray[np.int64], values: AffineMap
    ) -> None:
        self.shape = shape
        self._made: _Entries | None = (indptr, indices, values)
        self._make: Callable[[], SparseMatrixMap] | None = None

    @staticmethod
    def later(shape: tuple[int, int], make: Callable[[], SparseMatrixMap]) -> SparseMatrixMap:
        """The matrix that ``make()`` gives, which is called when its entries are first asked for."""
        found = SparseMatrixMap.__new__(SparseMatrixMap)
        found.shape, found._made, found._make = shape, None, make
        return found

    def _entries(self) -> _Entries:
        if self._made is None:
            with _one_at_a_time:
                if self._made is None and self._make is not None:
                    matrix = self._make()
                    self._made, self._make = (matrix.indptr, matrix.indices, matrix.values), None
        assert self._made is not None
        return self._made

    @property
    def indptr(self) -> NDArray[np.int64]:
        return self._entries()[0]

    @property
    def indices(self) -> NDArray[np.int64]:
        return self._entries()[1]

    @property
    def values(self) -> AffineMap:
        return self._entries()[2]

    @property
    def nnz(self) -> int:
        return self.values.size

    def at(self, theta: NDArray[np.float64]) -> sp.csc_array:
        """The matrix at one θ ``[n_theta]``."""
        return sp.csc_array((self.values(theta), self.indices, self.indptr), shape=self.shape)

    def __reduce__(self) -> tuple[object, ...]:
        return SparseMatrixMap, (self.shape, self.indptr, self.indices, self.values)


_one_at_a_time = RLock()  # of several threads that ask first, one makes the entries
_Entries: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64], AffineMap]


_NOWHERE = Origin("")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A block of θ. Its entries, row-major, are θ[offset : offset + size].

    Declared ``param`` come first in order of declaration, then ``derived`` ones in evaluation order. ``value`` is
    None for
    the former, else the expression (over data folded in, earlier parameters by ``ref``) that computes it at every call.
    ``attributes`` are words: ``nonneg nonpos pos neg psd nsd symmetric diagonal sparse``; for ``sparse``, ``support``
    holds the flat positions that may be nonzero.
    """

    name: str
    shape: tuple[int, ...]
    offset: int
    attributes: tuple[str, ...] = ()
    value: Numeric | None = None
    origin: Origin = _NOWHERE
    support: tuple[int, ...] | None = None

    @property
    def size(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class RowBlock:
    """Rows [start, stop) of A and b came from ``origin``. ``kind`` says why: ``constraint`` (the user's), ``atom``
    (a graph implementation), ``attribute`` (of a variable), ``definition`` (an auxiliary copy)."""

    start: int
    stop: int
    origin: Origin
    kind: str = "constraint"


@dataclass(frozen=True, slots=True, eq=False)
class OutputMap:
    """A named linear read-out of a solution: out = Σ coefficient(θ)·z with z = (x, y, value, 1) stacked.

    Attributes:
        name: ``x``, ``dual.ineq``, ``value``, ``out0``.
        shape: of the output.
        rows, columns: COO positions in ``[size, n + m + 2]``: column j < n is xⱼ, n ≤ j < n + m is y, n + m is the
            optimal value (in the user's sense), n + m + 1 is the constant 1.
        values: coefficients in that order, affine in θ.
    """

    name: str
    shape: tuple[int, ...]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: AffineMap


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A lowered problem: everything the runtime needs, nothing of the syntax.

    Attributes:
        parameters: the blocks of θ, contiguous from 0.
        P: upper triangle (with diagonal) of P, n × n.
        q: ``[n]``; d: ``[1]``.
        A: m × n; b: ``[m]``; rows ordered as in :mod:`dpplang.asa.cones`.
        sense: ``minimize``, ``maximize`` (then P, q, d describe the negated objective) or ``find``.
        outputs: what ``return`` names, in order. variables, duals: every variable and every named constraint's dual.
        rows: provenance, sorted, covering [0, m).
        sizes: values of the dims it was lowered for.
        name: where it came from, for messages.
        constants: arrays that the derived parameters' expressions refer to by ``ref`` (data, folded constants), kept
            out of the expressions so that they are converted and stored once; no name is also a parameter's.
    """

    parameters: tuple[Parameter, ...]
    P: SparseMatrixMap
    q: AffineMap
    d: AffineMap
    A: SparseMatrixMap
    b: AffineMap
    cones: Cones
    sense: str
    outputs: tuple[OutputMap, ...]
    variables: tuple[OutputMap, ...]
    duals: tuple[OutputMap, ...]
    rows: tuple[RowBlock, ...]
    sizes: tuple[tuple[str, int], ...] = ()
    name: str = ""
    constants: tuple[tuple[str, NDArray[np.float64]], ...] = ()

    @property
    def n(self) -> int:
        """Number of scalar variables."""
        return self.A.shape[1]

    @property
    def m(self) -> int:
        """Number of rows."""
        return self.A.shape[0]

    @property
    def n_theta(self) -> int:
        return sum(p.size for p in self.parameters)

    def save(self, path: str | Path) -> None:
        """Write an ``.npz`` file that :func:`dpplang.asa.serialize.load` reads and ``Runner.load`` runs.

        Raises:
            OSError: the file cannot be written.
        """
        from dpplang.asa.serialize import save

        save(self, path)
