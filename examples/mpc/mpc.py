"""Heat a building through a Seattle winter, and learn the forecast through the controller.

Every day the controller sees today's temperature, forecasts the week as climate + ρᵗ (today − climate), solves mpc.dpp
and applies the first input; the building then meets the temperatures that were measured. What a winter costs is
differentiated with respect to ρ through all the days, so the forecast is learned for what it is used for.

    python examples/mpc/mpc.py
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dpplang.torch import Layer

HERE = Path(__file__).resolve().parent
PROGRAM = HERE / "mpc.dpp"
HORIZON, TARGET, COMFORT, PEAK = 7, 20.0, 0.05, 0.5

# One day of a building with indoor air and walls (°C); the input 1 heats the air by 4 °C a day.
SYSTEM = {
    "A": np.array([[0.45, 0.40], [0.15, 0.80]]),
    "B": np.array([4.0, 0.5]),
    "E": np.array([0.15, 0.05]),
}


def outdoor() -> tuple[list[str], np.ndarray]:
    """Dates and mean temperatures (°C) that were measured in 2012 and 2013."""
    with (HERE.parent / "data" / "seattle_daily.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [r["date"] for r in rows], np.array([(float(r["temp_max"]) + float(r["temp_min"])) / 2 for r in rows])


def winter(first: str, days: int) -> Tensor:
    """Measured temperatures ``[days]`` from a date on."""
    dates, measured = outdoor()
    start = dates.index(first)
    return torch.as_tensor(measured[start : start + days])


def forecast(today: Tensor, climate: Tensor, rho: Tensor) -> Tensor:
    """The week ahead ``[T]``, today first: persistence that fades."""
    return climate + rho ** torch.arange(HORIZON, dtype=today.dtype) * (today - climate)


def simulate(layer: Layer, measured: Tensor, rho: Tensor) -> tuple[Tensor, Tensor]:
    """Indoor temperatures and inputs ``[days]`` of the controlled building."""
    A, B, E = (torch.as_tensor(SYSTEM[k]) for k in "ABE")
    state = torch.tensor([18.0, 16.0], dtype=measured.dtype)
    comfort, peak = (torch.tensor(v, dtype=measured.dtype) for v in (COMFORT, PEAK))
    indoor, inputs = [], []
    for today in measured:
        _, u = layer(x0=state, outdoor=forecast(today, measured.mean(), rho), comfort=comfort, peak=peak)
        state = A @ state + B * u[0] + E * today
        indoor.append(state[0])
        inputs.append(u[0])
    return torch.stack(indoor), torch.stack(inputs)


def cost(indoor: Tensor, inputs: Tensor) -> Tensor:
    """What a day costs on average: energy, and discomfort at the weight of mpc.dpp."""
    return (inputs + COMFORT * (indoor - TARGET).square()).mean()


def main(days: int = 60, steps: int = 12) -> None:
    """Learn ρ on one winter, look at the next."""
    layer = Layer(PROGRAM, dims={"T": HORIZON}, data=SYSTEM)
    learn, later = winter("2012/01/01", days), winter("2013/01/01", days)
    logit = torch.tensor(-1.5, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([logit], lr=0.4)
    path: list[tuple[float, Tensor]] = []
    for step in range(steps):
        loss = cost(*simulate(layer, learn, logit.sigmoid()))
        path.append((loss.item(), logit.detach().sigmoid()))
        print(f"step {step:2d}  ρ {path[-1][1].item():.3f}  cost {path[-1][0]:.5f} a day")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        for word, rho in (("before", path[0][1]), ("learned", min(path)[1])):
            indoor, inputs = simulate(layer, later, rho)
            print(
                f"winter 2013, ρ {rho.item():.3f} ({word}): cost {cost(indoor, inputs).item():.5f} a day, "
                f"energy {inputs.sum().item():.2f}, indoors {indoor.min().item():.1f} to {indoor.max().item():.1f} °C"
            )


if __name__ == "__main__":
    main()
