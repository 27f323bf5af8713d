"""Logistic regression on tumours whose ℓ₁ weight is learned, and the training samples that matter most.

The validation loss is differentiated through the fit: with respect to λ, to tune it, and with respect to every training
sample, to see which ones the result hangs on (Agrawal et al. 2019, §6.1).

    python examples/logistic_regression/logistic_regression.py
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from dpplang.torch import Layer

HERE = Path(__file__).resolve().parent
PROGRAM = HERE / "logistic_regression.dpp"
TRAIN, VALID = 80, 200


def tumours() -> tuple[list[str], Tensor, Tensor]:
    """Names of the features, standardized samples ``[569, 10]``, and labels: 1 benign, −1 malignant."""
    with (HERE.parent / "data" / "breast_cancer.csv").open(encoding="utf-8") as file:
        heading, *rows = csv.reader(file)
    table = np.array([[float(cell) for cell in row] for row in rows])
    order = np.random.default_rng(0).permutation(len(table))
    X, y = table[order, :-1], 2 * table[order, -1] - 1
    X = (X - X[:TRAIN].mean(axis=0)) / X[:TRAIN].std(axis=0)
    return [name.removeprefix("mean_") for name in heading[:-1]], torch.as_tensor(X), torch.as_tensor(y)


def main(steps: int = 20) -> None:
    """Tune λ and print the model and the most influential samples."""
    names, X, y = tumours()
    samples = X[:TRAIN].clone().requires_grad_()
    held_out, labels = X[TRAIN : TRAIN + VALID], y[TRAIN : TRAIN + VALID]
    layer = Layer(PROGRAM, data={"y": y[:TRAIN].numpy()})
    log_lam = torch.tensor(np.log(0.1), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([log_lam], lr=0.3)
    for step in range(steps + 1):
        theta, b = layer(X=samples, lam=log_lam.exp())
        loss = softplus(-labels * (held_out @ theta + b)).mean()
        if step % 5 == 0:
            right = ((held_out @ theta + b).sign() == labels).double().mean()
            lam, shown = log_lam.exp().item(), loss.item()
            print(f"step {step:2d}  λ {lam:.4f}  validation loss {shown:.4f}  right {right.item():.1%}")
        optimizer.zero_grad()
        samples.grad = None
        loss.backward()
        optimizer.step()
    print("feature             θ")
    for name, weight in sorted(zip(names, theta.tolist(), strict=True), key=lambda p: -abs(p[1])):
        print(f"{name:18} {weight:7.3f}" if abs(weight) > 1e-6 else f"{name:18}       –")
    assert samples.grad is not None
    influence = samples.grad.norm(dim=1)
    print("samples whose move changes the validation loss most:")
    for i in influence.argsort(descending=True)[:5].tolist():
        kind = "benign" if y[i] > 0 else "malignant"
        print(f"  sample {i:2d} ({kind}): |d loss / d sample| = {influence[i].item():.5f}")


if __name__ == "__main__":
    main()
