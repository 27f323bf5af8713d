"""What an operation of the numeric library is: how it is computed, and how it is differentiated in reverse.

An operand of static shape ``s`` is an array ``[*batch, *s]``; operands may have different batch dims, which broadcast.
A rule's ``forward`` is written in the array API, so that it runs on NumPy and torch, and its gradient traps are closed
there: wherever it is not differentiable (√ at 0, a logarithm of a negative number …) the derivative is 0, never NaN, so
that ``where`` may guard it. The ``vjp`` is for NumPy, which has no autodiff, and follows torch's conventions on ties.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from dpplang.asa.numeric import Numeric

Array: TypeAlias = Any
"""An array of the namespace at hand: the array API has no static type for it."""
Namespace: TypeAlias = Any
Floats: TypeAlias = Any
"""A NumPy array of floats, where only NumPy is meant; its static type would be lost in every other operation."""

Forward: TypeAlias = Callable[[Namespace, Numeric, Sequence[Array]], Array]
Vjp: TypeAlias = Callable[[Numeric, Sequence[Floats], Floats, Floats], Sequence[Floats]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One operation.

    Attributes:
        forward: (xp, node, args) → ``[*batch, *node.shape]``, batch the broadcast of the operands'.
        vjp: (node, args, out, g) → per operand ∂⟨g, out⟩/∂arg, ``[*batch, *arg.shape]``, where ``g`` has the shape of
            ``out``; summing over batch dims that were broadcast is the caller's.
        arity: number of operands (least, most).
    """

    forward: Forward
    vjp: Vjp
    arity: tuple[int, int | None] = (1, 1)


def constant(xp: Namespace, value: Any, like: Array) -> Array:
    """A NumPy array or number as an array of ``like``'s namespace, dtype and device."""
    return xp.asarray(value, dtype=like.dtype, device=like.device)


def batch_of(array: Array, rank: int) -> tuple[int, ...]:
    """Leading dims of an operand whose static shape has ``rank`` axes."""
    return tuple(array.shape[: array.ndim - rank])


def lift(xp: Namespace, array: Array, rank: int, to: int, *, front: bool = False) -> Array:
    """Give an operand of static rank ``rank`` the rank ``to`` by axes of size 1 behind (or before) its own axes."""
    if rank == to:
        return array
    batch, own = batch_of(array, rank), tuple(array.shape[array.ndim - rank :])
    ones = (1,) * (to - rank)
    return xp.reshape(array, (*batch, *ones, *own) if front else (*batch, *own, *ones))


def swap(xp: Namespace, matrix: Array) -> Array:
    """The last two axes swapped."""
    return xp.matrix_transpose(matrix)


def integer(node: Numeric, name: str, default: int = 0) -> int:
    """A static integer option."""
    value = node.option(name, default)
    return int(value) if isinstance(value, int | float) else default


def reduced_axis(node: Numeric) -> int | None:
    """The option ``axis``, counted from the end so that batch dims do not matter; None for all entries."""
    axis = node.option("axis")
    rank = len(node.args[0].shape)
    return int(axis) % rank - rank if isinstance(axis, int) and rank else None
