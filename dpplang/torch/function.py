"""The one autograd function: θ to the solution of the conic program, with its adjoint and its tangent.

All tensors here are float64 on the CPU; conversions, derived parameters and read-outs are ordinary torch operations
around it. Values are checked inside ``forward``, where tensors are concrete even under ``torch.func.grad``.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from dpplang.asa.program import Program
from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError, DppError
from dpplang.runtime.checks import Given, value_problems
from dpplang.runtime.derive import check_derived
from dpplang.runtime.engine import Engine, Solved
from dpplang.runtime.runner import raise_failures

NO_SECOND = (
    "the derivative of a solution cannot itself be differentiated: call `backward` without `create_graph=True`, or "
    "`torch.autograd.grad` once"
)


@dataclass(slots=True, eq=False)
class Call:
    """One call of a layer: what the function needs beside tensors, and what it leaves behind.

    Attributes:
        tolerances: relative, per declared parameter, of the precision its value came in.
        batch: the broadcast batch dims.
        solved: the engine's answer, once there is one. mapped: under ``torch.func.vmap``, the call with the mapped dim
            in front of its batch, which has the answer in this one's place.
    """

    engine: Engine
    batch: tuple[int, ...]
    tolerances: tuple[float, ...]
    raising: bool
    solved: Solved | None = None
    mapped: Call | None = None

    @property
    def program(self) -> Program:
        return self.engine.program

    @property
    def answer(self) -> Solved:
        assert self.solved is not None
        return self.solved


class Solve(torch.autograd.Function):
    """(θ per parameter ``[B_k, size]``, declared values as they were given, derived values) → x, y, optimal value, and
    the statuses as numbers."""

    @staticmethod
    def forward(call: Call, *tensors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Raises:
        BindError: values that are not what was declared. SolveError: an element failed and the call raises.
        """
        k = len(call.program.parameters)
        _check(call, tensors[k:])
        return _solved(call, tensors[:k])

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        call: Call = inputs[0]
        ctx.call, ctx.count = call, len(inputs) - 1
        ctx.set_materialize_grads(False)
        theta = inputs[1 : 1 + len(call.program.parameters)]
        ctx.mark_non_differentiable(output[3])
        ctx.save_for_backward(*theta)
        ctx.save_for_forward(*theta)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *inputs: Any) -> Any:
        """One solve with the mapped dim in front of the batch; parameters are no longer shared, as each mapped call has
        its own gradient."""
        call, count = inputs[0], info.batch_size
        parameters, extent = call.program.parameters, math.prod(call.batch)
        k = len(parameters)
        theta = [_joined(t, d, count, extent) for t, d in zip(inputs[1 : k + 1], in_dims[1 : k + 1], strict=True)]
        values = [
            _in_front(t, d, len(call.batch) + len(p.shape))
            for t, d, p in zip(inputs[k + 1 :], in_dims[k + 1 :], parameters, strict=True)
        ]
        call.mapped = Call(call.engine, (count, *call.batch), call.tolerances, call.raising)
        found = Solve.apply(call.mapped, *theta, *values)
        return tuple(part.reshape(count, extent, *part.shape[1:]) for part in found), (0,) * len(found)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        call, theta = ctx.call, ctx.saved_tensors  # which also notices a θ that was changed in place
        wanted = ctx.needs_input_grad[1 : 1 + len(theta)]
        if _is_plain():
            found = Adjoint.forward(call, wanted, *gradients[:3])
        else:
            found = Adjoint.apply(call, wanted, *gradients[:3], *theta)
        return (None, *found, *(None,) * (ctx.count - len(theta)))

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor | None) -> tuple[Tensor | None, ...]:
        theta = ctx.saved_tensors
        return (*Tangent.apply(ctx.call, *tangents[1 : 1 + len(theta)], *theta), None)


class _Plain(torch.autograd.Function):
    """:class:`Solve` of θ alone where no transform of ``torch.func`` is active: values are checked, and the function is
    called, without its ceremony (binding arguments by signature, which takes as long as a small solve)."""

    @staticmethod
    def forward(ctx: Any, call: Call, *theta: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        output = _solved(call, theta)
        Solve.setup_context(ctx, (call, *theta), output)
        return output

    backward = Solve.backward
    jvp = Solve.jvp


def solve(call: Call, theta: Sequence[Tensor], values: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What :class:`Solve` gives."""
    if _transforming():
        return Solve.apply(call, *theta, *values)
    _check(call, values)
    return _Plain.apply(call, *theta)


def _solved(call: Call, theta: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    call.solved = solved = call.engine.solve(tuple([t.detach().numpy() for t in theta]))
    if call.raising:
        raise_failures(call.program, solved, call.batch)
    codes = torch.from_numpy(solved.codes)
    return torch.from_numpy(solved.x), torch.from_numpy(solved.y), torch.from_numpy(solved.value), codes


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
        return tuple([None if d is None else torch.from_numpy(np.ascontiguousarray(d)) for d in found])

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *inputs: Any) -> Any:
        call, count, wanted = inputs[0], info.batch_size, inputs[1]
        if call.mapped is None or all(d is None for d in in_dims[5:]):
            return _each(Adjoint, count, in_dims, inputs)
        extent = math.prod(call.batch)
        joined = [
            None if t is None else _joined(t, d, count, extent) for t, d in zip(inputs[2:], in_dims[2:], strict=True)
        ]
        found = Adjoint.apply(call.mapped, wanted, *joined)
        own = [t.shape[1 if d == 0 else 0] for t, d in zip(inputs[5:], in_dims[5:], strict=True)]
        split = [None if g is None else g.reshape(count, extent, -1) for g in found]
        parts = [
            None if g is None else g.sum(dim=1, keepdim=True) if shared == 1 else g
            for g, shared in zip(split, own, strict=True)
        ]
        return tuple(parts), tuple(None if g is None else 0 for g in parts)


class Tangent(_Once):
    """(dθ …, θ …) → dx, dy, dvalue."""

    @staticmethod
    def forward(call: Call, *tensors: Tensor | None) -> tuple[Tensor, ...]:
        moved = call.engine.tangent(call.answer, _arrays(tensors[: len(tensors) // 2]))
        return tuple(torch.from_numpy(np.ascontiguousarray(d)) for d in moved)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *inputs: Any) -> Any:
        call, count = inputs[0], info.batch_size
        k = (len(inputs) - 1) // 2
        if call.mapped is None or all(d is None for d in in_dims[1 + k :]):
            return _each(Tangent, count, in_dims, inputs)
        extent = math.prod(call.batch)
        joined = [
            None if t is None else _joined(t, d, count, extent) for t, d in zip(inputs[1:], in_dims[1:], strict=True)
        ]
        found = Tangent.apply(call.mapped, *joined)
        return tuple(part.reshape(count, extent, *part.shape[1:]) for part in found), (0,) * len(found)


# Torch binds arguments by a function's signature, and finding that at every call takes longer than a small solve.
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


def _joined(tensor: Tensor, dim: int | None, count: int, extent: int) -> Tensor:
    """``[1 or extent, …]`` with perhaps a mapped dim → ``[count · extent, …]``, the mapped dim outermost."""
    front = tensor.movedim(dim, 0) if dim is not None else tensor[None]
    return front.expand(count, extent, *front.shape[2:]).reshape(count * extent, *front.shape[2:])


def _in_front(tensor: Tensor, dim: int | None, rank: int) -> Tensor:
    """The mapped dim in front of ``rank`` others, the first of which are 1 where the tensor has fewer."""
    if dim is None:
        return tensor
    front = tensor.movedim(dim, 0)
    return front.reshape(front.shape[0], *(1,) * (rank + 1 - front.dim()), *front.shape[1:])


def _arrays(tensors: Sequence[Tensor | None]) -> tuple[np.ndarray[Any, Any] | None, ...]:
    return tuple([None if t is None else np.ascontiguousarray(t.detach().numpy()) for t in tensors])


def _check(call: Call, values: Sequence[Tensor]) -> None:
    """What the given values hold, then the derived ones, against their declarations; shapes are checked already."""
    arrays = [t.detach().numpy() for t in values]
    problems: list[Diagnostic] = []
    tolerances = iter(call.tolerances)
    parameters = call.program.parameters
    for parameter, array in zip(parameters, arrays, strict=True):
        if parameter.value is None:
            problems += value_problems(parameter, Given(array, next(tolerances)))
    if problems:
        raise BindError(problems)
    if len(call.tolerances) < len(arrays):
        check_derived(call.program, {p.name: array for p, array in zip(parameters, arrays, strict=True)})
