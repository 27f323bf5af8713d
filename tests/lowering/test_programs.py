"""Whole programs against CVXPY: value, variables, and duals in its signs, across the language."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import pytest

import dpplang
from tests.lowering.solving import assert_well_formed, lowered, solve

R = np.random.default_rng(3)
CASES = {}


def case(text, values=None, dims=None):
    def keep(build):
        CASES[build.__name__] = (text, values or {}, dims, build)
        return build

    return keep


a3, b3, A43 = R.standard_normal(3), R.standard_normal(3), R.standard_normal((4, 3))


@case(
    """
dim n
param p[n], c[n]
var x[n]
minimize sum_squares(x - c) + sum_squares(p) + sum(x)
""",
    {"p": a3, "c": b3},
)
def square_of_params():
    x = cp.Variable(3)
    return cp.Minimize(cp.sum_squares(x - b3) + np.sum(a3**2) + cp.sum(x)), [], {"x": x}


@case(
    """
dim n
param c[n]
var x[n]
minimize sum(norm2(x[0:t] - c[0:t]) for t in 1:n+1) + sum_squares(x)
""",
    {"c": a3},
)
def ragged():
    x = cp.Variable(3)
    return cp.Minimize(sum(cp.norm2(x[:t] - a3[:t]) for t in range(1, 4)) + cp.sum_squares(x)), [], {"x": x}


@case(
    """
dim n
param c[n]
var x[n]
maximize sum(log(x[i]) for i in n if i > 0) + sum(sum(sqrt(x[i]) * 2 for j in n if j > i) for i in n) - sum(c*x)
subject to
 x[0:n-1] >= 0.1
 x[n-1] >= -1
 x[n-1] + 0*sum(x) <= 5
""",
    {"c": np.abs(a3) + 1},
)
def partial_domain():
    c = np.abs(a3) + 1
    x = cp.Variable(3)
    return (
        cp.Maximize(cp.log(x[1]) + cp.log(x[2]) + 4 * cp.sqrt(x[0]) + 2 * cp.sqrt(x[1]) - c @ x),
        [x[:2] >= 0.1, x[2] >= -1, x[2] <= 5],
        {"x": x},
    )


@case(
    """
dim n
param c[n]
var x[n]
minimize c' @ x + sum(sum(x[i]^4 for j in n if j > i) for i in n)
subject to
 x[n-1] >= -3
  x[n-1] <= 1
""",
    {"c": np.array([1.0, 2, 0.5])},
)
def outer_only():
    x = cp.Variable(3)
    c = np.array([1.0, 2, 0.5])
    return cp.Minimize(c @ x + 2 * x[0] ** 4 + x[1] ** 4), [x[2] >= -3, x[2] <= 1], {"x": x}


@case(
    """
dim n
param c[n]
var x[n]
minimize c' @ x
subject to
 late[i in n if i == 1]: x[i] >= -1
 up[i in n, j in 1:n if i < j]: x[i] + x[j] >= -2
 x >= -5
 return x, dual late, dual up
""",
    {"c": np.array([1.0, 2, 1.5])},
)
def cond_duals():
    x = cp.Variable(3)
    late = x[1] >= -1
    u = {(i, j): x[i] + x[j] >= -2 for i in range(3) for j in range(1, 3) if i < j}

    def post(o):
        assert o["dual.late"].shape == (3,), o["dual.late"].shape
        assert np.allclose(o["dual.late"], [0, late.dual_value, 0], atol=1e-6)
        w = np.zeros((3, 2))
        for (i, j), c in u.items():
            w[i, j - 1] = c.dual_value
        assert o["dual.up"].shape == (3, 2), o["dual.up"].shape
        assert abs(o["dual.up"].sum() - w.sum()) < 1e-5 and (o["dual.up"][w == 0] == 0).mean() >= 0
        assert o["dual.up"][1, 0] == 0 and o["dual.up"][2, 1] == 0

    return cp.Minimize(np.array([1.0, 2, 1.5]) @ x), [late, *u.values(), x >= -5], {"x": x}, post


@case(
    """
dim T = 2, n
param C[T, n, n]
var X[T, n, n] psd
minimize sum(sum_squares(X[t] - C[t]) for t in T)
""",
    {"C": R.standard_normal((2, 3, 3))},
)
def batched_psd():
    C = CASES["batched_psd"][1]["C"]
    X = [cp.Variable((3, 3), PSD=True) for _ in range(2)]

    def post(o):
        assert np.allclose(o["X"], [x.value for x in X], atol=1e-5)

    return cp.Minimize(sum(cp.sum_squares(X[t] - C[t]) for t in range(2))), [], {}, post


@case(
    """
dim n
param c[3]
var x[3] in [-inf, 2], y
minimize c' @ x + y^2
subject to
 x >= -1
 cap: x <= [inf, 0.5, inf]
 y <= inf
 y >= 1
return x, dual cap
""",
    {"c": np.array([-1.0, -2, 1])},
    {"n": 1},
)
def infinite():
    x, y = cp.Variable(3), cp.Variable()
    cap = x[1] <= 0.5

    def post(o):
        assert np.allclose(o["dual.cap"], [0, cap.dual_value, 0], atol=1e-6)

    return cp.Minimize(np.array([-1.0, -2, 1]) @ x + y**2), [x <= 2, x >= -1, cap, y >= 1], {"x": x}, post


@case(
    """
dim n
param c[n]
var x[n], u, v
minimize u + 2*v + c' @ x
subject to
 r: (u, v, x) in rsoc
 e: (x[0], 1, u) in exp_cone
 p: (u, v, x[1]) in pow_cone(0.3)
 s: x <= 10
 return x, u, dual r, dual e, dual p
""",
    {"c": 0.2 * a3},
)
def cones():
    x, u, v = cp.Variable(3), cp.Variable(), cp.Variable()
    ex = cp.ExpCone(x[0], cp.Constant(1), u)
    pw = cp.PowCone3D(u, v, x[1], 0.3)
    r = cp.SOC((u + v) / np.sqrt(2), cp.hstack([(u - v) / np.sqrt(2), x]))

    def post(o):
        y = np.concatenate([np.ravel(d) for d in r.dual_value])
        s = np.sqrt(0.5)
        assert np.allclose(o["dual.r"], [s * (y[0] + y[1]), s * (y[0] - y[1]), *y[2:]], atol=1e-4), (o["dual.r"], y)
        assert np.allclose(np.ravel(o["dual.p"]), np.ravel([np.ravel(d) for d in pw.dual_value]), atol=1e-4), (
            o["dual.p"],
            pw.dual_value,
        )
        assert np.allclose(np.ravel(o["dual.e"]), np.ravel([np.ravel(d) for d in ex.dual_value]), atol=1e-4), (
            o["dual.e"],
            ex.dual_value,
        )

    return cp.Minimize(u + 2 * v + 0.2 * a3 @ x), [r, ex, pw, x <= 10], {"x": x, "u": u}, post


@case(
    """
dim n
param P[n, n] nsd, c[n]
var x[n]
maximize quad_form(x - 1, P) + c' @ x
""",
    {"P": -np.diag([1.0, 2, 3]), "c": a3},
)
def nsd_param():
    x = cp.Variable(3)
    return cp.Maximize(cp.quad_form(x - 1, -np.diag([1.0, 2, 3])) + a3 @ x), [], {"x": x}


@case(
    """
dim n = 1
param P[3, 3] psd, c[3]
var x[3]
minimize quad_form(2 * x + [1, 1, 1], P) + c' @ x
""",
    {"P": np.diag([1.0, 2, 3]) + 0.3, "c": a3},
)
def quad_form_affine():
    x = cp.Variable(3)
    return cp.Minimize(cp.quad_form(2 * x + 1, np.diag([1.0, 2, 3]) + 0.3) + a3 @ x), [], {"x": x}


@case(
    """
dim n
param c[n], g nonneg
var x[n]
minimize g * sum_squares(x - 1) + g * huber(x[0] - x[1], 0.3) + g * sum(huber(x)) + c' @ x
""",
    {"c": a3, "g": 2.0},
)
def scaled():
    x = cp.Variable(3)
    return (
        cp.Minimize(2 * cp.sum_squares(x - 1) + 2 * cp.huber(x[0] - x[1], 0.3) + 2 * cp.sum(cp.huber(x)) + a3 @ x),
        [],
        {"x": x},
    )


@case(
    """
dim n
param c[n], w[n] nonneg
var x[n]
minimize w' @ square(x - 1) + c' @ x + quad_over_lin(x, 2) + sum(sum_squares(x[i:i+2] + 1) for i in n-1) + mean(x^2) + sum(hstack(x[0]^2, 2*x[1]^2)) + 3*(x[0] - 2*x[1] + x[2])^2
""",
    {"c": a3, "w": np.abs(b3)},
)
def quadratics():
    x = cp.Variable(3)
    return (
        cp.Minimize(
            np.abs(b3) @ cp.square(x - 1)
            + a3 @ x
            + cp.sum_squares(x) / 2
            + sum(cp.sum_squares(x[i : i + 2] + 1) for i in range(2))
            + cp.mean(cp.square(x))
            + x[0] ** 2
            + 2 * x[1] ** 2
            + 3 * cp.square(x[0] - 2 * x[1] + x[2])
        ),
        [],
        {"x": x},
    )


@case(
    """
dim n
param c[n]
var x[n]
minimize max(x[i]^2 + c[i] for i in n) + max(c) + sum(x)
subject to
 min(x[i] + 2 for i in n) >= 1
""",
    {"c": a3},
)
def extremum():
    x = cp.Variable(3)
    return cp.Minimize(cp.max(cp.square(x) + a3) + a3.max() + cp.sum(x)), [x >= -1], {"x": x}


@case(
    """
dim n
data P[n, n] psd, X[4, n]
param c[n]
var x[n]
let s = log_sum_exp(X @ x)
minimize s + x' @ P @ x + c' @ x + sum(max(X, axis = 0)) * x[0] + lambda_max(P)*x[0]
subject to
 s <= 3
""",
    {"P": np.diag([1.0, 2, 3]) + 0.3, "c": a3, "X": A43},
)
def data_atoms():
    x = cp.Variable(3)
    P = np.diag([1.0, 2, 3]) + 0.3
    s = cp.log_sum_exp(A43 @ x)
    return (
        cp.Minimize(s + cp.quad_form(x, P) + a3 @ x + A43.max(0).sum() * x[0] + np.linalg.eigvalsh(P)[-1] * x[0]),
        [s <= 3],
        {"x": x},
    )


@case(
    """
dim n
param c[n], Q[n,n] psd
derived L[n,n] = chol(Q)'
derived m = sum(L[i,i] * i for i in n) + max(c[i] for i in n) + huber(c[0]) + log_sum_exp(c)
derived v[n] = hstack(c[n-1-i] * 2 for i in n) + huber(c, M = 0.5)
derived w[n] = norm2(L, axis = 1)
var x[n]
minimize sum_squares(L @ x) + m * x[0] + v' @ x + w' @ x
""",
    {"Q": np.diag([1.0, 2, 3]) + 0.3, "c": a3},
)
def derived():
    x = cp.Variable(3)
    Q = np.diag([1.0, 2, 3]) + 0.3
    L = np.linalg.cholesky(Q).T

    def hub(z, M):
        return np.where(np.abs(z) <= M, z**2, 2 * M * np.abs(z) - M**2)

    m = L[1, 1] + 2 * L[2, 2] + a3.max() + hub(a3[0], 1) + np.log(np.exp(a3).sum())
    v = 2 * a3[::-1] + hub(a3, 0.5)
    w = np.linalg.norm(L, axis=1)
    return cp.Minimize(cp.sum_squares(L @ x) + m * x[0] + v @ x + w @ x), [], {"x": x}


@case(
    """
dim n
param c[n]
data M[n, n]
var D[n, n] diagonal, S[n, n] sparse(M), Y[n, n] symmetric, Z[n,n] nsd
minimize sum_squares(D - outer(c, ones(n))) + sum_squares(S + 1) + sum_squares(Y - outer(c, ones(n))) + sum_squares(Z - outer(c, ones(n)) + eye(n)) + sum_squares(D + S)
subject to
 Y << 2*eye(n)
 return D, S
""",
    {"c": a3, "M": np.array([[0, 1, 0], [1, 0, 1.0], [0, 0, 0]])},
)
def structured():
    D = cp.diag(cp.Variable(3))
    M = CASES["structured"][1]["M"]
    S = cp.Variable((3, 3))
    Y = cp.Variable((3, 3), symmetric=True)
    Z = cp.Variable((3, 3), NSD=True)
    C = np.outer(a3, np.ones(3))
    return (
        cp.Minimize(
            cp.sum_squares(D - C)
            + cp.sum(cp.multiply(M, cp.square(S + 1)))
            + np.sum(1 - M)
            + cp.sum_squares(Y - np.outer(a3, np.ones(3)))
            + cp.sum_squares(Z - C + np.eye(3))
            + cp.sum_squares(D + cp.multiply(M, S))
        ),
        [cp.multiply(1 - M, S) == 0, Y << 2 * np.eye(3)],
        {"S": S, "Y": Y},
    )


@case(
    """
dim n
param c[n], p
var x[n]
find
subject to
 x == c
return p * x + 1, value, sum(x[i] * i for i in n)
""",
    {"c": a3, "p": 2.0},
)
def find():
    x = cp.Variable(3)

    def post(o):
        o = list(o.values())
        assert any(v.shape == (3,) and np.allclose(v, 2 * a3 + 1) for v in o)
        assert any(np.allclose(v, a3[1] + 2 * a3[2]) for v in o if v.shape == ())

    return cp.Minimize(0), [x == a3], {"x": x}, post


@case(
    """
dim n
param a[n], K[2,2]
var x[n], X[n, n]
minimize sum_squares(convolve(a, x) - 1) + sum_squares(kron(K, X)) + sum_squares(kron(X, K) - 1) + sum_squares(cumsum(X, axis = 1) - 2) + sum_squares(diff(X, k = 2, axis = 0)) + sum_squares(X' - 3) + norm2(X) + sum(norm2(X, axis = 0)) + sum(max(X, axis = 1)) + sum_squares(vstack(x, X) + 1) + sum(mean(X, axis = 0) * a)+ sum_squares(outer(a, x))
""",
    {"a": a3, "K": np.array([[1.0, 2], [3, 4]])},
)
def layouts():
    x, X = cp.Variable(3), cp.Variable((3, 3))
    K = np.array([[1.0, 2], [3, 4]])
    o = (
        cp.sum_squares(cp.convolve(a3, x) - 1)
        + cp.sum_squares(cp.kron(K, X))
        + cp.sum_squares(cp.kron(X, K) - 1)
        + cp.sum_squares(cp.cumsum(X, axis=1) - 2)
        + cp.sum_squares(cp.diff(X, 2, axis=0))
        + cp.sum_squares(X - 3)
    )
    o += (
        cp.sigma_max(X)
        + cp.sum(cp.norm(X, 2, axis=0))
        + cp.sum(cp.max(X, axis=1))
        + cp.sum_squares(x + 1)
        + cp.sum_squares(X + 1)
        + cp.sum(cp.multiply(cp.mean(X, axis=0), a3))
        + cp.sum_squares(cp.outer(a3, x))
    )
    return cp.Minimize(o), [], {"x": x, "X": X}


@case(
    """
dim k
param C[4, 4]
var X[4, 4] symmetric
minimize sum_squares(X - C)
subject to
 partial_trace(X, [2, 2], axis = 0) == eye(2)
 partial_transpose(X, [2, 2], axis = 1) >> 0
 sum(upper_tri(X)) <= 1
""",
    {"C": R.standard_normal((4, 4))},
    {"k": 1},
)
def partial():
    X = cp.Variable((4, 4), symmetric=True)
    C = CASES["partial"][1]["C"]
    return (
        cp.Minimize(cp.sum_squares(X - C)),
        [
            cp.partial_trace(X, (2, 2), 0) == np.eye(2),
            cp.partial_transpose(X, (2, 2), 1) >> 0,
            cp.sum(cp.upper_tri(X)) <= 1,
        ],
        {"X": X},
    )


@case(
    """
dim n, T
param c[T, n], p pos
var x[T, n], t[T]
minimize sum(t) + quad_over_lin(x[0], p) + 0.1*sum_squares(x)
subject to
 s: (t, x - c) in soc
 q[i in T]: (t[i] + 1, x[i] - c[i]) in soc
 return dual s, dual q
""",
    {"c": R.standard_normal((2, 3)), "p": 0.7},
)
def soc_rows():
    x, t = cp.Variable((2, 3)), cp.Variable(2)
    c = CASES["soc_rows"][1]["c"]
    s = cp.SOC(t, x - c, axis=1)

    def post(o):
        assert o["dual.s"].shape == (2, 4) and o["dual.q"].shape == (2, 4)

    return (
        cp.Minimize(cp.sum(t) + cp.quad_over_lin(x[0], 0.7) + 0.1 * cp.sum_squares(x)),
        [s, *[cp.norm2(x[i] - c[i]) <= t[i] + 1 for i in range(2)]],
        {"x": x},
        post,
    )


@case(
    """
dim n
param c[n]
var x[n]
minimize sum_squares(x - c)
subject to
 a: x[0:2] in nonpos
 b: x[2] in zero
 return dual a, dual b
""",
    {"c": np.array([1.0, -2, 3])},
)
def flips():
    x = cp.Variable(3)
    a, b = x[:2] <= 0, x[2] == 0

    def post(o):
        assert np.allclose(o["dual.a"], a.dual_value, atol=1e-6) and np.allclose(
            o["dual.b"], b.dual_value, atol=1e-6
        ), (o["dual.a"], a.dual_value, o["dual.b"], b.dual_value)

    return cp.Minimize(cp.sum_squares(x - np.array([1.0, -2, 3]))), [a, b], {"x": x}, post


@case(
    """
dim n
param C[n, n]
var X[n, n] symmetric
minimize sum_squares(X - C)
subject to
 a: X in nsd
 b: X >> -1*eye(n)
 return dual a, dual b
""",
    {"C": R.standard_normal((3, 3))},
)
def nsd():
    X = cp.Variable((3, 3), symmetric=True)
    a, b = X << 0, X >> -np.eye(3)

    def post(o):
        assert np.allclose(o["dual.b"], b.dual_value, atol=1e-4) and np.allclose(
            o["dual.a"], a.dual_value, atol=1e-4
        ), (o["dual.a"], a.dual_value)

    return cp.Minimize(cp.sum_squares(X - CASES["nsd"][1]["C"])), [a, b], {"X": X}, post


@case(
    """
dim n
param c[n]
var x[n]
minimize c' @ x - sum(sum(log(x[i]) for j in n if j > i) for i in n)
subject to
 x[n-1] >= -3
""",
    {"c": [1.0, 2.0, 0.5]},
)
def domain_of_members_alone():
    """The last x is in no member, so that its logarithm's domain is no constraint."""
    x = cp.Variable(3)
    objective = x[0] + 2 * x[1] + 0.5 * x[2] - 2 * cp.log(x[0]) - cp.log(x[1])
    return cp.Minimize(objective), [x[2] >= -3], {"x": x}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_cvxpy(name: str) -> None:
    text, values, dims, build = CASES[name]
    objective, constraints, variables, *check = build()
    problem = cp.Problem(objective, constraints)
    problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
    program, theta = lowered(text, values, dims)
    assert_well_formed(program)
    ours = solve(program, theta)
    assert ours.value == pytest.approx(problem.value, rel=1e-6, abs=1e-6)
    for key, variable in variables.items():
        np.testing.assert_allclose(ours[key], variable.value, rtol=1e-4, atol=1e-4)
    for further in check:
        further(ours.outputs)


@pytest.mark.parametrize("strict", [False, True])
def test_vec_to_upper_tri_is_cvxpys(strict: bool) -> None:
    rng = np.random.default_rng(1)
    B = rng.normal(size=(4, 4))
    size = 6 if strict else 10
    text = f"param B[4, 4]\nvar x[{size}]\nminimize sum(square(vec_to_upper_tri(x, strict = {int(strict)}) - B)) + norm1(x)\nreturn x"
    x = cp.Variable(size)
    problem = cp.Problem(cp.Minimize(cp.sum_squares(cp.vec_to_upper_tri(x, strict=strict) - B) + cp.norm1(x)))
    problem.solve(solver="CLARABEL")
    np.testing.assert_allclose(dpplang.parse(text).solve(B=B).x, x.value, atol=1e-5)
