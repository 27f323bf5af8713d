"""Sparse affine forms: tables of (entry, variable, parameter) → coefficient, and the products of such tables.

An :class:`Affine` of shape ``[N, *s]`` holds N members of an index set at once (one row of the environment each). A
term without variable or parameter has −1 there. In a quadratic objective a *pair* of variables i ≤ j stands where a
variable stands, coded as one integer (:func:`pair_code`): a quadratic form is affine in the products of its variables,
so every affine operation serves both.
"""

from __future__ import annotations

from math import isfinite, prod

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import _sparsetools  # the counting sort behind coo → csr, without its summing of duplicates

from dpplang.core.errors import InternalError
from dpplang.lowering.grids import ABSENT, LARGE, Grid, Line

Ints = NDArray[np.integer]
"""Indices: 32 bits wide in forms where they fit, for memory; 64 while they are computed."""
Index = Ints | slice
Floats = NDArray[np.float64]
_Tables = tuple[Ints, Ints, Ints, Floats]

_PAIR = np.int64(1) << 62
_SHIFT = 31
_NARROW = np.iinfo(np.int32).max


def pair_code(i: Ints, j: Ints) -> Ints:
    """One integer for the product of two variables, symmetric in them."""
    low, high = np.minimum(i, j).astype(np.int64), np.maximum(i, j)
    return _PAIR + (low << _SHIFT) + high


def is_pair(var: Ints) -> NDArray[np.bool_]:
    return var >= _PAIR


def unpair(code: Ints) -> tuple[Ints, Ints]:
    """(i, j) with i ≤ j."""
    rest = code - _PAIR
    return rest >> _SHIFT, rest & ((np.int64(1) << _SHIFT) - 1)


def counting_argsort(keys: Ints, size: int) -> Ints:
    """Stable argsort of integers in [0, size) in linear time."""
    nnz = keys.shape[0]
    if nnz and size > 64 * nnz + 1024:
        return np.argsort(keys, kind="stable")
    dtype = np.int64 if max(size, nnz) > _NARROW else np.int32
    order = np.empty(nnz, dtype)
    pointers, columns = np.empty(size + 1, dtype), np.empty(nnz, dtype)
    index = np.arange(nnz, dtype=dtype)
    _sparsetools.coo_tocsr(
        size, max(nnz, 1), nnz, keys.astype(dtype, copy=False), index, index, pointers, columns, order
    )
    return order


def total(keys: Ints, values: Floats, size: int) -> Floats:
    """Σ of the values of every key in [0, size)."""
    return np.bincount(keys, values, minlength=size).astype(np.float64, copy=False)


def is_sorted(keys: Ints) -> bool:
    return bool((keys[1:] >= keys[:-1]).all())


def join(left: Ints, right: Ints, size: int) -> tuple[Index, Index]:
    """All pairs (i, j) with left[i] == right[j], keys in [0, size).

    The shorter side is sorted, the longer kept in order; where each of its keys has one partner, its index is the full
    slice, which copies nothing.
    """
    if left.shape[0] < right.shape[0]:
        j, i = join(right, left, size)
        return i, j
    order = None if is_sorted(right) else counting_argsort(right, size)
    counts = np.bincount(right, minlength=size)
    starts = np.concatenate(([0], np.cumsum(counts)))[:-1]
    matches = counts[left]
    if (matches == 1).all():
        i, j = slice(None), starts[left]
    else:
        i = np.repeat(np.arange(left.shape[0]), matches)
        j = np.repeat(starts[left], matches) + ramp(matches)
    return i, j if order is None else order[j]


def ramp(counts: Ints) -> Ints:
    """0 … c−1 for every count c, concatenated."""
    total = int(counts.sum())
    ends = np.cumsum(counts)
    return np.arange(total) - np.repeat(ends - counts, counts)


class Affine:
    """Terms of an array of affine expressions; ``entry`` is the flat, row-major position in ``shape``.

    Terms with the same (entry, var, par) add up. Large products are kept as ``grids``, and become part of the tables
    only when those are asked for.

    Attributes:
        shape: ``[N, *s]``. grids: terms that are in no table yet.
        entry, var, par, coefficient: the tables of all terms, grids included.
    """

    __slots__ = ("_tables", "grids", "shape")

    def __init__(
        self,
        shape: tuple[int, ...],
        entry: Ints,
        var: Ints,
        par: Ints,
        coefficient: Floats,
        grids: tuple[Grid, ...] = (),
    ) -> None:
        self.shape, self.grids = shape, grids
        self._tables: _Tables = _narrow(entry), _narrow(var), _narrow(par), coefficient

    @staticmethod
    def of(shape: tuple[int, ...], tables: _Tables, grids: tuple[Grid, ...]) -> Affine:
        return Affine(shape, *tables, grids=grids)

    @property
    def loose(self) -> _Tables:
        """(entry, var, par, coefficient) of the terms that stand in no grid."""
        return self._tables

    def _whole(self) -> _Tables:
        if self.grids:
            parts = [self._tables, *(_expanded(grid) for grid in self.grids)]
            entry, var, par, coefficient = (np.concatenate(columns) for columns in zip(*parts, strict=True))
            self._tables, self.grids = (entry, var, par, coefficient), ()
        return self._tables

    @property
    def entry(self) -> Ints:
        return self._whole()[0]

    @property
    def var(self) -> Ints:
        return self._whole()[1]

    @property
    def par(self) -> Ints:
        return self._whole()[2]

    @property
    def coefficient(self) -> Floats:
        return self._whole()[3]

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def rows(self) -> int:
        """Number of members (the leading axis)."""
        return self.shape[0]

    @property
    def own(self) -> tuple[int, ...]:
        """Shape of one member."""
        return self.shape[1:]

    @property
    def is_constant(self) -> bool:
        _, var, par, _ = self._tables
        return not self.grids and bool((var < 0).all() and (par < 0).all())

    @property
    def has_parameters(self) -> bool:
        return any(grid.par != ABSENT for grid in self.grids) or bool((self._tables[2] >= 0).any())

    @property
    def is_finite(self) -> bool:
        """Whether every coefficient is a number."""
        return all(isfinite(grid.coefficient) for grid in self.grids) and bool(np.isfinite(self._tables[3]).all())

    def reshape(self, *shape: int) -> Affine:
        return Affine.of(tuple(shape), self._tables, self.grids)

    def dense(self) -> Floats:
        """The values of a constant form."""
        if not self.is_constant:
            raise InternalError("a constant was expected where an expression depends on variables or parameters")
        return total(self.entry, self.coefficient, self.size).reshape(self.shape)

    def gather(self, positions: Ints) -> Affine:
        """The form whose entry k is this one's entry ``positions[k]``; shape that of ``positions``."""
        flat = positions.reshape(-1)
        if flat.shape[0] == self.size and (self.size == 0 or np.array_equal(flat, np.arange(self.size))):
            return self.reshape(*positions.shape)
        new, old = join(flat, self.entry, self.size)
        entry = np.arange(flat.shape[0]) if isinstance(new, slice) else new
        return Affine(positions.shape, entry, self.var[old], self.par[old], self.coefficient[old])

    def scatter(self, targets: Ints, shape: tuple[int, ...]) -> Affine:
        """Entry k is added to entry ``targets[k]`` of a form of ``shape``."""
        return Affine(shape, targets.reshape(-1)[self.entry], self.var, self.par, self.coefficient)

    def scale(self, factor: Floats | float) -> Affine:
        """Times a number, or entrywise times an array of the same shape."""
        if np.ndim(factor) == 0:
            entry, var, par, coefficient = self._tables
            grids = tuple(grid.scaled(float(factor)) for grid in self.grids)
            return Affine(self.shape, entry, var, par, coefficient * factor, grids)
        by = np.asarray(factor, np.float64).reshape(-1)[self.entry]
        return Affine(self.shape, self.entry, self.var, self.par, self.coefficient * by)

    def moved(self, by: int, shape: tuple[int, ...]) -> Affine:
        """With every entry so much further on, in a form of ``shape``."""
        entry, var, par, coefficient = self._tables
        return Affine(shape, entry + by, var, par, coefficient, tuple(grid.moved(by) for grid in self.grids))

    def select(self, keep: NDArray[np.bool_]) -> Affine:
        """Only the terms that are kept."""
        return Affine(self.shape, self.entry[keep], self.var[keep], self.par[keep], self.coefficient[keep])

    def __neg__(self) -> Affine:
        return self.scale(-1.0)

    def __add__(self, other: Affine) -> Affine:
        if self.shape != other.shape:
            raise InternalError(f"sum of shapes {self.shape} and {other.shape}")
        return concatenate_terms(self.shape, [self, other])


def _narrow(index: Ints) -> Ints:
    return index.astype(np.int32) if index.dtype != np.int32 and index.max(initial=0) <= _NARROW else index


def _expanded(grid: Grid) -> _Tables:
    size = grid.height, grid.width
    coefficient = np.broadcast_to(grid.coefficient, (grid.size,))
    return grid.entry.at(*size), grid.var.at(*size), grid.par.at(*size), coefficient


def concatenate_terms(shape: tuple[int, ...], parts: list[Affine]) -> Affine:
    """The sum of forms whose entries already count in ``shape``."""
    entry, var, par, coefficient = (np.concatenate(columns) for columns in zip(*(p.loose for p in parts), strict=True))
    return Affine(shape, entry, var, par, coefficient, tuple(grid for p in parts for grid in p.grids))


def wide(index: Ints, size: int) -> Ints:
    """The index, in 64 bits if it shall count further than 32 can."""
    return index.astype(np.int64) if size > _NARROW else index


def constant(values: Floats) -> Affine:
    """A form without variables and parameters; zeros are absent."""
    flat = np.asarray(values, np.float64).reshape(-1)
    entry = np.flatnonzero(flat)
    none = _none(entry.shape[0])
    return Affine(np.shape(values), entry, none, none, flat[entry])


def empty(shape: tuple[int, ...]) -> Affine:
    """The zero of a shape."""
    return Affine(shape, _none(0), _none(0), _none(0), np.zeros(0))


def _none(count: int) -> Ints:
    """No variable, or no parameter, in so many terms."""
    return np.broadcast_to(np.int32(-1), (count,))


def variables(ids: Ints) -> Affine:
    """The variables with these ids, as an array of that shape."""
    k = ids.size
    return Affine(ids.shape, np.arange(k), ids.reshape(-1), _none(k), np.broadcast_to(1.0, (k,)))


def parameters(offset: int, shape: tuple[int, ...]) -> Affine:
    """The block of θ that starts at ``offset``."""
    k = prod(shape)
    if k >= LARGE:
        grid = Grid(1, k, Line(0, 0, 1), ABSENT, Line(offset, 0, 1), 1.0)
        return Affine.of(shape, empty(shape).loose, (grid,))
    return Affine(shape, np.arange(k), _none(k), offset + np.arange(k), np.broadcast_to(1.0, (k,)))


def product(shape: tuple[int, ...], target: Ints, left: Affine, i: Index, right: Affine, j: Index) -> Affine:
    """Σ left term i[k] × right term j[k] at entry target[k]: two variables make a pair, parameters must not meet."""
    var_l, var_r, par_l, par_r = left.var[i], right.var[j], left.par[i], right.par[j]
    var = np.maximum(var_l, var_r)
    both = (var_l >= 0) & (var_r >= 0)
    if both.any():
        var = var.astype(np.int64)
        if is_pair(var[both]).any():
            raise InternalError("a product of more than two variables")
        var[both] = pair_code(var_l[both], var_r[both])
    if ((par_l >= 0) & (par_r >= 0)).any():
        raise InternalError("a product of two parameters")
    return Affine(shape, target, var, np.maximum(par_l, par_r), left.coefficient[i] * right.coefficient[j])
