"""Every atom and affine function of CVXPY, on random arguments: one problem, one solution."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.convert.helpers import agrees, cp

RNG = np.random.default_rng(0)
A = RNG.normal(size=(3, 4))
SPD = RNG.normal(size=(4, 4)) @ np.diag([1.0, 2, 3, 4])
SPD = SPD @ SPD.T / 4 + np.eye(4)

Build = Callable[[Any, Any, Any], Any]

AFFINE: dict[str, Build] = {
    "constant": lambda x, X, S: x + 1,
    "vector": lambda x, X, S: x - np.arange(4.0),
    "scalar": lambda x, X, S: x + x[0],
    "broadcast row": lambda x, X, S: X + x,
    "broadcast column": lambda x, X, S: X - cp.reshape(x[:3], (3, 1), order="C"),
    "broadcast matrix": lambda x, X, S: cp.multiply(X, np.arange(1.0, 5)),
    "matmul": lambda x, X, S: A @ x,
    "matmul from the right": lambda x, X, S: x @ A.T,
    "matrix product": lambda x, X, S: X @ A.T,
    "ones from the left": lambda x, X, S: np.ones(3) @ X,
    "ones from the right": lambda x, X, S: X @ np.ones(4),
    "inner": lambda x, X, S: np.arange(1.0, 5) @ x,
    "column by row": lambda x, X, S: np.arange(1.0, 4).reshape(3, 1) @ cp.reshape(x, (1, 4), order="F"),
    "multiply": lambda x, X, S: cp.multiply(A, X),
    "scaled": lambda x, X, S: -2.5 * x,
    "divided": lambda x, X, S: X / (1 + np.abs(A)),
    "negated sum": lambda x, X, S: -(x - 1) - (2 - x[::-1]),
    "entry": lambda x, X, S: X[1, 2],
    "last": lambda x, X, S: x[-1],
    "row": lambda x, X, S: X[-1],
    "column": lambda x, X, S: X[:, 1],
    "block": lambda x, X, S: X[1:, 1:3],
    "steps": lambda x, X, S: X[::2, ::3],
    "three by three": lambda x, X, S: cp.hstack([x, x])[1::3],
    "backwards": lambda x, X, S: x[::-1],
    "rows backwards": lambda x, X, S: X[::-1],
    "columns backwards": lambda x, X, S: X[:, ::-1],
    "some": lambda x, X, S: x[[0, 2, 3]],
    "some rows": lambda x, X, S: X[[2, 0]],
    "some columns": lambda x, X, S: X[:, [0, 2, 3]],
    "row of some columns": lambda x, X, S: X[1, :][[0, 3]],
    "rows and columns": lambda x, X, S: X[[0, 1, 2], [1, 2, 0]],
    "grid": lambda x, X, S: X[np.ix_([0, 2], [1, 3])],
    "mask": lambda x, X, S: x[np.array([True, False, True, True])],
    "mask of a matrix": lambda x, X, S: X[A > 0],
    "ellipsis": lambda x, X, S: X[..., 2],
    "transposed": lambda x, X, S: X.T,
    "permuted": lambda x, X, S: cp.permute_dims(X, (1, 0)),
    "vec by columns": lambda x, X, S: cp.vec(X, order="F"),
    "vec by rows": lambda x, X, S: cp.vec(X, order="C"),
    "reshape by columns": lambda x, X, S: cp.reshape(X, (2, 6), order="F"),
    "reshape by rows": lambda x, X, S: cp.reshape(X, (2, 6), order="C"),
    "folded by columns": lambda x, X, S: cp.reshape(x, (2, 2), order="F"),
    "folded by rows": lambda x, X, S: cp.reshape(x, (2, 2), order="C"),
    "as a column": lambda x, X, S: cp.reshape(x, (4, 1), order="F"),
    "as a row": lambda x, X, S: cp.reshape(x, (1, 4), order="F"),
    "a scalar as a vector": lambda x, X, S: cp.reshape(x[0], (1,), order="F"),
    "squeeze": lambda x, X, S: cp.squeeze(cp.reshape(x, (4, 1), order="F")),
    "hstack": lambda x, X, S: cp.hstack([x, 1, x[0]]),
    "hstack of matrices": lambda x, X, S: cp.hstack([X, A]),
    "vstack": lambda x, X, S: cp.vstack([x, X, np.arange(4.0)]),
    "bmat": lambda x, X, S: cp.bmat([[X, A], [A, 2 * X]]),
    "concatenate": lambda x, X, S: cp.concatenate([X, A], axis=1),
    "stack": lambda x, X, S: cp.stack([x, 2 * x]),
    "stack of columns": lambda x, X, S: cp.stack([x, 2 * x], axis=1),
    "diag of a vector": lambda x, X, S: cp.diag(x),
    "diag above": lambda x, X, S: cp.diag(x, 1),
    "diag below": lambda x, X, S: cp.diag(x, -2),
    "diag of a matrix": lambda x, X, S: cp.diag(S),
    "diag of a matrix above": lambda x, X, S: cp.diag(S, 1),
    "diag of a matrix below": lambda x, X, S: cp.diag(S, -1),
    "trace": lambda x, X, S: cp.trace(S),
    "upper_tri": lambda x, X, S: cp.upper_tri(S),
    "vec_to_upper_tri": lambda x, X, S: cp.vec_to_upper_tri(x[:3]),
    "kron": lambda x, X, S: cp.kron(A[:2, :2], X),
    "kron with a constant second": lambda x, X, S: cp.kron(X, A[:2, :2]),
    "convolve": lambda x, X, S: cp.convolve([1, 2, 3], x),
    "conv": lambda x, X, S: cp.conv([1, 2, 3], x),
    "cumsum": lambda x, X, S: cp.cumsum(x),
    "cumsum of rows": lambda x, X, S: cp.cumsum(X, axis=1),
    "cumsum of columns": lambda x, X, S: cp.cumsum(X, axis=0),
    "diff": lambda x, X, S: cp.diff(x),
    "second diff": lambda x, X, S: cp.diff(x, 2),
    "diff of columns": lambda x, X, S: cp.diff(X, axis=1),
    "sum": lambda x, X, S: cp.sum(X),
    "sum of columns": lambda x, X, S: cp.sum(X, axis=0),
    "sum of rows": lambda x, X, S: cp.sum(X, axis=1, keepdims=True),
    "sum kept": lambda x, X, S: cp.sum(X, keepdims=True),
    "sum of equal entries": lambda x, X, S: cp.sum(cp.promote(x[0], (3, 2))),
    "mean": lambda x, X, S: cp.mean(X, axis=0),
    "vdot": lambda x, X, S: cp.vdot(A, X),
    "outer": lambda x, X, S: cp.outer(x, [1, 2, 3]),
    "partial_trace": lambda x, X, S: cp.partial_trace(S, (2, 2), 0),
    "partial_transpose": lambda x, X, S: cp.partial_transpose(S, (2, 2), 1),
    "einsum": lambda x, X, S: cp.einsum("ij,j->i", A, x),
    "broadcast_to": lambda x, X, S: cp.broadcast_to(x, (3, 4)),
    "promote": lambda x, X, S: cp.promote(x[1], (2, 3)) + A[:2, :3],
    "sum of lists": lambda x, X, S: sum(x[i] * A[0, i] for i in range(4)),
    "matrix from scalars": lambda x, X, S: cp.bmat([[x[0], 1], [x[1], x[2]]]),
    "real": lambda x, X, S: cp.conj(x),
    "sparse": lambda x, X, S: __import__("scipy.sparse").sparse.diags_array([1.0, 2, 3, 4]) @ x,
    "identity": lambda x, X, S: X @ (2 * np.eye(4)),
}

WRONG = {"upper_tri", "quantum_rel_entr"}
"""Whose value CVXPY 1.9.3 computes wrongly from the right solution (a column as a vector, a normalized entropy)."""

CONVEX: dict[str, Build] = {
    "abs": lambda x, X, S: cp.abs(x),
    "exp": lambda x, X, S: cp.exp(x),
    "a power of two": lambda x, X, S: cp.power(2, x),
    "logistic": lambda x, X, S: cp.logistic(X),
    "square": lambda x, X, S: cp.square(X),
    "cube": lambda x, X, S: cp.power(x, 3),
    "fourth": lambda x, X, S: x**4,
    "sixth": lambda x, X, S: x**6,
    "power": lambda x, X, S: cp.power(x, 1.5),
    "negative power": lambda x, X, S: cp.power(x, -2),
    "inv_pos": lambda x, X, S: cp.inv_pos(x),
    "pos": lambda x, X, S: cp.pos(x - 1),
    "neg": lambda x, X, S: cp.neg(x - 1),
    "huber": lambda x, X, S: cp.huber(x),
    "huber with M": lambda x, X, S: cp.huber(x, 0.5),
    "kl_div": lambda x, X, S: cp.kl_div(x, 2),
    "rel_entr": lambda x, X, S: cp.rel_entr(x, X[0]),
    "xexp": lambda x, X, S: cp.xexp(cp.exp(x)),
    "loggamma": lambda x, X, S: cp.loggamma(x),
    "scalene": lambda x, X, S: cp.scalene(x - 1, 1, 2),
    "maximum": lambda x, X, S: cp.maximum(x, 1, x[::-1]),
    "maximum broadcast": lambda x, X, S: cp.maximum(X, A[0]),
    "max": lambda x, X, S: cp.max(X),
    "max of columns": lambda x, X, S: cp.max(X, axis=0),
    "max kept": lambda x, X, S: cp.max(X, axis=1, keepdims=True),
    "sum_largest": lambda x, X, S: cp.sum_largest(x, 2),
    "sum_largest in part": lambda x, X, S: cp.sum_largest(x, 2.5),
    "cvar": lambda x, X, S: cp.cvar(x, 0.6),
    "dotsort": lambda x, X, S: cp.dotsort(x, [1, 2]),
    "norm1": lambda x, X, S: cp.norm1(X),
    "norm 1 of a matrix": lambda x, X, S: cp.norm(X, 1),
    "norm_inf": lambda x, X, S: cp.norm_inf(X),
    "norm inf of a matrix": lambda x, X, S: cp.norm(X, "inf"),
    "norm2": lambda x, X, S: cp.norm(x),
    "norm of columns": lambda x, X, S: cp.norm(X, axis=0),
    "norm1 of rows": lambda x, X, S: cp.norm(X, 1, axis=1),
    "norm fro": lambda x, X, S: cp.norm(X, "fro"),
    "spectral norm": lambda x, X, S: cp.norm(X, 2),
    "nuclear norm": lambda x, X, S: cp.norm(X, "nuc"),
    "pnorm of a matrix": lambda x, X, S: cp.pnorm(X, 2),
    "pnorm 3": lambda x, X, S: cp.pnorm(x, 3),
    "mixed_norm": lambda x, X, S: cp.mixed_norm(X, 2, 1),
    "mixed_norm inf": lambda x, X, S: cp.mixed_norm(X, 1, "inf"),
    "sum_squares": lambda x, X, S: cp.sum_squares(A @ x - 1),
    "sum_squares of columns": lambda x, X, S: cp.sum_squares(X, axis=0),
    "quad_over_lin": lambda x, X, S: cp.quad_over_lin(x, x[0]),
    "quad_over_lin of a matrix": lambda x, X, S: cp.quad_over_lin(X, x[1] + 1),
    "quad_form": lambda x, X, S: cp.quad_form(x, SPD),
    "quad_form of a column": lambda x, X, S: cp.quad_form(cp.reshape(x, (4, 1), order="F"), SPD),
    "quad_form of the identity": lambda x, X, S: cp.quad_form(x, 3 * np.eye(4)),
    "quad_form psd_wrap": lambda x, X, S: cp.quad_form(x, cp.psd_wrap(SPD)),
    "matrix_frac": lambda x, X, S: cp.matrix_frac(x, S),
    "matrix_frac of a constant": lambda x, X, S: cp.matrix_frac(x, SPD),
    "tr_inv": lambda x, X, S: cp.tr_inv(S),
    "inv_prod": lambda x, X, S: cp.inv_prod(x),
    "log_sum_exp": lambda x, X, S: cp.log_sum_exp(X),
    "log_sum_exp of rows": lambda x, X, S: cp.log_sum_exp(X, axis=1),
    "log_sum_exp kept": lambda x, X, S: cp.log_sum_exp(X, axis=0, keepdims=True),
    "lambda_max": lambda x, X, S: cp.lambda_max(S),
    "lambda_sum_largest": lambda x, X, S: cp.lambda_sum_largest(S, 2),
    "tv": lambda x, X, S: cp.tv(x),
    "tv of an image": lambda x, X, S: cp.tv(X),
    "ptp": lambda x, X, S: cp.ptp(x),
    "var": lambda x, X, S: cp.var(x),
    "std": lambda x, X, S: cp.std(x, ddof=1),
    "cummax": lambda x, X, S: cp.cummax(x),
    "perspective": lambda x, X, S: cp.perspective(cp.square(x[0]), cp.Variable(name="s", nonneg=True)),
    "quantum_rel_entr": lambda x, X, S: cp.quantum_rel_entr(S, 2 * np.eye(4)),
    "scaled convex": lambda x, X, S: cp.multiply(np.abs(A), cp.abs(X)) - 3,
}

CONCAVE: dict[str, Build] = {
    "log": lambda x, X, S: cp.log(x),
    "log1p": lambda x, X, S: cp.log1p(x),
    "sqrt": lambda x, X, S: cp.sqrt(x),
    "root": lambda x, X, S: cp.power(x, 0.3),
    "entr": lambda x, X, S: cp.entr(x),
    "minimum": lambda x, X, S: cp.minimum(x, 1),
    "min": lambda x, X, S: cp.min(X, axis=1),
    "sum_smallest": lambda x, X, S: cp.sum_smallest(x, 2),
    "lambda_min": lambda x, X, S: cp.lambda_min(S),
    "lambda_sum_smallest": lambda x, X, S: cp.lambda_sum_smallest(S, 2),
    "log_det": lambda x, X, S: cp.log_det(S),
    "geo_mean": lambda x, X, S: cp.geo_mean(x),
    "weighted geo_mean": lambda x, X, S: cp.geo_mean(x, [1, 2, 0, 1]),
    "geo_mean of one": lambda x, X, S: cp.geo_mean(x, [0, 0, 1, 0]),
    "geo_mean of rows": lambda x, X, S: cp.geo_mean(X, axis=1),
    "harmonic_mean": lambda x, X, S: cp.harmonic_mean(x),
    "pnorm below one": lambda x, X, S: cp.pnorm(x, 0.5),
    "log_normcdf": lambda x, X, S: cp.log_normcdf(x),
    "von_neumann_entr": lambda x, X, S: cp.von_neumann_entr(S),
    "log of a sum": lambda x, X, S: cp.log(1 + cp.sum(X, axis=0)),
}


def built(build: Build, sense: str) -> Any:
    """The function of x, X and a symmetric S, pulled at by a quadratic term that makes the solution unique."""
    x, X, S = cp.Variable(4, name="x"), cp.Variable((3, 4), name="X"), cp.Variable((4, 4), name="S", symmetric=True)
    rng = np.random.default_rng(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        f = build(x, X, S)
    pull = (
        cp.sum_squares(x - np.linspace(0.3, 2, 4))
        + cp.sum_squares(X - 1 - 0.5 * rng.random((3, 4)))
        + cp.sum_squares(S - SPD)
    )
    pull = pull + sum(cp.sum_squares(v - 1) for v in f.variables() if v.name() == "s")
    if sense == "affine":
        target = rng.normal(size=f.shape)
        return cp.Problem(cp.Minimize(cp.sum_squares(f - target) + 0.3 * pull))
    weights = 0.5 + rng.random(f.shape)
    weighted = cp.sum(cp.multiply(weights, f)) if f.shape else f
    return cp.Problem(cp.Minimize(weighted + pull) if sense == "convex" else cp.Maximize(weighted - pull))


@pytest.mark.parametrize("name", AFFINE)
def test_affine_functions(name: str) -> None:
    agrees(built(AFFINE[name], "affine"), value=name not in WRONG)


@pytest.mark.parametrize("name", CONVEX)
def test_convex_atoms(name: str) -> None:
    agrees(built(CONVEX[name], "convex"), value=name not in WRONG)


@pytest.mark.parametrize("name", CONCAVE)
def test_concave_atoms(name: str) -> None:
    agrees(built(CONCAVE[name], "concave"))
