"""Where the peers fail silently, we do not: one section for each failure that was seen of cvxpylayers, diffcp, Moreau, qpth."""

from __future__ import annotations

import copy
import io
import pickle
import warnings

import numpy as np
import pytest

import dpplang
from dpplang import BindError, SolveError

torch = pytest.importorskip("torch")

from dpplang.torch import Layer  # noqa: E402

# ---------------------------------------------------------------- an element without a solution is never an answer

IMPOSSIBLE = {
    "linear": "param lo, hi\nvar x[2]\nminimize sum(x)\nsubject to\n  floor: x >= lo\n  top: x <= hi\n",
    "quadratic": "param lo, hi\nvar x[2]\nminimize sum_squares(x)\nsubject to\n  floor: x >= lo\n  top: x <= hi\n",
    "equalities": "param lo, hi\nvar x[2]\nminimize sum_squares(x)\nsubject to\n  one: sum(x) == max(lo, hi)\n  two: sum(x) == hi\n",
    "ball": "param lo, hi\nvar x[2]\nminimize x[0]\nsubject to\n  floor: x[1] >= lo\n  ball: norm2(x) <= hi\n",
    "semidefinite": "param lo, hi\nvar X[2, 2] psd\nminimize trace(X)\nsubject to\n  corner: X[0, 1] >= lo\n  size: trace(X) <= 2 * hi\n",
    "exponential": "param lo, hi\nvar x\nminimize x\nsubject to\n  floor: x >= lo\n  top: exp(x) <= exp(1) * hi\n",
    "logarithm": "param lo, hi\nvar x\nmaximize log(x)\nsubject to\n  floor: x >= lo\n  top: x <= hi\n",
    "power": "param lo, hi\nvar x\nminimize x\nsubject to\n  floor: x >= lo\n  top: power(x, 3) <= hi\n",
}
FEASIBLE, INFEASIBLE = (0.0, 1.0), (2.0, 0.5)  # (lo, hi)
SOLVERS = ("auto", "clarabel", "scs")


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_infeasible_raises_with_its_index_in_every_backend(kind: str, solver: str) -> None:
    text = IMPOSSIBLE[kind].replace("max(lo, hi)", "lo + hi") if kind == "equalities" else IMPOSSIBLE[kind]
    text = text.replace("exp(1)", "2.718281828")
    problem = dpplang.parse(text)
    lo, hi = (np.array(column) for column in zip(FEASIBLE, INFEASIBLE, FEASIBLE, strict=True))
    with pytest.raises(SolveError) as caught:
        problem.solve(lo=lo, hi=hi, solver=solver)
    (failure,) = caught.value.failures
    assert failure.index == (1,) and failure.status == "infeasible"
    masked = problem.solve(lo=lo, hi=hi, solver=solver, on_failure="nan")
    assert [s.ok for s in masked.status] == [True, False, True]
    assert np.isnan(masked.value[1]) and np.isfinite(masked.value[[0, 2]]).all()
    alone = problem.solve(lo=0.0, hi=1.0, solver=solver)
    np.testing.assert_allclose(masked.value[[0, 2]], alone.value, atol=1e-6)
    gradients = masked.backward({"value": np.ones(3)})
    assert all(g[1] == 0 and np.isfinite(g).all() for g in gradients.values())


@pytest.mark.parametrize("solver", SOLVERS)
def test_unbounded_raises(solver: str) -> None:
    problem = dpplang.parse("param c[2]\nvar x[2]\nminimize c' @ x\nsubject to\n  floor: x >= 0\n")
    with pytest.raises(SolveError, match=r"at batch index 1: unbounded.*`x`"):
        problem.solve(c=np.array([[1.0, 1.0], [1.0, -1.0]]), solver=solver)


# ---------------------------------------------------------------- limits, NaN, indefinite matrices, misspelt options

QP = """
dim n
param Q[n, n] symmetric, c[n], b
var x[n]
minimize quad_form(x, Q) + c' @ x
subject to
  mass: sum(x) == b
  ball: norm2(x) <= 3
"""
PSD_QP = QP.replace("symmetric", "psd")
VALUES = {"Q": np.eye(2), "c": np.array([1.0, -1.0]), "b": np.array(1.0)}


@pytest.mark.parametrize("solver", SOLVERS)
def test_iteration_limit_raises(solver: str) -> None:
    with pytest.raises(SolveError, match="iteration limit"):
        dpplang.parse(PSD_QP).solve(VALUES, solver=solver, max_iterations=1, accept_inaccurate=0)


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_are_named(name: str, bad: float) -> None:
    values = {k: np.array(v) for k, v in VALUES.items()}
    values[name].reshape(-1)[-1] = bad
    for solve in (
        lambda: dpplang.parse(PSD_QP).solve(values),
        lambda: Layer(dpplang.parse(PSD_QP))(**{k: torch.tensor(v) for k, v in values.items()}),
    ):
        with pytest.raises(BindError, match=f"`{name}` is") as caught:
            solve()
        assert caught.value.diagnostics[0].code == "BND714"


def test_an_indefinite_matrix_is_refused_with_its_eigenvalue() -> None:
    values = VALUES | {"Q": np.stack((np.eye(2), np.diag([1.0, -0.5])))}
    with pytest.raises(BindError, match="declared psd") as caught:
        dpplang.parse(PSD_QP).solve(values)
    assert "-0.5" in str(caught.value) and caught.value.diagnostics[0].code == "BND715"


@pytest.mark.parametrize(
    "make", [lambda **o: dpplang.parse(PSD_QP).solve(VALUES, options=o), lambda **o: Layer(dpplang.parse(PSD_QP), **o)]
)
def test_a_misspelt_option_is_an_error_with_the_right_one(make) -> None:
    with pytest.raises(BindError, match="did you mean `max_iterations`"):
        make(max_iteration=5)
    with pytest.raises(BindError, match="did you mean `clarabel`"):
        make(solver="clarable")


# ---------------------------------------------------------------- cones that stand on plain variables are not dropped


def test_signs_balls_and_semidefinite_variables_hold() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 10))
    relu = dpplang.parse(
        "dim n\nparam x[n]\nvar y[n]\nminimize sum_squares(y - x)\nsubject to\n  floor: y >= 0\n"
    ).solve(x=x)
    np.testing.assert_allclose(relu.y, np.maximum(x, 0), atol=1e-9)
    ball = dpplang.parse(
        "dim n\nparam c[n]\nvar x[n]\nminimize sum_squares(x - c)\nsubject to\n  ball: norm2(x) <= 1\n"
    ).solve(c=x)
    np.testing.assert_allclose(ball.x, x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1), atol=1e-8)
    C = rng.normal(size=(3, 5, 5))
    C = C + C.swapaxes(1, 2)
    psd = dpplang.parse("dim n\nparam C[n, n] symmetric\nvar X[n, n] psd\nminimize sum_squares(X - C)\n").solve(C=C)
    values, vectors = np.linalg.eigh(C)
    np.testing.assert_allclose(psd.X, (vectors * np.maximum(values, 0)[:, None, :]) @ vectors.swapaxes(1, 2), atol=1e-8)


# ---------------------------------------------------------------- gradients: tiny, shared, symmetric, exact

KINDS = {
    "quadratic": (
        "dim n\nparam c[n], s\nvar x[n]\nminimize sum_squares(x - c) + s * sum(x)\nsubject to\n  floor: x >= 0\n"
    ),
    "conic": "dim n\nparam c[n], s\nvar x[n]\nminimize sum_squares(x - c) + s * sum(x)\nsubject to\n  ball: norm2(x) <= 1\n",
    "smooth": "dim n\nparam c[n], s\nvar x[n]\nminimize sum(logistic(x)) + sum_squares(x - c) + s * sum(x)\n",
}


@pytest.mark.parametrize("mode", ["exact", "least_squares", "diffcp", "smoothed"])
@pytest.mark.parametrize("kind", KINDS)
def test_tiny_upstream_gradients_are_not_zeroed(kind: str, mode: str) -> None:
    solution = dpplang.parse(KINDS[kind]).solve(c=np.array([0.9, -0.4, 1.5]), s=0.3, options={"derivative": mode})
    upstream = np.array([1.0, -2.0, 0.5])
    full, tiny = (solution.backward({"x": scale * upstream}) for scale in (1.0, 1e-12))
    for name in full:
        np.testing.assert_allclose(tiny[name], 1e-12 * full[name], rtol=1e-9, atol=1e-25)
    assert np.abs(full["c"]).max() > 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_a_parameter_that_the_batch_shares_gets_the_sum(kind: str) -> None:
    c = np.random.default_rng(1).normal(size=(7, 3))
    problem, upstream = dpplang.parse(KINDS[kind]), np.random.default_rng(2).normal(size=(7, 3))
    shared = problem.solve(c=c, s=0.3).backward({"x": upstream})["s"]
    each = problem.solve(c=c, s=np.full(7, 0.3)).backward({"x": upstream})["s"]
    assert shared.shape == () and each.shape == (7,)
    np.testing.assert_allclose(shared, each.sum(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("attribute", ["symmetric", "psd"])
def test_a_symmetric_parameter_gets_a_symmetric_gradient(attribute: str) -> None:
    text = f"param A[2, 2] {attribute}\nvar x\nminimize square(x - A[0, 1]) + A[1, 1] * x\n"
    A = torch.tensor([[1.0, 0.2], [0.2, 1.0]], dtype=torch.float64, requires_grad=True)
    Layer(dpplang.parse(text))(A=A)[0].backward()
    np.testing.assert_allclose(A.grad, [[0.0, 0.5], [0.5, -0.5]], atol=1e-9)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("nonneg", [[1.0, -1e-3], [0.0, 1.0]]), ("pos", [[1.0, 0.0], [1.0, 1.0]]), ("nonpos", [[1e-3, 0.0], [0.0, 0.0]]),
        ("psd", [[1.0, 2.0], [2.0, 1.0]]), ("nsd", [[-1.0, 2.0], [2.0, -1.0]]), ("symmetric", [[1.0, 2.0], [0.0, 1.0]]),
        ("diagonal", [[1.0, 1e-3], [0.0, 1.0]]),
    ],
)  # fmt: skip
def test_what_is_declared_is_checked(attribute: str, value: list[list[float]]) -> None:
    layer = Layer(dpplang.parse(f"param A[2, 2] {attribute}\nvar x\nminimize square(x - A[0, 0])\n"))
    with pytest.raises(BindError, match=f"`A` is declared {attribute}"):
        layer(A=torch.tensor(value, dtype=torch.float64))


def test_ill_conditioned_gradients_are_exact() -> None:
    """An equality-constrained QP of condition 1e10, where LSQR stops short: against the closed form."""
    text = "dim n, p\nparam c[n]\ndata w[n] nonneg, A[p, n]\nvar x[n]\nminimize 0.5 * sum(w * square(x)) - c' @ x\nsubject to\n  eq: A @ x == 0\n"
    rng = np.random.default_rng(3)
    w, A, c, upstream = np.geomspace(1e-5, 1e5, 12), rng.normal(size=(4, 12)), rng.normal(size=12), rng.normal(size=12)
    system = np.block([[np.diag(w), A.T], [A, np.zeros((4, 4))]])
    expected = np.linalg.solve(system, np.concatenate((upstream, np.zeros(4))))[:12]
    found = dpplang.parse(text).solve(c=c, w=w, A=A).backward({"x": upstream})["c"]
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9 * np.abs(expected).max())


CURVED = {
    "exponential": "dim n\nparam c[n], s pos\nvar x[n], t\nminimize t + c' @ x\nsubject to\n  top: sum(exp(x)) <= s\n  above: norm2(x) <= t\n",
    "power": "dim n\nparam c[n], s pos\nvar x[n]\nminimize sum(power(abs(x), 2.5)) + c' @ x\nsubject to\n  cap: sum(power(abs(x), 1.5)) <= s\n",
    "geometric mean": "dim n\nparam c[n], s pos\nvar x[n]\nminimize sum_squares(x + c) - 3 * geo_mean(x)\nsubject to\n  cap: sum(x) <= s\n",
    "entropy": "dim n\nparam c[n], s pos\nvar x[n]\nmaximize sum(entr(x)) - c' @ x\nsubject to\n  mass: sum(x) == s\n  ball: norm2(x) <= s\n",
}


@pytest.mark.parametrize("solver", ["auto", "clarabel"])
@pytest.mark.parametrize("kind", CURVED)
def test_exponential_and_power_cones_differentiate_right(kind: str, solver: str) -> None:
    problem, rng = dpplang.parse(CURVED[kind]), np.random.default_rng(4)
    c, s = 0.3 * rng.normal(size=3), 1.4
    upstream, dc, ds, h = rng.normal(size=3), rng.normal(size=3), rng.normal(), 1e-5
    gradients = problem.solve(c=c, s=s, solver=solver, refine=3).backward({"x": upstream})
    ahead, behind = (problem.solve(c=c + e * h * dc, s=s + e * h * ds, solver=solver, refine=3).x for e in (1, -1))
    numeric = upstream @ (ahead - behind) / (2 * h)
    assert gradients["c"] @ dc + gradients["s"] * ds == pytest.approx(numeric, rel=1e-6, abs=1e-8)


# ---------------------------------------------------------------- tensors: dtypes, batches, copies


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_dtype_in_is_dtype_out(kind: str, dtype) -> None:
    layer = Layer(dpplang.parse(KINDS[kind]))
    c = torch.tensor([0.9, -0.4, 1.5], dtype=dtype, requires_grad=True)
    s = torch.tensor(0.25, dtype=dtype, requires_grad=True)
    solution = layer(c=c, s=s)
    assert solution.x.dtype == solution.value.dtype == dtype
    solution.x.sum().backward()
    assert c.grad.dtype == s.grad.dtype == dtype and torch.isfinite(c.grad).all()
    exact = layer(c=c.detach().double(), s=s.detach().double())
    torch.testing.assert_close(solution.x.double(), exact.x, rtol=0, atol=4 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("batch", [(), (0,), (3, 0), (1,), (2, 3), (2, 1, 2)])
@pytest.mark.parametrize("kind", KINDS)
def test_any_batch_dims(kind: str, batch: tuple[int, ...]) -> None:
    layer, generator = Layer(dpplang.parse(KINDS[kind])), torch.Generator().manual_seed(0)
    c = torch.randn(*batch, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    s = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    solution = layer(c=c, s=s)
    assert solution.x.shape == (*batch, 3) and solution.value.shape == solution.status.shape == batch
    solution.x.sum().backward()
    assert c.grad.shape == c.shape and s.grad.shape == ()
    flat = c.detach().reshape(-1, 3)
    for one, many in zip(flat, solution.x.detach().reshape(-1, 3), strict=True):
        torch.testing.assert_close(layer(c=one, s=s.detach()).x, many, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_layers_are_copied_pickled_and_saved(kind: str) -> None:
    layer = Layer(dpplang.parse(KINDS[kind]), tolerance=1e-8)
    c = torch.tensor([0.9, -0.4, 1.5], dtype=torch.float64)
    expected = layer(c=c, s=0.3).x
    buffer = io.BytesIO()
    torch.save(layer, buffer)
    buffer.seek(0)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), torch.load(buffer, weights_only=False)):
        assert twin.options == layer.options
        torch.testing.assert_close(twin(c=c, s=0.3).x, expected, rtol=0, atol=0)
    assert layer.state_dict() == {}


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_wants_a_gradient_gets_one(kind: str) -> None:
    layer = Layer(dpplang.parse(KINDS[kind]))
    c = torch.tensor([0.9, -0.4, 1.5], dtype=torch.float64, requires_grad=True)
    s = torch.tensor(0.3, dtype=torch.float64)
    layer(c=c, s=s).x.sum().backward()
    assert c.grad is not None and s.grad is None
    with torch.no_grad():
        assert not layer(c=c, s=s).x.requires_grad


# ---------------------------------------------------------------- elements do not see their neighbours


@pytest.mark.parametrize("kind", KINDS)
def test_elements_do_not_depend_on_their_neighbours(kind: str) -> None:
    """Alone and in a batch: the same to 1e-12; Newton's method, which steps until the last is done, to its tolerance."""
    accuracy = 1e-10 if kind == "smooth" else 1e-12
    rng = np.random.default_rng(5)
    c, upstream = rng.normal(size=(9, 3)), rng.normal(size=(9, 3))
    problem = dpplang.parse(KINDS[kind])
    together = problem.solve(c=c, s=0.3)
    gradients = together.backward({"x": upstream})["c"]
    for i in range(9):
        alone = problem.solve(c=c[i], s=0.3)
        np.testing.assert_allclose(together.x[i], alone.x, rtol=0, atol=accuracy)
        np.testing.assert_allclose(gradients[i], alone.backward({"x": upstream[i]})["c"], rtol=0, atol=10 * accuracy)


def test_nothing_is_warned_of_where_all_is_well() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for text in KINDS.values():
            dpplang.parse(text).solve(c=np.array([[0.9, -0.4, 1.5]]), s=0.3).backward({"x": np.ones((1, 3))})


def test_results_are_read_by_position_as_those_of_cvxpylayers() -> None:
    layer = Layer(dpplang.parse(KINDS["conic"] + "return x, dual ball\n"))
    result = layer(c=torch.tensor([0.9, -0.4, 1.5], dtype=torch.float64), s=0.3)
    x, price = result
    assert torch.equal(result[0], x) and torch.equal(result[-1], price) and torch.equal(result["x"], x)
    with pytest.raises(IndexError):
        result[2]
