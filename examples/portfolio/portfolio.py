"""Tune the risk aversion of a portfolio policy by gradient descent through its trades.

Each month the policy solves portfolio.dpp with estimates from the 60 months before, trades at a cost, and carries what
it holds into the next month. The Sharpe ratio it earns on a validation window is differentiated, through every solve of
the window, with respect to gamma; the months after that window are only looked at once gamma is chosen. (The stocks are
ones that are still in the index today, so the returns flatter every policy alike: compare policies, not the market.)

    python examples/portfolio/portfolio.py        (or: dpp demo)
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from torch import Tensor

import dpplang
from dpplang.torch import Layer

HERE = Path(__file__).resolve().parent
PROGRAM = HERE / "portfolio.dpp"
PRICES = HERE.parent / "data" / "stocks_monthly.csv"

FACTORS, LOOKBACK, HORIZON = 3, 60, 3
COST, TURNOVER = 0.001, 0.4
VALIDATION, TEST = ("2011-01", "2014-12"), ("2015-01", "2019-12")
START = 0.3


@dataclass(frozen=True)
class Market:
    """Monthly returns ``[months, n]`` with the month (YYYY-MM) and the ticker of each."""

    months: tuple[str, ...]
    tickers: tuple[str, ...]
    returns: np.ndarray

    def between(self, first: str, last: str) -> range:
        return range(self.months.index(first), self.months.index(last) + 1)


def load_market() -> Market:
    """Prices of the bundled table, as simple returns."""
    with PRICES.open(encoding="utf-8") as file:
        heading, *rows = csv.reader(file)
    prices = np.array([[float(cell) for cell in row[1:]] for row in rows])
    return Market(tuple(row[0][:7] for row in rows[1:]), tuple(heading[1:]), prices[1:] / prices[:-1] - 1)


def exposures(market: Market) -> np.ndarray:
    """Loadings ``[n, k]`` of the leading principal components of the returns before the validation window."""
    past = market.returns[: market.between(*VALIDATION).start]
    _, _, components = np.linalg.svd(past - past.mean(axis=0), full_matrices=False)
    return components[:FACTORS].T


def estimates(market: Market, month: int, F: np.ndarray) -> dict[str, np.ndarray]:
    """What the policy knows as ``month`` starts: means (shrunk by half to their average), factor and own variances."""
    past = market.returns[month - LOOKBACK : month]
    mean = past.mean(axis=0)
    factors = past @ F
    residual = past - factors @ F.T
    return {
        "mu": np.tile((mean + mean.mean()) / 2, (HORIZON, 1)),
        "Omega": np.cov(factors.T),
        "d": residual.var(axis=0),
        "kappa": np.full(len(mean), COST),
        "tau": np.asarray(TURNOVER),
    }


def drifted(market: Market, month: int) -> np.ndarray:
    """Weights ``[n]`` of a portfolio that was spread evenly a month ago."""
    held = 1 + market.returns[month - 1]
    return held / held.sum()


def values(market: Market, F: np.ndarray, month: int, gamma: float) -> dict[str, np.ndarray]:
    """Everything that portfolio.dpp takes for one month, from what equal weights have become in the month before."""
    return {**estimates(market, month, F), "w0": drifted(market, month), "gamma": np.asarray(gamma)}


class Policy:
    """The monthly rule: portfolio.dpp as a layer, and the estimates it is fed."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.F = exposures(market)
        self.layer = Layer(PROGRAM, dims={"T": HORIZON}, data={"F": self.F})

    def run(self, gamma: Tensor, months: range, tick: Callable[[], None] = lambda: None) -> Tensor:
        """Net monthly returns ``[..., months]`` with risk aversion ``gamma`` ``[...]``, from even weights on."""
        start = torch.as_tensor(drifted(self.market, months[0]))
        held = start.expand(*gamma.shape, len(start))
        earned: list[Tensor] = []
        for month in months:
            known = {k: torch.as_tensor(v) for k, v in estimates(self.market, month, self.F).items()}
            plan, _ = self.layer(**known, w0=held, gamma=gamma)
            target = plan[..., 0, :]
            market = torch.as_tensor(self.market.returns[month])
            gross = target @ market
            earned.append(gross - COST * (target - held).abs().sum(-1))
            held = target * (1 + market) / (1 + gross).unsqueeze(-1)
            tick()
        return torch.stack(earned, -1)


def sharpe(returns: Tensor) -> Tensor:
    """Annualized mean over standard deviation of monthly returns ``[..., months]``."""
    return 12**0.5 * returns.mean(-1) / returns.std(-1)


def tune(policy: Policy, months: range, steps: int, tick: Callable[[float, float], None]) -> list[tuple[float, float]]:
    """Gradient ascent on log gamma; returns (gamma, Sharpe ratio) before every step and after the last."""
    log_gamma = torch.tensor(np.log(START), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([log_gamma], lr=0.2)
    path: list[tuple[float, float]] = []
    for step in range(steps + 1):
        ratio = sharpe(policy.run(log_gamma.exp(), months))
        path.append((float(log_gamma.detach().exp()), float(ratio.detach())))
        tick(*path[-1])
        if step < steps:
            optimizer.zero_grad()
            (-ratio).backward()
            optimizer.step()
    return path


def main(plot: Path | None = None, steps: int = 25) -> None:
    """Check, compile, solve, differentiate, tune, print and plot."""
    console = Console(highlight=False)
    market = load_market()
    validation, test = market.between(*VALIDATION), market.between(*TEST)

    console.print(f"[bold]{len(market.tickers)} stocks[/bold], {market.months[0]} to {market.months[-1]}, monthly")
    started = time.perf_counter()
    problem = dpplang.load(PROGRAM)
    console.print(f"checked   portfolio.dpp: DCP and DPP, {len(problem.parameters)} parameters{_since(started)}")

    first = values(market, exposures(market), validation.start, START)
    started = time.perf_counter()
    program = problem.compile({"T": HORIZON}, {"F": exposures(market)}, {k: np.shape(v) for k, v in first.items()})
    console.print(f"compiled  {program.n} variables, {program.m} rows, {program.A.nnz} nonzeros{_since(started)}")

    started = time.perf_counter()
    solution = problem.solve(first, dims={"T": HORIZON}, data={"F": exposures(market)})
    console.print(f"solved    one month, expected utility {float(solution.value):.5f}{_since(started)}")

    policy = Policy(market)
    adjoint, difference = _slopes(policy, validation)
    console.print(f"gradient  d Sharpe / d log gamma = {adjoint:.6f}, by central differences {difference:.6f}\n")

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("tuning gamma", total=steps + 1)
        path = tune(policy, validation, steps, lambda gamma, ratio: progress.update(
            task, advance=1, description=f"gamma {gamma:7.3f}  Sharpe {ratio:.4f}"))  # fmt: skip
        tuned = max(path, key=lambda point: point[1])[0]
        # One batch: every gamma of the grid trades through both windows side by side, beside the two of the table.
        grid = torch.logspace(-1.5, 2.5, 33, dtype=torch.float64)
        both = range(validation.start, test.stop)
        task = progress.add_task(f"{len(grid) + 2} gammas in one batch", total=len(both))
        with torch.no_grad():
            runs = policy.run(torch.cat((grid.new_tensor([START, tuned]), grid)), both, lambda: progress.advance(task))

    split = len(validation)
    equal = torch.as_tensor(market.returns[both.start : both.stop]).mean(-1)
    rows = {"equal weights": equal, f"γ = {START:g}, start": runs[0], f"γ = {tuned:.3g}, tuned": runs[1]}
    console.print(_table(rows, split))
    if plot:
        _draw(plot, market.months[both.start : both.stop], rows, split, path, grid, runs[2:])
        console.print(f"wrote {plot}")


def _since(started: float) -> str:
    return f"  [dim]{1000 * (time.perf_counter() - started):.0f} ms[/dim]"


def _slopes(policy: Policy, months: range, step: float = 1e-3) -> tuple[float, float]:
    """d Sharpe / d log gamma at the start, by the adjoint through all months and by central differences."""
    log_gamma = torch.tensor(np.log(START), dtype=torch.float64, requires_grad=True)
    sharpe(policy.run(log_gamma.exp(), months)).backward()
    with torch.no_grad():
        around = torch.tensor([np.log(START) - step, np.log(START) + step], dtype=torch.float64).exp()
        low, high = sharpe(policy.run(around, months))
    return float(log_gamma.grad), float((high - low) / (2 * step))


def _table(rows: dict[str, Tensor], split: int) -> Table:
    table = Table("", box=box.SIMPLE_HEAD, pad_edge=False)
    windows = {"validation": slice(None, split), "test": slice(split, None)}
    for window, (first, last) in zip(windows, (VALIDATION, TEST), strict=True):
        for what in ("return", "std", "Sharpe"):
            years = f"{window}\n{first[:4]}–{last[:4]}" if what == "return" else "\n"
            table.add_column(f"{years}\n{what}", justify="right")
    for name, returns in rows.items():
        cells: list[str] = []
        for window in windows.values():
            part = returns[window]
            mean, deviation = 12 * float(part.mean()), 12**0.5 * float(part.std())
            cells += [f"{mean:.1%}", f"{deviation:.1%}", f"{mean / deviation:.2f}"]
        table.add_row(name, *cells)
    return table


def _draw(
    plot: Path,
    months: tuple[str, ...],
    rows: dict[str, Tensor],
    split: int,
    path: list[tuple[float, float]],
    grid: Tensor,
    runs: Tensor,
) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    ink, blue, orange, grey = "#222222", "#2b6cb0", "#dd6b20", "#a0a0a0"
    pyplot.rcParams.update({"font.size": 9.5, "axes.edgecolor": "#888888", "text.color": ink, "axes.labelcolor": ink})
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 4.8), layout="constrained", width_ratios=(1, 1.25))

    dashes = (0, (4, 2))
    left.plot(grid, sharpe(runs[:, split:]), color=grey, linewidth=1.6, linestyle=dashes, label="test window, not used")
    left.plot(grid, sharpe(runs[:, :split]), color=blue, linewidth=2, label="validation window")
    gammas, ratios = zip(*path, strict=True)
    left.plot(gammas, ratios, "o", color=orange, markersize=5, alpha=0.75, label="gradient steps", zorder=3)
    best = max(path, key=lambda point: point[1])
    for (gamma, ratio), word, shift in ((path[0], "start", (8, -14)), (best, f"tuned: γ = {best[0]:.3g}", (0, 12))):
        left.annotate(word, (gamma, ratio), shift, textcoords="offset points", color=orange, weight="bold")
    left.set(xscale="log", xlabel="risk aversion γ", ylabel="Sharpe ratio, net of costs")
    left.margins(y=0.1)
    left.set_title("Gradient ascent through every trade of the window", loc="left", weight="bold")
    left.legend(frameon=False, loc="lower center")

    ticks = [i for i, month in enumerate(months) if month.endswith("-01")]
    for (name, returns), color in zip(rows.items(), (grey, orange, blue), strict=True):
        ratios = f"{float(sharpe(returns[:split])):.2f}, {float(sharpe(returns[split:])):.2f}"
        right.plot((1 + returns).cumprod(0), color=color, linewidth=2, label=f"{name}  (Sharpe {ratios})")
    right.axvspan(-0.5, split - 0.5, color="#edf2f7", zorder=0)
    right.set_yscale("log")
    right.set_yticks([1, 1.5, 2, 3, 4], ["1", "1.5", "2", "3", "4"])
    right.minorticks_off()
    right.set_xticks(ticks, [months[i][:4] for i in ticks])
    right.set_ylabel("growth of 1, net of costs")
    right.set_xlim(-0.5, len(months) - 0.5)
    for word, at in (("validation", 0.0), ("test", split / len(months))):
        right.text(at + 0.015, 0.955, word, transform=right.transAxes, color="#718096")
    right.set_title("What it would have earned", loc="left", weight="bold")
    right.legend(frameon=False, loc="lower right")
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)
    figure.savefig(plot, dpi=150)
    pyplot.close(figure)


if __name__ == "__main__":
    main(Path("portfolio.png"))
