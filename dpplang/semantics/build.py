"""Constructors of typed nodes: each fills in the facts that the rule of its primitive proves, and says which
rule that was."""

from __future__ import annotations

from collections.abc import Sequence

from dpplang.core.source import Span
from dpplang.lattice.curvature import Curvature, Monotonicity
from dpplang.lattice.dims import Poly, Shape, size
from dpplang.lattice.sign import Sign
from dpplang.semantics.atom_constants import number
from dpplang.semantics.facts import composed, divided, factors_are_dpp, multiplied, opaque
from dpplang.semantics.members import sign_of
from dpplang.semantics.report import mistake
from dpplang.semantics.tree import (
    Apply,
    Const,
    Expr,
    Facts,
    Range,
    Reason,
    Ref,
    Role,
    Size,
    Symbol,
    Take,
    TypedBinder,
)

MAX_ENTRIES = 100_000
Options = tuple[tuple[str, object], ...]
Value = float | tuple[object, ...]


def constant(value: float, span: Span) -> Const:
    return Const(float(value), facts=Facts((), _sign_of_number(value)), span=span, reason=Reason("a number"))


def literal(value: tuple[object, ...], shape: Shape, span: Span) -> Const:
    """A literal vector or matrix of numbers, nested row-major.

    Raises:
        Mistake: it has more entries than a text can sensibly hold; names for parts can double them without end.
    """
    count = size(shape).constant
    if count is None or count > MAX_ENTRIES:
        help_ = ("numbers belong into `data`, which is bound from arrays",)
        raise mistake("NAM117", f"a literal has more than {MAX_ENTRIES} entries", span, help=help_)
    sign = Sign.ZERO
    for entry in entries(value):
        sign = sign + _sign_of_number(entry)
    return Const(value, facts=Facts(shape, sign), span=span, reason=Reason("a literal"))


def entries(value: Value) -> list[float]:
    """All numbers of a nested literal, row-major."""
    if isinstance(value, tuple):
        return [e for part in value for e in entries(part)]  # type: ignore[arg-type]
    return [value]


def size_node(poly: Poly, span: Span, binders: tuple[TypedBinder, ...] = ()) -> Expr:
    """An integer over dims and index variables; a plain number where no name is left."""
    if poly.constant is not None:
        return constant(poly.constant, span)
    return Size(poly, facts=Facts((), sign_of(poly, binders)), span=span, reason=Reason("a size"))


def polynomial(expr: Expr) -> Poly | None:
    """The integer polynomial that an expression is, if it is one."""
    if isinstance(expr, Size):
        return expr.poly
    value = number(expr) if isinstance(expr, Const) else None
    return Poly.const(int(value)) if value is not None and abs(value) < 2**53 and value == int(value) else None


def declared_sign(symbol: Symbol) -> Sign:
    """What the attributes say of the sign of the entries."""
    for attribute in symbol.attributes:
        if attribute.name in ("nonneg", "pos"):
            return Sign.NONNEG
        if attribute.name in ("nonpos", "neg"):
            return Sign.NONPOS
        if attribute.name == "in":
            low, high = attribute.arguments
            if low.facts.sign.is_nonneg:
                return Sign.NONNEG
            if high.facts.sign.is_nonpos:
                return Sign.NONPOS
    return Sign.UNKNOWN


_ROLE_WORDS = {
    Role.DATA: "data, a constant",
    Role.PARAM: "a parameter, constant in the variables",
    Role.DERIVED: "a derived parameter, constant in the variables",
    Role.VAR: "a variable, affine",
    Role.FORMAL: "an argument of the atom",
}


def reference(symbol: Symbol, *, mode: str = "", sign: Sign | None = None) -> Ref:
    """A declared tensor, whole.

    Args:
        mode: of a formal: ``""`` counts as a variable, ``param`` as a parameter, ``const`` as a constant.
        sign: what is known beyond the attributes (of a ``derived``, from its expression).
    """
    entry_sign = declared_sign(symbol) if sign is None else sign
    is_param = symbol.role in (Role.PARAM, Role.DERIVED) or (symbol.role is Role.FORMAL and mode == "param")
    is_variable = symbol.role is Role.VAR or (symbol.role is Role.FORMAL and not mode)
    own = frozenset({symbol})
    facts = Facts(
        symbol.shape,
        entry_sign,
        Curvature.AFFINE if is_variable else Curvature.CONSTANT,
        Curvature.AFFINE if is_variable or is_param else Curvature.CONSTANT,
        own if is_param else frozenset(),
        own if is_variable else frozenset(),
    )
    return Ref(symbol, facts=facts, span=symbol.span, reason=Reason(f"`{symbol.name}` is {_ROLE_WORDS[symbol.role]}"))


def affine(
    op: str,
    args: Sequence[Expr],
    shape: Shape,
    span: Span,
    *,
    sign: Sign | None = None,
    monotone: Sequence[Monotonicity] | None = None,
    options: Options = (),
) -> Apply:
    """A linear primitive; every entry of the result is a nonnegative combination of the arguments' entries unless
    ``monotone`` says otherwise."""
    joined = Sign.ZERO
    for arg in args:
        joined = joined + arg.facts.sign
    facts = composed(shape, joined if sign is None else sign, Curvature.AFFINE, args, monotone)
    return Apply(op, tuple(args), options, facts=facts, span=span, reason=Reason(_affine_rule(op, facts), tuple(args)))


def bilinear(op: str, left: Expr, right: Expr, shape: Shape, span: Span) -> Apply:
    """``mul matmul outer kron convolve``."""
    facts = multiplied(shape, left, right)
    return Apply(op, (left, right), facts=facts, span=span, reason=Reason(_product_rule(left, right), (left, right)))


def quotient(left: Expr, right: Expr, shape: Shape, span: Span) -> Apply:
    facts = divided(shape, left, right)
    return Apply("div", (left, right), facts=facts, span=span, reason=Reason(_quotient_rule(right), (left, right)))


def negated(operand: Expr, span: Span) -> Expr:
    """``-x``; numbers and sizes are folded."""
    if isinstance(operand, Const):
        return Const(
            _negative(operand.value),
            facts=Facts(operand.shape, -operand.facts.sign),
            span=span,
            reason=operand.reason,
        )
    if isinstance(operand, Size):
        return Size(-operand.poly, facts=Facts((), -operand.facts.sign), span=span, reason=operand.reason)
    return affine("neg", (operand,), operand.shape, span, sign=-operand.facts.sign, monotone=(Monotonicity.DECREASING,))


def difference(left: Expr, right: Expr, shape: Shape, span: Span) -> Apply:
    modes = (Monotonicity.INCREASING, Monotonicity.DECREASING)
    return affine("sub", (left, right), shape, span, sign=left.facts.sign + -right.facts.sign, monotone=modes)


def numeric(op: str, args: Sequence[Expr], shape: Shape, sign: Sign, span: Span, options: Options = ()) -> Apply:
    """A function of the numeric library."""
    return Apply(
        op,
        tuple(args),
        options,
        facts=opaque(shape, sign, args),
        span=span,
        reason=Reason(f"`{op}` of constants and parameters, computed before the problem is solved", tuple(args)),
    )


def taken(operand: Expr, items: tuple[Poly | Range, ...], span: Span) -> Expr:
    """``operand[items]``, one item per axis."""
    kept = tuple(i.stop - i.start for i in items if isinstance(i, Range))
    facts = composed(kept, operand.facts.sign, Curvature.AFFINE, (operand,))
    return Take(
        operand, items, facts=facts, span=span, reason=Reason("entries of an expression are what it is", (operand,))
    )


def reshaped(operand: Expr, shape: Shape, span: Span) -> Expr:
    return operand if operand.shape == shape else affine("reshape", (operand,), shape, span)


def _negative(value: Value) -> Value:
    return tuple(_negative(v) for v in value) if isinstance(value, tuple) else -value  # type: ignore[arg-type]


def _sign_of_number(value: float) -> Sign:
    return Sign.NONNEG if value > 0 else Sign.NONPOS if value < 0 else Sign.ZERO


def _affine_rule(op: str, facts: Facts) -> str:
    if facts.curvature is Curvature.UNKNOWN:
        return f"`{op}` adds up parts whose curvatures do not go together"
    return f"`{op}` is affine, so the curvature of its parts stays"


def _product_rule(left: Expr, right: Expr) -> str:
    if left.facts.variables and right.facts.variables:
        return "a product of two factors that both depend on variables has no known curvature"
    if not factors_are_dpp(left.facts, right.facts):
        both = left.facts.params and right.facts.params
        why = "both depend on parameters" if both else "a factor is not affine in the parameters"
        return f"DCP, since one factor is constant in the variables; not DPP, since {why}"
    scale, other = (right, left) if left.facts.variables else (left, right)
    words = {Sign.UNKNOWN: "constant of unknown sign"}.get(scale.facts.sign, f"{scale.facts.sign.value} constant")
    return f"a {words} times {_an(other.facts.curvature)} expression"


def _quotient_rule(right: Expr) -> str:
    if right.facts.variables:
        return "a quotient by something that depends on variables has no known curvature"
    if right.facts.params:
        return "a quotient by something constant in the variables is DCP; it depends on parameters, so it is not DPP"
    return f"a quotient by a constant ({right.facts.sign.value})"


def _an(curvature: Curvature) -> str:
    article = "an" if curvature in (Curvature.AFFINE, Curvature.UNKNOWN) else "a"
    return f"{article} {curvature.value}"
