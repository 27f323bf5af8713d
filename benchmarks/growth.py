"""How cost grows: the dense QP over batch, order and threads, forward and backward, time and memory.

    python -m benchmarks.growth [--quick] [--resume] [--minutes 12] [--patience 20]

Points are measured from the cheapest to the dearest, all curves at once, and kept in build/benchmarks/growth.json as
they are; when the minutes are over the rest is left for ``--resume``. A curve ends where a point takes more than the
patience. ``python -m benchmarks --out docs`` puts the curves on the page.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

BATCHES = (1, 4, 16, 64, 256, 1024, 4096)
ORDERS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048)
PEERS = ("dpplang", "Moreau directly", "proxsuite", "qpth")
PRELOAD = ("dpplang.torch", "moreau.torch", "proxsuite", "qpth.qp", "cvxpy", __name__)


@dataclass(frozen=True)
class Point:
    """n = p variables and inequalities; ``axis`` is the curve it belongs to: batch, n, or threads."""

    axis: str
    layer: str
    n: int
    batch: int
    threads: int

    @property
    def work(self) -> float:
        """Roughly proportional to what it costs."""
        return self.batch * (self.n + 100.0) ** 3

    @property
    def curve(self) -> tuple[str, str, int, int]:
        """What it shares with the points that are measured before and after it."""
        return self.axis, self.layer, self.threads, self.n if self.axis == "threads" else 0

    @property
    def key(self) -> str:
        return f"{self.axis}/{self.layer}/{self.n}/{self.batch}/{self.threads}"


def points(quick: bool) -> list[Point]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    batches, orders = (BATCHES[:5], ORDERS[:5]) if quick else (BATCHES, ORDERS)
    over_batch = [Point("batch", layer, 16, batch, cores) for layer in PEERS for batch in batches]
    over_n = [Point("n", layer, n, 1, cores) for layer in PEERS for n in orders]
    over_threads = [Point("threads", "dpplang", n, 128, t) for n in (16, 64, 128) for t in range(1, cores + 1)]
    return sorted(over_batch + over_n + over_threads, key=lambda point: point.work)


def run(point: Point, budget: float, out: str) -> None:
    """Measure one point in a process of its own."""
    import warnings

    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: point.threads])
    import torch
    from threadpoolctl import threadpool_limits

    from benchmarks.measure import measure
    from benchmarks.peers import layers
    from benchmarks.works.dense_qp import dense_qp

    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(point.threads)
    threadpool_limits(point.threads)  # libraries that counted the cores before spin against each other on one
    torch.manual_seed(0)
    warnings.simplefilter("ignore")
    try:
        work = dense_qp(point.n, point.batch, "quad_form")
        sample = measure(layers(work)[point.layer], work.draw(), budget)
        found: dict[str, object] = {
            "forward": sample.forward, "backward": sample.backward, "first": sample.first, "memory": sample.memory,
        }  # fmt: skip
    except Exception as error:
        found = {"failed": f"{type(error).__name__}: {error}"[:160]}
    Path(out).write_text(json.dumps(found))


def measure_point(point: Point, budget: float, patience: float) -> dict[str, object]:
    context = get_context("forkserver")
    context.set_forkserver_preload(list(PRELOAD))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "point.json"
        process = context.Process(target=run, args=(point, budget, str(out)))
        process.start()
        process.join(patience)
        if process.exitcode is None:
            process.kill()
            process.join()
            return {"failed": f"not done after {patience:.0f} s"}
        return json.loads(out.read_text()) if out.exists() else {"failed": f"exit code {process.exitcode}"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the smaller half of batches and orders")
    parser.add_argument("--resume", action="store_true", help="keep the points that are there already")
    parser.add_argument("--results", type=Path, default=Path("build/benchmarks"))
    parser.add_argument("--patience", type=float, default=20.0, help="seconds a point may take (20)")
    parser.add_argument("--minutes", type=float, default=12.0, help="minutes for all points (12)")
    args = parser.parse_args()
    path = args.results / "growth.json"
    args.results.mkdir(parents=True, exist_ok=True)
    known: dict[str, dict[str, object]] = json.loads(path.read_text()) if args.resume and path.exists() else {}
    todo = points(args.quick)
    ended = {point.curve for point in todo if "failed" in known.get(point.key, {})}
    begin, left = time.monotonic(), 0
    for position, point in enumerate(todo, 1):
        if point.key in known or point.curve in ended:
            continue
        spent = time.monotonic() - begin
        if spent > 60 * args.minutes:
            left += 1
            continue
        found = measure_point(point, 0.2 if args.quick else 0.5, args.patience)
        known[point.key] = asdict(point) | found
        path.write_text(json.dumps(known, indent=1))
        if "failed" in found:  # the next would only take longer
            ended.add(point.curve)
        words = found.get("failed") or f"{found['forward']:.2f} + {found['backward']:.2f} ms, {found['memory']:.0f} MB"
        print(f"[{position}/{len(todo)}, {spent:.0f} s] {point.key}: {words}", file=sys.stderr, flush=True)
    if left:
        print(f"{left} points are left for --resume", file=sys.stderr)


def page(known: dict[str, dict[str, object]], folder: Path) -> str:
    """The section of the page, and its figure."""
    rows = [row for row in known.values() if "failed" not in row]
    _plot(rows, folder / "growth.svg")
    words = (
        "The dense QP, `quad_form`, all tensors wanting a gradient. Left: over the batch at n = p = 16. Middle: over n "
        "at batch 1. Right: memory that the layer added to the process, over n. The tables give milliseconds, forward "
        "and backward together, and MB added."
    )
    parts = ["## How cost grows", words, "![growth](growth.svg)"]
    for axis, head in (("batch", "batch, n = p = 16"), ("n", "n = p, batch 1")):
        mine = {(row["layer"], row[axis]): row for row in known.values() if row["axis"] == axis}
        lines = [f"| {head} | {' | '.join(PEERS)} |", "|---" * (len(PEERS) + 1) + "|"]
        for value in sorted({value for _, value in mine}):
            cells = [_cell(mine.get((layer, value))) for layer in PEERS]
            lines.append(f"| {value} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    lines = ["| n = p, batch 128, dpplang | threads | forward, ms | backward, ms |", "|---|---|---|---|"]
    for row in sorted(rows, key=lambda row: (row["n"], row["threads"])):
        if row["axis"] == "threads":
            lines.append(f"| {row['n']} | {row['threads']} | {row['forward']:.3g} | {row['backward']:.3g} |")
    return "\n\n".join((*parts, "\n".join(lines)))


def _cell(row: dict[str, object] | None) -> str:
    if row is None:
        return ""
    if "failed" in row:
        return str(row["failed"]).replace("|", "/")
    return f"{row['forward'] + row['backward']:.3g} ms, {row['memory']:.0f} MB"


def _plot(rows: Sequence[dict[str, object]], path: Path) -> None:
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot as plt

    plt.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "dpplang", "font.size": 9}
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.2))
    for axis, name, value in zip(axes, ("batch", "n", "n"), ("time", "time", "memory"), strict=True):
        for layer in PEERS:
            mine = sorted((r for r in rows if r["axis"] == name and r["layer"] == layer), key=lambda r: r[name])
            xs = [r[name] for r in mine]
            ys = [r["forward"] + r["backward"] if value == "time" else max(r["memory"], 1.0) for r in mine]
            axis.plot(xs, ys, "o-", ms=3, lw=2 if layer == "dpplang" else 1, label=layer)
        axis.set_xscale("log", base=2)
        axis.set_yscale("log")
        axis.set_xlabel("batch" if name == "batch" else "n = p")
        axis.set_ylabel("ms, forward + backward" if value == "time" else "MB")
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=8, frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
