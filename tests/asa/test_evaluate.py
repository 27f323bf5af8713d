"""Every operation: against NumPy, NumPy against torch, the reverse pass against torch's, batches against single calls."""

from __future__ import annotations

from dataclasses import dataclass, field

import array_api_compat.torch as xt
import numpy as np
import pytest
import scipy.linalg
import torch

from dpplang.asa.evaluate import LEAVES, RULES, evaluate, in_order
from dpplang.asa.evaluate_vjp import evaluate_vjp
from dpplang.asa.numeric import Numeric
from tests.asa.build import const, op, ref

RNG = np.random.default_rng(0)


@dataclass(frozen=True)
class Case:
    """An expression over ``a``, ``b``, ``c`` of these shapes; ``like`` says what its value is in NumPy."""

    name: str
    numeric: Numeric
    shapes: dict[str, tuple[int, ...]]
    like: object = None
    kind: str = "any"
    smooth: bool = field(default=True)


def _case(name, shape, *shapes, like=None, kind="any", smooth=True, **options):
    names = "abc"[: len(shapes)]
    args = [ref(n, *s) for n, s in zip(names, shapes, strict=True)]
    return Case(
        f"{name}{list(shapes)}{options or ''}",
        op(name, *args, shape=shape, **options),
        dict(zip(names, shapes, strict=True)),
        like,
        kind,
        smooth,
    )


V, W, M, S = (3,), (4,), (3, 4), (3, 3)
CASES = [
    *(
        _case(f, s, s, t, like=g)
        for f, g in {"add": np.add, "sub": np.subtract, "mul": np.multiply}.items()
        for s, t in ((M, M), (M, ()), ((), ()))
    ),
    _case("mul", M, (), M, like=np.multiply),
    _case("div", M, M, (), like=np.divide),
    _case("div", V, (), V, like=np.divide),
    _case("neg", M, M, like=np.negative),
    _case("pow", V, V, V, like=np.power, kind="positive"),
    *(_case(f, M, M, like=getattr(np, f), kind="positive") for f in ("exp", "log", "log1p", "sqrt")),
    *(_case(f, M, M, like=getattr(np, f)) for f in ("abs", "sign", "tanh", "sin", "cos", "floor")),
    _case("sigmoid", M, M, like=lambda x: 1 / (1 + np.exp(-x))),
    _case("maximum", V, V, V, like=np.maximum),
    _case("minimum", V, V, (), like=np.minimum),
    _case("where", V, V, V, (), like=lambda c, a, b: np.where(c != 0, a, b)),
    *(
        _case(f, V, V, V, like=lambda a, b, g=g: g(a, b) * 1.0)
        for f, g in {
            "le": np.less_equal,
            "lt": np.less,
            "ge": np.greater_equal,
            "gt": np.greater,
            "eq": np.equal,
            "ne": np.not_equal,
            "and": np.logical_and,
            "or": np.logical_or,
        }.items()
    ),
    _case("not", V, V, like=lambda a: np.logical_not(a) * 1.0),
    *(_case(f, (), M, like=getattr(np, f), axis=None) for f in ("sum", "mean", "prod", "max", "min")),
    *(
        _case(f, (4,), M, like=lambda x, f=f: getattr(np, f)(x, axis=0), axis=0)
        for f in ("sum", "mean", "prod", "max", "min")
    ),
    _case("norm1", (), M, like=lambda x: np.abs(x).sum(), axis=None),
    _case("norm_inf", (), M, like=lambda x: np.abs(x).max(), axis=None),
    _case("norm_inf", (3,), M, like=lambda x: np.abs(x).max(1), axis=1),
    _case("norm_fro", (), M, like=lambda x: np.linalg.norm(x), axis=None),
    _case("norm2", (), M, like=lambda x: np.linalg.norm(x, 2), axis=None),
    _case("norm2", (3,), M, like=lambda x: np.linalg.norm(x, axis=1), axis=1),
    _case("norm2", (), V, like=np.linalg.norm, axis=None),
    _case("softmax", M, M, like=lambda x: np.exp(x) / np.exp(x).sum(0), axis=0),
    _case("softmax", V, V, like=lambda x: np.exp(x) / np.exp(x).sum(), axis=None),
    _case("sort", M, M, like=lambda x: np.sort(x, axis=0), axis=0),
    _case("sort", V, V, like=np.sort, axis=None),
    _case("cumsum", M, M, like=lambda x: np.cumsum(x, axis=1), axis=1),
    _case("cumsum", V, V, like=np.cumsum, axis=0),
    _case("diff", (1, 4), M, like=lambda x: np.diff(x, 2, axis=0), axis=0, k=2),
    _case("diff", (3, 3), M, like=lambda x: np.diff(x, 1, axis=1), axis=1),
    _case("diff", (2,), V, like=np.diff, axis=0, k=1),
    _case("matmul", (), V, V, like=np.matmul),
    _case("matmul", V, M, W, like=np.matmul),
    _case("matmul", W, V, M, like=np.matmul),
    _case("matmul", (3, 2), M, (4, 2), like=np.matmul),
    _case("outer", M, V, W, like=np.outer),
    _case("kron", (6, 8), M, (2, 2), like=np.kron),
    _case("kron", (12,), V, W, like=np.kron),
    _case("convolve", (6,), V, W, like=np.convolve),
    _case("convolve", (6,), W, V, like=np.convolve),
    _case("transpose", (4, 3), M, like=np.transpose),
    _case("transpose", V, V, like=np.transpose),
    _case("transpose", (4, 3, 2), (2, 3, 4), like=np.transpose),
    _case("diag", S, V, like=np.diag),
    _case("diag", V, S, like=np.diag),
    _case("trace", (), S, like=np.trace),
    _case("hstack", (8,), V, (), W, like=lambda *a: np.hstack(a)),
    _case("hstack", (3, 6), M, (3, 2), like=lambda *a: np.hstack(a)),
    _case("hstack", (2,), (), (), like=lambda *a: np.hstack(a)),
    _case("vstack", (3, 3), V, (2, 3), like=lambda *a: np.vstack(a)),
    _case("vstack", (2, 1), (), (), like=lambda *a: np.vstack(a)),
    _case("stack", (2, 3, 4), M, M, like=lambda *a: np.stack(a)),
    _case("stack", (2,), (), (), like=lambda *a: np.stack(a)),
    _case("reshape", (2, 6), M, like=lambda x: x.reshape(2, 6)),
    _case("reshape", (), (1, 1), like=lambda x: x.reshape(())),
    _case("spread", M, (), like=lambda x: np.full(M, x)),
    _case("upper_tri", (3,), S, like=lambda x: x[np.triu_indices(3, 1)]),
    _case(
        "partial_trace",
        (4, 4),
        (12, 12),
        dims=(2, 3, 2),
        axis=1,
        like=lambda x: np.einsum("abcdbf->acdf", x.reshape(2, 3, 2, 2, 3, 2)).reshape(4, 4),
    ),
    _case(
        "partial_transpose",
        (12, 12),
        (12, 12),
        dims=(2, 3, 2),
        axis=1,
        like=lambda x: np.einsum("abcdef->aecdbf", x.reshape(2, 3, 2, 2, 3, 2)).reshape(12, 12),
    ),
    _case("take", (2,), M, like=lambda x: x[1, 1:3], items=(1, (1, 3))),
    _case("take", (2, 4), M, like=lambda x: x[0:2], items=((0, 2),)),
    _case("take", (), V, like=lambda x: x[2], items=(2,)),
    _case("chol", S, S, like=np.linalg.cholesky, kind="definite"),
    _case("inv", S, S, like=np.linalg.inv, kind="definite"),
    _case("sqrtm", S, S, kind="definite"),
    _case("logm", S, S, like=lambda x: scipy.linalg.logm(x), kind="definite"),
    _case("eigvalsh", V, S, like=np.linalg.eigvalsh, kind="definite"),
    _case("svdvals", V, M, like=lambda x: np.linalg.svd(x, compute_uv=False)),
    _case("det", (), S, like=np.linalg.det),
    _case("logdet", (), S, like=lambda x: np.log(np.linalg.det(x)), kind="definite"),
    _case("solve", V, S, V, like=np.linalg.solve),
    _case("solve", M, S, M, like=np.linalg.solve),
]
IDS = [c.name for c in CASES]


def _draw(case: Case, batches: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    values = {}
    for name, shape in case.shapes.items():
        x = RNG.standard_normal((*batches.get(name, ()), *shape))
        if case.kind == "positive":
            x = np.abs(x) + 0.1
        if case.kind == "definite":
            x = x @ np.swapaxes(x, -1, -2) + 0.3 * np.eye(shape[-1])
        values[name] = x
    return values


def _torch(values, *, grad=False):
    return {k: torch.tensor(v, requires_grad=grad) for k, v in values.items()}


def test_every_operation_has_a_case():
    assert {c.numeric.op for c in CASES} == set(RULES)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_value_is_numpys(case):
    values = _draw(case, {})
    found = evaluate(case.numeric, values, np)
    assert found.shape == case.numeric.shape
    if case.numeric.op == "sqrtm":
        np.testing.assert_allclose(found @ found, values["a"], atol=1e-12)
    else:
        np.testing.assert_allclose(found, case.like(*values.values()), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_batches_broadcast_on_numpy_and_torch(case):
    """Batch dims [2, 1], [5] and none, together [2, 5]: each element is the single call's."""
    batches = dict(zip(case.shapes, [(2, 1), (5,), ()], strict=False))
    values = _draw(case, batches)
    batch = np.broadcast_shapes(*(batches[n] for n in case.shapes))
    found = evaluate(case.numeric, values, np)
    assert found.shape == (*batch, *case.numeric.shape)
    np.testing.assert_allclose(evaluate(case.numeric, _torch(values), xt).numpy(), found, rtol=1e-9, atol=1e-10)
    spread = {n: np.broadcast_to(v, (*batch, *case.shapes[n])) for n, v in values.items()}
    for index in np.ndindex(*batch):
        single = evaluate(case.numeric, {n: v[index] for n, v in spread.items()}, np)
        np.testing.assert_allclose(found[index], single, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_reverse_pass_is_torchs(case):
    values = _draw(case, dict(zip(case.shapes, [(2, 1), (5,), ()], strict=False)))
    tensors = _torch(values, grad=True)
    out = evaluate(case.numeric, tensors, xt)
    g = RNG.standard_normal(out.shape)
    found = evaluate_vjp(case.numeric, values, g)
    if out.requires_grad:
        out.backward(torch.tensor(g))
    for name, tensor in tensors.items():
        expected = np.zeros(tensor.shape) if tensor.grad is None else tensor.grad.numpy()
        assert found[name].shape == expected.shape
        np.testing.assert_allclose(found[name], expected, rtol=1e-7, atol=1e-9)


def test_reverse_pass_of_stacked_scalars_without_a_batch():
    numeric = op("hstack", ref("a"), ref("b"), shape=(2,))
    found = evaluate_vjp(numeric, {"a": np.asarray(1.0), "b": np.asarray(2.0)}, np.array([3.0, 4.0]))
    assert (found["a"], found["b"]) == (3, 4)


@pytest.mark.parametrize("name", ["chol", "sqrtm", "logm", "logdet", "eigvalsh"])
def test_gradients_of_symmetric_matrix_functions_are_symmetric_and_right(name):
    shape = {"chol": S, "sqrtm": S, "logm": S, "logdet": (), "eigvalsh": V}[name]
    numeric = op(name, ref("a", *S), shape=shape)
    x = RNG.standard_normal(S)
    x = x @ x.T + np.eye(3)
    g = RNG.standard_normal(shape)
    grad = evaluate_vjp(numeric, {"a": x}, g)["a"]
    np.testing.assert_allclose(grad, grad.T, atol=1e-12)
    step = RNG.standard_normal(S)
    step = 1e-6 * (step + step.T)
    change = evaluate(numeric, {"a": x + step}, np) - evaluate(numeric, {"a": x - step}, np)
    np.testing.assert_allclose((g * change).sum() / 2, (grad * step).sum(), rtol=1e-6)


def test_square_root_where_eigenvalues_coincide():
    """d√A at A = 4I is dA/4, which a derivative through eigenvectors cannot see."""
    x = torch.full((3,), 4.0, dtype=torch.float64).diag().requires_grad_()
    g = torch.tensor(RNG.standard_normal(S))
    evaluate(op("sqrtm", ref("a", *S), shape=S), {"a": x}, xt).backward(g)
    np.testing.assert_allclose(x.grad.numpy(), (g + g.T).numpy() / 8, atol=1e-12)


def test_logarithm_where_eigenvalues_coincide_or_nearly():
    """d log A at A = 4I is dA/4; a quotient of differences would cancel at 4 and 4 + 1e-13."""
    for gap in (0.0, 1e-13):
        x = torch.tensor([4.0, 4.0 + gap, 4.0], dtype=torch.float64).diag().requires_grad_()
        g = torch.tensor(RNG.standard_normal(S))
        evaluate(op("logm", ref("a", *S), shape=S), {"a": x}, xt).backward(g)
        np.testing.assert_allclose(x.grad.numpy(), (g + g.T).numpy() / 8, atol=1e-12)


def test_square_root_in_forward_mode():
    x = torch.tensor(RNG.standard_normal(S))
    x = x @ x.T + torch.eye(3)
    numeric = op("sqrtm", ref("a", *S), shape=S)
    assert torch.autograd.gradcheck(
        lambda a: evaluate(numeric, {"a": a}, xt), (x.requires_grad_(),), check_forward_ad=True
    )


@pytest.mark.parametrize(
    ("numeric", "value"),
    [
        (op("sqrt", ref("a")), 0.0),
        (op("norm2", ref("a", 3), axis=None), [0.0, 0.0, 0.0]),
        (op("norm2", ref("a", 2, 2), axis=None), [[0.0, 0.0], [0.0, 0.0]]),
        (op("pow", ref("a"), const(0.5)), 0.0),
        (op("where", op("gt", ref("a"), const(0.0)), op("log", ref("a")), const(0.0)), -1.0),
        (op("where", op("gt", ref("a"), const(0.0)), op("sqrt", ref("a")), ref("a")), -2.0),
        (op("where", op("ne", ref("a"), const(0.0)), op("div", const(1.0), ref("a")), ref("a")), 0.0),
        (op("where", op("lt", ref("a"), const(9.0)), op("exp", ref("a")), ref("a")), 1e4),
        (op("where", op("gt", ref("a"), const(0.0)), op("pow", ref("a"), const(1.5)), ref("a")), -3.0),
        (op("max", ref("a", 3), axis=None), [1.0, 1.0, 0.0]),
        (op("prod", ref("a", 3), axis=None), [0.0, 0.0, 2.0]),
        (op("abs", ref("a")), 0.0),
        (op("det", ref("a", 2, 2)), [[1.0, 2.0], [2.0, 4.0]]),
    ],
    ids=lambda v: v.op if isinstance(v, Numeric) else "",
)
def test_gradient_traps_give_finite_subgradients(numeric, value):
    x = np.asarray(value)
    tensor = torch.tensor(x, requires_grad=True)
    out = evaluate(numeric, {"a": tensor}, xt)
    assert torch.isfinite(out).all()
    out.backward()
    found = evaluate_vjp(numeric, {"a": x}, np.ones(()))["a"]
    assert np.isfinite(found).all()
    np.testing.assert_allclose(tensor.grad.numpy(), found, atol=1e-9)


@pytest.mark.parametrize("base", [-2.0, -1.5, 0.0, 0.5, 2.0])
@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 3.0])
def test_integral_powers_of_any_base(base, exponent):
    numeric = op("pow", ref("a"), const(exponent))
    assert evaluate(numeric, {"a": np.asarray(base)}, np) == base**exponent
    slope = exponent * base ** (exponent - 1) if exponent else 0.0
    np.testing.assert_allclose(evaluate_vjp(numeric, {"a": np.asarray(base)}, np.ones(()))["a"], slope)


@pytest.mark.parametrize("name", ["chol", "inv", "sqrtm", "logm", "logdet", "solve"])
@pytest.mark.parametrize("namespace", [np, xt], ids=["numpy", "torch"])
def test_one_bad_element_leaves_the_others_alone(name, namespace):
    """Indefinite for the symmetric functions, singular for the others."""
    good = np.array([[2.0, 1.0], [1.0, 2.0]])
    bad = np.array([[1.0, 1.0], [1.0, 1.0]]) if name in ("inv", "solve") else np.array([[1.0, 2.0], [2.0, 1.0]])
    shape = {"logdet": (), "solve": (2,)}.get(name, (2, 2))
    more = (const((1.0, 2.0), 2),) if name == "solve" else ()
    numeric = op(name, ref("a", 2, 2), *more, shape=shape)
    values = {"a": np.stack([good, bad, good])}
    found = np.asarray(evaluate(numeric, values if namespace is np else _torch(values), namespace))
    assert np.isnan(found[1]).any()
    np.testing.assert_allclose(found[[0, 2]], np.stack([evaluate(numeric, {"a": good}, np)] * 2))


def test_a_matrix_that_is_not_symmetric_has_no_cholesky_factor():
    lower = evaluate(op("chol", ref("a", 2, 2), shape=(2, 2)), {"a": np.array([[2.0, 1], [0, 2]])}, np)
    assert np.isnan(lower[np.tril_indices(2)]).all()


@pytest.mark.parametrize("name", ["chol", "sqrtm", "logm", "logdet", "eigvalsh", "svdvals", "norm2", "det", "inv"])
@pytest.mark.parametrize("namespace", [np, xt], ids=["numpy", "torch"])
def test_nan_in_one_element_stays_there(name, namespace):
    """LAPACK refuses a whole stack for one NaN."""
    shape = {"logdet": (), "det": (), "norm2": (), "eigvalsh": (2,), "svdvals": (2,)}.get(name, (2, 2))
    numeric = op(name, ref("a", 2, 2), shape=shape, axis=None)
    values = {"a": np.stack([np.eye(2), np.full((2, 2), np.nan), 2 * np.eye(2)])}
    tensors = _torch(values, grad=True)
    out = evaluate(numeric, values if namespace is np else tensors, namespace)
    found = out if namespace is np else out.detach().numpy()
    assert np.isnan(found[1]).any() and np.isfinite(found[[0, 2]]).all()
    if namespace is xt:
        out[[0, 2]].sum().backward()
        assert torch.isfinite(tensors["a"].grad[[0, 2]]).all()


def test_dtype_and_shared_nodes():
    shared = op("exp", ref("a", 2), shape=(2,))
    numeric = op("add", shared, op("mul", shared, const((1.0, 2.0), 2), shape=(2,)), shape=(2,))
    assert len(in_order(numeric)) == 5
    found = evaluate(numeric, {"a": np.ones(2, dtype=np.float32)}, np)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.e * np.array([2, 3]), rtol=1e-6)


def test_a_sum_of_many_terms_needs_no_deep_stack():
    numeric = ref("a")
    for _ in range(20_000):
        numeric = op("add", numeric, const(1.0))
    assert evaluate(numeric, {"a": np.asarray(1.0)}, np) == 20_001
    assert evaluate_vjp(numeric, {"a": np.asarray(1.0)}, np.ones(()))["a"] == 1


def test_leaves():
    assert {"full", "eye"} <= LEAVES
    np.testing.assert_array_equal(evaluate(op("full", shape=(2, 2), value=3.0), {}, np), np.full((2, 2), 3.0))
    np.testing.assert_array_equal(evaluate(op("eye", shape=(2, 3)), {}, np), np.eye(2, 3))
    np.testing.assert_array_equal(evaluate(const(((1.0, 2.0), (3.0, 4.0)), 2, 2), {}, np), [[1, 2], [3, 4]])
