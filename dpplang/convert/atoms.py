"""Convex and concave atoms, by CVXPY's names of their classes."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from dpplang.convert import nodes
from dpplang.convert.indexing import entries_of
from dpplang.convert.piece import Piece
from dpplang.convert.reductions import along, rearranged
from dpplang.convert.refusal import Refusal
from dpplang.convert.tools import Tools
from dpplang.syntax import ast

ELEMENTWISE = {name: name for name in ("abs", "exp", "log", "log1p", "logistic", "entr", "xexp", "kl_div", "rel_entr")}
REDUCTIONS = {name: name for name in ("max", "min", "norm1", "norm_inf", "log_sum_exp")}
OF_MATRICES = {
    "lambda_max": "lambda_max",
    "log_det": "log_det",
    "normNuc": "norm_nuc",
    "sigma_max": "sigma_max",
    "tr_inv": "tr_inv",
    "von_neumann_entr": "von_neumann_entr",
}


def elementwise(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    """A function of scalars, mapped over the entries."""
    fitted = [tools.fitted(a, tuple(e.shape)) for a in args]
    spread = bool(e.shape) and all(a.spread for a in fitted)
    return Piece(nodes.call(ELEMENTWISE[type(e).__name__], *(a.node for a in fitted)), e.shape, spread)


def extremum(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    """``maximum`` and ``minimum`` of any number of expressions; with zero, the positive part."""
    fitted = [tools.broadcast(a, tuple(e.shape)) for a in args]
    spread = bool(e.shape) and all(a.spread for a in fitted)
    parts = [a.node for a in fitted]
    if type(e).__name__ == "maximum" and len(parts) == 2 and nodes.is_number(parts[1], 0):
        return Piece(nodes.call("pos", parts[0]), e.shape, spread)
    return Piece(nodes.call(type(e).__name__, *parts), e.shape, spread)


def reduction(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    word, (operand,) = REDUCTIONS[type(e).__name__], args
    if operand.spread and word in ("max", "min") and e.axis is None and not e.keepdims:
        return Piece(operand.node, ())
    return along(word, e, operand, tools)


def of_matrix(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    if any(len(a.shape) > 2 for a in args):
        raise Refusal("a stack of matrices", "write it for each matrix")
    return tools.applied(OF_MATRICES[type(e).__name__], args, e.shape)


def pnorm(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    p, (operand,) = float(e.get_data()[0]), args
    if p != 2:
        return along("pnorm", e, operand, tools, nodes.number(p))
    if e.axis is None and not e.keepdims:
        node = rearranged(tools.whole(operand)) if operand.shape else operand.node
        whole = node is (operand.node) and len(operand.shape) == 1
        return Piece(nodes.call("norm2" if whole else _norm(node, operand), node), e.shape)
    return along("norm2" if e.axis is not None else "norm_fro", e, operand, tools)


def _norm(node: ast.Expr, operand: Piece) -> str:
    """The Euclidean norm of what may be a matrix."""
    return "norm2" if not operand.shape or (len(operand.shape) == 1 and node is operand.node) else "norm_fro"


def quad_over_lin(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    """``sum_squares`` where the divisor is one."""
    operand, divisor = args
    below = tools.scalar(divisor)
    if nodes.is_number(below, 1):
        return along("sum_squares", e, operand, tools)
    if len(operand.shape) > 1 and e.axis is None and not e.keepdims:
        return Piece(nodes.call("quad_over_lin", tools.vector(operand), below), e.shape)
    return along("quad_over_lin", e, operand, tools, below)


def quad_form(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    return Piece(nodes.call("quad_form", tools.vector(args[0]), tools.whole(args[1])), e.shape)


def matrix_frac(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    return tools.applied("matrix_frac", args, e.shape)


def power(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    """xᵖ on CVXPY's domain: an even exponent that is no power of two asks for x ≥ 0."""
    (operand,), p = args, exponent(e.get_data()[0])
    x = operand.node

    def made(node: ast.Expr) -> Piece:
        return Piece(node, e.shape, operand.spread)

    if p == 0:
        return Piece(nodes.number(1), e.shape, spread=bool(e.shape))
    if p == 1:
        return operand
    if p == 0.5:
        return made(nodes.call("sqrt", x))
    if p == -1:
        return made(nodes.call("inv_pos", x))
    if p < 0:
        return made(nodes.call("power", x, nodes.number(p)))
    odd = p
    while p == int(p) and odd % 2 == 0:
        odd //= 2
    if p == int(p) and odd not in (1, p) and not e.args[0].is_nonneg():
        return made(nodes.binary("^", nodes.binary("^", x, nodes.number(odd)), nodes.number(p / odd)))
    return made(nodes.binary("^", x, nodes.number(p)))


def exponent(p: Any) -> float:
    """A constant exponent.

    Raises:
        Refusal: it is a parameter.
    """
    if isinstance(p, int | float | Fraction | np.number):
        return float(p)
    value = getattr(p, "value", None)
    if type(p).__name__ != "Constant" or value is None:
        raise Refusal("an exponent that is a parameter", "such a power is no disciplined one: give it a value")
    return float(np.asarray(value).item())


def geo_mean(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    """Entries of weight zero are left out: CVXPY does not ask them to be nonnegative."""
    (operand,), weights = args, np.asarray([float(p) for p in e.get_data()[0]])
    every = getattr(e, "_keep", np.ones(len(weights), dtype=bool))
    if operand.size == 1:
        return Piece(tools.scalar(operand), e.shape)
    if np.all(every) and np.all(weights == weights[0]):
        return along("geo_mean", e, operand, tools)
    if e.axis is not None and len(operand.shape) > 1:
        raise Refusal("weighted geometric means along an axis", "write one for each row or column")
    node = tools.whole(operand)
    if len(operand.shape) > 1:  # CVXPY's weights are in column-major order
        node = nodes.call("vec", nodes.transposed(node))
    kept = [int(i) for i in np.flatnonzero(every)]
    if len(kept) < operand.size:
        node = entries_of(Piece(node, (operand.size,)), kept, tools)
    if len(kept) == 1:
        return Piece(tools.scalar(Piece(node, (1,))), e.shape)
    return Piece(nodes.call("geo_mean", node, *_unequal(weights, tools)), e.shape)


def _unequal(weights: np.ndarray, tools: Tools) -> list[ast.Expr]:
    return [] if np.all(weights == weights[0]) else [tools.whole(tools.constant(weights))]


def huber(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    operand, threshold = args
    bound = tools.scalar(threshold)
    keywords = {} if nodes.is_number(bound, 1) else {"M": bound}
    return Piece(nodes.call("huber", operand.node, **keywords), e.shape, operand.spread)


def sum_largest(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    return along("sum_largest", e, args[0], tools, nodes.number(float(e.k)))


def lambda_sum_largest(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    return Piece(nodes.call("lambda_sum_largest", tools.whole(args[0]), nodes.number(float(e.k))), e.shape)


def dotsort(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    return Piece(nodes.call("dotsort", *(tools.vector(a) for a in args)), e.shape)


def perspective(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    inner, scale = args
    if e.f_recession is not None:
        raise Refusal("a recession function of its own", "leave it out: it is found from the function here")
    return Piece(nodes.call("perspective", tools.scalar(inner), tools.scalar(scale)), e.shape)


def quantum_rel_entr(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    if tuple(e.quad_approx) != (3, 3):
        raise Refusal(f"the approximation {tuple(e.quad_approx)}", "here it has three nodes and three roots: (3, 3)")
    return tools.applied("quantum_rel_entr", args, e.shape)


def cummax(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    (operand,) = args
    if len(operand.shape) != 1:
        raise Refusal("running maxima of a matrix", "write them for each row or column")
    node = tools.whole(operand)
    parts = [
        nodes.call("max", nodes.index(node, nodes.slice_(None, nodes.number(k)))) for k in range(1, operand.size + 1)
    ]
    return Piece(nodes.listed(parts), e.shape)


def nonneg_wrap(e: Any, args: Sequence[Piece], tools: Tools) -> Piece:
    """``cp.ptp`` is one that is known to be nonnegative."""
    (operand,) = args
    match operand.node:
        case ast.Binary("-", ast.Call(ast.Ident("max"), a, k), ast.Call(ast.Ident("min"), b, j)) if a == b and k == j:
            return Piece(ast.Call(nodes.ident("ptp"), a, k, span=nodes.NOWHERE), operand.shape)
        case _:
            return operand
