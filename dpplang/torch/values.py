"""Tensors in, θ out: dtypes, devices, batch dims, derived parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import array_api_compat.torch as xp
import numpy as np
import torch
from torch import Tensor

from dpplang.asa.program import Parameter, Program
from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError
from dpplang.runtime.bind import bind, flatten
from dpplang.runtime.checks import batch_shape, not_numbers, numbers, tolerance
from dpplang.runtime.derive import derive
from dpplang.runtime.names import listed


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """A call's parameters.

    Attributes:
        theta: per parameter ``[B_k, size]``; values: the same ``[*batch_k, *shape]``, declared ones as they were given
            and derived ones computed. Both float64 on the CPU.
        batch: the broadcast of all batch dims.
        tolerances: see :class:`dpplang.torch.function.Call`.
        dtype, device: of the results.
    """

    theta: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    batch: tuple[int, ...]
    tolerances: tuple[float, ...]
    dtype: torch.dtype
    device: torch.device


def prepare(program: Program, values: Mapping[str, Any], constants: Mapping[str, Tensor]) -> Inputs:
    """Make θ of values by name. Shapes are checked here; what the values hold is checked where they are concrete.

    Raises:
        BindError: BND712, BND713, BND716; BND717 where a derived parameter cannot even be computed.
    """
    given: dict[str, Tensor] = {}
    tolerances: list[float] = []
    problems: list[Diagnostic] = []
    for parameter in program.parameters:
        if parameter.value is None:
            try:
                given[parameter.name], precision = _double(parameter, values[parameter.name])
                tolerances.append(precision)
            except BindError as error:
                problems += error.diagnostics
    if problems:
        raise BindError(problems)
    dtype, device = result_type(values)
    batch = batch_shape(program, {name: tuple(t.shape) for name, t in given.items()})
    try:
        every = derive(program, given, constants, xp)
    except torch.linalg.LinAlgError:  # pyright: ignore[reportPrivateImportUsage]
        bind(program, {name: t.detach().numpy() for name, t in given.items()})  # says which operation failed, and where
        raise
    theta = tuple(flatten(p, every[p.name], batch) for p in program.parameters)
    raw = {**every, **given}
    return Inputs(theta, tuple(raw[p.name] for p in program.parameters), batch, tuple(tolerances), dtype, device)


def _double(parameter: Parameter, value: Any) -> tuple[Tensor, float]:
    """A value as float64 on the CPU, and the tolerance of the precision it came in."""
    if not isinstance(value, Tensor):
        found = numbers(parameter, value)
        return torch.from_numpy(found.array), found.tolerance
    if value.is_complex():
        raise BindError([not_numbers(parameter, f"its dtype is {value.dtype}")])
    if value.is_meta:
        raise BindError([not_numbers(parameter, "on the device `meta` tensors have none")])
    dense = value.to_dense() if value.layout != torch.strided else value
    if value.dtype == torch.float64:
        return dense if dense.is_cpu else dense.cpu(), tolerance(8)
    precision = tolerance(value.element_size()) if value.is_floating_point() else tolerance(8)
    return dense.to(device="cpu", dtype=torch.float64), precision


def result_type(values: Mapping[str, Any]) -> tuple[torch.dtype, torch.device]:
    """The dtype that the floating tensors promote to (NumPy arrays count if there is no tensor; integers and Python
    numbers give way to the default dtype), and the device that tensors not on the CPU share.

    Raises:
        BindError: tensors on two devices (BND713).
    """
    tensors = [v for v in values.values() if isinstance(v, Tensor)]
    dtypes = [t.dtype for t in tensors if t.is_floating_point()]
    if not tensors:
        arrays = [v for v in values.values() if isinstance(v, np.ndarray) and v.dtype.kind == "f"]
        dtypes = [torch.from_numpy(np.empty(0, a.dtype)).dtype for a in arrays]
    dtype = reduce(torch.promote_types, dtypes) if dtypes else torch.get_default_dtype()
    devices = {t.device for t in tensors if t.device.type != "cpu"}
    if len(devices) > 1:
        names = listed([n for n, v in values.items() if isinstance(v, Tensor) and v.device.type != "cpu"])
        words = ", ".join(sorted(map(str, devices)))
        raise BindError([Diagnostic("BND713", f"the tensors {names} are on several devices: {words}")])
    return dtype, devices.pop() if devices else torch.device("cpu")
