"""What is a parameter could have been data: the program at θ has the solution of the program for those constants."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.lowering.solving import assert_well_formed, lowered, model_of, solve
from tests.lowering.test_programs import CASES
from tests.oracle.cases import CASES as ORACLE

TEXTS = {name: (text, values, dims) for name, (text, values, dims, _) in CASES.items()}
TEXTS |= {name: (case.text, case.draw(np.random.default_rng(5)), case.dims or None) for name, case in ORACLE.items()}


def as_data(text: str) -> str:
    """Every ``param`` declared ``data``. Data may be used wherever parameters may."""
    return re.sub(r"^param\b", "data", text, flags=re.MULTILINE)


@pytest.mark.parametrize("name", TEXTS)
def test_parameters_as_constants(name: str) -> None:
    text, values, dims = TEXTS[name]
    ours = solve(*lowered(text, values, dims))
    program, theta = lowered(as_data(text), values, dims)
    assert_well_formed(program)
    assert all(p.value is not None for p in program.parameters)
    theirs = solve(program, theta)
    assert ours.value == pytest.approx(theirs.value, rel=1e-6, abs=1e-6)
    for variable in model_of(text).variables:
        np.testing.assert_allclose(ours[variable.name], theirs[variable.name], rtol=1e-4, atol=2e-4)


def test_nothing_of_the_constants_is_left_to_theta() -> None:
    text, values, dims = TEXTS["scaled"]
    program, theta = lowered(as_data(text), values, dims)
    assert theta.size == program.n_theta == 0
