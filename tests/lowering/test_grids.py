"""Products of whole matrices are kept as grids: the same programs as by tables, and compiling touches none of them."""

from __future__ import annotations

import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import dpplang
from dpplang.asa.program import Program, SparseMatrixMap
from dpplang.lowering import affine, stuffing

N = 110  # n² entries are kept as a grid, n are not
OBJECTIVES = {
    "factor": ("Q[n, n]", "sum_squares(Q @ x)"),
    "form": ("Q[n, n] psd", "quad_form(x, Q)"),
    "more": ("Q[n, n]", "sum_squares(Q @ x) + norm1(x)"),
}
ROWS = {
    "plain": "G @ x <= h",
    "bounds": "G @ x <= h\n  x <= 3",
    "meeting": "G @ x + x <= h",
    "transposed": "G' @ x <= h\n  x >= 0",
    "scaled": "-2 * (G @ x) == h\n  x <= 1",
    "left": "x' @ G <= h",
    "twice": "G @ x <= h\n  G @ x >= -5\n  sum(x) == 1",
    "two": "H @ x == h\n  G @ x <= h\n  x >= -1",
    "sum": "G @ x + H @ x <= h",
    "of an expression": "G @ (x - q) <= h",
    "a block": "G[0:100] @ x <= h[0:100]\n  sum(G @ x) <= 1",
}


def program(objective: str, rows: str, n: int = N) -> Program:
    declaration, term = OBJECTIVES[objective]
    text = f"dim n\nparam {declaration}, q[n], G[n, n], h[n], H[n, n]\nvar x[n]\nminimize 0.5 * ({term}) + h' @ x\nsubject to\n  {ROWS[rows]}\n"
    if rows == "of an expression":
        text = text.replace("q[n], ", "").replace("var", "data q[n]\nvar")
    return dpplang.parse(text).compile(dims={"n": n}, data={"q": np.arange(n)} if rows == "of an expression" else {})


def same(left: SparseMatrixMap, right: SparseMatrixMap) -> None:
    for one, other in (
        (left.indptr, right.indptr),
        (left.indices, right.indices),
        (left.values.constant, right.values.constant),
        (left.values.matrix.indptr, right.values.matrix.indptr),
        (left.values.matrix.indices, right.values.matrix.indices),
        (left.values.matrix.data, right.values.matrix.data),
    ):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_same_program_as_by_tables(objective: str, rows: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = program(objective, rows)
    with monkeypatch.context() as patch:
        patch.setattr(affine, "LARGE", 1 << 40)
        expected = program(objective, rows)
    same(found.P, expected.P)
    same(found.A, expected.A)
    np.testing.assert_array_equal(found.b.constant, expected.b.constant)
    assert (found.b.matrix != expected.b.matrix).nnz == 0


@pytest.mark.parametrize(
    ("rows", "whole"),
    [("plain", True), ("two", True), ("bounds", True), ("twice", True), ("sum", False), ("meeting", False)],
)
def test_blocks_are_placed_without_a_sort(rows: str, whole: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[bool] = []
    original = stuffing.whole_blocks

    def spy(*args: object) -> SparseMatrixMap | None:
        made = original(*args)
        found.append(made is not None)
        return made

    monkeypatch.setattr(stuffing, "whole_blocks", spy)
    assert program("factor", rows).A.nnz > N * N
    assert found == [whole]


def test_compiling_touches_no_entry() -> None:
    n = 1000
    program("factor", "plain", 10)  # what is loaded once
    tracemalloc.start()
    try:
        made = program("factor", "plain", n)
        assert tracemalloc.get_traced_memory()[1] < n * n
    finally:
        tracemalloc.stop()
    assert made.A.nnz == 2 * n * n + n


def test_a_program_that_is_not_expanded_yet_can_be_pickled() -> None:
    made = program("factor", "plain")
    same(pickle.loads(pickle.dumps(made)).A, made.A)


def test_several_threads_may_ask_first() -> None:
    made = program("factor", "sum")  # whose entries meet: they are sorted
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: made.A.nnz, range(32)))
    assert set(counts) == {2 * N * N + N}
    same(made.A, program("factor", "sum").A)
