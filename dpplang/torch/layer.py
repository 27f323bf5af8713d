"""A program as an ``nn.Module``."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from dpplang.asa.program import Program
from dpplang.asa.serialize import from_bytes, load, to_bytes
from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError
from dpplang.runtime.names import assign, match_names
from dpplang.runtime.options import Options
from dpplang.runtime.runner import Runner, check_on_failure
from dpplang.torch.function import Call, solve
from dpplang.torch.outputs import Parts
from dpplang.torch.result import Result
from dpplang.torch.values import prepare

if TYPE_CHECKING:
    from dpplang.pipeline import Problem

CACHED = 64
"""Combinations of tensor shapes whose compiled program a layer remembers."""


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
        self.options = Options.of(**options)
        self.dims = dict(dims or {})
        self.data = {name: _plain(value) for name, value in (data or {}).items()}
        self._source = _open(source)
        self._runners: dict[Any, tuple[Runner, dict[str, Tensor]]] = {}
        if isinstance(self._source, Program) and (self.dims or self.data):
            message = "a compiled program has its dims and data already"
            raise BindError([Diagnostic("BND710", message, help=("leave out `dims` and `data`",))])

    def forward(self, *values: Any, **named: Any) -> Result:
        """Solve.

        Args:
            values, named: tensors (or array-likes) for the parameters, by position in order of declaration or by name;
                by name also for ``data`` that the layer was not given.

        Raises:
            BindError: values that do not fit. SolveError: an element without a solution (``on_failure="raise"``).
        """
        runner, constants, values_by_name = self._bind(values, named)
        inputs = prepare(runner.program, values_by_name, constants)
        call = Call(runner.engine, inputs.batch, inputs.tolerances, self.on_failure == "raise")
        x, y, value, codes = solve(call, inputs.theta, inputs.values)
        parts = Parts(x, y, value, inputs.theta, codes)
        return Result(runner.readouts, parts, inputs.batch, inputs.dtype, inputs.device)

    def program(self, *values: Any, **named: Any) -> Program:
        """The compiled program that a call with these arguments solves."""
        return self._bind(values, named)[0].program

    def _bind(self, values: tuple[Any, ...], named: dict[str, Any]) -> tuple[Runner, dict[str, Tensor], dict[str, Any]]:
        """The runner for the sizes at hand, its constants as tensors, and the values by name."""
        if isinstance(self._source, Program):
            runner, constants = self._runner(())
            return runner, constants, assign(runner.program, named, values)
        problem = self._source
        fresh = {name: _plain(v) for name, v in named.items() if name in problem.data}
        given = {name: v for name, v in named.items() if name not in fresh}
        taken = {d.symbol.name: "is derived: it is computed at every call" for d in problem.model.derived}
        found, problems = match_names(problem.parameters, given, values, taken)
        if problems:
            raise BindError(problems)
        shapes = {name: tuple(v.shape) if isinstance(v, Tensor) else np.shape(v) for name, v in found.items()}
        runner, constants = self._runner(tuple(shapes.items()), fresh)
        return runner, constants, assign(runner.program, found)

    def _runner(
        self, shapes: tuple[tuple[str, tuple[int, ...]], ...], fresh: Mapping[str, Any] | None = None
    ) -> tuple[Runner, dict[str, Tensor]]:
        """Compiled once per sizes and data; data of the call itself are compared by content."""
        if not fresh and shapes in self._runners:
            return self._runners[shapes]
        if isinstance(self._source, Program):
            runner = Runner(self._source, self.options)
        else:
            chosen = {name: getattr(self.options, name) for name in self.options.__slots__}
            runner = self._source.runner(self.dims, {**self.data, **(fresh or {})}, dict(shapes), **chosen)
        known = runner, {name: torch.from_numpy(value) for name, value in runner.program.constants}
        if not fresh:
            if len(self._runners) >= CACHED:
                self._runners.clear()
            self._runners[shapes] = known
        return known

    def __getstate__(self) -> dict[str, Any]:
        """Source text (or compiled program) and options; what is compiled is built anew where it is needed."""
        return {**self.__dict__, "_source": _pack(self._source), "_runners": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._source = _unpack(state["_source"])

    def __deepcopy__(self, memo: dict[int, Any]) -> Layer:
        """What is compiled is immutable and shared with the copy."""
        shared = {id(self._source): self._source, id(self._runners): dict(self._runners)}
        memo.update(shared)
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        twin.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return twin

    def extra_repr(self) -> str:
        source = self._source
        name = source.name if isinstance(source, Program) else source.compilation.source.name
        dims = "".join(f", {k}={v}" for k, v in self.dims.items())
        return f"{name!r}{dims}, solver={self.options.solver!r}"


def _plain(value: Any) -> Any:
    """Data are constants: tensors become arrays."""
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)


def _open(source: str | Path | Problem | Program) -> Problem | Program:
    if isinstance(source, Program):
        return source
    if isinstance(source, str | Path):
        if Path(source).suffix == ".npz":
            return load(source)
        from dpplang.pipeline import load as load_problem

        return load_problem(source)
    return source


def _pack(source: Problem | Program) -> Any:
    if isinstance(source, Program):
        return to_bytes(source)
    compilation = source.compilation
    return compilation.source.name, compilation.source.text, compilation.loader


def _unpack(packed: Any) -> Problem | Program:
    if isinstance(packed, bytes):
        return from_bytes(packed)
    from dpplang.core.source import Source
    from dpplang.pipeline import Compilation, Problem

    name, text, loader = packed
    return Problem(Compilation(Source(name, text), loader))
