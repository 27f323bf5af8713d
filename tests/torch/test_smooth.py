"""Layers whose programs have a smooth form: gradients against central differences, closed forms, and what fails."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import dpplang
from dpplang.core.errors import SolveError
from dpplang.torch import Layer

torch.manual_seed(0)
DOUBLE = torch.float64

LOGISTIC = """
dim N, n
param X[N, n], lam nonneg
data y[N]
var beta[n]
minimize sum(logistic(-y[i] * (X[i]' @ beta)) for i in N) + lam * sum_squares(beta)
"""

SOFTMAX = """
dim n
param c[n], t pos
var x[n]
maximize c' @ x + t * sum(entr(x))
subject to
  unit: sum(x) == 1
return x, dual unit
"""

PROGRAMS = {
    "Poisson regression": (
        """
dim N, n
param X[N, n], c[N] nonneg, lam pos
derived w[n] = X' @ c
var beta[n]
minimize sum(exp(X @ beta)) - w' @ beta + lam * sum_squares(beta)
""",
        lambda: (torch.randn(2, 5, 2), torch.rand(2, 5), 0.5 + torch.rand(2)),
    ),
    "a barrier portfolio, long only": (
        """
dim S, n
param R[S, n] pos
var x[n]
maximize sum(log(R @ x)) / S
subject to
  unit: sum(x) == 1
  long: x >= 0
return x, dual unit, dual long
""",
        lambda: (torch.exp(0.4 * torch.randn(2, 5, 3)),),
    ),
    "the softmax": (SOFTMAX, lambda: (torch.randn(2, 4), 0.5 + torch.rand(2))),
    "robust regression": (
        """
dim N, n
param A[N, n], b[N], lam pos
var x[n]
minimize sum(huber(A @ x - b)) + lam * sum(logistic(x))
""",
        lambda: (torch.randn(2, 5, 2), 3 * torch.randn(2, 5), 0.5 + torch.rand(2)),
    ),
    "a geometric program": (
        """
dim k, n
param A[k, n], b[k]
var u[n]
minimize log_sum_exp(A @ u + b) + log_sum_exp(-u)
""",
        lambda: (torch.rand(2, 5, 2), torch.randn(2, 5)),
    ),
    "an exponential utility under costs": (
        """
dim n
param r[n], q pos, c[n] pos
var x[n]
minimize exp(-(r' @ x)) + q * sum_squares(x) + c' @ abs(x)
subject to
  cap: x <= 0.3
""",
        lambda: (0.5 + torch.randn(2, 4), 0.3 + torch.rand(2), 0.05 + 0.1 * torch.rand(2, 4)),
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients(name: str) -> None:
    text, draw = PROGRAMS[name]
    torch.manual_seed(1)
    tensors = tuple(t.to(DOUBLE).requires_grad_() for t in draw())
    layer = Layer(dpplang.parse(text))

    def outputs(*values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        outcome = layer(*values)
        return (*outcome, outcome.value)

    assert layer(*tensors).status.eq(0).all()
    assert torch.autograd.gradcheck(outputs, tensors, atol=1e-6, rtol=1e-5, fast_mode=True)


def test_entropy_on_the_simplex_is_the_softmax() -> None:
    c = (5 * torch.randn(7, 5, dtype=DOUBLE)).requires_grad_()
    x, nu = Layer(dpplang.parse(SOFTMAX))(c, torch.ones((), dtype=DOUBLE))
    torch.testing.assert_close(x, torch.softmax(c, dim=1), atol=1e-10, rtol=0)
    torch.testing.assert_close(-nu, 1 - torch.logsumexp(c, dim=1), atol=1e-9, rtol=0)
    weights = torch.randn(7, 5, dtype=DOUBLE)
    (ours,) = torch.autograd.grad((x * weights).sum(), c)
    (theirs,) = torch.autograd.grad((torch.softmax(c, dim=1) * weights).sum(), c)
    torch.testing.assert_close(ours, theirs, atol=1e-9, rtol=0)


def test_an_unbounded_element_is_told_and_the_others_are_kept() -> None:
    problem = dpplang.parse("param c\nvar x\nminimize exp(x) - c * x\n")
    c = torch.tensor([2.0, -1.0, 3.0], dtype=DOUBLE, requires_grad=True)
    with pytest.raises(SolveError) as caught:
        Layer(problem)(c)
    assert [(f.index, f.status) for f in caught.value.failures] == [((1,), "unbounded")]
    (x,) = Layer(problem, on_failure="nan")(c)
    x.nansum().backward()
    assert x.isnan().tolist() == [False, True, False]
    torch.testing.assert_close(c.grad, torch.tensor([0.5, 0.0, 1 / 3], dtype=DOUBLE))


def test_an_infeasible_element_is_told() -> None:
    text = SOFTMAX.replace("param c[n]", "param c[n], cap nonneg").replace("unit:", "top: x <= cap\n  unit:")
    layer = Layer(dpplang.parse(text), on_failure="nan")
    outcome = layer(torch.randn(2, 4, dtype=DOUBLE), torch.tensor([0.5, 0.1], dtype=DOUBLE), 1.0)
    names = [outcome.status_names[k] for k in outcome.status.tolist()]
    assert names == ["solved", "infeasible"]


def test_a_weight_of_zero_is_left_to_the_conic_solver() -> None:
    """Without a cost the graph's variable is free, and the cone not tight."""
    text = "dim n\nparam c[n], w nonneg\nvar x[n]\nminimize w * sum(exp(x)) + sum_squares(x - c)\n"
    c = torch.randn(2, 3, dtype=DOUBLE)
    x, *_ = Layer(dpplang.parse(text))(c, torch.tensor([0.0, 1.0], dtype=DOUBLE))
    torch.testing.assert_close(x[0], c[0], atol=1e-6, rtol=0)
    torch.testing.assert_close(torch.exp(x[1]) + 2 * (x[1] - c[1]), torch.zeros(3, dtype=DOUBLE), atol=1e-9, rtol=0)


def test_a_solution_that_is_not_unique_is_found() -> None:
    """Two columns that are equal: the Hessian is singular."""
    X = torch.randn(3, 10, 1, dtype=DOUBLE).repeat(1, 1, 2)
    y = np.sign(np.random.default_rng(0).normal(size=10))
    value = Layer(dpplang.parse(LOGISTIC), data={"y": y})(X, torch.zeros((), dtype=DOUBLE)).value
    single = Layer(dpplang.parse(LOGISTIC), data={"y": y})(X[:, :, :1], torch.zeros((), dtype=DOUBLE)).value
    torch.testing.assert_close(value, single, atol=1e-7, rtol=0)


def test_far_from_the_origin() -> None:
    """Large arguments neither overflow nor stall."""
    text = "dim n\nparam a[n], c[n]\nvar x[n]\nminimize sum(exp(a * x)) - c' @ x\n"
    a, c = torch.tensor([100.0, 0.01], dtype=DOUBLE), torch.tensor([1e4, 1e4], dtype=DOUBLE)
    x, *_ = Layer(dpplang.parse(text))(a, c)
    torch.testing.assert_close(x, torch.log(c / a) / a, rtol=1e-8, atol=0)


def test_a_batch_of_nothing() -> None:
    y = np.ones(4)
    layer = Layer(dpplang.parse(LOGISTIC), data={"y": y})
    beta, *_ = layer(torch.zeros(0, 4, 2, dtype=DOUBLE), torch.ones(0, dtype=DOUBLE))
    assert beta.shape == (0, 2)
