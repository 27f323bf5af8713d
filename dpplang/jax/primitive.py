"""Primitives of JAX whose work the host does: straight where arrays are concrete, by a callback in compiled code."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import jax
import numpy as np
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import mlir

from dpplang.core.errors import DppError


def make_primitive(name: str, host: Callable[..., Any], avals: Callable[..., Any]) -> Primitive:
    """A primitive with many results.

    Args:
        host: (*NumPy arrays, **parameters) → NumPy arrays. avals: (*abstract arrays, **parameters) → those of the
            results.
    """
    primitive = Primitive(f"dpplang_{name}")
    primitive.multiple_results = True
    primitive.def_abstract_eval(avals)

    def eager(*operands: Any, **parameters: Any) -> list[jax.Array]:
        placed = (o.sharding for o in operands if getattr(o, "committed", False) and len(o.devices()) == 1)
        return jax.device_put(host(*map(np.asarray, operands), **parameters), next(placed, None))

    def lower(context: mlir.LoweringRuleContext, *operands: Any, **parameters: Any) -> Any:
        def function(*arrays: Any) -> Any:
            try:
                return host(*map(np.asarray, arrays), **parameters)
            except DppError as error:  # JAX makes a text of it, traceback and all: our words are enough
                raise error.with_traceback(None) from None

        if getattr(context.module_context.axis_context, "num_devices", 0) == 1:
            emit = mlir.emit_python_callback  # which hands over NumPy arrays; pure_callback makes JAX's of them
            found, _, _ = emit(
                context,
                function,
                None,
                list(operands),
                cast(list[ShapedArray], context.avals_in),
                cast(list[ShapedArray], context.avals_out),
                has_side_effect=False,
            )
            return found
        results = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in context.avals_out]
        several = mlir.lower_fun(partial(jax.pure_callback, function, results), multiple_results=True)
        return several(context, *operands)

    primitive.def_impl(eager)
    mlir.register_lowering(primitive, lower)
    return primitive
