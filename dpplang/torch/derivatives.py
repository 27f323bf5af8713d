"""Derivatives of the solution as functions of their own, and theirs.

With z(θ) = (x, y, value), :class:`Adjoint` and :class:`Tangent` are the products with Dz in both modes. Differentiating
either gives the other, and D²z contracted with an upstream gradient and one direction (:class:`SecondAdjoint`) or with
two directions (:class:`SecondTangent`). Those can be differentiated no further.

All are functions of concrete tensors: an upstream gradient is (dx ``[B, n]``, dy ``[B, m]``, dvalue ``[B]``), θ and a
direction in it are one ``[1 or B, size]`` per parameter; None stands for zero, or for what is not wanted. At one
solution they share its factorization.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
import torch
from torch import Tensor

from dpplang.asa.program import Program
from dpplang.core.errors import DppError
from dpplang.runtime.engine import Engine, Solved

NO_THIRD = (
    "the second derivative of a solution cannot itself be differentiated: a layer has derivatives of order 1 and 2"
)

Given: TypeAlias = "tuple[Tensor | None, ...]"


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


class _Derivative(torch.autograd.Function):
    """(call, which parameters' gradients are wanted, tensors …, θ …) → tensors.

    ``like_theta``: whether the result is, as a gradient is; else it is like (x, y, value).
    """

    like_theta: ClassVar[bool]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Any, ...]) -> None:
        ctx.call, ctx.wanted = inputs[:2]
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*inputs[2:])
        ctx.save_for_forward(*inputs[2:])

    @classmethod
    def vmap(cls, info: Any, in_dims: tuple[int | None, ...], *inputs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """``torch.func.jacrev`` and ``jacfwd`` map a derivative over many directions at one solution; under ``vmap`` of
        the layer θ is mapped too, and the call with the mapped dim in its batch has the answer."""
        call, wanted, count = inputs[0], inputs[1], info.batch_size
        k = len(call.program.parameters)
        theta, theta_dims = inputs[-k:], in_dims[-k:]
        if call.mapped is None or not k or all(d is None for d in theta_dims):
            return _each(cls, count, in_dims, inputs)
        extent = math.prod(call.batch)
        joined = [
            None if t is None else joined_front(t, d, count, extent)
            for t, d in zip(inputs[2:], in_dims[2:], strict=True)
        ]
        found = cls.apply(call.mapped, wanted, *joined)
        parts = [None if g is None else g.reshape(count, extent, *g.shape[1:]) for g in found]
        if cls.like_theta:
            own = [t.shape[1 if d == 0 else 0] for t, d in zip(theta, theta_dims, strict=True)]
            parts = [
                None if g is None else g.sum(dim=1, keepdim=True) if shared == 1 else g
                for g, shared in zip(parts, own, strict=True)
            ]
        return tuple(parts), tuple(None if g is None else 0 for g in parts)


class Adjoint(_Derivative):
    """(dx, dy, dvalue, θ …) → dθ."""

    like_theta = True

    @staticmethod
    def forward(call: Call, wanted: tuple[bool, ...], *tensors: Tensor | None) -> Given:
        dx, dy, dvalue = _arrays(tensors[:3])
        return _tensors(call.engine.adjoint(call.answer, dx, dy, dvalue, wanted))

    @staticmethod
    def backward(ctx: Any, *directions: Tensor | None) -> Given:
        upstream, theta = ctx.saved_tensors[:3], ctx.saved_tensors[3:]
        needed, wanted = ctx.needs_input_grad[2:5], ctx.needs_input_grad[5:]
        along = Tangent.apply(ctx.call, (), *directions, *theta) if any(needed) else (None,) * 3
        back = _second(SecondAdjoint, ctx.call, wanted, *upstream, *directions, *theta)
        return (None, None, *(a if n else None for a, n in zip(along, needed, strict=True)), *back)

    @staticmethod
    def jvp(ctx: Any, *moved: Tensor | None) -> Given:
        upstream, theta = ctx.saved_tensors[:3], ctx.saved_tensors[3:]
        linear = Adjoint.apply(ctx.call, ctx.wanted, *moved[2:5], *theta)
        return _sum(linear, _second(SecondAdjoint, ctx.call, ctx.wanted, *upstream, *moved[5:], *theta))


class Tangent(_Derivative):
    """(dθ …, θ …) → dx, dy, dvalue."""

    like_theta = False

    @staticmethod
    def forward(call: Call, wanted: tuple[()], *tensors: Tensor | None) -> Given:
        return _tensors(call.engine.tangent(call.answer, _arrays(tensors[: len(tensors) // 2])))

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor | None) -> Given:
        direction, theta = _halves(ctx.saved_tensors)
        for_direction, wanted = _halves(ctx.needs_input_grad[2:])
        linear = Adjoint.apply(ctx.call, for_direction, *upstream, *theta)
        back = _second(SecondAdjoint, ctx.call, wanted, *upstream, *direction, *theta)
        return (None, None, *linear, *back)

    @staticmethod
    def jvp(ctx: Any, *moved: Tensor | None) -> Given:
        direction, theta = _halves(ctx.saved_tensors)
        turned, along = _halves(moved[2:])
        linear = Tangent.apply(ctx.call, (), *turned, *theta)
        return _sum(linear, _second(SecondTangent, ctx.call, (), *direction, *along, *theta))


class _Last(_Derivative):
    """A derivative that has none."""

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:
        raise DppError(NO_THIRD)

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor | None) -> Any:
        raise DppError(NO_THIRD)


class SecondAdjoint(_Last):
    """(dx, dy, dvalue, dθ …, θ …) → the gradient of u ↦ ⟨(dx, dy, dvalue), D²z[u, dθ]⟩."""

    like_theta = True

    @staticmethod
    def forward(call: Call, wanted: tuple[bool, ...], *tensors: Tensor | None) -> Given:
        dx, dy, dvalue = _arrays(tensors[:3])
        direction = _arrays(_halves(tensors[3:])[0])
        return _tensors(call.engine.second_adjoint(call.answer, dx, dy, dvalue, direction, wanted))


class SecondTangent(_Last):
    """(dθ …, another dθ …, θ …) → D²z[dθ, dθ]."""

    like_theta = False

    @staticmethod
    def forward(call: Call, wanted: tuple[()], *tensors: Tensor | None) -> Given:
        k = len(tensors) // 3
        one, other = _arrays(tensors[:k]), _arrays(tensors[k : 2 * k])
        return _tensors(call.engine.second_tangent(call.answer, one, other))


# Torch binds arguments by a function's signature, and finding that at every call takes longer than a small solve.
for _function in (Adjoint, Tangent, SecondAdjoint, SecondTangent):
    _function.forward.__signature__ = inspect.signature(_function.forward)  # pyright: ignore[reportFunctionMemberAccess]

transforming: Callable[[], bool] = getattr(torch._C, "_are_functorch_transforms_active", lambda: True)


def is_plain() -> bool:
    """Whether a derivative is just a number: no graph is made of it, no transform of ``torch.func`` maps over it."""
    return not torch.is_grad_enabled() and not transforming()


def joined_front(tensor: Tensor, dim: int | None, count: int, extent: int) -> Tensor:
    """``[1 or extent, …]`` with perhaps a mapped dim → ``[count · extent, …]``, the mapped dim outermost."""
    front = tensor.movedim(dim, 0) if dim is not None else tensor[None]
    return front.expand(count, extent, *front.shape[2:]).reshape(count * extent, *front.shape[2:])


def _each(function: type[_Derivative], count: int, in_dims: tuple[int | None, ...], inputs: tuple[Any, ...]) -> Any:
    """One call per direction, stacked in front; and, as torch wants it, where the new dim of each result is."""
    calls = [
        function.apply(*(a.select(d, i) if isinstance(d, int) else a for a, d in zip(inputs, in_dims, strict=True)))
        for i in range(count)
    ]
    stacked = tuple(None if parts[0] is None else torch.stack(parts) for parts in zip(*calls, strict=True))
    return stacked, tuple(None if s is None else 0 for s in stacked)


def _second(function: type[_Last], call: Call, wanted: tuple[bool, ...], *tensors: Tensor | None) -> Given:
    """None throughout where none is wanted, or no direction is given."""
    k = len(call.program.parameters)
    direction = tensors[-2 * k : -k]
    if (function.like_theta and not any(wanted)) or all(d is None for d in direction):
        return (None,) * (k if function.like_theta else 3)
    return function.apply(call, wanted, *tensors)


def _halves(values: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    k = len(values) // 2
    return values[:k], values[k:]


def _sum(one: Given, other: Given) -> Given:
    return tuple(b if a is None else a if b is None else a + b for a, b in zip(one, other, strict=True))


def _arrays(tensors: Sequence[Tensor | None]) -> tuple[np.ndarray[Any, Any] | None, ...]:
    """None where a tensor is, or is one of those without storage by which forward mode says that nothing moves."""
    return tuple(
        [None if t is None or t._is_zerotensor() else np.ascontiguousarray(t.detach().numpy()) for t in tensors]
    )


def _tensors(arrays: Sequence[np.ndarray[Any, Any] | None]) -> Given:
    return tuple([None if a is None else torch.from_numpy(np.ascontiguousarray(a)) for a in arrays])
