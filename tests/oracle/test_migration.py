"""``docs/from-cvxpylayers.md``: every pair of programs is one problem, in its solution and in its gradients."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
import torch
from cvxpylayers.torch.cvxpylayer import CvxpyLayer

import dpplang
from dpplang.torch import Layer
from tests.syntax.helpers import ROOT

TEXT = (ROOT / "docs" / "from-cvxpylayers.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(python|dpp)\n([^`]*)^```", TEXT, re.M)
PAIRS = [
    (theirs.partition("(solution,)")[0], ours)
    for (_, theirs), (language, ours) in pairwise(BLOCKS)
    if language == "dpp"
]
SIZES = {"n": 4, "m": 6, "k": 2, "T": 5}


def test_there_are_pairs() -> None:
    assert len(PAIRS) == TEXT.count("```dpp") == 3


@pytest.mark.parametrize(("theirs", "ours"), PAIRS, ids=["lasso", "control", "quadratic"])
def test_both_are_one_problem(theirs: str, ours: str) -> None:
    scope: dict[str, Any] = {"cp": cp, "CvxpyLayer": CvxpyLayer, **SIZES}
    exec(theirs, scope)  # our own documentation
    problem = dpplang.parse(ours)
    assert not problem.warnings
    rng = np.random.default_rng(0)
    values = {p.name: rng.normal(size=tuple(_size(e) for e in p.shape)) for p in problem.model.params}
    values = {name: np.abs(v) if name == "lam" else v for name, v in values.items()}
    if "Q" in values:
        values["Q"] = values["Q"] @ values["Q"].T + np.eye(SIZES["n"])
    tensors = {name: torch.tensor(v, requires_grad=True) for name, v in values.items()}
    (mine,) = Layer(problem)(**tensors)
    given = {**tensors, "S": torch.linalg.cholesky(tensors["Q"]).mT} if "Q" in tensors else tensors
    order = re.findall(r"\w+", re.findall(r"parameters=\[([^\]]*)\]", theirs)[0])
    (other,) = scope["layer"](*(given[name] for name in order), solver_args={"eps": 1e-10})
    np.testing.assert_allclose(mine.detach().numpy(), other.detach().numpy(), atol=1e-6)
    upstream = torch.tensor(rng.normal(size=mine.shape))
    wanted = list(tensors.values())
    for name, a, b in zip(
        tensors, torch.autograd.grad(mine, wanted, upstream), torch.autograd.grad(other, wanted, upstream), strict=True
    ):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5, err_msg=name)


@pytest.mark.parametrize(("theirs", "_"), PAIRS, ids=["lasso", "control", "quadratic"])
def test_what_is_converted_is_their_layer(theirs: str, _: str) -> None:
    """Solutions, and gradients of every parameter, in the order of their arguments."""
    scope: dict[str, Any] = {"cp": cp, "CvxpyLayer": CvxpyLayer, **SIZES}
    exec(theirs, scope)  # our own documentation
    parameters, variables = (
        [scope[w] for w in re.findall(r"\w+", part)] for part in re.findall(r"s=\[([^\]]*)\]", theirs)
    )
    converted = dpplang.from_cvxpy(scope["problem"], parameters=parameters, returns=variables, names=scope)
    rng = np.random.default_rng(1)
    tensors = [
        torch.tensor(np.abs(v) if p.is_nonneg() else v, requires_grad=True)
        for p in parameters
        for v in [0.4 * rng.normal(size=p.shape)]
    ]
    (mine,) = Layer(converted.problem, data=converted.data)(*tensors)
    (other,) = scope["layer"](*tensors, solver_args={"eps": 1e-10})
    np.testing.assert_allclose(mine.detach().numpy(), other.detach().numpy(), atol=1e-6)
    upstream = torch.tensor(rng.normal(size=mine.shape))
    gradients = (torch.autograd.grad(out, tensors, upstream) for out in (mine, other))
    for a, b in zip(*gradients, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5)


def _size(extent: Any) -> int:
    return SIZES[str(extent)]


@pytest.mark.parametrize("row", re.findall(r"^\| `.*\| (.*`derived.*) \|$", TEXT, re.M))
def test_derived_lines_of_the_table_check(row: str) -> None:
    head = "dim n, k\nparam Q[n, n] psd, gamma pos, R[k, n], p pos, q\nvar x[n]\n"
    lines = re.findall(r"`(derived [^`]*)`", row)
    uses = re.findall(r"then `([^`]*)`", row) or [f"{line.split()[1]} * sum(x)" for line in lines]
    model = dpplang.parse(head + "\n".join(lines) + f"\nminimize sum_squares(x) + {' + '.join(uses)}\n").model
    assert model.derived
