"""A program as a function of JAX arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from dpplang.asa.program import Program
from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError
from dpplang.jax.call import Call
from dpplang.jax.function import solve
from dpplang.jax.result import Result
from dpplang.programs import Programs
from dpplang.runtime.checks import not_numbers, numbers
from dpplang.runtime.names import declared
from dpplang.runtime.options import Options
from dpplang.runtime.runner import check_on_failure

if TYPE_CHECKING:
    from dpplang.pipeline import Problem


@jax.tree_util.register_static
class Layer:
    """The solution of a convex problem as a differentiable function of its parameters.

        layer = Layer("qp.dpp")
        sol = layer(Q=Q, q=q, A=A, b=b, G=G, h=h)      # by name, or by position in order of declaration
        sol.x, sol.dual.ineq, sol.value, sol.status    # or  x, ineq = layer(...)  in the order of `return`

    It goes through ``jit``, ``vmap`` (one batched solve), ``grad``, ``jvp``, ``jacfwd``, ``jacrev``, ``checkpoint``,
    ``scan`` and what is composed of them. Second derivatives exist as well, exact as the first (``hessian``), but not
    through ``derived`` parameters; third ones do not. Arrays have any number of leading batch dims, which broadcast as
    in NumPy; results come in their dtype, while the solve is in float64 on the host whatever ``jax_enable_x64`` is.
    NumPy arrays and Python numbers are constants, kept in float64. Gradients with respect to a parameter that the batch
    shares are summed, those of a symmetric parameter are symmetric.

    Names, shapes and types are checked when a function is traced, what the values hold when it runs. A layer holds
    nothing that is trained: in a pytree it has no leaves, and two layers are equal if they are one.

    Args:
        source: path of a ``.dpp`` program or of a compiled ``.npz`` one, a ``Problem``, or a ``Program``.
        dims: sizes that no array determines. data: values of ``data`` declarations, not differentiated. Both may be
            left to the shapes and the values of a call.
        on_failure: ``raise`` for elements without a solution (a SolveError; from compiled code a ``JaxRuntimeError`` or
            ``ValueError`` of JAX that ends with its text), or ``nan``: mask them with NaN and zero gradient, leaving
            the others untouched.
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
        check_on_failure(on_failure)
        self.on_failure = on_failure
        self._programs = Programs(source, dims or {}, {n: _plain(v) for n, v in (data or {}).items()}, options)

    @property
    def options(self) -> Options:
        return self._programs.options

    def __call__(self, *values: Any, **named: Any) -> Result:
        """Solve.

        Args:
            values, named: arrays (or array-likes) for the parameters, by position in order of declaration or by name;
                by name also for ``data`` that the layer was not given, whose values must be there when it is traced.

        Raises:
            BindError: values that do not fit. SolveError: an element without a solution (``on_failure="raise"``).
        """
        runner, by_name = self._programs.bind(values, named, _plain)
        followed = {name: v for name, v in by_name.items() if isinstance(v, jax.Array)}
        problems: list[Diagnostic] = []
        fixed = {}
        for parameter in declared(runner.program):
            value = by_name[parameter.name]
            try:
                if parameter.name not in followed:
                    fixed[parameter.name] = numbers(parameter, value)
                elif not any(jnp.issubdtype(value.dtype, kind) for kind in (jnp.floating, jnp.integer, jnp.bool_)):
                    raise BindError([not_numbers(parameter, f"its dtype is {value.dtype}")])
            except BindError as error:
                problems += error.diagnostics
        if problems:
            raise BindError(problems)
        call = Call(runner, tuple(followed), fixed, self.on_failure, _result_type(by_name))
        *arrays, status = solve(call, tuple(followed.values()))
        return Result(runner.readouts, dict(zip(call.outputs, arrays, strict=True)), status)

    def program(self, *values: Any, **named: Any) -> Program:
        """The compiled program that a call with these arguments solves."""
        return self._programs.bind(values, named, _plain)[0].program

    def __repr__(self) -> str:
        return f"Layer({self._programs})"


def _plain(value: Any) -> Any:
    """Data are constants: arrays of JAX become NumPy's.

    Raises:
        BindError: an array that is being traced (BND713).
    """
    if isinstance(value, Tracer):
        message = "`data` is bound when a program is compiled, and this array is only known when traced code runs"
        help_text = "give it from outside of `jit`, `vmap` and `grad`, or declare it as `param`"
        raise BindError([Diagnostic("BND713", message, help=(help_text,))])
    return np.asarray(value)


def _result_type(values: Mapping[str, Any]) -> np.dtype[Any]:
    """The dtype that the floating arrays promote to (NumPy's count if there are none of JAX); integers and Python
    numbers give way to the default."""
    for kind in (jax.Array, np.ndarray):
        dtypes = [v for v in values.values() if isinstance(v, kind) and jnp.issubdtype(v.dtype, jnp.floating)]
        if dtypes:
            return np.dtype(jnp.result_type(*dtypes))
    return np.dtype(jnp.result_type(float))
