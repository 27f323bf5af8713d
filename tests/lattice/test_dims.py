"""Polynomials in dims: normal form, substitution, the opaque minimum."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpplang.lattice.dims import Poly, size, smaller

m, n = Poly.var("m"), Poly.var("n")
polys = st.recursive(
    st.sampled_from([m, n]) | st.integers(-3, 3).map(Poly.const),
    lambda inner: st.tuples(st.sampled_from("+-*"), inner, inner).map(
        lambda t: t[1] + t[2] if t[0] == "+" else t[1] - t[2] if t[0] == "-" else t[1] * t[2]
    ),
    max_leaves=6,
)


def test_equal_iff_normal_forms_are() -> None:
    assert (n + 1) * n == n * n + n
    assert (n + 1) * (n - 1) == n * n - 1
    assert n * m == m * n
    assert n + 1 != n


def test_printed_as_it_would_be_written() -> None:
    assert str(n * m + 2 * n - 1) == "m*n + 2*n - 1"
    assert str(-n) == "-n"
    assert str(Poly()) == "0"


@given(polys, polys, st.integers(1, 9), st.integers(1, 9))
def test_arithmetic_is_that_of_the_values(p: Poly, q: Poly, a: int, b: int) -> None:
    at = {"m": a, "n": b}
    assert (p + q).evaluate(at) == p.evaluate(at) + q.evaluate(at)
    assert (p * q).evaluate(at) == p.evaluate(at) * q.evaluate(at)
    assert (p - q).evaluate(at) == p.evaluate(at) - q.evaluate(at)


@given(polys, polys, st.integers(1, 9), st.integers(1, 9))
def test_substitution_commutes_with_evaluation(p: Poly, q: Poly, a: int, b: int) -> None:
    at = {"m": a, "n": b}
    assert p.substitute({"n": q}).evaluate(at) == p.evaluate({"m": a, "n": q.evaluate(at)})


def test_a_name_without_a_value() -> None:
    with pytest.raises(KeyError):
        n.evaluate({"m": 1})


def test_smaller_of_comparable_sizes_is_one_of_them() -> None:
    assert smaller(n, n + 1) == n
    assert smaller(n + 2, n) == n


def test_smaller_of_others_is_opaque_but_has_a_value() -> None:
    least = smaller(m, n)
    assert least == smaller(m, n)
    assert least not in (m, n)
    assert (least + 1).evaluate({"m": 5, "n": 3}) == 4
    assert least.substitute({"m": n + 1}) == n
    assert str(least) == "min(m, n)"


def test_size_is_the_product() -> None:
    assert size((m, n, Poly.const(2))) == 2 * m * n
    assert size(()) == Poly.const(1)
