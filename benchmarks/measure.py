"""Times of one layer: forward and backward, medians after a warm-up, with the answer and the gradients."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from benchmarks.work import Tensors

SLOW = 8.0  # seconds of the first call from which it is the only one
MOST = 400  # repeats at most


@dataclass(frozen=True)
class Sample:
    """Milliseconds, over ``runs`` calls; ``first`` the seconds of making the layer and its first call; MB it added."""

    forward: float
    backward: float
    runs: int
    first: float
    memory: float
    answer: torch.Tensor
    gradients: Tensors


def weights(answer: torch.Tensor) -> torch.Tensor:
    """The loss is a fixed random weighting of the answer: a plain sum would hide what cancels."""
    return torch.randn(answer.shape, generator=torch.Generator().manual_seed(1), dtype=answer.dtype)


def once(call: Callable[[Tensors], torch.Tensor], tensors: Tensors) -> tuple[float, float, torch.Tensor, Tensors]:
    """Seconds forward and backward, the answer, and the gradients."""
    start = time.perf_counter()
    answer = call(tensors)
    middle = time.perf_counter()
    loss = (answer * weights(answer)).sum()
    begin = time.perf_counter()
    gradients = torch.autograd.grad(loss, tensors, allow_unused=True)
    end = time.perf_counter()
    full = tuple(torch.zeros_like(t) if g is None else g for g, t in zip(gradients, tensors, strict=True))
    return middle - start, end - begin, answer.detach(), full


def measure(make: Callable[[], Callable[[Tensors], torch.Tensor]], tensors: Tensors, budget: float) -> Sample:
    """Time a layer for about ``budget`` seconds, at least three calls; one that takes SLOW seconds is called once."""
    tensors = tuple(t.detach().requires_grad_() for t in tensors)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    call = make()
    f, b, answer, gradients = once(call, tensors)
    first = time.perf_counter() - start
    runs = [(f, b)]
    if f + b < SLOW:
        _, *more = [once(call, tensors)[:2] for _ in range(2)]
        count = int(min(max(budget / max(sum(more[0]), 1e-6), 3), MOST))
        runs = [once(call, tensors)[:2] for _ in range(count)]
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    forward, backward = (1e3 * statistics.median(column) for column in zip(*runs, strict=True))
    return Sample(forward, backward, len(runs), first, memory, answer, gradients)


def directional_error(
    call: Callable[[Tensors], torch.Tensor], tensors: Tensors, gradients: Tensors, symmetric: tuple[int, ...]
) -> float:
    """The gradients against a central difference along a random direction, relative."""
    generator, h = torch.Generator().manual_seed(2), 1e-6
    tensors = tuple(t.detach() for t in tensors)
    direction = [torch.randn(t.shape, generator=generator) for t in tensors]
    for k in symmetric:
        direction[k] = direction[k] + direction[k].mT
    with torch.no_grad():
        ahead, behind = (
            call(tuple(t + s * h * d for t, d in zip(tensors, direction, strict=True))) for s in (1.0, -1.0)
        )
    numeric = ((ahead - behind) * weights(ahead)).sum().item() / (2 * h)
    exact = sum((g * d).sum().item() for g, d in zip(gradients, direction, strict=True))
    return abs(numeric - exact) / max(abs(numeric), abs(exact), 1e-12)
