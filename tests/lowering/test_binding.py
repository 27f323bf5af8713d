"""Data that do not fit, indices that leave their axis at these sizes, numbers that are none: errors that say so."""

from __future__ import annotations

import numpy as np
import pytest

from dpplang.core.errors import BindError
from dpplang.lowering.lower import lower
from tests.lowering.solving import assert_well_formed, lowered, model_of, solve

TEXT = """
dim n
data P[n, n] psd, w[n] nonneg, eps nonneg = 0.5
param c[n]
var x[n]
minimize quad_form(x, P) + eps * sum(w * abs(x)) + c' @ x
"""
GOOD = {"P": np.eye(2), "w": np.ones(2)}


@pytest.mark.parametrize(
    "change,code,says",
    [
        ({"P": [[1.0, 2.0], [2.0, 1.0]]}, "BND715", "eigenvalue is -1"),
        ({"P": [[1.0, 0.5], [0.0, 1.0]]}, "BND715", "declared psd"),
        ({"w": [1.0, -0.3]}, "BND715", "hold -0.3 at [1]"),
        ({"w": [1.0, np.nan]}, "BND714", "nan at [1]"),
        ({"w": np.ones(3)}, "BND712", "have shape [3], not [2]"),
        ({"w": np.array(["a", "b"])}, "BND713", "dtype"),
        ({"w": np.ones(2) * 1j}, "BND713", "dtype"),
        ({"wrong": 1.0}, "BND705", "`wrong`"),
    ],
)
def test_data_that_do_not_fit(change: dict, code: str, says: str) -> None:
    with pytest.raises(BindError) as caught:
        lower(model_of(TEXT), {"n": 2}, {**GOOD, **change})
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert says in found.message


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(BindError) as caught:
        lower(model_of(TEXT), {"n": 2}, {"w": [-1.0, 0.0]})
    assert [d.code for d in caught.value.diagnostics] == ["BND711", "BND715"]


def test_a_default_is_used_and_overridden() -> None:
    x = np.array([0.3, 2.0])
    by_default = solve(*lowered(TEXT, {**GOOD, "c": -x}))
    given = solve(*lowered(TEXT, {**GOOD, "c": -x, "eps": 0.0}))
    np.testing.assert_allclose(by_default["x"], [0.0, 0.75], atol=1e-6)
    np.testing.assert_allclose(given["x"], x / 2, atol=1e-6)


@pytest.mark.parametrize(
    "text,sizes,code",
    [
        ("dim n\nparam c[n]\nvar x[n]\nminimize x[3] + sum(c * x)", {"n": 2}, "BND740"),
        ("dim n\nparam c[n]\nvar x[n]\nminimize sum(x[1:3]) + sum(c * x)", {"n": 2}, "BND740"),
        ("dim n\nparam c[n]\nvar x[n]\nminimize max(x[i] for i in n if i > 3) + sum(c * x)", {"n": 2}, "BND741"),
        ("data a\nvar x\nminimize x\nsubject to\n  x >= log(a)", {"a": -1.0}, "BND742"),
        ("data a\nvar x\nminimize x\nsubject to\n  x / a >= 1", {"a": 0.0}, "BND742"),
        ("data a\nvar x\nminimize x^2 + sqrt(a)", {"a": -1.0}, "BND742"),
    ],
)
def test_what_turns_out_at_these_sizes(text: str, sizes: dict, code: str) -> None:
    model = model_of(text)
    data = {d.name: sizes[d.name] for d in model.data}
    with pytest.raises(BindError) as caught:
        lower(model, {k: v for k, v in sizes.items() if k not in data}, data)
    assert {d.code for d in caught.value.diagnostics} == {code}
    assert "test.dpp" in str(caught.value)


def test_empty_index_sets_leave_nothing_behind() -> None:
    text = """
    dim n
    param c[n]
    var x[n]
    minimize sum_squares(x - c) + sum(exp(x[i]) for i in n if i > 5) + sum(x[i]^4 for i in 3:2)
    subject to
      up[i in n if i > 7]: log(x[i]) >= 1
      soc_[i in n if i > 7]: (x[i], x) in soc
    return x, dual up
    """
    program, theta = lowered(text, {"c": [1.0, -2.0]})
    assert_well_formed(program)
    assert (program.cones.exp, program.cones.soc, program.cones.pow) == (0, (), ())
    solved = solve(program, theta)
    np.testing.assert_allclose(solved["x"], [1.0, -2.0], atol=1e-7)
    assert solved["dual.up"].tolist() == [0.0, 0.0]
