"""Rows and objective terms into the arrays of a program, by counting sorts: linear in the number of terms."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from dpplang.asa.cones import Cones
from dpplang.asa.program import AffineMap, RowBlock, SparseMatrixMap
from dpplang.lowering.affine import (
    Affine,
    Floats,
    Ints,
    concatenate_terms,
    counting_argsort,
    empty,
    is_pair,
    is_sorted,
    total,
    unpair,
)
from dpplang.lowering.builder import Block
from dpplang.lowering.grids import ABSENT
from dpplang.lowering.rectangles import whole_blocks


def affine_map(entry: Ints, par: Ints, coefficient: Floats, size: int, n_theta: int) -> AffineMap:
    """Terms of ``size`` entries without variables, as a map of θ."""
    fixed = par < 0
    if fixed.any():
        constant = total(entry[fixed], coefficient[fixed], size)
        entry, par, coefficient = entry[~fixed], par[~fixed], coefficient[~fixed]
    else:
        constant = np.zeros(size)
    if not is_sorted(entry):
        order = counting_argsort(entry, size)
        entry, par, coefficient = entry[order], par[order], coefficient[order]
    indptr = _pointers(entry, size)
    matrix = sp.csr_array((coefficient, par.astype(indptr.dtype, copy=False), indptr), shape=(size, n_theta))
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return AffineMap(matrix, constant)


def _pointers(keys: Ints, size: int) -> Ints:
    """Where each key's run starts among sorted keys in [0, size), and the end."""
    dtype = np.int32 if keys.shape[0] < 2**31 else np.int64
    pointers = np.zeros(size + 1, dtype)
    counts = np.bincount(keys, minlength=size).astype(dtype)  # of the sum’s type: no casting buffers
    np.cumsum(counts, dtype=dtype, out=pointers[1:])
    return pointers


def matrix_map(
    row: Ints, column: Ints, par: Ints, coefficient: Floats, shape: tuple[int, int], n_theta: int
) -> SparseMatrixMap:
    """COO terms as a sparse matrix with entries affine in θ; entries that are zero for every θ are absent."""
    order = counting_argsort(column, shape[1])
    if not is_sorted(row):
        by_row = counting_argsort(row, shape[0])
        order = by_row[counting_argsort(column[by_row], shape[1])]
    row, column, par, coefficient = row[order], column[order], par[order], coefficient[order]
    new = np.ones(row.shape[0], bool)
    new[1:] = (row[1:] != row[:-1]) | (column[1:] != column[:-1])
    group = np.cumsum(new, dtype=order.dtype) - 1
    row, column = row[new], column[new]
    values = affine_map(group, par, coefficient, row.shape[0], n_theta)
    live = (values.constant != 0) | (np.diff(values.matrix.indptr) > 0)
    if not live.all():
        values = AffineMap(sp.csr_array(values.matrix[live]), values.constant[live])
        row, column = row[live], column[live]
    return SparseMatrixMap(shape, _pointers(column, shape[1]).astype(np.int64), row.astype(np.int64), values)


def stuff_rows(
    ordered: list[Block], n: int, n_theta: int
) -> tuple[SparseMatrixMap, AffineMap, Cones, tuple[RowBlock, ...]]:
    """A, b, K and where the rows came from: ``s = form`` is ``A x + s = b`` with A = −(form's variable part)."""
    starts = np.cumsum([0, *(b.rows for b in ordered)])
    m = int(starts[-1])
    linear, rest = [empty((m,))], [empty((m,))]
    for block, start in zip(ordered, starts, strict=False):
        moving, fixed = _split(block.form.moved(int(start), (m,)))
        linear.append(moving)
        rest.append(fixed)
    on = -concatenate_terms((m,), linear)
    linear.clear()  # the terms may be many: no more of them is kept than is needed

    def entries() -> SparseMatrixMap:
        blocks = whole_blocks(on, (m, n), n_theta) if on.grids else None
        return blocks or matrix_map(on.entry, on.var, on.par, on.coefficient, (m, n), n_theta)

    a = SparseMatrixMap.later((m, n), entries) if on.grids else entries()
    off = concatenate_terms((m,), rest)
    b = affine_map(off.entry, off.par, off.coefficient, m, n_theta)
    provenance = [
        RowBlock(int(start), int(start) + block.rows, block.origin, block.why)
        for block, start in zip(ordered, starts, strict=False)
    ]
    return a, b, _cones(ordered), tuple(provenance)


def _split(form: Affine) -> tuple[Affine, Affine]:
    """Its terms with a variable, and those without."""
    entry, var, par, coefficient = form.loose
    grids = tuple(grid for grid in form.grids if grid.var != ABSENT)
    others = tuple(grid for grid in form.grids if grid.var == ABSENT)
    on = var >= 0
    if on.all():
        return Affine(form.shape, entry, var, par, coefficient, grids), Affine.of(
            form.shape, empty(form.shape).loose, others
        )
    off = ~on
    return (
        Affine(form.shape, entry[on], var[on], par[on], coefficient[on], grids),
        Affine(form.shape, entry[off], var[off], par[off], coefficient[off], others),
    )


def stuff_objective(form: Affine, n: int, n_theta: int) -> tuple[SparseMatrixMap, AffineMap, AffineMap]:
    """P (upper triangle of ½xᵀPx), q and d of a scalar objective."""
    pairs = form.select(is_pair(form.var))
    i, j = unpair(pairs.var)
    p = matrix_map(i, j, pairs.par, np.where(i == j, 2.0, 1.0) * pairs.coefficient, (n, n), n_theta)
    linear = form.select((form.var >= 0) & ~is_pair(form.var))
    q = affine_map(linear.var, linear.par, linear.coefficient, n, n_theta)
    rest = form.select(form.var < 0)
    d = affine_map(rest.entry, rest.par, rest.coefficient, 1, n_theta)
    return p, q, d


def _cones(ordered: list[Block]) -> Cones:
    count = {cone: [b for b in ordered if b.cone == cone] for cone in ("zero", "nonneg", "soc", "psd", "exp", "pow")}
    exponents = [b.exponents for b in count["pow"] if b.exponents is not None]
    return Cones(
        zero=sum(b.rows for b in count["zero"]),
        nonneg=sum(b.rows for b in count["nonneg"]),
        soc=tuple(b.form.shape[1] for b in count["soc"] for _ in range(b.form.shape[0])),
        psd=tuple(b.order for b in count["psd"] for _ in range(b.form.shape[0])),
        exp=sum(b.form.shape[0] for b in count["exp"]),
        pow=tuple(float(a) for e in exponents for a in e),
    )
