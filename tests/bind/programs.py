"""Programs lowered by hand, so that the runtime is tested without the front end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from dpplang.asa.cones import Cones
from dpplang.asa.numeric import Numeric
from dpplang.asa.program import AffineMap, OutputMap, Parameter, Program, RowBlock, SparseMatrixMap
from dpplang.core.source import Origin
from tests.asa.build import const, op, ref


def affine(size: int, n_theta: int, entries=(), constant=None) -> AffineMap:
    """``entries``: (row, position in θ, coefficient)."""
    rows, columns, values = (list(t) for t in zip(*entries, strict=True)) if entries else ([], [], [])
    matrix = sp.csr_array((np.array(values, dtype=float), (rows, columns)), shape=(size, n_theta))
    matrix.sum_duplicates()
    return AffineMap(matrix, np.zeros(size) if constant is None else np.asarray(constant, dtype=float))


def pattern(rows: int, columns: int, at, values: AffineMap) -> SparseMatrixMap:
    """``at``: (row, column) of each entry, in CSC order."""
    matrix = sp.csc_array((np.ones(len(at)), tuple(zip(*at, strict=True)) if at else ([], [])), shape=(rows, columns))
    return SparseMatrixMap((rows, columns), matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), values)


def selection(name: str, shape: tuple[int, ...], columns, n_theta: int) -> OutputMap:
    size = int(np.prod(shape))
    return OutputMap(name, shape, np.arange(size), np.asarray(columns), affine(size, n_theta, constant=np.ones(size)))


def parameters(*declared: tuple[str, tuple[int, ...], tuple[str, ...]], **derived: Numeric) -> tuple[Parameter, ...]:
    found: list[Parameter] = []
    offset = 0
    for name, shape, attributes in declared:
        found.append(Parameter(name, shape, offset, attributes, origin=Origin(name, "m.dpp", 2, 7, name)))
        offset += found[-1].size
    for name, value in derived.items():
        found.append(Parameter(name, value.shape, offset, value=value, origin=Origin(name, "m.dpp", 3, 9, name)))
        offset += found[-1].size
    return tuple(found)


def box(n: int = 3, floor: str = "floor") -> Program:
    """minimize ½‖x‖² + q'x subject to w·x >= lower (a scalar), with derived w = exp(z) and q = −g∘w.

    θ = (g, z, lower, w, q). The rows are lower − w·xᵢ + s = 0, so x = max(g∘w, lower/w) and the dual is the gap times 1/w.
    """
    g, z = ref("g", n), ref("z")
    w = op("exp", z)
    q = op("neg", op("mul", g, ref("w"), shape=(n,)), shape=(n,))
    theta = parameters(("g", (n,), ()), ("z", (), ()), ("lower", (), ()), w=w, q=q)
    at_lower, at_w, at_q = n + 1, n + 2, n + 3
    k = at_q + n
    eye = [(i, i) for i in range(n)]
    return Program(
        parameters=theta,
        P=pattern(n, n, eye, affine(n, k, constant=np.ones(n))),
        q=affine(n, k, [(i, at_q + i, 1.0) for i in range(n)]),
        d=affine(1, k),
        A=pattern(n, n, eye, affine(n, k, [(i, at_w, -1.0) for i in range(n)])),
        b=affine(n, k, [(i, at_lower, -1.0) for i in range(n)]),
        cones=Cones(nonneg=n),
        sense="minimize",
        outputs=(selection("x", (n,), np.arange(n), k), selection(f"dual.{floor}", (n,), n + np.arange(n), k)),
        variables=(selection("x", (n,), np.arange(n), k),),
        duals=(selection(f"dual.{floor}", (n,), n + np.arange(n), k),),
        rows=(RowBlock(0, n, Origin(floor, "m.dpp", 6, 3, "w * x >= lower")),),
        sizes=(("n", n),),
        name="m.dpp",
    )


def least(n: int = 2) -> Program:
    """minimize ½ x'Qx + c'x subject to lo <= x, Q psd and symmetric x-free: the outputs read 2·x₀ + t·x₁ + c₀ and value.

    θ = (Q row-major, c, lo, t); only the upper triangle of Q is read, as (Q + Q')/2.
    """
    theta = parameters(("Q", (n, n), ("psd",)), ("c", (n,), ()), ("lo", (), ()), ("t", (), ("nonneg",)))
    k = n * n + n + 2
    c, lo, t = n * n, n * n + n, n * n + n + 1
    upper = [(i, j) for j in range(n) for i in range(j + 1)]
    half = [(e, f, 0.5) for e, (i, j) in enumerate(upper) for f in (i * n + j, j * n + i)]
    mixed = OutputMap(
        "out0",
        (),
        np.array([0, 0, 0]),
        np.array([0, 1, 2 * n + 1]),
        affine(3, k, [(1, t, 1.0), (2, c, 1.0)], [2.0, 0.0, 0.0]),
    )
    value = selection("value", (), [2 * n], k)
    x = selection("x", (n,), np.arange(n), k)
    return Program(
        parameters=theta,
        P=pattern(n, n, upper, affine(len(upper), k, half)),
        q=affine(n, k, [(i, c + i, 1.0) for i in range(n)]),
        d=affine(1, k),
        A=pattern(n, n, [(i, i) for i in range(n)], affine(n, k, constant=-np.ones(n))),
        b=affine(n, k, [(i, lo, -1.0) for i in range(n)]),
        cones=Cones(nonneg=n),
        sense="minimize",
        outputs=(mixed, value),
        variables=(x,),
        duals=(selection("dual.low", (n,), n + np.arange(n), k),),
        rows=(RowBlock(0, n, Origin("low", "m.dpp", 5, 3, "x >= lo")),),
        sizes=(("n", n),),
    )


def interval() -> Program:
    """find x subject to lo <= x, x <= hi: infeasible where lo > hi; the objective is x."""
    theta = parameters(("lo", (), ()), ("hi", (), ()))
    return Program(
        parameters=theta,
        P=pattern(1, 1, [], affine(0, 2)),
        q=affine(1, 2, constant=[1.0]),
        d=affine(1, 2),
        A=pattern(2, 1, [(0, 0), (1, 0)], affine(2, 2, constant=[-1.0, 1.0])),
        b=affine(2, 2, [(0, 0, -1.0), (1, 1, 1.0)]),
        cones=Cones(nonneg=2),
        sense="minimize",
        outputs=(selection("x", (), [0], 2),),
        variables=(selection("x", (), [0], 2),),
        duals=(selection("dual.low", (), [1], 2), selection("dual.high", (), [2], 2)),
        rows=(
            RowBlock(0, 1, Origin("low", "m.dpp", 4, 3, "lo <= x")),
            RowBlock(1, 2, Origin("high", "m.dpp", 5, 3, "x <= hi")),
        ),
    )


def with_constants() -> Program:
    """The box program with w = Σ (M @ z·1) of a constant matrix M, to carry ``constants``."""
    program = box(2)
    w = op("sum", op("mul", ref("M", 2, 2), ref("z"), shape=(2, 2)), axis=None)
    w = op("add", w, op("minimum", const(0.5), const(float("inf"))))
    changed = tuple(
        Parameter(p.name, p.shape, p.offset, p.attributes, w if p.name == "w" else p.value, p.origin)
        for p in program.parameters
    )
    return replace(program, parameters=changed, constants=(("M", np.array([[1.0, 2.0], [3.0, 4.0]])),))
