"""Which mix of factor funds tracks the S&P 500? Returns-based style analysis (Sharpe, 1992), with a learned ridge.

The weights solve qp.dpp: least squares on past months, summing to one, none negative. The ridge added to Q is tuned by
the gradient of the tracking error on months that the fit has not seen.

    python examples/qp/qp.py
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dpplang.torch import Layer

HERE = Path(__file__).resolve().parent
PROGRAM = HERE / "qp.dpp"
FIT = 36


def returns() -> tuple[list[str], Tensor, Tensor]:
    """Names of the funds, their monthly returns ``[months, n]`` in percent, and those of the index ``[months]``."""
    with (HERE.parent / "data" / "factors_monthly.csv").open(encoding="utf-8") as file:
        heading, *rows = csv.reader(file)
    prices = np.array([[float(cell) for cell in row[1:]] for row in rows])
    change = torch.as_tensor(100 * (prices[1:] / prices[:-1] - 1))
    return heading[1:-1], change[:, :-1], change[:, -1]


def values(funds: Tensor, index: Tensor, ridge: Tensor) -> dict[str, Tensor]:
    """What qp.dpp takes: least squares with a ridge, over the simplex."""
    months, n = funds.shape
    eye = torch.eye(n, dtype=funds.dtype)
    return {
        "Q": funds.T @ funds / months + ridge * eye,
        "q": -funds.T @ index / months,
        "A": torch.ones(1, n, dtype=funds.dtype),
        "b": torch.ones(1, dtype=funds.dtype),
        "G": -eye,
        "h": torch.zeros(n, dtype=funds.dtype),
    }


def main(steps: int = 30) -> None:
    """Tune the ridge and print the mix."""
    names, funds, index = returns()
    layer = Layer(PROGRAM)
    log_ridge = torch.tensor(-2.0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([log_ridge], lr=0.3)
    for step in range(steps + 1):
        weights, dual = layer(**values(funds[:FIT], index[:FIT], log_ridge.exp()))
        miss = (funds[FIT:] @ weights - index[FIT:]).square().mean().sqrt()
        if step % 10 == 0:
            print(f"step {step:2d}  ridge {log_ridge.exp().item():8.4f}  tracking error {miss.item():.4f} % a month")
        optimizer.zero_grad()
        miss.backward()
        optimizer.step()
    print("fund  weight  price of w ≥ 0")
    for name, weight, price in zip(names, weights.tolist(), dual.tolist(), strict=True):
        print(f"{name:4}  {weight:6.3f}  {price:8.4f}")


if __name__ == "__main__":
    main()
