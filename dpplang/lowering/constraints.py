"""Constraints as rows in cones, in the vectorization of :mod:`dpplang.asa.cones`, and the way back for their duals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.cones import svec_indices
from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError
from dpplang.core.source import Origin
from dpplang.lowering.affine import Affine, Floats, Ints, total
from dpplang.lowering.builder import Block, Builder
from dpplang.lowering.primitives import concatenate, positions, spread
from dpplang.semantics.tree import Kind


@dataclass(frozen=True, slots=True, eq=False)
class DualMap:
    """dual[target[k]] += weight[k] · θ[par[k]] · y[row k of the block, flat]; ``shape`` of one member's dual.
    ``target`` counts in ``[members, *shape]``; without a parameter ``par`` is −1 (None: everywhere), the factor 1."""

    block: Block
    shape: tuple[int, ...]
    row: Ints
    target: Ints
    weight: Floats
    par: Ints | None = None


def add_relation(
    builder: Builder, kind: Kind, parts: Sequence[Affine], shape: tuple[int, ...], origin: Origin, why: str
) -> DualMap:
    """``left == right``, ``left <= right`` or ``left − right ⪰ 0`` for all N members; ``shape`` is one member's."""
    left, right = (spread(p, shape) for p in parts)
    if kind is Kind.PSD:
        return _semidefinite(builder, left + (-right), origin, why)
    gap = right + (-left)
    if kind is Kind.ZERO:
        return _plain(builder.zero(gap, origin, why), shape)
    return _bounds(builder, gap, shape, origin, why)


def add_cone(
    builder: Builder, cone: str, parts: Sequence[Affine], exponent: Floats, origin: Origin, why: str
) -> DualMap:
    """The parts ``[N, …]`` in a cone. Duals come back stacked in the cone's order, as the checker shapes them; those of
    ``nonpos``, ``nsd`` and ``zero`` are the duals of ``x <= 0``, ``X << 0`` and ``x == 0``."""
    match cone:
        case "nonneg":
            return _plain(builder.nonneg(parts[0], origin, why), parts[0].own)
        case "nonpos":
            return _plain(builder.nonneg(-parts[0], origin, why), parts[0].own)
        case "zero":
            return _plain(builder.zero(-parts[0], origin, why), parts[0].own)
        case "psd" | "nsd":
            return _semidefinite(builder, parts[0] if cone == "psd" else -parts[0], origin, why)
        case "soc" | "rsoc":
            return _second_order(builder, cone, parts, origin, why)
        case _:
            return _three(builder, cone, parts, exponent, origin, why)


def _plain(block: Block, shape: tuple[int, ...]) -> DualMap:
    index = np.arange(block.rows)
    return DualMap(block, shape, index, index, np.ones(block.rows))


def _bounds(builder: Builder, gap: Affine, shape: tuple[int, ...], origin: Origin, why: str) -> DualMap:
    """gap ≥ 0, without the rows that say nothing, as x ≤ ∞ and 0 ≤ 1 do: their duals are zero."""
    entry, var, par, coefficient = gap.loose
    fixed = (var < 0) & (par < 0)
    free = np.zeros(gap.size, bool)
    free[entry[~fixed]] = True
    for grid in gap.grids:
        free[grid.entries()] = True
    constant = total(entry[fixed], coefficient[fixed], gap.size)
    slack = (constant == np.inf) | (~free & (constant >= 0))
    if not slack.any():
        return _plain(builder.nonneg(gap, origin, why), shape)
    kept = np.flatnonzero(~slack)
    block = builder.nonneg(gap.gather(kept), origin, why)
    return DualMap(block, shape, np.arange(kept.shape[0]), kept, np.ones(kept.shape[0]))


def _semidefinite(builder: Builder, form: Affine, origin: Origin, why: str) -> DualMap:
    """svec of the symmetric part; the dual is the matrix whose svec is y."""
    lead, k = form.own[:-2], form.own[-1]
    form = form.reshape(form.rows * prod(lead), k, k)
    i, j = svec_indices(k)
    place = positions(form)
    half = np.where(i == j, 0.5, np.sqrt(0.5))
    upper, lower = form.gather(place[:, i, j]), form.gather(place[:, j, i])
    vector = upper.scale(np.broadcast_to(half, upper.shape)) + lower.scale(np.broadcast_to(half, lower.shape))
    if k == 1:  # one row: a half-line, which every solver treats better than a 1 × 1 matrix
        return _plain(builder.nonneg(vector, origin, why), (*lead, 1, 1))
    block = builder.add("psd", vector, origin, why, order=k)
    member = np.arange(form.rows)[:, None]
    row = (member * i.shape[0] + np.arange(i.shape[0])).ravel()
    off = np.broadcast_to(i != j, (form.rows, i.shape[0])).ravel()
    there = (member * k * k + i * k + j).ravel()
    back = (member * k * k + j * k + i).ravel()
    weight = np.where(off, np.sqrt(0.5), 1.0)
    return DualMap(
        block,
        (*lead, k, k),
        np.concatenate([row, row[off]]),
        np.concatenate([there, back[off]]),
        np.concatenate([weight, weight[off]]),
    )


def _second_order(builder: Builder, cone: str, parts: Sequence[Affine], origin: Origin, why: str) -> DualMap:
    *bounds, vector = parts
    rows = vector.rows
    if not bounds:  # the vector holds its bound first
        vectors, lead = vector, ()
    else:
        lead = bounds[0].own
        count = rows * prod(lead)
        tails = vector.reshape(count, vector.size // max(count, 1))
        vectors = concatenate([*(b.reshape(count, 1) for b in bounds), tails], 1)
    dim = vectors.shape[1]
    if cone == "soc":
        block = builder.add("soc", vectors, origin, why)
        return _plain(block, (*lead, dim))
    # 2uv ≥ ‖x‖²  ⇔  ((u + v)/√2, (u − v)/√2, x) ∈ SOC: an orthogonal, symmetric change of coordinates T, so y ↦ Ty.
    place, root = positions(vectors), np.sqrt(0.5)
    u, v, x = (vectors.gather(p) for p in (place[:, :1], place[:, 1:2], place[:, 2:]))
    block = builder.add("soc", concatenate([(u + v).scale(root), (u + -v).scale(root), x], 1), origin, why)
    start = place[:, 0]
    return DualMap(
        block,
        (*lead, dim),
        np.concatenate([start, start + 1, start, start + 1, place[:, 2:].ravel()]),
        np.concatenate([start, start, start + 1, start + 1, place[:, 2:].ravel()]),
        np.concatenate([np.full(3 * start.size, root), np.full(start.size, -root), np.ones(place[:, 2:].size)]),
    )


def _three(builder: Builder, cone: str, parts: Sequence[Affine], exponent: Floats, origin: Origin, why: str) -> DualMap:
    """Exponential and power cones, one for every entry of the parts; the dual is ``[3, *shape]``."""
    shape = next((p.own for p in parts if p.own), ())
    rows, size = parts[0].rows, prod(shape)
    columns = [spread(p, shape).reshape(rows * size, 1) for p in parts]
    triples = concatenate(columns, 1)
    place = np.moveaxis(np.arange(rows * 3 * size).reshape(rows, 3, size), 1, 2).reshape(rows * size, 3)
    if cone == "exp_cone":
        return _cones(builder.add("exp", triples, origin, why), (3, *shape), place)
    exponents = np.repeat(exponent, size)
    edge = (exponents == 0) | (exponents == 1)
    if not ((exponents >= 0) & (exponents <= 1)).all() or (edge.any() and not edge.all()):
        found = ", ".join(f"{a:g}" for a in np.unique(exponents)[:4])
        message = f"the exponents of `pow_cone` in {origin} must be between 0 and 1, or all be 0 or 1: they are {found}"
        raise BindError((Diagnostic("BND742", message),))
    if edge.any():
        return _half_planes(builder, triples, exponents == 1, (3, *shape), place, origin, why)
    return _cones(builder.add("pow", triples, origin, why, exponents=exponents), (3, *shape), place)


def _cones(block: Block, shape: tuple[int, ...], place: Ints) -> DualMap:
    return DualMap(block, shape, np.arange(place.size), place.ravel(), np.ones(place.size))


def _half_planes(
    builder: Builder,
    triples: Affine,
    first: NDArray[np.bool_],
    shape: tuple[int, ...],
    place: Ints,
    origin: Origin,
    why: str,
) -> DualMap:
    """Power cones at the ends of their range: with exponent 1 (``first``) x ≥ |z| and y ≥ 0, with 0 y ≥ |z| and x ≥ 0.

    As rows w − z, w + z, v ≥ 0, whose multipliers a, b, c give the dual a + b of w, b − a of z and c of v.
    """
    at, count = positions(triples), triples.shape[0]
    w_column, v_column = np.where(first, 0, 1), np.where(first, 1, 0)
    each = np.arange(count)
    w, v, z = (triples.gather(at[each, c]) for c in (w_column, v_column, np.full(count, 2)))
    block = builder.nonneg(concatenate([f.reshape(count, 1) for f in (w + -z, w + z, v)], 1), origin, why)
    row = np.arange(count * 3).reshape(count, 3)
    on_w, on_v, on_z = place[each, w_column], place[each, v_column], place[:, 2]
    return DualMap(
        block,
        shape,
        np.concatenate([row[:, 0], row[:, 1], row[:, 0], row[:, 1], row[:, 2]]),
        np.concatenate([on_w, on_w, on_z, on_z, on_v]),
        np.concatenate([np.ones(2 * count), np.full(count, -1.0), np.ones(2 * count)]),
    )
