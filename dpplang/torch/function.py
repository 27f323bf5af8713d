"""The one autograd function: θ to the solution of the conic program, with its adjoint and its tangent.

All tensors here are float64 on the CPU; conversions, derived parameters and read-outs are ordinary torch operations
around it. Values are checked inside ``forward``, where tensors are concrete even under ``torch.func.grad``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from dpplang.asa.program import Program
from dpplang.core.errors import DppError
from dpplang.runtime.checks import Given, check
from dpplang.runtime.derive import check_derived
from dpplang.runtime.engine import Engine, Solved
from dpplang.runtime.runner import raise_failures

NO_SECOND = (
    "the derivative of a solution cannot itself be differentiated: call `backward` without `create_graph=True`, or "
    "`torch.autograd.grad` once"
)
NO_VMAP = "a layer needs no `torch.func.vmap`: give its parameters leading batch dims"


@dataclass(slots=True, eq=False)
class Call:
    """One call of a layer: what the function needs beside tensors, and what it leaves behind.

    Attributes:
        tolerances: relative, per declared parameter, of the precision its value came in.
        batch: the broadcast batch dims.
        solved: the engine's answer, once there is one.
    """

    engine: Engine
    batch: tuple[int, ...]
    tolerances: tuple[float, ...]
    raising: bool
    solved: Solved | None = None

    @property
    def program(self) -> Program:
        return self.engine.program

    @property
    def answer(self) -> Solved:
        assert self.solved is not None
        return self.solved


class Solve(torch.autograd.Function):
    """(θ per parameter ``[B_k, size]``, declared values as they were given, derived values) → x, y, optimal value."""

    @staticmethod
    def forward(call: Call, *tensors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Raises:
        BindError: values that are not what was declared. SolveError: an element failed and the call raises.
        """
        k = len(call.program.parameters)
        arrays = [t.detach().numpy() for t in tensors]
        _check(call, arrays[k:])
        call.solved = call.engine.solve(tuple(arrays[:k]))
        if call.raising:
            raise_failures(call.program, call.solved, call.batch)
        return torch.from_numpy(call.solved.x), torch.from_numpy(call.solved.y), torch.from_numpy(call.solved.value)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        call: Call = inputs[0]
        ctx.call, ctx.count = call, len(inputs) - 1
        ctx.set_materialize_grads(False)
        theta = inputs[1 : 1 + len(call.program.parameters)]
        ctx.save_for_backward(*theta)
        ctx.save_for_forward(*theta)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *inputs: Any) -> Any:
        raise DppError(NO_VMAP)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        theta = ctx.saved_tensors
        wanted = tuple(ctx.needs_input_grad[1 : 1 + len(theta)])
        if _is_plain():
            found = Adjoint.forward(ctx.call, wanted, *gradients)
        else:
            found = Adjoint.apply(ctx.call, wanted, *gradients, *theta)
        return (None, *found, *(None,) * (ctx.count - len(theta)))

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor | None) -> tuple[Tensor, ...]:
        theta = ctx.saved_tensors
        return Tangent.apply(ctx.call, *tangents[1 : 1 + len(theta)], *theta)


class _Once(torch.autograd.Function):
    """A derivative as a function of its own: of concrete tensors, and differentiating it says what is the matter.

    ``torch.func.jacrev`` and ``jacfwd`` map it over many directions at one solution, whose factorization they share.
    """

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Any, ...], output: tuple[Any, ...]) -> None:
        """Nothing is kept: there is no second derivative."""

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor | None) -> Any:
        raise DppError(NO_SECOND)

    @staticmethod
    def jvp(ctx: FunctionCtx, *tangents: Tensor | None) -> Any:
        raise DppError(NO_SECOND)


class Adjoint(_Once):
    """(dx, dy, dvalue, θ …) → dθ, None where not wanted."""

    @staticmethod
    def forward(call: Call, wanted: tuple[bool, ...], *tensors: Tensor | None) -> tuple[Tensor | None, ...]:
        dx, dy, dvalue = _arrays(tensors[:3])
        found = call.engine.adjoint(call.answer, dx, dy, dvalue, wanted)
        return tuple(None if d is None else torch.from_numpy(np.ascontiguousarray(d)) for d in found)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *inputs: Any) -> Any:
        return _each(Adjoint, info.batch_size, in_dims, inputs)


class Tangent(_Once):
    """(dθ …, θ …) → dx, dy, dvalue."""

    @staticmethod
    def forward(call: Call, *tensors: Tensor | None) -> tuple[Tensor, ...]:
        moved = call.engine.tangent(call.answer, _arrays(tensors[: len(tensors) // 2]))
        return tuple(torch.from_numpy(np.ascontiguousarray(d)) for d in moved)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *inputs: Any) -> Any:
        return _each(Tangent, info.batch_size, in_dims, inputs)


# Torch binds arguments by a function's signature at every call, and finding that takes longer than a small solve.
for _function in (Solve, Adjoint, Tangent):
    _function.forward.__signature__ = inspect.signature(_function.forward)  # pyright: ignore[reportFunctionMemberAccess]

_transforming: Callable[[], bool] = getattr(torch._C, "_are_functorch_transforms_active", lambda: True)


def _is_plain() -> bool:
    """Whether a derivative is just a number: no graph is made of it, no transform of ``torch.func`` maps over it."""
    return not torch.is_grad_enabled() and not _transforming()


def _each(function: type[_Once], count: int, in_dims: tuple[int | None, ...], inputs: tuple[Any, ...]) -> Any:
    """One call per direction, stacked in front; and, as torch wants it, where the new dim of each result is."""
    calls = [
        function.apply(*(a.select(d, i) if isinstance(d, int) else a for a, d in zip(inputs, in_dims, strict=True)))
        for i in range(count)
    ]
    stacked = tuple(None if parts[0] is None else torch.stack(parts) for parts in zip(*calls, strict=True))
    return stacked, tuple(None if s is None else 0 for s in stacked)


def _arrays(tensors: Sequence[Tensor | None]) -> tuple[np.ndarray[Any, Any] | None, ...]:
    return tuple(None if t is None else np.ascontiguousarray(t.detach().numpy()) for t in tensors)


def _check(call: Call, arrays: list[np.ndarray[Any, Any]]) -> None:
    """The given values, then the derived ones, against their declarations."""
    given: dict[str, Given] = {}
    derived: dict[str, np.ndarray[Any, Any]] = {}
    tolerances = iter(call.tolerances)
    for parameter, array in zip(call.program.parameters, arrays, strict=True):
        if parameter.value is None:
            given[parameter.name] = Given(array, next(tolerances))
        else:
            derived[parameter.name] = array
    check(call.program, given)
    check_derived(call.program, {name: g.array for name, g in given.items()} | derived)
