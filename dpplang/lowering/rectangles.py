"""Sparse matrices that consist of whole blocks and a few other entries, written where they belong without a sort."""

from __future__ import annotations

import itertools

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from dpplang.asa.program import AffineMap, SparseMatrixMap
from dpplang.lowering.affine import Affine, Ints
from dpplang.lowering.grids import ABSENT, Grid

_STRIP = 1 << 16  # entries that are placed at once


def whole_blocks(form: Affine, shape: tuple[int, int], n_theta: int) -> SparseMatrixMap | None:
    """The matrix of rows ``form`` over variables.

    Returns:
        None if a grid is no block of parameters, one entry each, or a term meets another in one entry.
    """
    grids = sorted(form.grids, key=lambda grid: grid.entry.start)
    row, column, par, coefficient = form.loose
    order = np.lexsort((row, column))
    row, column, par, coefficient = row[order], column[order], par[order], coefficient[order]
    if not _apart(grids, row, column) or not coefficient.all():
        return None
    n = shape[1]
    loose = np.bincount(column, minlength=n)
    counts = loose.copy()
    for grid in grids:
        counts[_columns(grid)] += grid.height
    indptr = np.concatenate(([0], np.cumsum(counts)))
    size = int(indptr[-1])
    # A term stands behind those of its column that come earlier, which are sorted; so do blocks.
    rank = np.arange(row.shape[0]) - np.repeat(np.cumsum(loose) - loose, loose)
    at = indptr[column] + rank
    for grid in grids:
        at += np.where(_over(grid, column) & (row > grid.entry.start), grid.height, 0)
    fixed = np.sort(at[par < 0])
    kind = np.int32 if max(size, n_theta) < 2**31 else np.int64
    indices, constant = np.empty(size, np.int64), np.zeros(size)
    source, value = np.empty(size - fixed.shape[0], kind), np.empty(size - fixed.shape[0])
    moves = par >= 0
    indices[at] = row
    constant[at[~moves]] = coefficient[~moves]
    there = at[moves] - np.searchsorted(fixed, at[moves])
    source[there], value[there] = par[moves], coefficient[moves]
    behind = np.zeros(n, np.int64)
    for grid in grids:
        columns = _columns(grid)
        earlier = np.bincount(column[row < grid.entry.start], minlength=n)
        _write(grid, (indptr[:-1] + behind + earlier)[columns], fixed, indices, source, value)
        behind[columns] += grid.height
    pointers = np.arange(size + 1, dtype=kind)
    if fixed.shape[0]:
        pointers[1:] -= np.searchsorted(fixed, np.arange(size), side="right").astype(kind)
    matrix = sp.csr_array((value, source, pointers), shape=(size, n_theta))
    return SparseMatrixMap(shape, indptr.astype(np.int64), indices, AffineMap(matrix, constant))


def _apart(grids: list[Grid], row: Ints, column: Ints) -> bool:
    """Whether all are blocks, in rows of their own, and no term stands in one or where another does."""
    for grid in grids:
        entry, var = grid.entry, grid.var
        steps = (entry.outer, entry.inner, var.outer, var.inner)
        if steps != (1, 0, 0, 1) or grid.par == ABSENT or not grid.coefficient:
            return False
        if (_over(grid, column) & (row >= entry.start) & (row < entry.start + grid.height)).any():
            return False
    if any(one.entry.start + one.height > other.entry.start for one, other in itertools.pairwise(grids)):
        return False
    return not ((row[1:] == row[:-1]) & (column[1:] == column[:-1])).any()


def _columns(grid: Grid) -> slice:
    return slice(grid.var.start, grid.var.start + grid.width)


def _over(grid: Grid, column: Ints) -> NDArray[np.bool_]:
    return (column >= grid.var.start) & (column < grid.var.start + grid.width)


def _write(grid: Grid, start: Ints, fixed: Ints, indices: Ints, source: Ints, value: NDArray[np.float64]) -> None:
    """A block; ``start``: where each of its columns starts among all entries, ``fixed``: the entries without a
    parameter."""
    step = max(1, _STRIP // grid.height)
    down = np.arange(grid.height)
    shift = np.searchsorted(fixed, start)
    for first in range(0, grid.width, step):
        some = slice(first, min(first + step, grid.width))
        at = start[some, None] + down
        indices[at] = grid.entry.start + down
        at -= shift[some, None]
        across = grid.par.start + grid.par.inner * np.arange(some.start, some.stop)
        source[at], value[at] = across[:, None] + grid.par.outer * down, grid.coefficient
