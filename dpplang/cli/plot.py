"""Pictures of a solution: one panel an output."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dpplang.cli.usage import UsageError

_LINES_AT_MOST = 12


def plot_solution(title: str, outputs: Mapping[str, Any], path: Path) -> None:
    """Draw vectors as stems, and matrices as one line a column (as an image if there are many), into a file.

    Raises:
        UsageError: matplotlib is missing, there is nothing to draw, or the file cannot be written.
    """
    drawable = {name: array for name, array in outputs.items() if array.ndim in (1, 2) and array.size}
    if not drawable:
        raise UsageError("there is no vector or matrix among the outputs to plot", "leave `--plot` out")
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        raise UsageError("`--plot` needs matplotlib", "pip install 'dpplang[plot]'") from None
    figure, axes = pyplot.subplots(
        len(drawable), 1, figsize=(7.5, 2.6 * len(drawable) + 0.6), squeeze=False, layout="constrained"
    )
    for axis, (name, array) in zip(axes[:, 0], drawable.items(), strict=True):
        _panel(figure, axis, name, array)
    figure.suptitle(title)
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"`--plot {path}`: {error}", "name a .png, .pdf or .svg file in a folder that is there"
        ) from None
    finally:
        pyplot.close(figure)


def _panel(figure: Any, axis: Any, name: str, array: Any) -> None:
    axis.set_title(name, loc="left", fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
    if array.ndim == 1:
        axis.vlines(np.arange(array.size), 0, array, color="#4878a8")
        axis.plot(np.arange(array.size), array, "o", color="#4878a8", markersize=4)
        axis.axhline(0, color="0.6", linewidth=0.8)
    elif array.shape[1] <= _LINES_AT_MOST:
        axis.plot(
            array, marker="o", markersize=3, linewidth=1.2, label=[f"{name}[:, {j}]" for j in range(array.shape[1])]
        )
        axis.legend(fontsize=7, ncols=2, frameon=False)
    else:
        figure.colorbar(axis.imshow(array, aspect="auto", cmap="RdBu_r"), ax=axis)
    axis.set_xlabel("column" if array.ndim == 2 and array.shape[1] > _LINES_AT_MOST else "index", fontsize=8)
