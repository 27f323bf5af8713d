"""Failures in the words of the source."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import dpplang
from dpplang.asa.cones import Cones
from dpplang.asa.program import RowBlock
from dpplang.core.errors import SolveError
from dpplang.core.source import Origin
from dpplang.runtime.engine import Engine
from dpplang.runtime.failures import explain
from dpplang.runtime.options import Options
from tests.runtime.programs import CONES, build, random_program

FLOOR = Origin("floor", "f.dpp", 7, 3, "y >= lo")
TOP = Origin("top", "f.dpp", 8, 3, "y <= hi")
OTHER = Origin("other", "f.dpp", 9, 3, "z <= 1")


def engine(solver: str = "clarabel", scale: float = 1.0) -> Engine:
    """minimize y + z subject to floor: y ≥ lo, top: y ≤ hi, other: z ≤ 1 and z declared ≥ 0 (rows scaled by ``scale``)."""
    A = np.array([[-1.0, 0.0], [scale, 0.0], [0.0, 1.0], [0.0, -1.0]])
    carried = [
        ("lo", "b", sp.csr_array([[-1.0], [0.0], [0.0], [0.0]])),
        ("hi", "b", sp.csr_array([[0.0], [scale], [0.0], [0.0]])),
        ("c", "q", sp.csr_array(np.eye(2))),
    ]
    rows = (
        RowBlock(0, 1, FLOOR),
        RowBlock(1, 2, TOP),
        RowBlock(2, 3, OTHER),
        RowBlock(3, 4, Origin("z", "f.dpp", 3, 5, "z nonneg"), "attribute"),
    )
    program = build(
        np.zeros((2, 2)), np.zeros(2), A, np.array([0.0, 0.0, 1.0, 0.0]), Cones(nonneg=4), carried, rows=rows
    )
    return Engine(program, Options(solver=solver))


@pytest.mark.parametrize("scale", [1.0, 1e-4, 1e3])
@pytest.mark.parametrize("solver", ["clarabel", "scs"])
def test_infeasible_names_the_constraints_in_conflict_and_no_other(solver: str, scale: float) -> None:
    runs = engine(solver, scale)
    solved = runs.solve((np.array([[0.0], [2.0]]), np.ones((1, 1)), np.ones((1, 2))))
    (failure,) = explain(runs.program, solved)
    assert failure.index == (1,) and failure.status == "infeasible"
    (reason,) = failure.reasons
    assert reason.startswith("these cannot hold together: ")
    assert "constraint `floor` (f.dpp:7: y >= lo)" in reason and "constraint `top` (f.dpp:8: y <= hi)" in reason
    assert "other" not in reason and "`z`" not in reason


def test_a_constraint_without_a_name_is_named_by_its_number_and_place() -> None:
    program = dpplang.parse("param lo, hi\nvar y\nminimize y\nsubject to\n  y >= lo\n  y <= hi\n", "f.dpp")
    with pytest.raises(dpplang.SolveError) as raised:
        program.solve(lo=1.0, hi=0.0)
    (failure,) = raised.value.failures
    assert set(failure.reasons[0].removeprefix("these cannot hold together: ").split(", ")) == {
        "constraint 1 (f.dpp:5: y >= lo)",
        "constraint 2 (f.dpp:6: y <= hi)",
    }


def test_unbounded_names_the_variables_that_escape() -> None:
    runs = engine()
    solved = runs.solve((np.zeros((1, 1)), np.ones((1, 1)), np.array([[1.0, 1.0]])))
    assert explain(runs.program, solved) == ()
    free = build(np.zeros((2, 2)), np.array([1.0, 0.0]), np.array([[0.0, 1.0]]), np.ones(1), Cones(nonneg=1))
    (failure,) = explain(free, Engine(free).solve(()))
    assert failure.status == "unbounded"
    assert failure.reasons == ("nothing keeps `x` from running off to infinity while the objective falls",)


def test_limits_name_residuals_and_a_way_out() -> None:
    program, theta = random_program(CONES["all"])
    (failure,) = explain(program, Engine(program, Options(max_iterations=2)).solve(theta))
    assert failure.status == "iteration limit"
    assert failure.reasons[0].startswith("stopped after 2 iterations with relative residuals primal ")
    assert "max_iterations" in failure.reasons[1]


def test_nonconvex_and_invalid_blame_the_parameter() -> None:
    carried = [("Q", "P", sp.csr_array([[1.0]])), ("h", "b", sp.csr_array([[1.0]]))]
    program = build(np.ones((1, 1)), np.zeros(1), np.ones((1, 1)), np.ones(1), Cones(nonneg=1), carried)
    solved = Engine(program).solve((np.array([[1.0], [-3.0], [1.0]]), np.array([[0.0], [0.0], [np.nan]])))
    first, second = explain(program, solved)
    assert first.index == (1,) and first.status == "not convex"
    assert first.reasons == (
        "the objective is not convex: its quadratic part has the eigenvalue -2; it depends on `Q`",
    )
    assert second.index == (2,) and second.status == "invalid data"
    assert second.reasons == ("b holds NaN or infinity; it depends on `h`",)


@pytest.mark.parametrize(
    "text",
    [
        "param p[3]\nvar x[3], t[3]\nminimize sum(t)\nsubject to\n  x == p\n  t[0] <= t[1]\n  t[1] <= t[2]\n",
        "param p[3]\nvar x[3], S[2, 2] symmetric\nminimize lambda_max(S)\nsubject to\n  x == p\n",
    ],
)
def test_unbounded_without_any_square_beside_named_values(text: str) -> None:
    """Variables that equations name, in a program whose P has no entries."""
    with pytest.raises(SolveError, match="unbounded"):
        dpplang.parse(text).solve(p=np.ones(3))
