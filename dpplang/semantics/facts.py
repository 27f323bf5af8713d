"""Facts of composed expressions: the two readings of the DCP rules side by side.

``curvature`` holds parameters constant. ``dpp`` counts them as affine variables, and asks of every product that one
factor be free of both, or that one be free of variables and affine in the parameters and the other free of parameters
(Agrawal et al. 2019, §4.1; CVXPY's ``is_dpp``).
"""

from __future__ import annotations

from collections.abc import Sequence

from dpplang.lattice.curvature import Curvature, Monotonicity, compose
from dpplang.lattice.dims import Shape
from dpplang.lattice.sign import Sign
from dpplang.semantics.tree import Expr, Facts, Symbol

Mode = Monotonicity


def symbols(parts: Sequence[Expr]) -> tuple[frozenset[Symbol], frozenset[Symbol]]:
    """Parameters and variables that the parts depend on."""
    params: frozenset[Symbol] = frozenset()
    variables: frozenset[Symbol] = frozenset()
    for part in parts:
        params |= part.facts.params
        variables |= part.facts.variables
    return params, variables


def composed(
    shape: Shape,
    sign: Sign,
    outer: Curvature,
    parts: Sequence[Expr],
    monotone: Sequence[Monotonicity] | None = None,
) -> Facts:
    """Facts of f(parts), f of curvature ``outer`` and monotone in its arguments as given (increasing if not)."""
    modes = monotone or [Mode.INCREASING] * len(parts)
    params, variables = symbols(parts)
    return Facts(
        shape,
        sign,
        compose(outer, [(m, p.facts.curvature) for m, p in zip(modes, parts, strict=True)]),
        compose(outer, [(m, p.facts.dpp) for m, p in zip(modes, parts, strict=True)]),
        params,
        variables,
    )


def multiplied(shape: Shape, left: Expr, right: Expr) -> Facts:
    """Facts of a bilinear primitive: ``mul matmul outer kron convolve``."""
    a, b = left.facts, right.facts
    params, variables = symbols((left, right))
    if not a.variables:
        curvature = b.curvature.scaled(a.sign)
    elif not b.variables:
        curvature = a.curvature.scaled(b.sign)
    else:
        curvature = Curvature.UNKNOWN
    return Facts(shape, a.sign * b.sign, curvature, _dpp_of_product(a, b), params, variables)


def divided(shape: Shape, left: Expr, right: Expr) -> Facts:
    """Facts of ``left / right``."""
    a, b = left.facts, right.facts
    params, variables = symbols((left, right))
    curvature = Curvature.UNKNOWN if b.variables else a.curvature.scaled(b.sign)
    dpp = a.dpp.scaled(b.sign) if b.is_constant else Curvature.UNKNOWN
    return Facts(shape, a.sign * b.sign, curvature, dpp, params, variables)


def factors_are_dpp(a: Facts, b: Facts) -> bool:
    """The DPP rule for a product."""
    return (
        a.is_constant
        or b.is_constant
        or (_is_parameter_affine(a) and not b.params)
        or (_is_parameter_affine(b) and not a.params)
    )


def opaque(shape: Shape, sign: Sign, parts: Sequence[Expr]) -> Facts:
    """Facts of a numeric function: constant in the variables (there are none), no known curvature in the parameters."""
    params, variables = symbols(parts)
    return Facts(
        shape,
        sign,
        Curvature.UNKNOWN if variables else Curvature.CONSTANT,
        Curvature.UNKNOWN if variables or params else Curvature.CONSTANT,
        params,
        variables,
    )


def _is_parameter_affine(facts: Facts) -> bool:
    return not facts.variables and facts.dpp.is_affine


def _dpp_of_product(a: Facts, b: Facts) -> Curvature:
    if not factors_are_dpp(a, b):
        return Curvature.UNKNOWN
    scale, other = (a, b) if a.is_constant else (b, a) if b.is_constant else (a, b) if not a.variables else (b, a)
    if scale.is_constant:
        return other.dpp.scaled(scale.sign)
    # p * e with p affine in the parameters: affine in p for a constant e, convex for a convex e where p >= 0.
    return scale.dpp if other.is_constant else other.dpp.scaled(scale.sign)
