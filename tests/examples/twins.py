"""The example programs in CVXPY, with the values that the example scripts bind: the oracle of test_examples.py."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import cvxpy as cp
import numpy as np

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

HAS_JAX = importlib.util.find_spec("jax") is not None

Values = dict[str, Any]


@dataclass(frozen=True)
class Twin:
    """``build`` gives the CVXPY problem and, by the names of ``return``, its outputs at the given values."""

    name: str
    values: Values
    build: Callable[[Values], tuple[cp.Problem, Callable[[], dict[str, Any]]]]
    data: tuple[str, ...] = ()
    dims: tuple[tuple[str, int], ...] = ()

    @property
    def program(self) -> Path:
        return EXAMPLES / self.name / f"{self.name}.dpp"


@cache
def script(name: str) -> ModuleType:
    """The example's script as a module; nothing of it runs on import."""
    path = EXAMPLES / name / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"example_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@cache
def twins() -> dict[str, Twin]:
    makers = (_relu, _qp, _portfolio, _logistic_regression, _mpc, *((_trend,) if HAS_JAX else ()))
    return {twin.name: twin for twin in (make() for make in makers)}


def _relu() -> Twin:
    module = script("relu")
    _, mean = module.temperatures()

    def build(v: Values) -> tuple[cp.Problem, Callable[[], dict[str, Any]]]:
        y = cp.Variable(len(v["x"]))
        return cp.Problem(cp.Minimize(cp.sum_squares(y - v["x"])), [y >= 0]), lambda: {"y": y.value}

    return Twin("relu", {"x": module.BASE - mean.numpy()}, build)


def _qp() -> Twin:
    import torch

    module = script("qp")
    _, funds, index = module.returns()
    values = module.values(funds[: module.FIT], index[: module.FIT], torch.tensor(0.1))

    def build(v: Values) -> tuple[cp.Problem, Callable[[], dict[str, Any]]]:
        x = cp.Variable(len(v["q"]))
        ineq = v["G"] @ x <= v["h"]
        objective = 0.5 * cp.sum_squares(np.linalg.cholesky(v["Q"]).T @ x) + v["q"] @ x
        problem = cp.Problem(cp.Minimize(objective), [v["A"] @ x == v["b"], ineq])
        return problem, lambda: {"x": x.value, "dual.ineq": ineq.dual_value}

    return Twin("qp", {k: v.numpy() for k, v in values.items()}, build)


def _portfolio() -> Twin:
    module = script("portfolio")
    market = module.load_market()
    F = module.exposures(market)
    month = market.between(*module.VALIDATION).start
    T = module.HORIZON

    def build(v: Values) -> tuple[cp.Problem, Callable[[], dict[str, Any]]]:
        n = len(v["w0"])
        w, u = cp.Variable((T + 1, n)), cp.Variable((T, n))
        R = np.sqrt(v["gamma"]) * np.linalg.cholesky(v["Omega"]).T @ v["F"].T
        s = np.sqrt(v["gamma"] * v["d"])
        utility = sum(
            v["mu"][t] @ w[t + 1]
            - cp.sum_squares(R @ w[t + 1])
            - cp.sum_squares(cp.multiply(s, w[t + 1]))
            - v["kappa"] @ cp.abs(u[t])
            for t in range(T)
        )
        rules = [w[0] == v["w0"], w[1:] == w[:-1] + u, cp.sum(w[1:], axis=1) == 1, w[1:] >= 0, w[1:] <= 0.2]
        rules += [cp.norm1(u[t]) <= v["tau"] for t in range(T)]
        return cp.Problem(cp.Maximize(utility), rules), lambda: {"out0": w.value[1:], "u": u.value}

    return Twin("portfolio", {**module.values(market, F, month, 5.0), "F": F}, build, ("F",), (("T", T),))


def _logistic_regression() -> Twin:
    module = script("logistic_regression")
    _, X, y = module.tumours()
    N = module.TRAIN

    def build(v: Values) -> tuple[cp.Problem, Callable[[], dict[str, Any]]]:
        theta, b = cp.Variable(v["X"].shape[1]), cp.Variable()
        loss = cp.sum(cp.logistic(cp.multiply(-v["y"], v["X"] @ theta + b))) / N
        objective = loss + v["lam"] * cp.norm1(theta) + 0.02 * cp.sum_squares(theta)
        return cp.Problem(cp.Minimize(objective)), lambda: {"theta": theta.value, "b": b.value}

    values = {"X": X[:N].numpy(), "y": y[:N].numpy(), "lam": np.asarray(0.03)}
    return Twin("logistic_regression", values, build, ("y",))


def _mpc() -> Twin:
    import torch

    module = script("mpc")
    T = module.HORIZON
    measured = module.winter("2012/01/01", 60)
    outdoor = module.forecast(measured[3], measured.mean(), torch.tensor(0.6))

    def build(v: Values) -> tuple[cp.Problem, Callable[[], dict[str, Any]]]:
        x, u = cp.Variable((T + 1, 2)), cp.Variable(T)
        objective = cp.sum(u) + v["peak"] * cp.max(u) + v["comfort"] * cp.sum_squares(x[1:, 0] - 20)
        rules = [x[0] == v["x0"], u >= 0, u <= 1]
        rules += [x[t + 1] == v["A"] @ x[t] + v["B"] * u[t] + v["E"] * v["outdoor"][t] for t in range(T)]
        return cp.Problem(cp.Minimize(objective), rules), lambda: {"x": x.value, "u": u.value}

    values = {"x0": np.array([18.0, 16.0]), "outdoor": outdoor.numpy(), "comfort": np.asarray(module.COMFORT)}
    values |= {"peak": np.asarray(module.PEAK), **module.SYSTEM}
    return Twin("mpc", values, build, ("A", "B", "E"), (("T", T),))


def _trend() -> Twin:
    module = script("trend")
    y = module.weeks()[:30]
    seen, price = module.folds(y.size)[1], np.asarray(module.price(np.array([2.0, 0.3, 0.2]), y.size), dtype=float)

    def build(v: Values) -> tuple[cp.Problem, Callable[[], dict[str, Any]]]:
        x = cp.Variable(len(v["y"]))
        objective = cp.sum_squares(cp.multiply(v["seen"], x - v["y"])) + v["price"] @ cp.abs(cp.diff(x, 2))
        return cp.Problem(cp.Minimize(objective)), lambda: {"x": x.value}

    return Twin("trend", {"y": y, "seen": seen, "price": price}, build)
