"""Whether constraints of a graph hold at a point, in plain Python."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from dpplang.semantics import atom_matrices as matrices
from dpplang.semantics.atom_scalar import MAX_ORDER, Sizes, Unsupported, evaluate, index_members
from dpplang.semantics.atom_tensor import Tensor, scalar, spread
from dpplang.semantics.tree import AtomCall, Constraint, Kind


def feasible(constraint: Constraint, values: Mapping[str, Tensor], sizes: Sizes, slack: float) -> bool:
    """Whether every member of a constraint holds up to ``slack``, relative to the size of its sides.

    Raises:
        Unsupported: it is of a kind that plain Python does not serve here.
    """
    return all(
        _holds(constraint, values, inner, slack)
        for inner in index_members(constraint.binders, constraint.condition, sizes)
    )


def _in_set(call: AtomCall, values: Mapping[str, Tensor], sizes: Sizes, slack: float) -> bool:
    """Whether the constraints of a set hold of its arguments: entry by entry, or of all of them.

    Raises:
        Unsupported: it has variables of its own, or arguments that are no numbers here.
    """
    graph = call.atom.graph
    if graph is None or graph.variables:
        raise Unsupported("its set has variables of its own")
    found = [evaluate(a, values, sizes) for a in call.args]
    args = [a for a in found if a is not None]
    if len(args) < len(found):
        return False
    inner = {name: int(poly.evaluate(sizes)) for name, poly in call.sizes}
    names = [f.symbol.name for f in call.atom.formals]
    if call.atom.kind == "elementwise":
        count = max(len(a.entries) for a in args)
        members = [list(map(scalar, entries)) for entries in zip(*(spread(a, count) for a in args), strict=True)]
    else:
        flat = [f.any_shape for f in call.atom.formals]
        members = [[Tensor((len(a.entries),), a.entries) if f else a for f, a in zip(flat, args, strict=True)]]
    bound = [dict(zip(names, member, strict=True)) for member in members]
    return all(feasible(c, point, inner, slack) for point in bound for c in graph.constraints)


def _holds(constraint: Constraint, values: Mapping[str, Tensor], sizes: Sizes, slack: float) -> bool:
    if constraint.indicator is not None:
        return _in_set(constraint.indicator, values, sizes, slack)
    parts: list[Tensor] = []
    for expr in constraint.parts:
        part = evaluate(expr, values, sizes)
        if part is None:
            return False
        parts.append(part)
    if constraint.kind is Kind.CONE:
        exponents = [evaluate(a, values, sizes) for a in constraint.cone_args]
        return _in_cone(constraint.cone, parts, [e.entries[0] for e in exponents if e is not None], slack)
    left, right = parts
    count = max(len(left.entries), len(right.entries))
    pairs = list(zip(spread(left, count), spread(right, count), strict=True))
    match constraint.kind:
        case Kind.LE:
            return all(a <= b + slack * (1 + abs(a) + abs(b)) for a, b in pairs)
        case Kind.ZERO:
            return all(abs(a - b) <= slack * (1 + abs(a) + abs(b)) for a, b in pairs)
        case _:
            return _is_psd(Tensor(left.shape or right.shape, tuple(a - b for a, b in pairs)), slack)


def _is_psd(matrix: Tensor, slack: float) -> bool:
    if max(matrix.shape, default=0) > MAX_ORDER:
        raise Unsupported("its matrices are too large")
    size = 1 + max(map(abs, matrix.entries), default=0.0)
    return matrices.eigen(matrix.rows)[0][0] >= -slack * size


def _in_cone(cone: str, parts: Sequence[Tensor], exponents: Sequence[float], slack: float) -> bool:
    match cone, parts:
        case "nonneg", [part]:
            return all(v >= -slack * (1 + abs(v)) for v in part.entries)
        case "nonpos", [part]:
            return all(v <= slack * (1 + abs(v)) for v in part.entries)
        case "psd", [part]:
            return _is_psd(part, slack)
        case "soc", [bound, vector] if len(bound.entries) == 1:
            (t,), length = bound.entries, math.hypot(*vector.entries)
            return length <= t + slack * (1 + abs(t) + length)
        case "exp_cone", [x, y, z]:
            return all(_in_exp_cone(a, b, c, slack) for a, b, c in _together(x, y, z))
        case "pow_cone", [x, y, z] if len(exponents) == 1:
            return all(_in_pow_cone(a, b, c, exponents[0], slack) for a, b, c in _together(x, y, z))
        case _:
            raise Unsupported(f"it is of the cone `{cone}`")


def _together(x: Tensor, y: Tensor, z: Tensor) -> list[tuple[float, float, float]]:
    count = max(len(p.entries) for p in (x, y, z))
    return list(zip(spread(x, count), spread(y, count), spread(z, count), strict=True))


def _in_exp_cone(x: float, y: float, z: float, slack: float) -> bool:
    """y·exp(x/y) ≤ z, y > 0; or x ≤ 0 ≤ z, y = 0."""
    if y <= slack:
        return -slack <= y and x <= slack and z >= -slack
    exponent = x / y
    if exponent > math.log(1e300):
        return False
    have = y * math.exp(exponent)
    return have <= z + slack * (1 + abs(x) + abs(y) + abs(z))


def _in_pow_cone(x: float, y: float, z: float, exponent: float, slack: float) -> bool:
    """xᵃ·y¹⁻ᵃ ≥ |z|, x ≥ 0, y ≥ 0."""
    if min(x, y) < -slack:
        return False
    have = max(x, 0.0) ** exponent * max(y, 0.0) ** (1 - exponent)
    return abs(z) <= have + slack * (1 + abs(x) + abs(y) + abs(z))
