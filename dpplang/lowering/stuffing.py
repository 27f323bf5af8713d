"""Rows and objective terms into the arrays of a program, by counting sorts: linear in the number of terms."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from dpplang.asa.cones import Cones
from dpplang.asa.program import AffineMap, RowBlock, SparseMatrixMap
from dpplang.lowering.affine import Affine, Floats, Ints, concatenate_terms, counting_argsort, empty, is_pair, unpair
from dpplang.lowering.builder import Block


def affine_map(entry: Ints, par: Ints, coefficient: Floats, size: int, n_theta: int) -> AffineMap:
    """Terms of ``size`` entries without variables, as a map of θ."""
    fixed = par < 0
    constant = np.bincount(entry[fixed], coefficient[fixed], minlength=size)
    entry, par, coefficient = entry[~fixed], par[~fixed], coefficient[~fixed]
    if entry.size and (np.diff(entry) < 0).any():
        order = counting_argsort(entry, size)
        entry, par, coefficient = entry[order], par[order], coefficient[order]
    indptr = np.concatenate(([0], np.cumsum(np.bincount(entry, minlength=size))))
    matrix = sp.csr_array((coefficient, par, indptr), shape=(size, n_theta))
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return AffineMap(matrix, constant)


def matrix_map(
    row: Ints, column: Ints, par: Ints, coefficient: Floats, shape: tuple[int, int], n_theta: int
) -> SparseMatrixMap:
    """COO terms as a sparse matrix with entries affine in θ; entries that are zero for every θ are absent."""
    by_row = counting_argsort(row, shape[0])
    order = by_row[counting_argsort(column[by_row], shape[1])]
    row, column, par, coefficient = row[order], column[order], par[order], coefficient[order]
    new = np.empty(row.shape[0], bool)
    new[:1] = True
    new[1:] = (np.diff(row) != 0) | (np.diff(column) != 0)
    group = np.cumsum(new) - 1
    first = np.flatnonzero(new)
    values = affine_map(group, par, coefficient, first.shape[0], n_theta)
    rows, columns = row[first], column[first]
    live = (values.constant != 0) | (np.diff(values.matrix.indptr) > 0)
    if not live.all():
        values = AffineMap(sp.csr_array(values.matrix[live]), values.constant[live])
        rows, columns = rows[live], columns[live]
    indptr = np.concatenate(([0], np.cumsum(np.bincount(columns, minlength=shape[1])))).astype(np.int64)
    return SparseMatrixMap(shape, indptr, rows.astype(np.int64), values)


def stuff_rows(ordered: list[Block], n: int, n_theta: int) -> tuple[SparseMatrixMap, AffineMap, Cones, tuple[RowBlock, ...]]:
    """A, b, K and where the rows came from: ``s = form`` is ``A x + s = b`` with A = −(form's variable part)."""
    m = sum(b.rows for b in ordered)
    shifted: list[Affine] = []
    provenance: list[RowBlock] = []
    row = 0
    for block in ordered:
        form = block.form
        shifted.append(Affine((m,), form.entry + row, form.var, form.par, form.coefficient))
        provenance.append(RowBlock(row, row + block.rows, block.origin, block.why))
        row += block.rows
    all_rows = concatenate_terms((m,), [*shifted, empty((m,))])
    linear = all_rows.var >= 0
    on, off = all_rows.select(linear), all_rows.select(~linear)
    a = matrix_map(on.entry, on.var, on.par, -on.coefficient, (m, n), n_theta)
    b = affine_map(off.entry, off.par, off.coefficient, m, n_theta)
    return a, b, _cones(ordered), tuple(provenance)


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
