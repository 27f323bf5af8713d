"""Atoms with a quadratic form reach the quadratic objective, and no cone, when they stand in the objective."""

from __future__ import annotations

import numpy as np
import pytest

import dpplang
from dpplang.lowering.lower import lower

QUADRATIC = (
    "square(x[0])", "power(x[0], 2)", "sum_squares(x)", "quad_form(x, [[2, 1, 0], [1, 2, 0], [0, 0, 1]])",
    "quad_over_lin(x, 2)", "sum(huber(x))", "sum(huber(x, 2))", "var(x)",
)  # fmt: skip


@pytest.mark.parametrize("term", QUADRATIC)
def test_squares_in_the_objective_need_no_cone(term: str) -> None:
    model = dpplang.parse(f"var x[3]\nminimize {term}\nsubject to\n  sum(x) == 1\n").model
    program = lower(model, {}, {})
    cones = program.cones
    assert not cones.soc and not cones.psd and not cones.exp and not cones.pow
    assert np.any(program.P.values.constant)
