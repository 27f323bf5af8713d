"""The algebra of signs and curvatures, against functions that have them."""

from __future__ import annotations

from itertools import product

import pytest

from dpplang.lattice.curvature import Curvature, Monotonicity, compose
from dpplang.lattice.sign import Sign

AFFINE, CONVEX, CONCAVE, CONSTANT, UNKNOWN = (
    Curvature.AFFINE,
    Curvature.CONVEX,
    Curvature.CONCAVE,
    Curvature.CONSTANT,
    Curvature.UNKNOWN,
)
UP, DOWN, EITHER = Monotonicity.INCREASING, Monotonicity.DECREASING, Monotonicity.UNKNOWN
SAMPLES = {Sign.ZERO: [0], Sign.NONNEG: [0, 2], Sign.NONPOS: [0, -2], Sign.UNKNOWN: [-2, 0, 2]}


@pytest.mark.parametrize("a, b", list(product(Sign, Sign)))
def test_signs_hold_of_samples(a: Sign, b: Sign) -> None:
    for x, y in product(SAMPLES[a], SAMPLES[b]):
        for value, sign in ((x + y, a + b), (x * y, a * b), (-x, -a)):
            assert value >= 0 or not sign.is_nonneg
            assert value <= 0 or not sign.is_nonpos


@pytest.mark.parametrize(
    "outer, slope, inner, expected",
    [
        (CONVEX, UP, CONVEX, CONVEX),
        (CONVEX, DOWN, CONCAVE, CONVEX),
        (CONVEX, UP, CONCAVE, UNKNOWN),
        (CONVEX, EITHER, CONVEX, UNKNOWN),
        (CONVEX, EITHER, AFFINE, CONVEX),
        (CONCAVE, UP, CONCAVE, CONCAVE),
        (CONCAVE, DOWN, CONVEX, CONCAVE),
        (CONCAVE, UP, CONVEX, UNKNOWN),
        (AFFINE, DOWN, CONVEX, CONCAVE),
        (AFFINE, EITHER, CONVEX, UNKNOWN),
        (CONVEX, EITHER, CONSTANT, CONSTANT),
        (UNKNOWN, UP, AFFINE, UNKNOWN),
    ],
)
def test_composition(outer: Curvature, slope: Monotonicity, inner: Curvature, expected: Curvature) -> None:
    assert compose(outer, [(slope, inner)]) is expected


def test_zero_times_a_convex_expression_is_affine_not_constant() -> None:
    assert CONVEX.scaled(Sign.ZERO) is AFFINE
    assert CONSTANT.scaled(Sign.ZERO) is CONSTANT
    assert UNKNOWN.scaled(Sign.ZERO) is UNKNOWN


def test_scaling() -> None:
    assert CONVEX.scaled(Sign.NONPOS) is CONCAVE
    assert CONVEX.scaled(Sign.UNKNOWN) is UNKNOWN
    assert AFFINE.scaled(Sign.UNKNOWN) is AFFINE
