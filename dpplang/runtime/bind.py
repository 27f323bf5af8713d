"""Values to θ: names, checks, broadcasting, derived parameters.

A parameter's value has any number of leading batch dims, which broadcast among the parameters as in NumPy; the batch is
flattened to B elements for the engine. What the batch shares keeps one row and is never repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.evaluate_vjp import unbroadcast
from dpplang.asa.program import Parameter, Program
from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError
from dpplang.runtime.checks import Given, check, numbers
from dpplang.runtime.derive import check_derived, derive
from dpplang.runtime.names import assign, declared

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """A program's parameters at one call.

    Attributes:
        values: every parameter's array ``[*batch_k, *shape]``, derived ones included.
        batch: the broadcast of all batch dims.
        theta: per parameter ``[B_k, size]``, B_k = 1 or B = prod(batch).
    """

    values: Mapping[str, Floats]
    batch: tuple[int, ...]
    theta: tuple[Floats, ...]

    @property
    def size(self) -> int:
        """B: the number of problems."""
        return prod(self.batch)


def bind(program: Program, named: Mapping[str, Any], positional: Sequence[Any] = ()) -> Bound:
    """Check values and make θ of them.

    Args:
        named: array-likes by parameter name; positional: in order of declaration.

    Raises:
        BindError: every problem with names; else every one with the values; else every one with derived parameters.
    """
    given = _numbers(program, assign(program, named, positional))
    batch = check(program, given)
    arrays = {name: g.array for name, g in given.items()}
    values = derive(program, arrays, dict(program.constants), np)
    check_derived(program, values)
    theta = tuple(flatten(p, values[p.name], batch) for p in program.parameters)
    return Bound(values, batch, theta)


def _numbers(program: Program, values: Mapping[str, Any]) -> dict[str, Given]:
    found: dict[str, Given] = {}
    problems: list[Diagnostic] = []
    for parameter in declared(program):
        try:
            found[parameter.name] = numbers(parameter, values[parameter.name])
        except BindError as error:
            problems += error.diagnostics
    if problems:
        raise BindError(problems)
    return found


def flatten(parameter: Parameter, value: Any, batch: tuple[int, ...]) -> Any:
    """``[*batch_k, *shape]`` → ``[B_k, size]``, B_k = 1 where the whole batch shares it. NumPy or torch."""
    own = tuple(value.shape[: value.ndim - len(parameter.shape)])
    if prod(own) == 1:
        return value.reshape((1, parameter.size))
    if own != batch:
        value = _broadcast(value, (*batch, *parameter.shape))
    return value.reshape((prod(batch), parameter.size))


def _broadcast(value: Any, shape: tuple[int, ...]) -> Any:
    return value.broadcast_to(shape) if hasattr(value, "broadcast_to") else np.broadcast_to(value, shape)


def unflatten(parameter: Parameter, gradient: Floats, bound: Bound) -> Floats:
    """The transpose of :func:`flatten`: ``[B_k, size]`` → the shape of the value, summed where it was broadcast."""
    value = bound.values[parameter.name]
    own = value.shape[: value.ndim - len(parameter.shape)]
    if gradient.shape[0] == 1 and prod(own) == 1:
        return gradient.reshape(value.shape)
    return unbroadcast(gradient.reshape((*bound.batch, *parameter.shape)), value.shape)
