"""CVXPY's classic examples, and how their programs read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.convert.helpers import agrees, cp


def lasso() -> Any:
    rng = np.random.default_rng(4)
    A, b = rng.normal(size=(12, 6)), rng.normal(size=12)
    x, lam = cp.Variable(6), cp.Parameter(nonneg=True, value=0.4)
    return cp.Problem(cp.Minimize(cp.sum_squares(A @ x - b) + lam * cp.norm(x, 1))), locals()


def markowitz() -> Any:
    rng = np.random.default_rng(4)
    n = 8
    mu, F = np.abs(rng.normal(size=n)), rng.normal(size=(n, 3))
    Sigma = F @ F.T + np.diag(rng.random(n) + 0.1)
    w, gamma, Lmax = cp.Variable(n), cp.Parameter(nonneg=True, value=0.7), cp.Parameter(value=1.6)
    ret, risk = mu.T @ w, cp.quad_form(w, Sigma)
    return cp.Problem(cp.Maximize(ret - gamma * risk), [cp.sum(w) == 1, cp.norm(w, 1) <= Lmax]), locals()


def svm() -> Any:
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(20, 4)), np.sign(rng.normal(size=(20, 1)))
    beta, v = cp.Variable((4, 1)), cp.Variable()
    loss = cp.sum(cp.pos(1 - cp.multiply(y, X @ beta - v)))
    return cp.Problem(cp.Minimize(loss / 20 + 0.1 * cp.sum_squares(beta) + 0.01 * v**2)), locals()


def logistic_regression() -> Any:
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(20, 3)), (rng.random(20) > 0.5) * 1.0
    beta, lambd = cp.Variable(3), cp.Parameter(nonneg=True, value=0.1)
    log_likelihood = cp.sum(cp.multiply(y, X @ beta) - cp.logistic(X @ beta))
    return cp.Problem(cp.Maximize(log_likelihood / 20 - lambd * cp.norm(beta, 2) ** 2)), locals()


def mpc() -> Any:
    rng = np.random.default_rng(4)
    T, n, k = 6, 3, 2
    A, B = np.eye(n) + 0.1 * rng.normal(size=(n, n)), rng.normal(size=(n, k))
    x, u, x0 = cp.Variable((T + 1, n)), cp.Variable((T, k)), cp.Parameter(n, value=0.1 * rng.normal(size=n))
    cost, constr = 0, []
    for t in range(T):
        cost += cp.sum_squares(x[t + 1]) + 0.3 * cp.sum_squares(u[t])
        constr += [x[t + 1] == A @ x[t] + B @ u[t], cp.norm(u[t], "inf") <= 1]
    constr += [x[T] == 0, x[0] == x0]
    return cp.Problem(cp.Minimize(cost), constr), locals()


def mpc_by_columns() -> Any:
    rng = np.random.default_rng(4)
    T, n, k = 6, 2, 2
    A, B = np.eye(n) + 0.1 * rng.normal(size=(n, n)), rng.normal(size=(n, k))
    x, u, x_0 = cp.Variable((n, T + 1)), cp.Variable((k, T)), cp.Parameter(n, value=np.ones(n))
    cost = sum(cp.sum_squares(x[:, t + 1]) + cp.sum_squares(u[:, t]) for t in range(T))
    constr = [x[:, 0] == x_0] + [x[:, t + 1] == A @ x[:, t] + B @ u[:, t] for t in range(T)]
    return cp.Problem(cp.Minimize(cost), [*constr, cp.abs(u) <= 0.9]), locals()


def max_cut() -> Any:
    rng = np.random.default_rng(4)
    W = np.abs(rng.normal(size=(5, 5)))
    W = W + W.T
    X = cp.Variable((5, 5), PSD=True)
    return cp.Problem(cp.Maximize(0.25 * cp.sum(cp.multiply(W, 1 - X))), [cp.diag(X) == 1]), locals()


def water_filling() -> Any:
    rng = np.random.default_rng(4)
    a = np.array([0.8, 1.0, 1.2])
    x, alpha = cp.Variable(3), cp.Parameter(3, pos=True, value=a)
    return cp.Problem(cp.Maximize(cp.sum(cp.log(alpha + x))), [x >= 0, cp.sum(x) - 1 == 0]), locals()


def huber_regression() -> Any:
    rng = np.random.default_rng(4)
    X, Y = rng.normal(size=(5, 30)), rng.normal(size=(30, 1))
    beta = cp.Variable((5, 1))
    return cp.Problem(cp.Minimize(cp.sum(cp.huber(X.T @ beta - Y, 0.5)) + 0.01 * cp.sum_squares(beta))), locals()


def total_variation() -> Any:
    rng = np.random.default_rng(4)
    corrupted = rng.normal(size=(5, 6))
    known = (rng.random((5, 6)) > 0.3) * 1.0
    U = cp.Variable((5, 6))
    fit = cp.sum_squares(cp.multiply(known, U - corrupted)) + 0.1 * cp.sum_squares(U)
    return cp.Problem(cp.Minimize(cp.tv(U) + fit)), locals()


def transport() -> Any:
    rng = np.random.default_rng(4)
    C, a, b = rng.random((3, 4)), np.full(3, 1 / 3), np.array([0.1, 0.2, 0.3, 0.4])
    P, eps = cp.Variable((3, 4), nonneg=True), cp.Parameter(pos=True, value=0.1)
    cost = cp.sum(cp.multiply(C, P)) - eps * cp.sum(cp.entr(P))
    return cp.Problem(cp.Minimize(cost), [cp.sum(P, axis=1) == a, cp.sum(P, axis=0) == b]), locals()


def covariance() -> Any:
    rng = np.random.default_rng(4)
    Y = rng.normal(size=(3, 20))
    Y = Y @ Y.T / 20
    S, alpha = cp.Variable((3, 3), PSD=True), cp.Parameter(nonneg=True, value=2.0)
    constraints = [cp.sum(cp.abs(S)) <= alpha]
    return cp.Problem(cp.Maximize(cp.log_det(S) - cp.trace(S @ Y)), constraints), locals()


def geometric_mean() -> Any:
    rng = np.random.default_rng(4)
    A, b = np.abs(rng.normal(size=(4, 3))), np.ones(4)
    x = cp.Variable(3)
    return cp.Problem(cp.Maximize(cp.geo_mean(x)), [A @ x <= b]), locals()


def optimal_power() -> Any:
    """Expressions that are used several times, and a list of variables."""
    flows = [cp.Variable(2, name=f"flow{i}") for i in range(3)]
    demand = cp.Parameter(2, value=[1.0, 2.0], name="demand")
    imbalance = sum(flows) + 0.3 * flows[0] - 0.1 * cp.hstack([flows[1][1], flows[2][0]]) - demand
    cost = sum(cp.sum_squares(f) for f in flows) + 3 * cp.norm1(imbalance) + cp.sum_squares(imbalance)
    return cp.Problem(cp.Minimize(cost), [imbalance <= 0.5]), {"imbalance": imbalance}


PROBLEMS: list[Callable[[], Any]] = [
    lasso,
    markowitz,
    svm,
    logistic_regression,
    mpc,
    mpc_by_columns,
    max_cut,
    water_filling,
    huber_regression,
    total_variation,
    transport,
    covariance,
    geometric_mean,
    optimal_power,
]


@pytest.mark.parametrize("build", PROBLEMS, ids=lambda b: b.__name__)
def test_classic_problems(build: Callable[[], Any]) -> None:
    problem, names = build()
    assert problem.is_dpp()
    agrees(problem, unique=build is not max_cut, names=names)
    agrees(problem, unique=False)  # without any names
