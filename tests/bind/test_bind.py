"""Binding: broadcasting, and every way a value can be wrong, in the words the user sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from dpplang.asa.program import Parameter
from dpplang.core.errors import BindError
from dpplang.runtime.bind import bind, unflatten
from tests.bind.programs import box, interval, least, parameters

G = np.array([1.0, -2.0, 3.0])


def _with(attributes, shape=(2, 2), support=None):
    """A program whose only parameter is ``p`` with these attributes (what else it holds does not matter here)."""
    return replace(interval(), parameters=(Parameter("p", shape, 0, attributes, support=support),))


def _messages(program, *positional, **values) -> str:
    with pytest.raises(BindError) as error:
        bind(program, values, positional)
    return "\n".join(f"{d.code}: {d.message} | {'; '.join((*d.notes, *d.help))}" for d in error.value.diagnostics)


def test_theta_in_order_with_derived_parameters():
    bound = bind(box(), {"g": G, "z": 0.5, "lower": 2})
    assert bound.batch == ()
    g, z, lower, w, q = bound.theta
    np.testing.assert_allclose(g, [G])
    np.testing.assert_allclose(w, [[np.exp(0.5)]])
    np.testing.assert_allclose(q, [-G * np.exp(0.5)])
    assert z.shape == lower.shape == (1, 1)


def test_batch_dims_broadcast_and_what_is_shared_keeps_one_row():
    values = {"g": np.ones((4, 1, 3)), "z": np.zeros(5), "lower": 0.0}
    bound = bind(box(), values)
    assert bound.batch == (4, 5)
    assert [t.shape[0] for t in bound.theta] == [20, 20, 1, 20, 20]
    alone = bind(box(), {"g": np.ones((7, 3)), "z": 0.0, "lower": 0.0})
    assert [t.shape[0] for t in alone.theta] == [7, 1, 1, 1, 7]


def test_an_empty_batch():
    bound = bind(box(), {"g": np.ones((0, 3)), "z": 0.0, "lower": 0.0})
    assert bound.batch == (0,)
    assert [t.shape for t in bound.theta] == [(0, 3), (1, 1), (1, 1), (1, 1), (0, 3)]


def test_unflatten_is_the_transpose_of_flatten():
    bound = bind(box(), {"g": np.ones((4, 1, 3)), "z": np.zeros(5), "lower": np.zeros((1, 1))})
    g, z, lower = bound.theta[:3]
    assert lower.shape == (1, 1)
    rng = np.random.default_rng(0)
    for parameter, theta in zip(box().parameters, (g, z, lower), strict=False):
        gradient = rng.standard_normal(theta.shape)
        back = unflatten(parameter, gradient, bound)
        assert back.shape == bound.values[parameter.name].shape
        np.testing.assert_allclose(back.sum(), gradient.sum())


def test_by_position_and_by_name():
    bound = bind(box(), {"lower": 1.0}, (G, 0.0))
    np.testing.assert_allclose(bound.theta[2], [[1.0]])
    assert "BND718: 4 values by position for 3 parameters" in _messages(box(), G, 0.0, 1.0, 2.0)
    assert "`g` is given by position and by name" in _messages(box(), G, 0.0, 1.0, g=G)


def test_names_that_do_not_exist_and_missing_ones_come_together():
    text = _messages(box(), g=G, lowr=1.0, w=1.0)
    assert "BND710: there is no parameter `lowr` | did you mean `lower`?" in text
    assert "BND710: `w` is derived" in text
    assert "BND711: `z` has no value | `z` is declared at m.dpp:2:7; expected: a scalar" in text
    assert "BND711: `lower` has no value" in text


def test_shapes():
    text = _messages(box(), g=np.ones((3, 4)), z=0.0, lower=0.0)
    assert "BND712: `g` of shape [3, 4] has size 4 along axis -1, where 3 (the dim `n`) is expected" in text
    text = _messages(least(), Q=np.ones(2), c=np.ones(5), lo=0.0, t=0.0)
    assert "`Q` of shape [2] has 1 axis, and its own shape has 2" in text
    assert "`c` of shape [5] has size 5 along axis 0, where 2 (the dim `n`) is expected" in text


def test_batch_dims_that_do_not_broadcast():
    text = _messages(box(), g=np.ones((4, 3)), z=np.zeros(5), lower=0.0)
    assert "BND716: the batch dims do not broadcast: `g` has [4], `z` has [5]" in text


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("text", "dtype is <U4"),
        (1j, "complex"),
        ([[1.0], [2.0, 3.0]], "inhomogeneous"),
        (object(), "object"),
        (None, "object"),
    ],
)
def test_what_is_no_number(value, why):
    text = _messages(box(), g=G, z=value, lower=0.0)
    assert "BND713: `z` is not an array of real numbers" in text
    assert why in text


def test_integers_booleans_lists_and_sparse_matrices_are_numbers():
    assert bind(box(), {"g": [1, 2, 3], "z": False, "lower": np.int8(3)}).theta[2] == 3
    found = bind(_with(()), {"p": sp.csr_array(np.eye(2))})
    np.testing.assert_array_equal(found.values["p"], np.eye(2))


def test_nan_and_infinity():
    g = np.tile(G, (5, 1))
    g[4, 1] = np.nan
    text = _messages(box(), g=g, z=np.array([[0.0], [-np.inf]]), lower=0.0)
    assert "BND714: `g` is NaN at batch index 4, entry [1]" in text
    assert "BND714: `z` is infinite at batch index (1, 0)" in text


@pytest.mark.parametrize(
    ("attribute", "good", "bad", "words"),
    [
        ("nonneg", [0.0, 1.0], [1.0, -0.3], "is -0.3 at entry [1]"),
        ("nonpos", [0.0, -1.0], [1.0, -0.3], "is 1 at entry [0]"),
        ("pos", [1e-9, 1.0], [0.0, 1.0], "is 0 at entry [0]"),
        ("neg", [-1e-9, -1.0], [-1.0, 0.0], "is 0 at entry [1]"),
        ("nonneg", [-1e-12, 1.0], [-1e-6, 1.0], "is -1e-06 at entry [0]"),
    ],
)
def test_signs(attribute, good, bad, words):
    program = _with((attribute,), (2,))
    bind(program, {"p": good})
    assert f"BND715: `p` is declared {attribute}, but {words}" in _messages(program, p=bad)


def test_the_worst_violation_of_a_batch_is_named_and_the_others_counted():
    gamma = np.array([1.0, -0.1, 1.0, 1.0, -0.3])
    text = _messages(_with(("nonneg",), ()), p=gamma)
    assert "`p` is declared nonneg, but is -0.3 at batch index 4 | and at 1 other place" in text


@pytest.mark.parametrize(
    ("attribute", "good", "bad", "words"),
    [
        ("psd", [[1, 1], [1, 1]], [[1, 2], [2, 1]], "smallest eigenvalue is -1"),
        ("psd", [[0, 0], [0, 0]], [[0, 0], [0, -1]], "smallest eigenvalue is -1"),
        ("nsd", [[-1, 1], [1, -1]], [[1, 0], [0, -1]], "largest eigenvalue is 1"),
        ("psd", [[2, 1], [1, 2]], [[2, 1], [0, 2]], "is not symmetric: 1 and, across the diagonal, 0"),
        ("symmetric", [[1, 5], [5, 1]], [[1, 5], [4, 1]], "is not symmetric: 5 and, across the diagonal, 4"),
        ("diagonal", [[1, 0], [0, 2]], [[1, 0], [0.5, 2]], "is 0.5 at batch index 1, entry [1, 0]"),
    ],
)
def test_matrices(attribute, good, bad, words):
    program = _with((attribute,))
    bind(program, {"p": good})
    text = _messages(program, p=np.stack([good, bad]))
    assert words in text
    assert "batch index 1" in text


def test_sparse_support():
    program = _with(("sparse",), support=(0, 3))
    bind(program, {"p": [[1, 0], [0, 2]]})
    assert "`p` is declared sparse, but is 7 at entry [0, 1]" in _messages(program, p=[[1, 7], [0, 2]])


def test_rounding_is_judged_in_the_precision_a_value_came_in():
    nearly = np.array([[1.0, 1 + 3e-7], [1.0, 1.0]])
    bind(_with(("psd",)), {"p": nearly.astype(np.float32)})
    assert "not symmetric" in _messages(_with(("psd",)), p=nearly)


def test_symmetric_parameters_are_symmetrized():
    value = np.array([[2.0, 1 + 1e-12], [1.0, 2.0]])
    found = bind(_with(("psd",)), {"p": value}).values["p"]
    assert found[0, 1] == found[1, 0]


def test_all_problems_in_one_error():
    text = _messages(least(), Q=[[1, 2], [2, 1]], c=[np.nan, 0], lo="x", t=-1.0)
    assert text.count("BND") == 1 and "BND713" in text  # what is no number is said first: nothing else can be checked
    text = _messages(least(), Q=[[1, 2], [2, 1]], c=[np.nan, 0], lo=np.zeros(3), t=-np.ones(4))
    assert [c for c in ("BND715", "BND714", "BND716") if c in text] == ["BND715", "BND714", "BND716"]
    assert text.count("BND715") == 2


def _derived(op_name, shape=(), operand=()):
    from tests.asa.build import op, ref

    numeric = op("neg", op(op_name, ref("p", *operand), shape=shape), shape=shape)
    return replace(interval(), parameters=parameters(("p", operand, ()), S=numeric))


@pytest.mark.parametrize(
    ("name", "good", "bad", "words"),
    [
        ("sqrt", 1.0, -0.3, "a square root of -0.3"),
        ("log", 1.0, 0.0, "a logarithm of 0"),
        ("exp", 1.0, 1e6, "an exponential of 1e+06, which overflows"),
    ],
)
def test_derived_parameters_that_are_not_defined(name, good, bad, words):
    text = _messages(_derived(name), p=np.array([good, good, bad]))
    assert f"BND717: `S` is not defined at batch index 2: {words} | `S` is declared at m.dpp:3:9" in text


@pytest.mark.parametrize(
    ("name", "bad", "words"),
    [
        (
            "chol",
            [[1, 2], [2, 1]],
            "a Cholesky factor of a matrix that is not positive definite (its smallest eigenvalue is -1)",
        ),
        ("chol", [[1, 2], [0, 1]], "a Cholesky factor of a matrix that is not symmetric"),
        ("sqrtm", [[1, 2], [2, 1]], "a square root of a matrix that is not positive semidefinite"),
        ("logm", [[1, 2], [2, 1]], "a logarithm of a matrix that is not positive definite"),
        ("inv", [[1, 1], [1, 1]], "an inverse of a singular matrix"),
    ],
)
def test_derived_matrices_that_do_not_exist(name, bad, words):
    text = _messages(_derived(name, (2, 2), (2, 2)), p=np.stack([np.eye(2), bad]))
    assert f"`S` is not defined at batch index 1: {words}" in text


def test_a_derived_parameter_that_depends_on_a_broken_one_is_not_blamed():
    from tests.asa.build import op, ref

    chain = parameters(("p", (), ()), S=op("log", ref("p")), T=op("exp", ref("S")), U=op("mul", ref("T"), ref("S")))
    text = _messages(replace(interval(), parameters=chain), p=-1.0)
    assert text.count("BND") == 1
    assert "`S`" in text


def test_declared_attributes_of_derived_parameters_are_checked():
    from tests.asa.build import op, ref

    chain = parameters(("p", (), ()), S=op("neg", ref("p")))
    program = replace(interval(), parameters=(chain[0], replace(chain[1], attributes=("nonneg",))))
    bind(program, {"p": -1.0})
    assert "`S` is declared nonneg, but is -2 at batch index 1" in _messages(program, p=np.array([-1.0, 2.0]))
