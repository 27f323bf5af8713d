"""A problem solved twice: by CVXPY as it is, and by dpplang as what ``from_cvxpy`` makes of it."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import dpplang
from dpplang import Converted

cp: Any = import_module("cvxpy")
"""Untyped: its annotations ask for ``list[Constraint]`` where any list of constraints does."""

TIGHT = {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10}


def converted(problem: Any, **options: Any) -> Converted:
    """The program, which checks: without errors, whatever its warnings."""
    made = dpplang.from_cvxpy(problem, **options)
    errors = [d for d in made.diagnostics if d.is_error]
    assert not errors, made.text + "".join(f"\n{d.message}" for d in errors)
    return made


def agrees(problem: Any, *, unique: bool = True, value: bool = True, **options: Any) -> Converted:
    """The program has CVXPY's optimal value, and its solution where that is unique."""
    made = converted(problem, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        problem.solve(solver=cp.CLARABEL, **TIGHT)
    assert problem.status in ("optimal", "optimal_inaccurate"), problem.status
    values = {name: thing.value for name, thing in made.things.items() if isinstance(thing, cp.Parameter)}
    ours = made.problem.solve({**values, **made.data})
    if value:
        assert np.asarray(ours.value) == pytest.approx(problem.value, rel=1e-6, abs=1e-6), made.text
    for name, thing in made.things.items() if unique else ():
        if isinstance(thing, cp.Variable):
            theirs = thing.value.toarray() if hasattr(thing.value, "toarray") else thing.value
            np.testing.assert_allclose(ours[name], theirs, rtol=1e-4, atol=2e-4, err_msg=f"{name}\n{made.text}")
    return made
