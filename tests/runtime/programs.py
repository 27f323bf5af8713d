"""Programs made by hand: random ones over any product of cones, and the few whose solutions are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from dpplang.asa.cones import Cones, svec_size
from dpplang.asa.program import AffineMap, OutputMap, Parameter, Program, RowBlock, SparseMatrixMap
from dpplang.core.source import Origin
from dpplang.runtime.cones import Product

CONES = {
    "zero": Cones(zero=3),
    "nonneg": Cones(nonneg=8),
    "soc": Cones(soc=(4, 3, 4)),
    "psd": Cones(psd=(3, 2)),
    "exp": Cones(exp=3),
    "pow": Cones(pow=(0.3, 0.6)),
    "all": Cones(zero=1, nonneg=3, soc=(3,), psd=(2, 3), exp=1, pow=(0.4,)),
}


def build(
    P: np.ndarray,
    q: np.ndarray,
    A: np.ndarray,
    b: np.ndarray,
    cones: Cones,
    carried: Sequence[tuple[str, str, sp.sparray]] = (),
    sense: str = "minimize",
    d: float = 0.0,
    rows: tuple[RowBlock, ...] | None = None,
    pattern: bool = True,
) -> Program:
    """A program with data (P, q, A, b, d) plus, for each ``(name, part, M)`` of ``carried``, M @ parameter added to a part.

    P stands for its upper triangle; the patterns are those of P and A, plus every entry that ``carried`` could touch
    (entries in CSC order of the dense upper triangle, or of dense A, when ``pattern`` is False).
    """
    n, m = P.shape[0], A.shape[0]
    keep = {"P": np.triu(np.ones((n, n), dtype=bool)), "A": np.ones((m, n), dtype=bool)}
    if pattern:
        keep = {"P": np.triu(P != 0), "A": A != 0}
    names = list(dict.fromkeys(name for name, _, _ in carried))
    sizes = {name: next(M.shape[1] for k, _, M in carried if k == name) for name in names}
    offsets = dict(zip(names, np.concatenate(([0], np.cumsum([sizes[k] for k in names]))).astype(int), strict=False))
    total = sum(sizes.values())

    def affine(part: str, constant: np.ndarray) -> AffineMap:
        matrix = sp.csr_array((constant.size, total))
        for name, where, M in carried:
            if where == part:
                left, right = offsets[name], total - offsets[name] - sizes[name]
                zeros = [sp.csr_array((constant.size, w)) for w in (left, right)]
                matrix = matrix + sp.hstack([zeros[0], M, zeros[1]])
        matrix = sp.csr_array(matrix)
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        return AffineMap(matrix, np.asarray(constant, dtype=float))

    def matrix_map(part: str, dense: np.ndarray) -> SparseMatrixMap:
        columns, rows_ = np.nonzero(keep[part].T)
        indptr = np.concatenate(([0], np.cumsum(keep[part].sum(axis=0)))).astype(np.int64)
        return SparseMatrixMap(dense.shape, indptr, rows_.astype(np.int64), affine(part, dense[rows_, columns]))

    parameters = tuple(Parameter(name, (sizes[name],), int(offsets[name]), origin=Origin(name)) for name in names)
    everything = OutputMap("x", (n,), np.arange(n), np.arange(n), AffineMap(sp.csr_array((n, total)), np.ones(n)))
    return Program(
        parameters, matrix_map("P", P), affine("q", q), affine("d", np.array([d])), matrix_map("A", A), affine("b", b), cones,
        sense, (everything,), (everything,), (), rows or (RowBlock(0, m, Origin("rows")),), name="made by hand",
    )  # fmt: skip


def random_program(
    cones: Cones, seed: int = 0, quadratic: bool = True, sense: str = "minimize", n: int | None = None
) -> tuple[Program, tuple[np.ndarray, ...]]:
    """A feasible, bounded program with a unique, strictly complementary solution, all of whose data carry parameters.

    Without a quadratic objective, it is the curved parts of the cones that make the solution unique; ``n`` is then between the
    number of directions that v = s − y cuts off and that number plus the number of those it scales.

    Parameters: ``all`` copies every entry of A, and of q; ``mixed`` (4 entries) adds random sparse combinations to P's
    diagonal, A, q, b and d. Returns it and θ, each ``[1, size]``, at which it has that solution.
    """
    rng = np.random.default_rng(seed)
    m = cones.rows
    product = Product.of(cones)
    v = rng.normal(size=m)
    share = product.spectrum(v).values
    cut, scaled = np.count_nonzero(share == 0), np.count_nonzero((share > 0) & (share < 1))
    if n is None:
        n = cut + (max(3, scaled) if quadratic else scaled // 2)
    s, x = product.project(v), rng.normal(size=n)
    y = s - v
    A = rng.normal(size=(m, n))
    root = rng.normal(size=(n, n))
    P = root @ root.T / n + 0.1 * np.eye(n) if quadratic else np.zeros((n, n))
    q, b = -P @ x - A.T @ y, A @ x + s
    size = n * m
    copy_A = sp.eye_array(size, size + n, format="csr")
    copy_q = sp.csr_array(sp.eye_array(n, size + n, k=size))
    nnz = n * (n + 1) // 2

    def few(rows: int, density: float) -> sp.csr_array:
        return sp.csr_array(
            sp.random_array((rows, 4), density=density, rng=rng, data_sampler=lambda size: rng.normal(size=size))
        )

    carried: list[tuple[str, str, sp.sparray]] = [("all", "A", copy_A), ("all", "q", copy_q)]
    if quadratic:
        carried.append(("mixed", "P", few(nnz, 0.3) * 0.02))
    carried += [
        ("mixed", "A", few(size, 0.2)),
        ("mixed", "q", few(n, 0.5)),
        ("mixed", "b", few(m, 0.5)),
        ("mixed", "d", few(1, 1.0)),
    ]
    program = build(P, np.zeros(n), np.zeros((m, n)), b, cones, carried, sense, d=0.7, pattern=False)
    mixed = np.zeros((1, 4))
    return program, (np.concatenate((A.T.reshape(-1), q))[None], mixed)


def relu(n: int = 10) -> Program:
    """minimize ‖y − x‖² subject to y ≥ 0, without the constant term: P = 2I, q = −2x, −y + s = 0."""
    carried = [("x", "q", sp.csr_array(-2 * sp.eye_array(n)))]
    rows = (RowBlock(0, n, Origin("floor", "relu.dpp", 7, 3, "y >= 0")),)
    return build(2 * np.eye(n), np.zeros(n), -np.eye(n), np.zeros(n), Cones(nonneg=n), carried, rows=rows)


__all__ = ["CONES", "build", "random_program", "relu", "svec_size"]
