"""The solution as a primitive of JAX. Its derivatives are :mod:`dpplang.jax.derivative`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import ShapedArray
from jax.interpreters import ad, batching

from dpplang.jax.call import Call
from dpplang.jax.derivative import Parameters, Places, derivative, is_still, still
from dpplang.jax.mapped import Dims, map_values
from dpplang.jax.primitive import make_primitive


def solve(call: Call, values: Sequence[jax.Array]) -> list[jax.Array]:
    """Every output of the call, ``[*batch, *shape]``, and the statuses as numbers."""
    return solve_p.bind(*values, call=call, moving=())


def _host(*values: Any, call: Call, moving: Places) -> list[np.ndarray[Any, Any]]:
    return call.solve(values, keep=bool(moving))


def _avals(*values: Any, call: Call, moving: Places) -> list[ShapedArray]:
    batch = call.batch([v.shape for v in values])
    return [*(ShapedArray(shape, call.dtype) for shape in call.shapes(batch)), ShapedArray(batch, np.dtype(np.int32))]


def _jvp(values: Sequence[Any], tangents: Sequence[Any], *, call: Call, moving: Places) -> Any:
    moves = {k: jnp.asarray(t) for k, t in enumerate(tangents) if not is_still(t)}
    moving = tuple(sorted({*moving, *moves}))
    out = solve_p.bind(*values, call=call, moving=moving)
    if not moves:
        return out, [still(o) for o in out]
    forward = Parameters(call, moving, upstream=None, directions=(tuple(moves),), wanted=(), ahead=0)
    return out, [*derivative(forward, values, [[*moves.values()]]), still(out[-1])]


def _map(values: Sequence[Any], dims: Dims, *, call: Call, moving: Places) -> Any:
    mapped, _ = map_values(call, values, dims, moving)
    out = solve_p.bind(*mapped, call=call, moving=moving)
    return out, [0] * len(out)


solve_p = make_primitive("solve", _host, _avals)
ad.primitive_jvps[solve_p] = _jvp
batching.primitive_batchers[solve_p] = _map
