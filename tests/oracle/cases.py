"""Programs beside their CVXPY twins: the oracle for values, duals and gradients.

A case is a program, a function that draws its parameters (and data), and one that builds the CVXPY problem from
``cvxpy.Parameter`` objects. The twins share names of variables and constraints.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cvxpy as cp
import numpy as np

Draw = Callable[[np.random.Generator], dict[str, Any]]
Build = Callable[[dict[str, Any]], tuple[cp.Problem, dict[str, cp.Expression], dict[str, cp.Constraint]]]


@dataclass(frozen=True)
class Case:
    """``data`` names the values that are bound as data; ``unique`` says that the solution (not only the value) is."""

    name: str
    text: str
    draw: Draw
    build: Build
    data: tuple[str, ...] = ()
    dims: dict[str, int] = field(default_factory=dict)
    differentiable: bool = True
    duals: bool = True


CASES: dict[str, Case] = {}


def case(
    text: str,
    *,
    data: tuple[str, ...] = (),
    dims: dict[str, int] | None = None,
    differentiable: bool = True,
    duals: bool = True,
):
    """Register a class with static methods ``draw`` and ``build`` as a case."""

    def register(cls: type) -> type:
        CASES[cls.__name__] = Case(cls.__name__, text, cls.draw, cls.build, data, dims or {}, differentiable, duals)
        return cls

    return register


def spd(rng: np.random.Generator, n: int, floor: float = 0.5) -> np.ndarray:
    """A random symmetric positive definite matrix."""
    a = rng.standard_normal((n, n))
    return a @ a.T / n + floor * np.eye(n)


@case("""
dim n
param x[n]
var y[n]
minimize sum_squares(y - x)
subject to
  floor: y >= 0
return y
""")
class relu:
    def draw(rng):
        return {"x": rng.standard_normal(6)}

    def build(v):
        y = cp.Variable(6)
        c = y >= 0
        return cp.Problem(cp.Minimize(cp.sum_squares(y - v["x"])), [c]), {"y": y}, {"floor": c}


@case("""
dim n, m, p
param Q[n, n] psd, q[n]
param A[p, n], b[p]
param G[m, n], h[m]
derived S[n, n] = chol(Q)'
var x[n]
minimize 0.5 * sum_squares(S @ x) + q' @ x
subject to
  eq:   A @ x == b
  ineq: G @ x <= h
return x, dual ineq
""")
class qp_factor:
    def draw(rng):
        n, m, p = 5, 4, 2
        x0 = rng.standard_normal(n)
        A, G = rng.standard_normal((p, n)), rng.standard_normal((m, n))
        return {
            "Q": spd(rng, n),
            "q": rng.standard_normal(n),
            "A": A,
            "b": A @ x0,
            "G": G,
            "h": G @ x0 + rng.random(m) * 0.5,
        }

    def build(v):
        x = cp.Variable(5)
        S = np.linalg.cholesky(v["Q"]).T
        e, i = v["A"] @ x == v["b"], v["G"] @ x <= v["h"]
        return cp.Problem(cp.Minimize(0.5 * cp.sum_squares(S @ x) + v["q"] @ x), [e, i]), {"x": x}, {"eq": e, "ineq": i}


@case("""
dim n, m
param Q[n, n] psd, q[n], G[m, n], h[m]
var x[n]
minimize 0.5 * quad_form(x, Q) + q' @ x
subject to
  ineq: G @ x <= h
""")
class qp_quad_form:
    def draw(rng):
        n, m = 5, 4
        return {"Q": spd(rng, n), "q": rng.standard_normal(n), "G": rng.standard_normal((m, n)), "h": rng.random(m)}

    def build(v):
        x = cp.Variable(5)
        i = v["G"] @ x <= v["h"]
        return (
            cp.Problem(cp.Minimize(0.5 * cp.quad_form(x, cp.psd_wrap((v["Q"] + v["Q"].T) / 2)) + v["q"] @ x), [i]),
            {"x": x},
            {"ineq": i},
        )


@case(
    """
dim T = 3, n, k
data  F[n, k]
param mu[T, n], w0[n], Omega[k, k] psd, d[n] nonneg
param gamma pos, kappa[n] nonneg, tau nonneg
derived R[k, n] = sqrt(gamma) * chol(Omega)' @ F'
derived s[n]    = sqrt(gamma * d)
func risk(x[n]) = sum_squares(R @ x) + sum_squares(s * x)
var w[T + 1, n], u[T, n]
maximize sum(mu[t]' @ w[t+1] - risk(w[t+1]) - kappa' @ abs(u[t]) for t in T)
subject to
  start:            w[0] == w0
  balance[t in T]:  w[t+1] == w[t] + u[t]
  budget[t in T]:   sum(w[t+1]) == 1
  long[t in T]:     0 <= w[t+1] <= 0.6
  turn[t in T]:     norm1(u[t]) <= tau
return w[1:], dual budget
""",
    data=("F",),
)
class portfolio:
    def draw(rng):
        n, k, T = 4, 2, 3
        w0 = rng.random(n)
        return {
            "F": rng.standard_normal((n, k)),
            "mu": rng.standard_normal((T, n)) * 0.3,
            "w0": w0 / w0.sum(),
            "Omega": spd(rng, k),
            "d": 0.3 + rng.random(n),
            "gamma": np.float64(0.8),
            "kappa": 0.05 + 0.05 * rng.random(n),
            "tau": np.float64(0.5),
        }

    def build(v):
        T, n = 3, 4
        R = np.sqrt(v["gamma"]) * np.linalg.cholesky(v["Omega"]).T @ v["F"].T
        s = np.sqrt(v["gamma"] * v["d"])
        w, u = cp.Variable((T + 1, n)), cp.Variable((T, n))
        objective = sum(
            v["mu"][t] @ w[t + 1]
            - cp.sum_squares(R @ w[t + 1])
            - cp.sum_squares(cp.multiply(s, w[t + 1]))
            - v["kappa"] @ cp.abs(u[t])
            for t in range(T)
        )
        cons = [w[0] == v["w0"]]
        for t in range(T):
            cons += [
                w[t + 1] == w[t] + u[t],
                cp.sum(w[t + 1]) == 1,
                w[t + 1] >= 0,
                w[t + 1] <= 0.6,
                cp.norm1(u[t]) <= v["tau"],
            ]
        return cp.Problem(cp.Maximize(objective), cons), {"w": w, "u": u}, {}


@case(
    """
dim N, n
param X[N, n], lam pos
data y[N]
var beta[n]
minimize sum(logistic(-y[i] * (X[i]' @ beta)) for i in N) + lam * sum_squares(beta)
""",
    data=("y",),
)
class logistic_regression:
    def draw(rng):
        return {"X": rng.standard_normal((12, 3)), "lam": np.float64(0.3), "y": np.sign(rng.standard_normal(12))}

    def build(v):
        b = cp.Variable(3)
        return (
            cp.Problem(
                cp.Minimize(cp.sum(cp.logistic(-cp.multiply(v["y"], v["X"] @ b))) + v["lam"] * cp.sum_squares(b))
            ),
            {"beta": b},
            {},
        )


@case("""
dim n
param c[n], lam nonneg, r pos
var x[n]
minimize norm2(x - c) + lam * norm1(x)
subject to
  ball: norm2(x) <= r
""")
class norm_ball:
    def draw(rng):
        return {"c": rng.standard_normal(5) * 2, "lam": np.float64(0.2), "r": np.float64(1.0)}

    def build(v):
        x = cp.Variable(5)
        b = cp.norm2(x) <= v["r"]
        return cp.Problem(cp.Minimize(cp.norm2(x - v["c"]) + v["lam"] * cp.norm1(x)), [b]), {"x": x}, {"ball": b}


@case("""
dim n
param C[n, n]
var X[n, n] psd
minimize norm_fro(X - C)^2
subject to
  unit: trace(X) == 1
""")
class density:
    def draw(rng):
        a = rng.standard_normal((4, 4))
        return {"C": (a + a.T) / 2}

    def build(v):
        X = cp.Variable((4, 4), PSD=True)
        t = cp.trace(X) == 1
        return cp.Problem(cp.Minimize(cp.sum_squares(X - v["C"])), [t]), {"X": X}, {"unit": t}


@case("""
dim n
param A[n, n] symmetric, b pos
var X[n, n] symmetric
maximize log_det(X) - trace(A @ X)
subject to
  cap: lambda_max(X) <= b
  psd: X >> 0.01 * eye(n)
return X, dual psd
""")
class log_det:
    def draw(rng):
        return {"A": spd(rng, 3, 0.3), "b": np.float64(1.5)}

    def build(v):
        X = cp.Variable((3, 3), symmetric=True)
        c, p = cp.lambda_max(X) <= v["b"], X >> 0.01 * np.eye(3)
        return cp.Problem(cp.Maximize(cp.log_det(X) - cp.trace(v["A"] @ X)), [c, p]), {"X": X}, {"cap": c, "psd": p}


@case("""
dim m, n
param A[m, n], b[m], M pos
var x[n]
minimize sum(huber(A @ x - b, M = M)) + 0.1 * sum_squares(x)
""")
class robust:
    def draw(rng):
        return {"A": rng.standard_normal((7, 3)), "b": rng.standard_normal(7) * 2, "M": np.float64(0.7)}

    def build(v):
        x = cp.Variable(3)
        return (
            cp.Problem(cp.Minimize(cp.sum(cp.huber(v["A"] @ x - v["b"], float(v["M"]))) + 0.1 * cp.sum_squares(x))),
            {"x": x},
            {},
        )


@case("""
dim n
param c[n], a[n]
var x[n]
maximize sum(entr(x)) + c' @ x
subject to
  mass: sum(x) == 1
  lean: a' @ x <= 0.2
""")
class max_entropy:
    def draw(rng):
        return {"c": rng.standard_normal(5), "a": np.linspace(0.05, 0.8, 5)}

    def build(v):
        x = cp.Variable(5)
        m, lean = cp.sum(x) == 1, v["a"] @ x <= 0.2 + 0 * cp.sum(x)
        return cp.Problem(cp.Maximize(cp.sum(cp.entr(x)) + v["c"] @ x), [m, lean]), {"x": x}, {"mass": m, "lean": lean}


@case("""
dim n
param w[n] pos, cap[n] pos
var x[n]
maximize sum(w * log(x))
subject to
  total: sum(x) <= 3
  limit: x <= cap
""")
class fair:
    def draw(rng):
        return {"w": 0.5 + rng.random(4), "cap": 0.5 + rng.random(4)}

    def build(v):
        x = cp.Variable(4)
        t, limit = cp.sum(x) <= 3, x <= v["cap"]
        return (
            cp.Problem(cp.Maximize(cp.sum(cp.multiply(v["w"], cp.log(x)))), [t, limit]),
            {"x": x},
            {"total": t, "limit": limit},
        )


@case(
    """
dim T = 6, n, m
param A[n, n], B[n, m], x0[n]
data q[n] nonneg, r[m] nonneg
var x[T + 1, n], u[T, m]
minimize sum(sum(q * x[t + 1]^2) + sum(r * u[t]^2) for t in T)
subject to
  init:          x[0] == x0
  step[t in T]:  x[t + 1] == A @ x[t] + B @ u[t]
  lim[t in T]:   -0.5 <= u[t] <= 0.5
  late[t in T if t > 3]: x[t + 1] <= 2
return u[0], dual step
""",
    data=("q", "r"),
)
class mpc:
    def draw(rng):
        n, m = 2, 1
        return {
            "A": np.array([[1.0, 0.2], [0.0, 1.0]]) + 0.02 * rng.standard_normal((n, n)),
            "B": rng.standard_normal((n, m)),
            "x0": rng.standard_normal(n),
            "q": np.ones(n),
            "r": np.full(m, 0.1),
        }

    def build(v):
        T = 6
        x, u = cp.Variable((T + 1, 2)), cp.Variable((T, 1))
        obj = sum(cp.sum(cp.multiply(v["q"], x[t + 1] ** 2)) + cp.sum(cp.multiply(v["r"], u[t] ** 2)) for t in range(T))
        cons = [x[0] == v["x0"]]
        for t in range(T):
            cons += [x[t + 1] == v["A"] @ x[t] + v["B"] @ u[t], u[t] <= 0.5, u[t] >= -0.5]
            if t > 3:
                cons += [x[t + 1] <= 2]
        return cp.Problem(cp.Minimize(obj), cons), {"x": x, "u": u}, {}


@case("""
dim m, n
param A[m, n], lam pos
var X[m, n]
minimize 0.5 * sum_squares(X - A) + lam * norm_nuc(X)
""")
class nuclear:
    def draw(rng):
        return {"A": rng.standard_normal((3, 2)), "lam": np.float64(0.4)}

    def build(v):
        X = cp.Variable((3, 2))
        return cp.Problem(cp.Minimize(0.5 * cp.sum_squares(X - v["A"]) + v["lam"] * cp.normNuc(X))), {"X": X}, {}


@case("""
dim n
param c[n], k pos
var x[n], t
minimize log_sum_exp(x - c) + 0.5 * sum_squares(x) + t
subject to
  cone: (t, 2 * x + c) in soc
  top: sum_largest(x, 2) <= k
""")
class mixed_cones:
    def draw(rng):
        return {"c": rng.standard_normal(4), "k": np.float64(0.3)}

    def build(v):
        x, t = cp.Variable(4), cp.Variable()
        c, k = cp.SOC(t, 2 * x + v["c"]), cp.sum_largest(x, 2) <= v["k"]
        return (
            cp.Problem(cp.Minimize(cp.log_sum_exp(x - v["c"]) + 0.5 * cp.sum_squares(x) + t), [c, k]),
            {"x": x, "t": t},
            {"top": k},
        )


@case(
    """
dim n
param a[n] pos, p nonneg
var x[n]
minimize sum(inv_pos(x)) + p * quad_over_lin(x, 1 + sum(x)) + sum(a * x^3)
subject to
  lo: sqrt(x) >= 0.3
  gm: geo_mean(x) >= 0.4
""",
    duals=False,
)
class powers:
    def draw(rng):
        return {"a": 0.5 + rng.random(4), "p": np.float64(0.7)}

    def build(v):
        x = cp.Variable(4)
        obj = (
            cp.sum(cp.inv_pos(x))
            + v["p"] * cp.quad_over_lin(x, 1 + cp.sum(x))
            + cp.sum(cp.multiply(v["a"], cp.power(x, 3)))
        )
        return cp.Problem(cp.Minimize(obj), [cp.sqrt(x) >= 0.3, cp.geo_mean(x) >= 0.4]), {"x": x}, {}


@case("""
dim n
param p[n], q[n] pos
var x[n], y[n]
minimize sum(kl_div(x, q)) + sum(maximum(x - p, y)) + sum_squares(y) + sum(exp(x - 1))
subject to
  mean: sum(x) == 2
  near: norm_inf(x - y) <= 1
""")
class divergences:
    def draw(rng):
        return {"p": rng.standard_normal(3), "q": 0.3 + rng.random(3)}

    def build(v):
        x, y = cp.Variable(3), cp.Variable(3)
        m, n = cp.sum(x) == 2, cp.norm_inf(x - y) <= 1
        obj = (
            cp.sum(cp.kl_div(x, v["q"])) + cp.sum(cp.maximum(x - v["p"], y)) + cp.sum_squares(y) + cp.sum(cp.exp(x - 1))
        )
        return cp.Problem(cp.Minimize(obj), [m, n]), {"x": x, "y": y}, {"mean": m, "near": n}


@case("""
dim n, m
param c[n] , B[m, n], h[m]
var x[n] in [0, 1], z[n] nonneg
maximize c' @ x - sum_squares(z) - 0.5 * sum_squares(x)
subject to
  mix: B @ (x - z) <= h
  sum(x) == sum(z) + 0.5
return x + 2 * z, value, dual mix
""")
class bounds:
    def draw(rng):
        return {"c": rng.standard_normal(4), "B": rng.standard_normal((2, 4)), "h": 0.5 + rng.random(2)}

    def build(v):
        x, z = cp.Variable(4), cp.Variable(4, nonneg=True)
        m = v["B"] @ (x - z) <= v["h"]
        obj = v["c"] @ x - cp.sum_squares(z) - 0.5 * cp.sum_squares(x)
        return (
            cp.Problem(cp.Maximize(obj), [m, cp.sum(x) == cp.sum(z) + 0.5, x >= 0, x <= 1]),
            {"x": x, "z": z},
            {"mix": m},
        )


@case(
    """
dim n
param a[n], b[n, n]
var X[n, n]
minimize sum_squares(X) + max(sum(X, axis = 0)) + sum(abs(hstack(a' @ X, diag(X)))) + sum(pos(cumsum(a - vec(X[0])))) + sum(square(diff(X[:, 0])))
subject to
  link[i in n, j in n if i < j]: X[i, j] - X[j, i] == b[i, j]
  rows: vstack(X[0], X[n - 1]) >= -1
  tot: trace(X) + sum(kron(X, [[1, 2]])) <= 4
""",
    duals=False,
)
class layout:
    def draw(rng):
        return {"a": rng.standard_normal(3), "b": 0.2 * rng.standard_normal((3, 3))}

    def build(v):
        X, a, b, n = cp.Variable((3, 3)), v["a"], v["b"], 3
        obj = (
            cp.sum_squares(X)
            + cp.max(cp.sum(X, axis=0))
            + cp.sum(cp.abs(cp.hstack([a @ X, cp.diag(X)])))
            + cp.sum(cp.pos(cp.cumsum(a - X[0])))
            + cp.sum(cp.square(cp.diff(X[:, 0])))
        )
        cons = [X[i, j] - X[j, i] == b[i, j] for i in range(n) for j in range(n) if i < j]
        cons += [X[0] >= -1, X[n - 1] >= -1, cp.trace(X) + 3 * cp.sum(X) <= 4]
        return cp.Problem(cp.Minimize(obj), cons), {"X": X}, {}
