"""Sparse affine forms: tables of (entry, variable, parameter) → coefficient, and the products of such tables.

An :class:`Affine` of shape ``[N, *s]`` holds N members of an index set at once (one row of the environment each). A
term without variable or parameter has −1 there. In a quadratic objective a *pair* of variables i ≤ j stands where a
variable stands, coded as one integer (:func:`pair_code`): a quadratic form is affine in the products of its variables,
so every affine operation serves both.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import _sparsetools  # the counting sort behind coo → csr, without its summing of duplicates

from dpplang.core.errors import InternalError

Ints = NDArray[np.integer]
"""Indices: 32 bits wide in forms where they fit, for memory; 64 while they are computed."""
Index = Ints | slice
Floats = NDArray[np.float64]

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


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """Terms of an array of affine expressions; ``entry`` is the flat, row-major position in ``shape``.

    Terms with the same (entry, var, par) add up.
    """

    shape: tuple[int, ...]
    entry: Ints
    var: Ints
    par: Ints
    coefficient: Floats

    def __post_init__(self) -> None:
        for name in ("entry", "var", "par"):
            index = getattr(self, name)
            if index.dtype != np.int32 and index.max(initial=0) <= _NARROW:
                object.__setattr__(self, name, index.astype(np.int32))

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
        return bool((self.var < 0).all() and (self.par < 0).all())

    def reshape(self, *shape: int) -> Affine:
        return Affine(tuple(shape), self.entry, self.var, self.par, self.coefficient)

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
        by = factor if np.ndim(factor) == 0 else np.asarray(factor, np.float64).reshape(-1)[self.entry]
        return Affine(self.shape, self.entry, self.var, self.par, self.coefficient * by)

    def select(self, keep: NDArray[np.bool_]) -> Affine:
        """Only the terms that are kept."""
        return Affine(self.shape, self.entry[keep], self.var[keep], self.par[keep], self.coefficient[keep])

    def __neg__(self) -> Affine:
        return self.scale(-1.0)

    def __add__(self, other: Affine) -> Affine:
        if self.shape != other.shape:
            raise InternalError(f"sum of shapes {self.shape} and {other.shape}")
        return concatenate_terms(self.shape, [self, other])


def concatenate_terms(shape: tuple[int, ...], parts: list[Affine]) -> Affine:
    """The sum of forms whose entries already count in ``shape``."""
    return Affine(
        shape,
        np.concatenate([p.entry for p in parts]),
        np.concatenate([p.var for p in parts]),
        np.concatenate([p.par for p in parts]),
        np.concatenate([p.coefficient for p in parts]),
    )


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
