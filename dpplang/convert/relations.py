"""Constraints, by CVXPY's names of their classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dpplang.convert import nodes
from dpplang.convert.piece import Piece
from dpplang.convert.refusal import Refusal
from dpplang.convert.sums import summed, terms_of
from dpplang.convert.tools import Tools
from dpplang.syntax import ast

Relation = ast.Relation | ast.Membership
Rule = Callable[[Any, Sequence[Piece], Tools], list[Relation]]


def _both(op: str, c: Any, args: Sequence[Piece], tools: Tools) -> ast.Relation:
    """``left op right`` with CVXPY's dual; a scalar stands for every entry on one side."""
    shape = tuple(c.expr.shape) if hasattr(c, "expr") else tuple(np.broadcast_shapes(*(a.shape for a in args)))
    left, right = (tools.fitted(a, shape) for a in args)
    if left.spread and right.spread:
        left = Piece(tools.whole(left), shape)
    return nodes.relation(op, left.node, right.node)


def equality(c: Any, args: Sequence[Piece], tools: Tools) -> list[Relation]:
    return [_both("==", c, args, tools)]


def inequality(c: Any, args: Sequence[Piece], tools: Tools) -> list[Relation]:
    return [_both("<=", c, args, tools)]


def _against_zero(op: str) -> Rule:
    def rule(c: Any, args: Sequence[Piece], tools: Tools) -> list[Relation]:
        return [nodes.relation(op, tools.whole(args[0]), nodes.number(0))]

    return rule


def psd(c: Any, args: Sequence[Piece], tools: Tools) -> list[Relation]:
    """``X − Y ⪰ 0`` as ``X >> Y``."""
    (operand,) = args
    if len(operand.shape) != 2:
        raise Refusal("a stack of semidefinite matrices", "write one constraint for each matrix")
    terms = terms_of(tools.whole(operand))
    minus = [t for t in map(nodes.positive, terms) if t is not None]
    plus = [t for t in terms if nodes.positive(t) is None]
    if not plus:
        return [nodes.relation("<<", summed(minus), nodes.number(0))]
    if len(minus) == 1 and _keeps_shape(operand, terms):
        return [nodes.relation(">>", summed(plus), minus[0])]
    return [nodes.relation(">>", tools.whole(operand), nodes.number(0))]


def _keeps_shape(operand: Piece, terms: Sequence[ast.Expr]) -> bool:
    """Whether no term of a sum is a scalar that stands for a matrix."""
    return not operand.spread and not any(isinstance(nodes.positive(t) or t, ast.Number) for t in terms)


def second_order(c: Any, args: Sequence[Piece], tools: Tools) -> list[Relation]:
    """‖x‖ ≤ t, or one cone for each column (``axis=0``) or row of a matrix."""
    bound, vector = args
    if bound.size == 1 and (len(vector.shape) < 2 or 1 in (vector.shape[1 - c.axis],)):
        element = tools.whole(vector) if len(vector.shape) < 2 else tools.vector(vector)
        return [nodes.membership((tools.scalar(bound), element if vector.shape else nodes.listed([element])), "soc")]
    rows = tools.whole(vector) if c.axis == 1 else nodes.transposed(tools.whole(vector))
    return [nodes.membership((tools.whole(bound), rows), "soc")]


def exponential(c: Any, args: Sequence[Piece], tools: Tools) -> list[Relation]:
    return [nodes.membership([a.node if a.spread else tools.whole(a) for a in args], "exp_cone")]


def power_cone(c: Any, args: Sequence[Piece], tools: Tools) -> list[Relation]:
    """One relation for each exponent; CVXPY's exponents may differ from entry to entry."""
    exponents = np.atleast_1d(np.asarray(c.alpha.value, dtype=float))
    if np.all(exponents == exponents.flat[0]):
        parts = [a.node if a.spread else tools.whole(a) for a in args]
        return [nodes.membership(parts, "pow_cone", nodes.number(exponents.flat[0]))]
    made: list[Relation] = []
    for place, exponent in np.ndenumerate(exponents):
        subscript = [nodes.number(i) for i in place]
        parts = [a.node if a.spread else nodes.index(tools.whole(a), *subscript) for a in args]
        made.append(nodes.membership(parts, "pow_cone", nodes.number(exponent)))
    return made


def power_cone_nd(c: Any, args: Sequence[Piece], tools: Tools) -> list[Relation]:
    """Π Wᵢ^αᵢ ≥ |z|: a weighted geometric mean for each cone."""
    weights = np.asarray(c.alpha.value, dtype=float)
    cones = weights.reshape(-1, 1) if weights.ndim == 1 else weights if c.axis == 0 else weights.T
    rows, bound = tools.whole(args[0]), args[1]
    made: list[Relation] = []
    for k in range(cones.shape[1]):
        one = nodes.number(k)
        row = rows if weights.ndim == 1 else nodes.index(rows, *((nodes.slice_(), one) if c.axis == 0 else (one,)))
        z = tools.scalar(bound) if bound.size == 1 else nodes.index(tools.whole(bound), one)
        mean = nodes.call("geo_mean", row, tools.whole(tools.constant(cones[:, k])))
        made.append(nodes.relation("<=", nodes.call("abs", z), mean))
    return made


RULES: dict[str, Rule] = {
    "Equality": equality,
    "Inequality": inequality,
    "Zero": _against_zero("=="),
    "NonPos": _against_zero("<="),
    "NonNeg": _against_zero(">="),
    "PSD": psd,
    "SOC": second_order,
    "ExpCone": exponential,
    "PowCone3D": power_cone,
    "PowConeND": power_cone_nd,
}

INSTEAD = {
    "FiniteSet": "solutions of combinatorial programs have no derivative: relax it to an interval",
    "SvecPSD": "write it of the matrix: `X >> 0`",
    "RelEntrConeQuad": "write `cp.rel_entr`, which is exact",
}
"""What to do about constraints that have no counterpart."""


def written(c: Any, args: Sequence[Piece], depend: Sequence[bool], tools: Tools) -> list[Relation]:
    """The relations that say what a constraint says: one, unless there is no such relation in the language.

    Args:
        depend: which arguments depend on variables: a bound of an inequality stands on the right.

    Raises:
        Refusal: there are none.
    """
    word = type(c).__name__
    if word not in RULES:
        help = [INSTEAD[word]] if word in INSTEAD else []
        raise Refusal(f"`{word}` has no counterpart in the language", *help)
    made = RULES[word](c, args, tools)
    if word == "Inequality" and not any(depend) and all(isinstance(a.node, ast.Number) for a in args):
        low, high = (a.node.value for a in args if isinstance(a.node, ast.Number))
        made = made if low > high else []  # CVXPY's True is 0 <= 1
    if word == "Inequality" and depend == [False, True]:
        return [nodes.relation(">=", r.operands[1], r.operands[0]) for r in made if isinstance(r, ast.Relation)]
    return made
