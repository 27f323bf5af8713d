"""The table, the plot and the page, from rows that were measured."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from benchmarks.row import AGREE, OURS, agrees, fastest, total

HEAD = """\
# Benchmarks

Forward and backward through a layer, beside every peer, on the same data on the same machine one after the other.
Made by `make bench`; a row alone by `python -m benchmarks --only NAME`. Milliseconds drift from run to run, ratios
much less.

A peer *agrees* if its answer and all its gradients are ours to {agree:g} (relative to the largest entry); the ratio
is to the fastest that agrees, whatever way it was called and however it writes the problem. *Limit* is the time that
the machine needs to move the bytes of inputs, answer and gradients once, or to do the named factorization once at its
measured speed, whichever is longer, and how many times that we take.

As installed, cvxpylayers 1.2 with Moreau solves a problem without the cones that stand on plain variables (`y >= 0`,
`X` semidefinite, a norm of a variable), and says nothing: those answers do not agree. *Cones kept* is the same layer
with CVXPY told to leave the cones where cvxpylayers looks for them.
"""


def load(folder: Path, names: Iterable[str]) -> list[dict[str, object]]:
    """The rows that are there, in the order of ``names``."""
    paths = [folder / f"{name}.row.json" for name in names]
    return [json.loads(path.read_text()) for path in paths if path.exists()]


def load_machine(folder: Path) -> dict[str, object]:
    return json.loads((folder / "machine.json").read_text())


def summary(rows: list[dict[str, object]], machine: dict[str, object]) -> str:
    """One line a row: ours, the fastest peer that agrees, the ratio and what is asked for."""
    lines = [
        "| work | dpplang, ms forward + backward | fastest that agrees | times faster | asked | limit, ms | × limit |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        ours = row["layers"][OURS]
        if "failed" in ours:
            lines.append(f"| {row['title']} | {ours['failed']} | | | {row['goal']:g} | | |")
            continue
        best = fastest(row)
        peer, ratio = "–", "–"
        if best is not None:
            peer = f"{best}: {_pair(row['layers'][best])}"
            ratio = f"**{total(row['layers'][best]) / total(ours):.2f}**"
        floor, times = _limit(row, machine)
        lines.append(f"| {row['title']} | {_pair(ours)} | {peer} | {ratio} | {row['goal']:g} | {floor} | {times} |")
    return "\n".join(lines)


def details(rows: list[dict[str, object]]) -> str:
    """Every layer of every row."""
    lines = [
        "| work | layer | forward | backward | first call, s | memory, MB | answer differs by | gradients by |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        title = row["title"]
        for label, layer in row["layers"].items():
            if "failed" in layer:
                lines.append(f"| {title} | {label} | {layer['failed'].replace('|', '/')} | | | | | |")
            else:
                apart = [_apart(layer.get(key)) for key in ("answer", "gradient")]
                if label == OURS and "error" in layer:
                    apart = ["", f"{layer['error']:.0e} (central difference)"]
                numbers = [f"{layer['forward']:.3g}", f"{layer['backward']:.3g}", f"{layer['first']:.2g}"]
                cells = [title, label, *numbers, f"{layer['memory']:.0f}", *apart]
                lines.append(f"| {' | '.join(cells)} |")
            title = ""
    return "\n".join(lines)


def _pair(layer: dict[str, object]) -> str:
    return f"{layer['forward']:.3g} + {layer['backward']:.3g}" if layer["backward"] else f"{layer['forward']:.3g}"


def _apart(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0e}" if value <= AGREE else f"**{value:.0e}**"


def _limit(row: dict[str, object], machine: dict[str, object]) -> tuple[str, str]:
    ours = row["layers"][OURS]
    if "limit" not in ours:
        copy = row["layers"].get("copy of the same bytes")
        if copy is None or "failed" in copy:
            return "", ""
        return f"{copy['forward']:.3g} (a copy)", f"{total(ours) / copy['forward']:.1f}"
    limit = ours["limit"]
    moved, computed = limit["bytes"] / machine["bandwidth"] / 1e6, limit["flops"] / machine["gflops"] / 1e6
    what = limit["words"] if computed >= moved else "bytes"
    return f"{max(moved, computed):.2g} ({what})", f"{total(ours) / max(moved, computed):.0f}"


def machine_words(machine: dict[str, object]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"Machine: {machine['cores']} cores ({machine['processor']}), {machine['memory']:.0f} GiB, Python "
        f"{machine['python']}, {machine['threads']} torch threads; {machine['gflops']:.0f} GFLOP/s in a matrix "
        f"product of order 1024, {machine['bandwidth']:.1f} GB/s in a large copy. Versions: {versions}."
    )


def write(folder: Path, rows: list[dict[str, object]], machine: dict[str, object], results: Path) -> None:
    """docs/benchmarks.md and its figures."""
    plot(rows, folder / "benchmarks.svg")
    parts = [
        HEAD.format(agree=AGREE), machine_words(machine), summary(rows, machine), "![times](benchmarks.svg)",
        "## Every layer", "Milliseconds; a difference in bold does not agree.", details(rows),
    ]  # fmt: skip
    growth = results / "growth.json"
    if growth.exists():
        from benchmarks import growth as curves

        parts.append(curves.page(json.loads(growth.read_text()), folder))
    (folder / "benchmarks.md").write_text("\n\n".join(part.strip() for part in parts) + "\n")


def plot(rows: list[dict[str, object]], path: Path) -> None:
    """Total milliseconds, one line of dots a row; hollow where a peer does not agree."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot as plt

    plt.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "dpplang", "font.size": 9}
    timed = [row for row in rows if "failed" not in row["layers"][OURS]]
    families = list(dict.fromkeys(_family(label) for row in timed for label in row["layers"]))
    colours = dict(zip(families, plt.get_cmap("tab10").colors, strict=False))
    figure, axes = plt.subplots(figsize=(9, 0.36 * len(timed) + 1.2))
    for height, row in enumerate(reversed(timed)):
        for label, layer in row["layers"].items():
            if "failed" in layer:
                continue
            colour = colours[_family(label)]
            solid = label == OURS or agrees(layer)
            axes.plot(
                total(layer), height, "D" if label == OURS else "o", color=colour, mfc=colour if solid else "none",
                ms=6 if label == OURS else 5,
            )  # fmt: skip
    for family in families:
        axes.plot([], [], "D" if family == OURS else "o", color=colours[family], label=family)
    axes.set_xscale("log")
    axes.set_yticks(range(len(timed)), [row["title"].replace("`", "") for row in reversed(timed)])
    axes.set_xlabel("ms, forward + backward (hollow: the answer or a gradient differs by more than 1e-3)")
    axes.grid(axis="x", alpha=0.3)
    axes.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.3, 1.0), ncols=4, frameon=False)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)


def _family(label: str) -> str:
    return label.split(",")[0]
