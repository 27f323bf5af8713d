"""Functions that ``torch.compile`` leaves alone: it breaks its graph before them, and goes on after them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

import torch

from dpplang.core.errors import DppError

REASON = "a layer of dpplang solves a convex problem outside of the graph"

_RECORDED = (
    "{} would record tensor operations, and a layer is none: what it solves once would be frozen into the record. "
    "Keep the layer outside of what is recorded; `torch.compile` breaks its graph at a layer by itself"
)

_P = ParamSpec("_P")
_R = TypeVar("_R")


def refuse_recording() -> None:
    """Raises:
    DppError: ``torch.export`` or ``torch.jit.trace`` is under way.
    """
    if torch.compiler.is_exporting():
        raise DppError(_RECORDED.format("`torch.export`"))
    if torch._C._get_tracing_state() is not None:
        raise DppError(_RECORDED.format("`torch.jit.trace`"))


def untraced(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """``torch.compiler.disable``, but for loading the compiler, which takes as long as all of torch does: unless it is
    there already, there is nobody who could trace."""
    outside: list[Callable[_P, _R]] = []

    @wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        if "torch._dynamo" not in sys.modules:
            return function(*args, **kwargs)
        if not outside:
            outside.append(cast("Callable[_P, _R]", torch.compiler.disable(function, reason=REASON)))
        return outside[0](*args, **kwargs)

    return call
