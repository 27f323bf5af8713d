"""One row: every layer in its own process, one after the other, on the same data; then they are compared."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks import canonical, compiling, worker
from benchmarks.peers import OURS, layers
from benchmarks.works import WORKS

AGREE = 1e-3
NAMES: tuple[str, ...] = (*WORKS, *canonical.WORKS, *compiling.WORKS)


@dataclass(frozen=True)
class Settings:
    """Seconds to spend on the calls of a layer, seconds a layer may take in all, GiB it may take (0: no bound)."""

    budget: float = 3.0
    patience: float = 120.0
    memory: float = 16.0


def measure_row(name: str, settings: Settings, say: Callable[[str], None]) -> dict[str, object]:
    """Measure every layer of a work. Ours comes first and last, so that a drift of the machine's speed shows."""
    work = WORKS[name]() if name in WORKS else canonical.WORKS.get(name) or compiling.WORKS[name]
    labels = list(layers(work)) if name in WORKS else list(work.labels())
    row: dict[str, object] = {"name": name, "title": work.title, "goal": work.goal, "layers": {}}
    with tempfile.TemporaryDirectory() as folder:
        saved = {label: Path(folder) / str(k) for k, label in enumerate([*labels, "again"])}
        found = {label: _measure(name, label, saved[label], settings, say) for label in labels}
        ours, again = found[OURS], _measure(name, OURS, saved["again"], settings, say)
        reference = saved[OURS].with_suffix(".npz")
        if "failed" in ours:
            found[OURS], reference = again, saved["again"].with_suffix(".npz")
        elif "failed" not in again:
            ours["drift"] = total(again) / total(ours)
            for key in ("forward", "backward"):
                ours[key] = (ours[key] + again[key]) / 2
        for label in labels:
            answers = saved[label].with_suffix(".npz")
            if label != OURS and answers.exists() and reference.exists():
                found[label] |= _apart(answers, reference)
    row["layers"] = found
    return row


def _measure(name: str, label: str, out: Path, settings: Settings, say: Callable[[str], None]) -> dict[str, object]:
    context = get_context("forkserver")
    context.set_forkserver_preload(list(worker.PRELOAD))
    process = context.Process(target=worker.run, args=(name, label, settings.budget, settings.memory, str(out)))
    process.start()
    process.join(settings.patience)
    result = out.with_suffix(".json")
    if process.exitcode is None:
        process.kill()
        process.join()
        found: dict[str, object] = {"failed": f"not done after {settings.patience:.0f} s"}
    elif result.exists():
        found = json.loads(result.read_text())
    else:
        found = {"failed": f"the process died, exit code {process.exitcode}"}
    words = found.get("failed") or f"{found['forward']:.2f} / {found['backward']:.2f} ms"
    say(f"  {label}: {words}")
    return found


def _apart(theirs: Path, ours: Path) -> dict[str, float]:
    """The largest difference of the answers and of the gradients, each relative to the largest entry (at least 1)."""
    with np.load(theirs) as a, np.load(ours) as b:
        pairs = [(a[key].reshape(-1), b[key].reshape(-1)) for key in b.files]
    answer, *gradients = [_difference(x, y) for x, y in pairs]
    return {"answer": answer, "gradient": max(gradients, default=0.0)}


def _difference(theirs: np.ndarray, ours: np.ndarray) -> float:
    if theirs.shape != ours.shape or not np.isfinite(theirs).all():
        return float("inf")
    return float(np.abs(theirs - ours).max() / max(1.0, np.abs(ours).max()))


def agrees(layer: dict[str, object]) -> bool:
    """Whether a peer's answer and gradients are ours to AGREE (what has none to compare counts as agreeing)."""
    return "failed" not in layer and max(layer.get("answer", 0.0), layer.get("gradient", 0.0)) <= AGREE


def total(layer: dict[str, object]) -> float:
    return layer["forward"] + layer["backward"]


def fastest(row: dict[str, object]) -> str | None:
    """The label of the fastest peer that agrees."""
    peers = [k for k, v in row["layers"].items() if not k.startswith((OURS, "copy")) and agrees(v)]
    return min(peers, key=lambda k: total(row["layers"][k]), default=None)
