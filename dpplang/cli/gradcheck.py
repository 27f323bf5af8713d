"""Compare a program's gradient with central differences, parameter by parameter.

For random weights w over the outputs, d/dθ ⟨w, outputs⟩ by the adjoint is held against the difference of two solves
along random directions. Steps are relative to the size of the parameter, errors to that of the derivative (or of the
outputs, where that is larger). Of three steps the one that agrees best counts: a large one may change which constraints
are active, and a small one drowns in the solver's rounding.

Parameters that are given no value are drawn at random, as they are declared (--seed).
Exit code: 0 they agree, 1 they do not (or there is no solution), 2 a wrong call.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dpplang.cli.binding import Binding, add_binding_options, open_problem, read_binding
from dpplang.cli.terminal import say
from dpplang.cli.usage import UsageError
from dpplang.core.errors import SolveError
from dpplang.lowering.declared import as_declared

if TYPE_CHECKING:
    from dpplang.pipeline import Problem
    from dpplang.semantics.tree import Symbol

Array = NDArray[np.float64]

STEPS = (1e-3, 1e-4, 1e-5)
# Differences divide the solver's error by the step, so it is asked for all it can give.
TOLERANCE = 1e-13
_NOISE = 1e-6


@dataclass(frozen=True, slots=True)
class Comparison:
    """Directional derivatives along the direction where they differ most, the first if only rounding does."""

    parameter: str
    shape: tuple[int, ...]
    adjoint: float
    difference: float
    scale: float

    @property
    def error(self) -> float:
        """|adjoint − difference| relative to the larger of the two and ``scale``."""
        return abs(self.adjoint - self.difference) / max(self.scale, abs(self.adjoint), abs(self.difference))


def configure(parser: argparse.ArgumentParser) -> None:
    add_binding_options(parser)
    parser.add_argument("--solver", metavar="NAME", help="clarabel (default) or scs")
    parser.add_argument("--step", type=float, help="relative step (default: the best of 1e-3, 1e-4, 1e-5)")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="largest error that passes (default 1e-4)")
    parser.add_argument("--directions", type=int, default=3, help="random directions per parameter (default 3)")
    parser.add_argument("--seed", type=int, default=0, help="of directions, weights and values that are not given")


def run(args: argparse.Namespace) -> int:
    if (args.step is not None and args.step <= 0) or args.directions < 1:
        raise UsageError("`--step` must be positive and `--directions` at least 1", "or leave them out")
    problem = open_problem(args)
    rng = np.random.default_rng(args.seed)
    binding = read_binding(args, problem)
    drawn = draw_missing(problem, binding, rng)
    options: dict[str, Any] = {"tolerance": TOLERANCE} | ({"solver": args.solver} if args.solver else {})

    def solve(values: Mapping[str, Any]) -> Any:
        from dpplang.runtime.warn import SolveWarning

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SolveWarning)  # that it stopped short of TOLERANCE
            return problem.solve(values, dims=binding.dims, options=options)

    steps = (args.step,) if args.step else STEPS
    try:
        found = compare(problem, solve, {**binding.values, **drawn}, rng, steps, args.directions)
    except SolveError:
        if drawn:
            say(
                "note",
                f"{', '.join(drawn)} drawn at random",
                "give values with `--data` or `--set`, or try another `--seed`",
            )
        raise
    _print_table(args.file, found, args.tolerance, list(drawn))
    return 0 if all(c.error <= args.tolerance for c in found) else 1


def compare(
    problem: Problem,
    solve: Callable[[Mapping[str, Any]], Any],
    values: Mapping[str, Any],
    rng: np.random.Generator,
    steps: Sequence[float] = STEPS,
    directions: int = 3,
) -> list[Comparison]:
    """Hold the adjoint against central differences for every parameter, at ``values``.

    Args:
        solve: values → solution with ``names``, items and ``backward``.
        steps: of the differences, along directions whose entries have the root mean square of the value.
    """
    base = solve(values)
    weights = {name: rng.standard_normal(np.shape(base[name])) for name in base.names}
    gradients = base.backward(weights)
    # What a change of the outputs by their own size would do to the readout, as far as it can be told from rounding.
    scale = 0.1 * float(np.sqrt(sum(np.sum(np.square(base[name])) for name in weights)))

    def readout(name: str, value: Array) -> float:
        solution = solve({**values, name: value})
        return float(sum(np.sum(w * np.asarray(solution[k])) for k, w in weights.items()))

    found: list[Comparison] = []
    for symbol in problem.model.params:
        value = np.asarray(values[symbol.name], dtype=np.float64)
        trials: list[Comparison] = []
        for _ in range(directions):
            direction = _direction(symbol, value, max(steps), rng)
            adjoint = float(np.sum(np.asarray(gradients[symbol.name]) * direction))
            at_steps: list[Comparison] = []
            for step in steps:
                change = readout(symbol.name, value + step * direction) - readout(symbol.name, value - step * direction)
                at_steps.append(Comparison(symbol.name, value.shape, adjoint, change / (2 * step), scale))
            trials.append(min(at_steps, key=lambda c: c.error))
        found.append(max(trials, key=lambda c: c.error if c.error > _NOISE else 0.0))
    return found


def _direction(symbol: Symbol, value: Array, step: float, rng: np.random.Generator) -> Array:
    """A random direction of the value's own size that keeps it what it is declared to be."""
    size = float(np.sqrt(np.mean(np.square(value)))) if value.size else 0.0
    direction = (size or 1.0) * rng.standard_normal(value.shape)
    if any(symbol.has(a) for a in ("psd", "nsd", "symmetric")):
        direction = (direction + np.swapaxes(direction, -1, -2)) / 2
    if symbol.has("diagonal"):
        direction = direction * np.eye(value.shape[-1])
    if symbol.has("sparse"):
        direction = np.where(value != 0, direction, 0.0)
    if any(symbol.has(a) for a in ("nonneg", "nonpos", "pos", "neg")):
        # An entry at its bound can only move one way.
        direction = np.where(np.abs(value) > 10 * step * np.abs(direction), direction, 0.0)
    return direction


def draw_missing(problem: Problem, binding: Binding, rng: np.random.Generator) -> dict[str, Array]:
    """Random values, as declared, for the parameters and data that the call gives none.

    Raises:
        BindError: a dim that nothing determines. UsageError: a tensor that cannot be drawn.
    """
    shapes = {name: np.shape(value) for name, value in binding.values.items()}
    needed = [s for s in (*problem.model.data, *problem.model.params) if s.name not in shapes and s.default is None]
    sizes = problem.sizes(shapes, binding.dims).sizes
    return {s.name: _draw(s, tuple(int(p.evaluate(sizes)) for p in s.shape), rng) for s in needed}


def _draw(symbol: Symbol, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    if symbol.has("sparse"):
        raise UsageError(
            f"`{symbol.name}` is sparse: a random value would have to know its mask", "give it with `--data`"
        )
    return as_declared(symbol, rng.standard_normal(shape))


def _print_table(file: str, found: list[Comparison], tolerance: float, drawn: list[str]) -> None:
    from rich import box
    from rich.table import Table

    from dpplang.cli.console import console

    table = Table("parameter", "shape", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("adjoint", "central difference", "error"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for c in found:
        verdict = "[green]agrees[/green]" if c.error <= tolerance else "[bold red]differs[/bold red]"
        shape = "\\[" + ", ".join(map(str, c.shape)) + "]" if c.shape else "scalar"
        table.add_row(c.parameter, shape, f"{c.adjoint:.8g}", f"{c.difference:.8g}", f"{c.error:.1e}", verdict)
    out = console()
    out.print(f"[bold]{file}[/bold]: directional derivatives of ⟨w, outputs⟩")
    out.print(table)
    if drawn:
        out.print(f"drawn at random: {', '.join(drawn)}")
