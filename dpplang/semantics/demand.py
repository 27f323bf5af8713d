"""What a context demands of the parts of an expression, so that blame descends to the smallest one that breaks a rule.

A convex whole asks of each part what the composition rule asks: convexity where the operation increases in it,
concavity
where it decreases, affinity where neither is known.
"""

from __future__ import annotations

from dpplang.lattice.curvature import Curvature, Monotonicity
from dpplang.lattice.sign import Sign
from dpplang.semantics.calls import monotonicity
from dpplang.semantics.tree import Apply, AtomCall, Expr, Reduce, Take

AFFINE_OPS = frozenset(
    [
        "add",
        "sub",
        "neg",
        "transpose",
        "sum",
        "mean",
        "cumsum",
        "diag",
        "trace",
        "hstack",
        "vstack",
        "stack",
        "reshape",
        "spread",
        "upper_tri",
        "partial_trace",
        "partial_transpose",
    ]
)
PRODUCTS = frozenset(("mul", "matmul", "outer", "kron", "convolve"))
MAX_BLAMED = 120
"""Levels that blame goes down, `let` and `func` written out; below them the whole is blamed."""


def satisfies(have: Curvature, wanted: Curvature) -> bool:
    match wanted:
        case Curvature.CONVEX:
            return have.is_convex
        case Curvature.CONCAVE:
            return have.is_concave
        case _:
            return have.is_affine


def through(wanted: Curvature, slope: Monotonicity) -> Curvature:
    """What a part must be for the whole to be as wanted, if the whole has this slope in it."""
    match slope:
        case Monotonicity.INCREASING | Monotonicity.CONSTANT:
            return wanted
        case Monotonicity.DECREASING:
            return -wanted
        case Monotonicity.UNKNOWN:
            return Curvature.AFFINE


def slope_of(sign: Sign) -> Monotonicity:
    """How a product depends on one factor, the other having this sign."""
    if sign.is_nonneg:
        return Monotonicity.INCREASING
    return Monotonicity.DECREASING if sign.is_nonpos else Monotonicity.UNKNOWN


def parts(expr: Expr, wanted: Curvature) -> list[tuple[Expr, Curvature]]:
    """The parts of an operation that is affine in them (or an extremum of them), and what each must be.

    Products, quotients and atoms have rules of their own.
    """
    match expr:
        case Apply(op="sub", args=(left, right)):
            return [(left, wanted), (right, -wanted)]
        case Apply(op="neg", args=(operand,)):
            return [(operand, -wanted)]
        case Apply(op="diff", args=(operand,)):
            return [(operand, Curvature.AFFINE)]
        case Apply(op=op, args=args) if op in AFFINE_OPS:
            return [(a, wanted) for a in args]
        case Take(operand=operand):
            return [(operand, wanted)]
        case Reduce(body=body):
            return [(body, wanted)]
        case _:
            return []


def atom_parts(call: AtomCall) -> list[tuple[str, Expr, Monotonicity, Curvature]]:
    """Convex arguments of an atom: formal, argument, slope, and what it must be for the atom to keep its curvature."""
    signs = {f.symbol.name: a.facts.sign for f, a in zip(call.atom.formals, call.args, strict=True)}
    found: list[tuple[str, Expr, Monotonicity, Curvature]] = []
    for formal, arg in zip(call.atom.formals, call.args, strict=True):
        if not formal.mode:
            slope = monotonicity(call.atom, formal.symbol.name, signs)
            found.append((formal.symbol.name, arg, slope, through(call.atom.curvature, slope)))
    return found
