"""One primitive for the derivatives of a solution z(v) with respect to the values v, in both modes, of order 1 and 2.

It is Dᵏz(v)[d₁ … d_k], or with an upstream gradient u the gradient of w ↦ ⟨u, Dᵏz(v)[d₁ … d_k₋₁, w]⟩: multilinear in
everything but v, so that its tangent is a sum of such terms, in which v moving gives the next order; and symmetric in
its directions, so that its transpose is the one with the cotangent in the place of what it is transposed for.

Operands: the values that JAX follows; the upstream gradients, ``[*D, *batch, *shape]`` each; then each direction, as
``[*D, *value.shape]`` for every value that moves. Parameters:

    call: the :class:`~dpplang.jax.call.Call`.
    moving: places of the values that are differentiated for. Under ``vmap`` each has a mapped dim, even where the
        mapped calls share its value: each call has a gradient of its own. It is the same for a solve and its
        derivatives, which so find each other.
    upstream: places of the outputs whose gradients are given; None in forward mode.
    directions: per direction, places of the values that move.
    wanted: with an upstream gradient, places of the values whose gradients are wanted.
    ahead: the number of the dims D, many directions at one solution: of ``jacfwd``, ``jacrev``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.core import ShapedArray
from jax.interpreters import ad, batching

from dpplang.core.errors import DppError
from dpplang.jax.call import Call
from dpplang.jax.mapped import Dims, count_of, map_values, own_shape, padded, with_dim
from dpplang.jax.primitive import make_primitive

Places = tuple[int, ...]

NO_THIRD = (
    "the second derivative of a solution cannot itself be differentiated: a layer has derivatives of order 1 and 2"
)


class Parameters(NamedTuple):
    """Of the primitive; see above."""

    call: Call
    moving: Places
    upstream: Places | None
    directions: tuple[Places, ...]
    wanted: Places
    ahead: int

    @property
    def order(self) -> int:
        return len(self.directions) + (self.upstream is not None)

    @property
    def groups(self) -> list[Places]:
        """Places, group by group of the operands behind the values."""
        return [*(() if self.upstream is None else (self.upstream,)), *self.directions]

    def split(self, operands: Sequence[Any]) -> tuple[list[Any], list[list[Any]]]:
        """Values, and the rest by groups."""
        rest: Iterator[Any] = iter(operands)
        values = [next(rest) for _ in self.call.names]
        return values, [[next(rest) for _ in places] for places in self.groups]


def derivative(p: Parameters, values: Sequence[Any], groups: Sequence[Sequence[Any]]) -> list[Any]:
    """The primitive, applied."""
    return derivative_p.bind(*values, *(operand for group in groups for operand in group), **p._asdict())


def _host(*operands: Any, **parameters: Any) -> list[Any]:
    p = Parameters(**parameters)
    values, groups = p.split(operands)
    named = [dict(zip(places, group, strict=True)) for places, group in zip(p.groups, groups, strict=True)]
    upstream = None if p.upstream is None else named.pop(0)
    return p.call.derivative(values, upstream, named, p.wanted, p.ahead)


def _avals(*operands: Any, **parameters: Any) -> list[ShapedArray]:
    p = Parameters(**parameters)
    values, groups = p.split(operands)
    many = groups[0][0].shape[: p.ahead]
    if p.upstream is not None:
        return [ShapedArray((*many, *values[k].shape), values[k].dtype) for k in p.wanted]
    return [ShapedArray((*many, *s), p.call.dtype) for s in p.call.shapes(p.call.batch([v.shape for v in values]))]


def _jvp(operands: Sequence[Any], tangents: Sequence[Any], **parameters: Any) -> Any:
    p = Parameters(**parameters)
    (values, groups), (moved, turned) = p.split(operands), p.split(tangents)
    out, terms = derivative(p, values, groups), []
    for i, (places, along) in enumerate(zip(p.groups, turned, strict=True)):
        moves = {k: t for k, t in zip(places, along, strict=True) if not is_still(t)}
        if moves:
            terms.append(
                derivative(_with_group(p, i, tuple(moves)), values, [*groups[:i], [*moves.values()], *groups[i + 1 :]])
            )
    moves = {k: t for k, t in enumerate(moved) if not is_still(t)}
    if moves:
        if p.order == 2:
            raise DppError(NO_THIRD)
        p.call.refuse_bent(tuple(moves))
        many = groups[0][0].shape[: p.ahead]
        direction = [jnp.broadcast_to(t, (*many, *jnp.shape(t))) for t in moves.values()]
        more = p._replace(moving=tuple(sorted({*p.moving, *moves})), directions=(*p.directions, tuple(moves)))
        terms.append(derivative(more, values, [*groups, direction]))
    return out, [sum(parts[1:], parts[0]) for parts in zip(*terms, strict=True)] if terms else [still(o) for o in out]


def _with_group(p: Parameters, i: int, places: Places) -> Parameters:
    if p.upstream is not None:
        if i == 0:
            return p._replace(upstream=places)
        i -= 1
    return p._replace(directions=(*p.directions[:i], places, *p.directions[i + 1 :]))


def _transpose(cotangents: Sequence[Any], *operands: Any, **parameters: Any) -> list[Any]:
    p = Parameters(**parameters)
    values, groups = p.split(operands)
    given = [(k, c) for k, c in enumerate(cotangents) if type(c) is not ad.Zero]
    if not given:
        return [None] * len(operands)
    i = next(i for i, group in enumerate(groups) if any(map(ad.is_undefined_primal, group)))
    back = [c for _, c in given]
    others = [*groups[:i], *groups[i + 1 :]]
    if p.upstream is None:  # its cotangent is an upstream gradient
        seen, rest, others = tuple(k for k, _ in given), _without(p.directions, i), [back, *others]
    elif i > 0:
        seen, rest, others = p.upstream, _without(p.directions, i - 1), [*others, back]
    else:
        seen, rest, others = None, p.directions, [*others, back]
    if p.upstream is not None:  # its cotangent is a direction
        rest = (*rest, tuple(p.wanted[k] for k, _ in given))
    places = p.groups[i]
    wanted = (
        () if seen is None else tuple(k for k, o in zip(places, groups[i], strict=True) if ad.is_undefined_primal(o))
    )
    found = derivative(p._replace(upstream=seen, directions=rest, wanted=wanted), values, others)
    by_place = dict(enumerate(found)) if seen is None else dict(zip(wanted, found, strict=True))
    result: list[Any] = [None for _ in values]
    for j, group in enumerate(groups):
        result += [by_place.get(k) if j == i else None for k, _ in zip(p.groups[j], group, strict=True)]
    return result


def _without(items: tuple[Places, ...], i: int) -> tuple[Places, ...]:
    return (*items[:i], *items[i + 1 :])


def _map(operands: Sequence[Any], dims: Dims, **parameters: Any) -> Any:
    """A mapped dim of the values is one more batch dim; one of the rest alone is one more of the dims D."""
    p, count = Parameters(**parameters), count_of(operands, dims)
    (values, groups), (value_dims, group_dims) = p.split(operands), p.split(dims)
    shared = all(d is None for d in value_dims)
    place = 0 if shared else p.ahead
    moved = [
        [with_dim(t, d, place, count) for t, d in zip(group, own, strict=True)]
        for group, own in zip(groups, group_dims, strict=True)
    ]
    if shared:
        out = derivative(p._replace(ahead=p.ahead + 1), values, moved)
        return out, [0] * len(out)
    mapped, rank = map_values(p.call, values, value_dims, p.moving)
    for i in range(len(moved)):
        if i > 0 or p.upstream is None:  # a direction is laid out as its values are
            pairs = zip(moved[i], p.groups[i], strict=True)
            moved[i] = [padded(t, place, rank + len(p.call.own(k))) for t, k in pairs]
    out = derivative(p, mapped, moved)
    if p.upstream is not None:
        own = [own_shape(values[k], value_dims[k]) for k in p.wanted]
        out = [o.reshape((*o.shape[: place + 1], *shape)) for o, shape in zip(out, own, strict=True)]
    return out, [place] * len(out)


def still(primal: Any) -> ad.Zero:
    """The tangent of what does not move."""
    return ad.Zero(jax.typeof(primal).to_tangent_aval())


def is_still(tangent: Any) -> bool:
    return type(tangent) is ad.Zero or getattr(tangent, "dtype", None) == jax.dtypes.float0


derivative_p = make_primitive("derivative", _host, _avals)
ad.primitive_jvps[derivative_p] = _jvp
ad.primitive_transposes[derivative_p] = _transpose
batching.primitive_batchers[derivative_p] = _map
