"""Whether a scalar is strictly positive: the lattice of signs does not tell zero apart, roots and inverses do."""

from __future__ import annotations

from collections.abc import Mapping

from dpplang.semantics.atom_constants import number
from dpplang.semantics.tree import Apply, AtomCall, Expr, Ref, Size, Symbol, Take


def is_positive(expr: Expr, derived: Mapping[Symbol, Expr]) -> bool:
    """Proved from declarations (``pos``), numbers, and what keeps a value positive."""
    value = number(expr)
    if value is not None:
        return value > 0
    match expr:
        case Ref(symbol=symbol):
            return symbol.has("pos") or (symbol in derived and is_positive(derived[symbol], derived))
        case Take(operand=operand):
            return is_positive(operand, derived)
        case Size():
            return expr.facts.sign.is_nonneg and expr.poly.constant != 0 and not expr.poly.coefficient()
        case Apply(op="exp"):
            return True
        case AtomCall() if expr.atom.name == "exp":
            return True
        case Apply(op="add", args=(left, right)):
            some = is_positive(left, derived) or is_positive(right, derived)
            return some and left.facts.sign.is_nonneg and right.facts.sign.is_nonneg
        case Apply(op="mul" | "div" | "matmul", args=(left, right)):
            return is_positive(left, derived) and is_positive(right, derived)
        case Apply(op="sqrt" | "spread" | "abs", args=(operand,)):
            return is_positive(operand, derived)
        case _:
            return False
