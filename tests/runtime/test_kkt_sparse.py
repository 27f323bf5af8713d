"""Sparse saddle points, singular in structure or in numbers, badly scaled: least norm, and no word from the native library."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from dpplang.runtime.kkt_sparse import factorize_sparse


def saddle(rng: np.random.Generator, repeated: int, spread: int) -> tuple[sp.csc_matrix, int]:
    """K with entries of 10^±spread and ``repeated`` rows of A stated twice, and the order of P."""
    n, m = int(rng.integers(20, 100)), int(rng.integers(5, 40))
    magnitude = 10.0 ** rng.integers(-spread, spread + 1, (m, 1))
    dense = magnitude * rng.integers(1, 3, (m, n)) * (rng.random((m, n)) < rng.uniform(0.02, 0.2))
    A = sp.csr_array(np.concatenate([dense, dense[: min(repeated, m)]]))
    P = sp.diags_array((rng.random(n) < 0.5).astype(float))
    return sp.csc_matrix(sp.block_array([[P, A.T], [A, sp.csr_array((A.shape[0], A.shape[0]))]])), n


@pytest.mark.parametrize("repeated", [0, 3])
def test_singular_systems_get_the_solution_of_least_norm(repeated: int, capfd: pytest.CaptureFixture[str]) -> None:
    """SuperLU complains on its own, and may end the process, if it meets a pivot that is exactly zero."""
    rng = np.random.default_rng(repeated)
    singular = 0
    for _ in range(60):
        matrix, n = saddle(rng, repeated, 0)
        dense = matrix.toarray()
        rhs = dense @ rng.normal(size=len(dense))
        factor = factorize_sparse(matrix, n)
        values = np.abs(np.linalg.eigvalsh(dense))
        if values.min() / values.max() > 1e-9:
            assert not factor.singular.any()
        elif values.min() / values.max() < 1e-14:
            assert factor.singular.all()
            singular += 1
        np.testing.assert_allclose(factor.solve(rhs[None])[0], np.linalg.pinv(dense, rcond=1e-10) @ rhs, atol=1e-6)
    assert singular > 20
    assert capfd.readouterr() == ("", "")


def test_badly_scaled_systems_are_solved_to_rounding() -> None:
    rng = np.random.default_rng(5)
    solved = 0
    for _ in range(60):
        matrix, n = saddle(rng, 0, 3)
        matrix = sp.csc_matrix(matrix + sp.diags_array(np.where(np.arange(matrix.shape[0]) < n, 1.0, -1e-3)))
        z = rng.normal(size=matrix.shape[0])
        factor = factorize_sparse(matrix, n)
        assert not factor.singular.any()
        np.testing.assert_allclose(factor.solve((matrix @ z)[None])[0], z, atol=1e-7)
        solved += 1
    assert solved == 60


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_no_factor(value: float) -> None:
    matrix, n = saddle(np.random.default_rng(1), 0, 0)
    matrix.data[7] = value
    assert factorize_sparse(matrix, n).singular.all()
