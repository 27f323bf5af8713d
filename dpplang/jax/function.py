"""Three primitives: the solution, its tangent and its adjoint.

``solve`` has a tangent for forward mode, which is linear in the directions and so has the adjoint as its transpose, and
the adjoint the tangent. Each has a rule for ``vmap`` that makes one call with one more batch dim. Compiled code calls
the host (:mod:`dpplang.jax.call`); concrete arrays go there straight, so that errors come as they were raised.

Operands: the values that JAX follows, then directions ``[*D, *value.shape]`` or upstream gradients
``[*D, *batch, *shape]``. Parameters of the primitives:

    call: the :class:`~dpplang.jax.call.Call`.
    moving: places of the values that a derivative is taken for. Under ``vmap`` each has a mapped dim, even where the
        mapped calls share its value: each call has a gradient of its own. It is the same for a solve and its
        derivatives, which so find each other.
    given: places of the values whose directions, or of the outputs whose gradients, are there.
    wanted: places of the values whose gradients are wanted.
    ahead: the number of the dims D, many directions at one solution: of ``jacfwd``, ``jacrev``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from dpplang.core.errors import DppError
from dpplang.jax.call import Call

Places = tuple[int, ...]

NO_SECOND = (
    "the derivative of a solution cannot itself be differentiated: a layer has first derivatives in JAX, so "
    "`jax.hessian`, `grad` of `grad` and `jvp` of `grad` do not go through it"
)


def solve(call: Call, values: Sequence[jax.Array]) -> list[jax.Array]:
    """Every output of the call, ``[*batch, *shape]``, and the statuses as numbers."""
    return solve_p.bind(*values, call=call, moving=())


def _host_solve(*values: Any, call: Call, moving: Places) -> list[np.ndarray[Any, Any]]:
    return call.solve(_arrays(values), keep=bool(moving))


def _host_tangent(*operands: Any, call: Call, moving: Places, given: Places, ahead: int) -> list[Any]:
    arrays, k = _arrays(operands), len(call.names)
    return call.tangent(arrays[:k], dict(zip(given, arrays[k:], strict=True)), ahead)


def _host_adjoint(*operands: Any, call: Call, moving: Places, given: Places, wanted: Places, ahead: int) -> list[Any]:
    arrays, k = _arrays(operands), len(call.names)
    return call.adjoint(arrays[:k], dict(zip(given, arrays[k:], strict=True)), wanted, ahead)


def _solve_avals(*values: Any, call: Call, moving: Places) -> list[ShapedArray]:
    batch = call.batch([v.shape for v in values])
    return [*(ShapedArray(shape, call.dtype) for shape in call.shapes(batch)), ShapedArray(batch, np.dtype(np.int32))]


def _tangent_avals(*operands: Any, call: Call, moving: Places, given: Places, ahead: int) -> list[ShapedArray]:
    k = len(call.names)
    batch, many = call.batch([v.shape for v in operands[:k]]), operands[k].shape[:ahead]
    return [ShapedArray((*many, *shape), call.dtype) for shape in call.shapes(batch)]


def _adjoint_avals(
    *operands: Any, call: Call, moving: Places, given: Places, wanted: Places, ahead: int
) -> list[ShapedArray]:
    many = operands[len(call.names)].shape[:ahead]
    return [ShapedArray((*many, *operands[k].shape), operands[k].dtype) for k in wanted]


def _solve_jvp(values: Sequence[Any], tangents: Sequence[Any], *, call: Call, moving: Places) -> Any:
    given = tuple(k for k, t in enumerate(tangents) if not _is_still(t))
    moving = tuple(sorted({*moving, *given}))
    out = solve_p.bind(*values, call=call, moving=moving)
    directions = [jnp.asarray(tangents[k]) for k in given]
    if given:
        moved = tangent_p.bind(*values, *directions, call=call, moving=moving, given=given, ahead=0)
    else:
        moved = [_still(o) for o in out[:-1]]
    return out, [*moved, _still(out[-1])]


def _linear_jvp(primitive: Primitive, operands: Sequence[Any], tangents: Sequence[Any], **parameters: Any) -> Any:
    """Of a derivative: it is linear in all but the values."""
    k = len(parameters["call"].names)
    if not all(map(_is_still, tangents[:k])):
        raise DppError(NO_SECOND)
    out = primitive.bind(*operands, **parameters)
    moves = [(place, t) for place, t in zip(parameters["given"], tangents[k:], strict=True) if not _is_still(t)]
    if not moves:
        return out, [_still(o) for o in out]
    parameters["given"] = tuple(place for place, _ in moves)
    return out, primitive.bind(*operands[:k], *(t for _, t in moves), **parameters)


def _tangent_transpose(
    gradients: Sequence[Any], *operands: Any, call: Call, moving: Places, given: Places, ahead: int
) -> list[Any]:
    values, directions = operands[: len(call.names)], operands[len(call.names) :]
    seen = tuple(k for k, g in enumerate(gradients) if type(g) is not ad.Zero)
    wanted = tuple(k for k, d in zip(given, directions, strict=True) if ad.is_undefined_primal(d))
    if not seen:
        return [None] * len(operands)
    upstream = [gradients[k] for k in seen]
    found = iter(adjoint_p.bind(*values, *upstream, call=call, moving=moving, given=seen, wanted=wanted, ahead=ahead))
    return [*(None for _ in values), *(next(found) if ad.is_undefined_primal(d) else None for d in directions)]


def _adjoint_transpose(
    directions: Sequence[Any], *operands: Any, call: Call, moving: Places, given: Places, wanted: Places, ahead: int
) -> list[Any]:
    values, upstream = operands[: len(call.names)], operands[len(call.names) :]
    moves = [(k, d) for k, d in zip(wanted, directions, strict=True) if type(d) is not ad.Zero]
    if not moves:
        return [None] * len(operands)
    along, places = (d for _, d in moves), tuple(k for k, _ in moves)
    moved = tangent_p.bind(*values, *along, call=call, moving=moving, given=places, ahead=ahead)
    back = [moved[k] if ad.is_undefined_primal(g) else None for k, g in zip(given, upstream, strict=True)]
    return [*(None for _ in values), *back]


def _map_solve(values: Sequence[Any], dims: Sequence[int | None], *, call: Call, moving: Places) -> Any:
    mapped, _ = _map_values(call, values, dims, moving)
    out = solve_p.bind(*mapped, call=call, moving=moving)
    return out, [0] * len(out)


def _map_derivative(
    primitive: Primitive, operands: Sequence[Any], dims: Sequence[int | None], **parameters: Any
) -> Any:
    """A mapped dim of the values is one more batch dim; one of the rest alone is one more of the dims D."""
    call, ahead, k = parameters["call"], parameters["ahead"], len(parameters["call"].names)
    values, rest = operands[:k], operands[k:]
    count = _count(operands, dims)
    if all(d is None for d in dims[:k]):
        parameters["ahead"] = ahead + 1
        out = primitive.bind(*values, *(_at(0, t, d, count) for t, d in zip(rest, dims[k:], strict=True)), **parameters)
        return out, [0] * len(out)
    mapped, rank = _map_values(call, values, dims[:k], parameters["moving"])
    others = [_at(ahead, t, d, count) for t, d in zip(rest, dims[k:], strict=True)]
    if primitive is tangent_p:  # a direction is laid out as its value is
        others = [_padded(t, ahead, rank + len(call.own(p))) for t, p in zip(others, parameters["given"], strict=True)]
    out = primitive.bind(*mapped, *others, **parameters)
    if primitive is adjoint_p:
        out = [
            o.reshape((*o.shape[: ahead + 1], *_own(values[p], dims[p])))
            for o, p in zip(out, parameters["wanted"], strict=True)
        ]
    return out, [ahead] * len(out)


def _map_values(call: Call, values: Sequence[Any], dims: Sequence[int | None], moving: Places) -> tuple[list[Any], int]:
    """Values with the mapped dim in front of their batch dims, and the number of those without it."""
    count = _count(values, dims)
    rank = len(call.batch([_own(v, d) for v, d in zip(values, dims, strict=True)]))
    mapped = [
        v if d is None and k not in moving else _padded(_at(0, v, d, count), 0, rank + len(call.own(k)))
        for k, (v, d) in enumerate(zip(values, dims, strict=True))
    ]
    return mapped, rank


def _count(operands: Sequence[Any], dims: Sequence[int | None]) -> int:
    return next(o.shape[d] for o, d in zip(operands, dims, strict=True) if d is not None)


def _own(value: Any, dim: int | None) -> tuple[int, ...]:
    """The shape without the mapped dim."""
    shape = tuple(value.shape)
    return shape if dim is None else (*shape[:dim], *shape[dim + 1 :])


def _at(place: int, array: Any, dim: int | None, count: int) -> Any:
    """The mapped dim moved to a place, made there if there is none."""
    if dim is not None:
        return jnp.moveaxis(array, dim, place)
    shape = array.shape
    return jnp.broadcast_to(jnp.expand_dims(array, place), (*shape[:place], count, *shape[place:]))


def _padded(array: Any, place: int, rank: int) -> Any:
    """Dims of 1 behind the one at ``place``, so that ``rank`` follow it."""
    shape = array.shape
    return array.reshape((*shape[: place + 1], *(1,) * (rank + place + 1 - len(shape)), *shape[place + 1 :]))


def _still(primal: Any) -> ad.Zero:
    """The tangent of what does not move."""
    return ad.Zero(jax.typeof(primal).to_tangent_aval())


def _is_still(tangent: Any) -> bool:
    return type(tangent) is ad.Zero or getattr(tangent, "dtype", None) == jax.dtypes.float0


def _arrays(operands: Sequence[Any]) -> list[np.ndarray[Any, Any]]:
    return [np.asarray(o) for o in operands]


def _primitive(name: str, host: Callable[..., Any], avals: Callable[..., Any]) -> Primitive:
    primitive = Primitive(f"dpplang_{name}")
    primitive.multiple_results = True
    primitive.def_abstract_eval(avals)

    def eager(*operands: Any, **parameters: Any) -> list[jax.Array]:
        placed = (o.sharding for o in operands if getattr(o, "committed", False) and len(o.devices()) == 1)
        return jax.device_put(host(*operands, **parameters), next(placed, None))

    def lower(context: mlir.LoweringRuleContext, *operands: Any, **parameters: Any) -> Any:
        function = partial(host, **parameters)
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
                returns_token=False,
            )
            return found
        results = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in context.avals_out]
        several = mlir.lower_fun(lambda *args: jax.pure_callback(function, results, *args), multiple_results=True)
        return several(context, *operands)

    primitive.def_impl(eager)
    mlir.register_lowering(primitive, lower)
    return primitive


solve_p = _primitive("solve", _host_solve, _solve_avals)
tangent_p = _primitive("tangent", _host_tangent, _tangent_avals)
adjoint_p = _primitive("adjoint", _host_adjoint, _adjoint_avals)

ad.primitive_jvps[solve_p] = _solve_jvp
ad.primitive_jvps[tangent_p] = partial(_linear_jvp, tangent_p)
ad.primitive_jvps[adjoint_p] = partial(_linear_jvp, adjoint_p)
ad.primitive_transposes[tangent_p] = _tangent_transpose
ad.primitive_transposes[adjoint_p] = _adjoint_transpose
batching.primitive_batchers[solve_p] = _map_solve
batching.primitive_batchers[tangent_p] = partial(_map_derivative, tangent_p)
batching.primitive_batchers[adjoint_p] = partial(_map_derivative, adjoint_p)
