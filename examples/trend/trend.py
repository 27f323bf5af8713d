"""The trend of Seattle's temperatures, with a price of bends that cross-validation learns by gradient, in JAX.

trend.dpp draws a piecewise linear trend through the weeks that it sees. How much a bend costs may differ with the
season: its logarithm is a harmonic of the year, and the three coefficients are learned so that weeks held out are met
best. All folds are one batched solve under `vmap`, and one step of gradient descent is one compiled function.

    python examples/trend/trend.py
"""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from dpplang.jax import Layer

HERE = Path(__file__).resolve().parent
PROGRAM = HERE / "trend.dpp"
FOLDS = 4
START = (3.0, 0.1, 0.1)


def weeks() -> np.ndarray:
    """Mean highest temperature (°C) of each week of 2012 and 2013."""
    with (HERE.parent / "data" / "seattle_daily.csv").open(encoding="utf-8") as file:
        daily = np.array([float(row["temp_max"]) for row in csv.DictReader(file)])
    return daily[: daily.size // 7 * 7].reshape(-1, 7).mean(axis=1)


def folds(n: int) -> np.ndarray:
    """Which weeks each fold sees ``[FOLDS, n]``: all but every fourth."""
    return (np.arange(n) % FOLDS != np.arange(FOLDS)[:, None]).astype(float)


def price(coefficients: jax.Array, n: int) -> jax.Array:
    """What the bend at each inner week costs ``[n - 2]``."""
    angle = 2 * jnp.pi * jnp.arange(1, n - 1) / (365.25 / 7)
    return jnp.exp(coefficients @ jnp.stack([jnp.ones_like(angle), jnp.cos(angle), jnp.sin(angle)]))


def held_out_error(layer: Layer, y: jax.Array, coefficients: jax.Array) -> jax.Array:
    """Mean squared error (°C²) at the weeks that a fold does not see, over all folds."""
    prices = price(coefficients, y.size)

    def error(seen: jax.Array) -> jax.Array:
        return jnp.sum((1 - seen) * (layer(y=y, seen=seen, price=prices).x - y) ** 2)

    return jax.vmap(error)(jnp.asarray(folds(y.size))).sum() / y.size


def main(steps: int = 40, rate: float = 0.5) -> None:
    """Print how the error at held-out weeks falls, and what a bend costs in each season."""
    layer, y = Layer(PROGRAM), jnp.asarray(weeks())
    coefficients = jnp.asarray(START)
    step = jax.jit(jax.value_and_grad(partial(held_out_error, layer, y)))
    print("step  held-out error (°C²)")
    for k in range(steps + 1):
        error, gradient = step(coefficients)
        if k % 10 == 0:
            print(f"{k:4d}  {error:20.4f}")
        coefficients = coefficients - rate * gradient
    bends = price(coefficients, y.size)
    print(f"a bend costs {bends[2]:.1f} in January and {bends[28]:.1f} in July")


if __name__ == "__main__":
    main()
