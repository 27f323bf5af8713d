"""The one autograd function: θ to the solution of the conic program (:mod:`dpplang.torch.derivatives` has the rest).

All tensors here are float64 on the CPU; conversions, derived parameters and read-outs are ordinary torch operations
around it. Values are checked inside ``forward``, where tensors are concrete even under ``torch.func.grad``.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError
from dpplang.runtime.checks import Given, value_problems
from dpplang.runtime.derive import check_derived
from dpplang.runtime.runner import raise_failures
from dpplang.torch.derivatives import Adjoint, Call, Tangent, is_plain, joined_front, transforming


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
        theta = [joined_front(t, d, count, extent) for t, d in zip(inputs[1 : k + 1], in_dims[1 : k + 1], strict=True)]
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
        if is_plain():
            found = Adjoint.forward(call, wanted, *gradients[:3])
        else:
            found = Adjoint.apply(call, wanted, *gradients[:3], *theta)
        return (None, *found, *(None,) * (ctx.count - len(theta)))

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor | None) -> tuple[Tensor | None, ...]:
        theta = ctx.saved_tensors
        return (*Tangent.apply(ctx.call, (), *tangents[1 : 1 + len(theta)], *theta), None)


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
    if transforming():
        return Solve.apply(call, *theta, *values)
    _check(call, values)
    return _Plain.apply(call, *theta)


def _solved(call: Call, theta: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    call.solved = solved = call.engine.solve(tuple([t.detach().numpy() for t in theta]))
    if call.raising:
        raise_failures(call.program, solved, call.batch)
    codes = torch.from_numpy(solved.codes)
    return torch.from_numpy(solved.x), torch.from_numpy(solved.y), torch.from_numpy(solved.value), codes


# Torch binds arguments by a function's signature, and finding that at every call takes longer than a small solve.
Solve.forward.__signature__ = inspect.signature(Solve.forward)  # pyright: ignore[reportFunctionMemberAccess]


def _in_front(tensor: Tensor, dim: int | None, rank: int) -> Tensor:
    """The mapped dim in front of ``rank`` others, the first of which are 1 where the tensor has fewer."""
    if dim is None:
        return tensor
    front = tensor.movedim(dim, 0)
    return front.reshape(front.shape[0], *(1,) * (rank + 1 - front.dim()), *front.shape[1:])


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
