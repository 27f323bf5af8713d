"""Heating degree days of Seattle: the ReLU layer on measured temperatures, and its gradient.

A day at mean temperature t needs max(18 − t, 0) degrees of heating. The layer computes that by solving a problem; its
gradient with respect to the temperatures says which days count.

    python examples/relu/relu.py
"""

from __future__ import annotations

import csv
from pathlib import Path

import torch
from torch import Tensor

from dpplang.torch import Layer

HERE = Path(__file__).resolve().parent
PROGRAM = HERE / "relu.dpp"
BASE = 18.0


def temperatures(year: str = "2012") -> tuple[list[str], Tensor]:
    """Dates, and mean temperatures (°C) of the days of a year."""
    with (HERE.parent / "data" / "seattle_daily.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["date"].startswith(year)]
    means = [(float(row["temp_max"]) + float(row["temp_min"])) / 2 for row in rows]
    return [row["date"] for row in rows], torch.tensor(means, dtype=torch.float64)


def main() -> None:
    """Print degree days by month, and how a degree of warming would change them."""
    dates, mean = temperatures()
    mean.requires_grad_()
    layer = Layer(PROGRAM)
    (heating,) = layer(x=BASE - mean)
    heating.sum().backward()
    assert mean.grad is not None
    print("month  degree days  change per degree of warming")
    for month in sorted({date[:7] for date in dates}):
        inside = torch.tensor([date.startswith(month) for date in dates])
        print(f"{month}  {heating[inside].sum().item():11.1f}  {mean.grad[inside].sum().item():10.1f}")
    print(f"year     {heating.sum().item():11.1f}  {mean.grad.sum().item():10.1f}")


if __name__ == "__main__":
    main()
