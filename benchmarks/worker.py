"""One layer of one work in a process of its own: a peer that dies, hangs or eats all memory harms no other."""

from __future__ import annotations

import json
import os
import resource
import warnings
from pathlib import Path

import numpy as np
import torch

from benchmarks import canonical, compiling
from benchmarks.measure import directional_error, measure
from benchmarks.peers import OURS, layers
from benchmarks.works import WORKS

PRELOAD = ("dpplang.torch", "cvxpylayers.torch", "moreau.torch", "proxsuite", "qpth.qp", "diffapqp", __name__)
"""What the server process imports once, so that each worker starts in no time."""

GIB = 1 << 30


def run(name: str, label: str, budget: float, memory: float, out: str) -> None:
    """Measure, and leave OUT.json; for a layer also OUT.npz with the answer and the gradients."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # some peers print
    torch.set_default_dtype(torch.float64)
    warnings.simplefilter("ignore")
    if memory:
        resource.setrlimit(resource.RLIMIT_DATA, (int(memory * GIB), int(memory * GIB)))
    try:
        found = _run(name, label, budget, out)
    except MemoryError:
        found = {"failed": f"out of memory at {memory:g} GiB"}
    except Exception as error:
        text = next(iter(str(error).strip().splitlines()), "")
        full = f"out of memory at {memory:g} GiB" if "alloc" in text else f"{type(error).__name__}: {text}"
        found = {"failed": full[:160]}
    Path(out + ".json").write_text(json.dumps(found))


def _run(name: str, label: str, budget: float, out: str) -> dict[str, object]:
    for module in (canonical, compiling):
        if name in module.WORKS:
            return module.WORKS[name].run(label, budget)
    work = WORKS[name]()
    torch.manual_seed(0)
    tensors = work.draw()
    make = layers(work)[label]
    sample = measure(make, tensors, budget)
    gradients = [g.detach().numpy() for g in sample.gradients]
    for k in work.symmetric:
        gradients[k] = (gradients[k] + np.swapaxes(gradients[k], -1, -2)) / 2
    np.savez(out + ".npz", sample.answer.numpy(), *gradients)
    found: dict[str, object] = {
        "forward": sample.forward, "backward": sample.backward, "runs": sample.runs, "first": sample.first,
        "memory": sample.memory,
    }  # fmt: skip
    if label == OURS:
        limit = work.limit(tensors, sample.answer)
        found["limit"] = {"bytes": limit.bytes, "flops": limit.flops, "words": limit.words}
        found["error"] = directional_error(make(), tensors, sample.gradients, work.symmetric)
    return found
