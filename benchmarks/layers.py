"""Forward and backward through a layer, beside cvxpylayers on the same data in the same process, answers compared.

    python benchmarks/layers.py [--quick] [--out docs/benchmarks.md]

Peers are used where they are installed: cvxpylayers with diffcp (SCS), and with Moreau. Each figure is the median of
a few runs after one that does not count; the ratio is to the fastest peer whose answer agrees with ours to 1e-3.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cvxpy as cp
import numpy as np
import torch

import dpplang
from dpplang.torch import Layer

Tensors = tuple[torch.Tensor, ...]
Twin = tuple[cp.Problem, list[cp.Parameter], list[cp.Variable]]


@dataclass(frozen=True)
class Work:
    """``text`` takes the tensors of ``draw`` in order; ``twin`` is the same problem in CVXPY."""

    name: str
    text: str
    draw: Callable[[], Tensors]
    twin: Callable[[], Twin]
    data: dict[str, np.ndarray] | None = None


@dataclass(frozen=True)
class Timing:
    forward: float
    backward: float
    answer: torch.Tensor

    @property
    def total(self) -> float:
        return self.forward + self.backward


def measure(layer: Callable[..., Tensors], tensors: Tensors, wanted: Tensors, repeats: int) -> Timing:
    """Medians of forward and backward, in milliseconds; the loss is the sum of the first output."""
    forward, backward = [], []
    for attempt in range(repeats + 1):
        for tensor in wanted:
            tensor.grad = None
        start = time.perf_counter()
        first, *_ = layer(*tensors)
        middle = time.perf_counter()
        first.sum().backward()
        end = time.perf_counter()
        if attempt:
            forward.append(1e3 * (middle - start))
            backward.append(1e3 * (end - middle))
    return Timing(statistics.median(forward), statistics.median(backward), first.detach())


def dense_qp(n: int, batch: int, form: str) -> Work:
    """The paper's dense QP: gradients for the quadratic term, q, G and h."""

    def draw() -> Tensors:
        L = torch.randn(batch, n, n)
        Q = L @ L.mT / n + 0.1 * torch.eye(n)
        x0, G = torch.randn(batch, n), torch.randn(batch, n, n)
        h = (G @ x0[..., None])[..., 0] + torch.rand(batch, n)
        S = torch.linalg.cholesky(Q).mT.contiguous() if form == "factor" else Q
        return S, torch.randn(batch, n), G, h

    def twin() -> Twin:
        x = cp.Variable(n)
        S = cp.Parameter((n, n)) if form == "factor" else cp.Parameter((n, n), PSD=True)
        q, G, h = cp.Parameter(n), cp.Parameter((n, n)), cp.Parameter(n)
        quadratic = cp.sum_squares(S @ x) if form == "factor" else cp.quad_form(x, S)
        return cp.Problem(cp.Minimize(0.5 * quadratic + q @ x), [G @ x <= h]), [S, q, G, h], [x]

    attribute, term = (" ", "sum_squares(S @ x)") if form == "factor" else (" psd", "quad_form(x, S)")
    text = f"""
dim n, m
param S[n, n]{attribute}, q[n], G[m, n], h[m]
var x[n]
minimize 0.5 * {term} + q' @ x
subject to
  ineq: G @ x <= h
return x
"""
    return Work(f"dense QP n = {n}, batch {batch}, {form}", text, draw, twin)


def relu(batch: int) -> Work:
    def twin() -> Twin:
        x, y = cp.Parameter(10), cp.Variable(10)
        return cp.Problem(cp.Minimize(cp.sum_squares(y - x)), [y >= 0]), [x], [y]

    text = "dim n\nparam x[n]\nvar y[n]\nminimize sum_squares(y - x)\nsubject to\n  floor: y >= 0\n"
    return Work(f"ReLU n = 10, batch {batch}", text, lambda: (torch.randn(batch, 10),), twin)


def logistic(batch: int) -> Work:
    N, n = 100, 20
    labels = np.sign(np.random.default_rng(0).standard_normal(N))

    def twin() -> Twin:
        X, lam, beta = cp.Parameter((N, n)), cp.Parameter(nonneg=True), cp.Variable(n)
        loss = cp.sum(cp.logistic(-cp.multiply(labels, X @ beta))) + lam * cp.sum_squares(beta)
        return cp.Problem(cp.Minimize(loss)), [X, lam], [beta]

    text = """
dim N, n
param X[N, n], lam pos
data y[N]
var beta[n]
minimize sum(logistic(-y[i] * (X[i]' @ beta)) for i in N) + lam * sum_squares(beta)
"""
    draw = lambda: (torch.randn(batch, N, n), 0.1 + torch.rand(batch))  # noqa: E731
    return Work(f"logistic regression N = {N}, n = {n}, batch {batch}", text, draw, twin, {"y": labels})


def norm_ball(batch: int) -> Work:
    def twin() -> Twin:
        c, lam, x = cp.Parameter(20), cp.Parameter(nonneg=True), cp.Variable(20)
        return cp.Problem(cp.Minimize(cp.norm2(x - c) + lam * cp.norm1(x)), [cp.norm2(x) <= 1]), [c, lam], [x]

    text = """
dim n
param c[n], lam nonneg
var x[n]
minimize norm2(x - c) + lam * norm1(x)
subject to
  ball: norm2(x) <= 1
"""
    draw = lambda: (2 * torch.randn(batch, 20), 0.1 + 0.2 * torch.rand(batch))  # noqa: E731
    return Work(f"norm + l1 with a ball, n = 20, batch {batch}", text, draw, twin)


def density(batch: int) -> Work:
    def draw() -> Tensors:
        C = torch.randn(batch, 8, 8)
        return ((C + C.mT) / 2,)

    def twin() -> Twin:
        C, X = cp.Parameter((8, 8), symmetric=True), cp.Variable((8, 8), PSD=True)
        return cp.Problem(cp.Minimize(cp.sum_squares(X - C)), [cp.trace(X) == 1]), [C], [X]

    text = """
dim n
param C[n, n] symmetric
var X[n, n] psd
minimize sum_squares(X - C)
subject to
  unit: trace(X) == 1
"""
    return Work(f"nearest density matrix 8 x 8, batch {batch}", text, draw, twin)


def peers(work: Work) -> dict[str, Callable[..., Tensors]]:
    """The same problem as a layer of every peer that is installed and takes it."""
    try:
        from cvxpylayers.torch import CvxpyLayer
    except ImportError:
        return {}
    found: dict[str, Callable[..., Tensors]] = {}
    for name, solver in (("cvxpylayers + diffcp", None), ("cvxpylayers + Moreau", "MOREAU")):
        try:
            problem, parameters, variables = work.twin()
            found[name] = CvxpyLayer(problem, parameters=parameters, variables=variables, solver=solver)
        except Exception as error:  # a peer that cannot is a row of the table, not an end of the run
            print(f"  {name}: {str(error).splitlines()[0][:100]}")
    return found


def run(work: Work, repeats: int) -> str:
    """One row of the table."""
    torch.manual_seed(0)
    tensors = tuple(t.requires_grad_() for t in work.draw())
    layer = Layer(dpplang.parse(work.text, work.name), data=work.data)
    ours = measure(lambda *a: tuple(layer(*a)), tensors, tensors, repeats)
    cells, best = [], None
    for name, peer in peers(work).items():
        try:
            theirs = measure(peer, tensors, tensors, max(1, repeats // 2))
        except Exception as error:
            cells.append(f"{name}: {type(error).__name__}")
            continue
        apart = (theirs.answer - ours.answer).abs().max().item()
        caveat = "" if apart < 1e-3 else f" (differs by {apart:.1g})"
        cells.append(f"{name}: {theirs.forward:.1f} / {theirs.backward:.1f}{caveat}")
        if apart < 1e-3 and (best is None or theirs.total < best):
            best = theirs.total
    ratio = f"{best / ours.total:.2f}" if best else "-"
    theirs = "; ".join(cells) or "no peer installed"
    return f"| {work.name} | {ours.forward:.1f} / {ours.backward:.1f} | {theirs} | {ratio} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="leave out what takes minutes")
    parser.add_argument("--out", type=Path, help="write the table, as Markdown, to this file as well")
    args = parser.parse_args()
    torch.set_default_dtype(torch.float64)
    warnings.simplefilter("ignore")
    works = [relu(1), relu(128), dense_qp(32, 32, "factor"), dense_qp(32, 32, "quad_form")]
    works += [norm_ball(128), density(128)]
    if not args.quick:
        works += [logistic(128), dense_qp(128, 128, "quad_form"), dense_qp(128, 128, "factor")]
    lines = [
        "| work | dpplang forward / backward, ms | peers | times faster than the fastest that agrees |",
        "|---|---|---|---|",
    ]
    for work in works:
        lines.append(run(work, 3 if "128, batch 128" in work.name else 7))
        print(lines[-1], flush=True)
    if args.out:
        versions = f"Python {platform.python_version()}, torch {torch.__version__}"
        where = f"{os.cpu_count()} cores ({platform.machine()}), {versions}"
        note = "Made by `python benchmarks/layers.py`; compare ratios, not milliseconds: machines are noisy."
        args.out.write_text(f"# Benchmarks\n\n{note}\n\nMachine: {where}.\n\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
