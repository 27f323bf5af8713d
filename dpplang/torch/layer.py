"""A program as an ``nn.Module``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from dpplang.asa.program import Program
from dpplang.programs import Programs
from dpplang.runtime.options import Options
from dpplang.runtime.runner import check_on_failure
from dpplang.torch.function import Call, solve
from dpplang.torch.outputs import Parts
from dpplang.torch.result import Result
from dpplang.torch.untraced import refuse_recording, untraced
from dpplang.torch.values import prepare

if TYPE_CHECKING:
    from dpplang.pipeline import Problem


class Layer(nn.Module):
    """The solution of a convex problem as a differentiable function of its parameters.

        layer = Layer("qp.dpp")
        sol = layer(Q=Q, q=q, A=A, b=b, G=G, h=h)      # by name, or by position in order of declaration
        sol.x, sol.dual.ineq, sol.value, sol.status    # or  x, ineq = layer(...)  in the order of `return`

    Tensors have any number of leading batch dims, which broadcast as in NumPy; results come in their dtype and on their
    device, whatever it is; the solve itself is in float64 on the CPU. Gradients with respect to a parameter that the
    batch shares are summed, those of a symmetric parameter are symmetric. Under ``torch.no_grad`` nothing is kept for a
    backward pass. Backward and forward mode work, and so do the transforms of ``torch.func``: ``vmap`` over a layer is
    one batched solve, ``vmap(grad(…))`` gives per-sample gradients. Second derivatives exist as well, exact as the
    first (``create_graph=True``, ``torch.func.hessian``); third ones do not.

    Args:
        source: path of a ``.dpp`` program or of a compiled ``.npz`` one, a ``Problem``, or a ``Program``.
        dims: sizes that no tensor determines. data: values of ``data`` declarations, not differentiated. Both may be
            left to the shapes and the values of a call.
        on_failure: ``raise`` a SolveError for elements without a solution, or ``nan``: mask them with NaN and zero
            gradient, leaving the others untouched.
        options: fields of :class:`dpplang.runtime.options.Options`: ``solver``, ``derivative``, ``tolerance`` …

    Raises:
        DiagnosticsError: a program with errors. BindError: an option that does not exist, dims or data given for a
            program that is compiled already.
    """

    def __init__(
        self,
        source: str | Path | Problem | Program,
        *,
        dims: Mapping[str, int] | None = None,
        data: Mapping[str, Any] | None = None,
        on_failure: str = "raise",
        **options: Any,
    ) -> None:
        super().__init__()
        check_on_failure(on_failure)
        self.on_failure = on_failure
        self._programs = Programs(source, dims or {}, {n: _plain(v) for n, v in (data or {}).items()}, options)

    @property
    def options(self) -> Options:
        return self._programs.options

    @property
    def dims(self) -> dict[str, int]:
        return self._programs.dims

    @property
    def data(self) -> dict[str, Any]:
        return self._programs.data

    def forward(self, *values: Any, **named: Any) -> Result:
        """Solve.

        Args:
            values, named: tensors (or array-likes) for the parameters, by position in order of declaration or by name;
                by name also for ``data`` that the layer was not given.

        Raises:
            BindError: values that do not fit. SolveError: an element without a solution (``on_failure="raise"``).
        """
        refuse_recording()
        return self._solve(values, named)

    @untraced
    def _solve(self, values: tuple[Any, ...], named: dict[str, Any]) -> Result:
        runner, by_name = self._programs.bind(values, named, _plain)
        constants = {name: torch.from_numpy(value) for name, value in runner.program.constants}
        inputs = prepare(runner.program, by_name, constants)
        call = Call(runner.engine, inputs.batch, inputs.tolerances, self.on_failure == "raise")
        x, y, value, codes = solve(call, inputs.theta, inputs.values)
        parts = Parts(x, y, value, inputs.theta, codes)
        return Result(runner.readouts, parts, inputs.batch, inputs.dtype, inputs.device)

    def program(self, *values: Any, **named: Any) -> Program:
        """The compiled program that a call with these arguments solves."""
        return self._programs.bind(values, named, _plain)[0].program

    def extra_repr(self) -> str:
        return str(self._programs)


def _plain(value: Any) -> Any:
    """Data are constants: tensors become arrays."""
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
