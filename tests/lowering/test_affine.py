"""Affine forms are arrays: every primitive commutes with evaluation at random variables and parameters."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpplang.asa.evaluate import evaluate
from dpplang.asa.numeric import Numeric
from dpplang.core.errors import InternalError
from dpplang.core.source import Source, Span
from dpplang.lowering.affine import Affine, counting_argsort, is_pair, join, unpair
from dpplang.lowering.primitives import PRIMITIVES, PRODUCTS, multiply, repeat_rows
from dpplang.semantics.tree import Apply, Facts

VARIABLES, PARAMETERS = 7, 5
SPAN = Span(Source("test", ""), 0, 0)


def random_form(
    rng: np.random.Generator, shape: tuple[int, ...], *, variables: bool = True, parameters: bool = True
) -> Affine:
    """Terms in random order, some entries empty, some with several terms, some terms twice."""
    size = prod(shape)
    count = 2 * size if size else 0
    entry = rng.integers(0, max(size, 1), count)
    var = rng.integers(-1, VARIABLES if variables else 0, count)
    par = rng.integers(-1, PARAMETERS if parameters else 0, count)
    return Affine(shape, entry, var, par, rng.standard_normal(count))


def value(form: Affine, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
    pairs = is_pair(form.var)
    i, j = unpair(np.where(pairs, form.var, 0))
    of_x = np.where(form.var < 0, 1.0, np.append(x, 1.0)[np.where(pairs | (form.var < 0), -1, form.var)])
    of_x = np.where(pairs, np.append(x, 1.0)[np.where(pairs, i, -1)] * np.append(x, 1.0)[np.where(pairs, j, -1)], of_x)
    of_theta = np.append(theta, 1.0)[form.par]
    return np.bincount(form.entry, form.coefficient * of_x * of_theta, minlength=form.size).reshape(form.shape)


UNARY = [
    ("neg", (3,), (3,), {}),
    ("transpose", (2, 3), (3, 2), {}),
    ("sum", (2, 3), (), {"axis": None}),
    ("sum", (2, 3), (3,), {"axis": 0}),
    ("mean", (2, 3), (2,), {"axis": 1}),
    ("sum", (2, 3, 2), (2, 2), {"axis": 1}),
    ("cumsum", (4,), (4,), {"axis": 0}),
    ("cumsum", (2, 3), (2, 3), {"axis": 0}),
    ("diff", (5,), (3,), {"axis": 0, "k": 2}),
    ("diff", (2, 4), (2, 3), {"axis": 1, "k": 1}),
    ("diag", (3,), (3, 3), {}),
    ("diag", (3, 3), (3,), {}),
    ("trace", (3, 3), (), {}),
    ("reshape", (2, 3), (6,), {}),
    ("spread", (), (2, 2), {}),
    ("upper_tri", (3, 3), (3,), {}),
    ("partial_trace", (6, 6), (3, 3), {"dims": (2, 3), "axis": 0}),
    ("partial_transpose", (6, 6), (6, 6), {"dims": (2, 3), "axis": 1}),
]
SEVERAL = [
    ("add", ((2, 2), ()), (2, 2)),
    ("sub", ((3,), (3,)), (3,)),
    ("hstack", ((), (2,), (3,)), (6,)),
    ("hstack", ((2, 1), (2, 3)), (2, 4)),
    ("vstack", ((3,), (2, 3)), (3, 3)),
    ("vstack", ((), ()), (2, 1)),
    ("stack", ((2,), (2,)), (2, 2)),
]
BILINEAR = [
    ("mul", ((2, 3), (2, 3)), (2, 3)),
    ("mul", ((), (3,)), (3,)),
    ("matmul", ((3,), (3,)), ()),
    ("matmul", ((2, 3), (3,)), (2,)),
    ("matmul", ((3,), (3, 2)), (2,)),
    ("matmul", ((2, 3), (3, 4)), (2, 4)),
    ("outer", ((2,), (3,)), (2, 3)),
    ("kron", ((2, 3), (2, 2)), (4, 6)),
    ("convolve", ((3,), (4,)), (6,)),
]


def check(op, args: tuple[Affine, ...], shape: tuple[int, ...], options: dict, rng: np.random.Generator) -> None:
    node = Apply(op, (), tuple(options.items()), facts=Facts(()), span=SPAN)
    found = PRIMITIVES[op](node, args, shape)
    x, theta = rng.standard_normal(VARIABLES), rng.standard_normal(PARAMETERS)
    leaves = tuple(Numeric("ref", (), a.own, (("name", str(k)),)) for k, a in enumerate(args))
    numeric = Numeric(op, leaves, shape, tuple(options.items()))
    expected = evaluate(numeric, {str(k): value(a, x, theta) for k, a in enumerate(args)}, np)
    assert found.shape == (args[0].rows, *shape)
    np.testing.assert_allclose(value(found, x, theta), expected, atol=1e-12)


@pytest.mark.parametrize("op,own,shape,options", UNARY)
@pytest.mark.parametrize("rows", [1, 3])
def test_unary(op, own, shape, options, rows) -> None:
    rng = np.random.default_rng(rows)
    check(op, (random_form(rng, (rows, *own)),), shape, options, rng)


@pytest.mark.parametrize("op,owns,shape", SEVERAL)
@pytest.mark.parametrize("rows", [1, 3])
def test_several(op, owns, shape, rows) -> None:
    rng = np.random.default_rng(rows)
    check(op, tuple(random_form(rng, (rows, *own)) for own in owns), shape, {}, rng)


@pytest.mark.parametrize("op,owns,shape", BILINEAR)
@pytest.mark.parametrize("parametric", [0, 1])
@pytest.mark.parametrize("variable", [0, 1])
@pytest.mark.parametrize("rows", [1, 3])
def test_products(op, owns, shape, parametric, variable, rows) -> None:
    """One factor with variables, one (perhaps the same) with parameters."""
    rng = np.random.default_rng(17)
    args = tuple(
        random_form(rng, (rows, *own), variables=k == variable, parameters=k == parametric)
        for k, own in enumerate(owns)
    )
    assert op in PRODUCTS
    check(op, args, shape, {}, rng)


def test_squares_are_pairs() -> None:
    rng = np.random.default_rng(0)
    form = random_form(rng, (2, 3), parameters=False)
    x, theta = rng.standard_normal(VARIABLES), rng.standard_normal(PARAMETERS)
    square = multiply(form, form)
    assert is_pair(square.var).any()
    np.testing.assert_allclose(value(square, x, theta), value(form, x, theta) ** 2, atol=1e-12)


def test_what_is_not_affine_is_our_fault() -> None:
    rng = np.random.default_rng(0)
    parametric = random_form(rng, (1, 20), variables=False)
    with pytest.raises(InternalError):
        multiply(parametric, parametric)
    variable = random_form(rng, (1, 20), parameters=False)
    with pytest.raises(InternalError):
        multiply(multiply(variable, variable), variable)


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_gather_and_repeat(seed: int, rows: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    form = random_form(rng, (rows, 3))
    x, theta = rng.standard_normal(VARIABLES), rng.standard_normal(PARAMETERS)
    positions = rng.integers(0, form.size, (count, 2))
    dense = value(form, x, theta)
    np.testing.assert_allclose(value(form.gather(positions), x, theta), dense.ravel()[positions], atol=1e-12)
    picked = rng.integers(0, rows, count)
    np.testing.assert_allclose(value(repeat_rows(form, picked), x, theta), dense[picked], atol=1e-12)


@given(st.lists(st.integers(0, 9), max_size=30), st.lists(st.integers(0, 9), max_size=30))
@settings(max_examples=80, deadline=None)
def test_join_finds_all_pairs(left: list[int], right: list[int]) -> None:
    i, j = join(np.array(left, np.int64), np.array(right, np.int64), 10)
    i = np.arange(len(left))[i] if isinstance(i, slice) else i
    j = np.arange(len(right))[j] if isinstance(j, slice) else j
    found = sorted(zip(i.tolist(), j.tolist(), strict=True))
    assert found == [(a, b) for a in range(len(left)) for b in range(len(right)) if left[a] == right[b]]


@given(st.lists(st.integers(0, 2000), max_size=50))
def test_counting_argsort_is_stable(keys: list[int]) -> None:
    array = np.array(keys, np.int64)
    np.testing.assert_array_equal(counting_argsort(array, 2001), np.argsort(array, kind="stable"))
