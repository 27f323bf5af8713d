"""Static arguments of primitives and numeric functions: ``axis``, ``keepdims``, orders, sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dpplang.core.source import Span
from dpplang.lattice.dims import Poly, Shape, show_shape
from dpplang.semantics.arithmetic import declaration_labels
from dpplang.semantics.atom_constants import integer
from dpplang.semantics.build import polynomial
from dpplang.semantics.report import mistake, plural, suggestions
from dpplang.semantics.tree import Apply, Const, Expr
from dpplang.syntax import ast


@dataclass(frozen=True, slots=True)
class Called:
    """A call of a primitive: its name as written, positional and named arguments, typed."""

    name: str
    args: tuple[Expr, ...]
    keywords: tuple[tuple[ast.Ident, Expr], ...]
    span: Span
    name_span: Span

    def bind(self, signature: Sequence[str], required: int) -> dict[str, Expr]:
        """Arguments by name.

        Raises:
            Mistake: too many, too few, unknown or given twice.
        """
        if len(self.args) > len(signature):
            raise self.arity(signature, required, len(self.args))
        bound = dict(zip(signature, self.args, strict=False))
        for ident, value in self.keywords:
            if ident.name not in signature:
                raise mistake(
                    "NAM118",
                    f"`{self.name}` has no argument named `{ident.name}`",
                    ident.span,
                    fixes=suggestions(ident.name, signature, ident.span),
                    notes=(f"it is `{self.name}({', '.join(signature)})`",),
                )
            if ident.name in bound:
                raise mistake("NAM118", f"argument `{ident.name}` of `{self.name}` is given twice", ident.span)
            bound[ident.name] = value
        if any(name not in bound for name in signature[:required]):
            raise self.arity(signature, required, len(bound))
        return bound

    def positional(self, least: int = 1) -> tuple[Expr, ...]:
        """Arguments of a call that takes no named ones.

        Raises:
            Mistake: named arguments, or too few.
        """
        for ident, _ in self.keywords:
            raise mistake("NAM118", f"`{self.name}` has no argument named `{ident.name}`", ident.span)
        if len(self.args) < least:
            raise mistake("NAM105", f"`{self.name}` needs at least {plural(least, 'argument')}", self.span)
        return self.args

    def arity(self, signature: Sequence[str], required: int, given: int) -> Exception:
        expected = str(required) if required == len(signature) else f"{required} to {len(signature)}"
        return mistake(
            "NAM105",
            f"`{self.name}` takes {expected} argument{'' if expected == '1' else 's'}, {given} given",
            self.span,
            notes=(f"it is `{self.name}({', '.join(signature)})`",),
        )


def static_int(expr: Expr, what: str) -> int:
    """A whole number that is known while checking.

    Raises:
        Mistake: it is not.
    """
    value = integer(expr)
    if value is None:
        raise mistake("SHP514", f"{what} must be a whole number", expr.span, "not a whole number")
    return value


def axis_of(expr: Expr | None, operand: Expr, name: str) -> int | None:
    """A non-negative axis of the operand, or None if none was given.

    Raises:
        Mistake: there is no such axis.
    """
    if expr is None:
        return None
    axis, rank = static_int(expr, "`axis`"), len(operand.shape)
    if not -rank <= axis < rank:
        shape = show_shape(operand.shape)
        raise mistake(
            "SHP513",
            f"axis {axis} of {'a scalar' if not rank else f'shape {shape}'} does not exist",
            expr.span,
            f"an axis from {-rank} to {rank - 1}" if rank else f"`{name}` of a scalar takes no axis",
            secondary=declaration_labels(operand),
        )
    return axis % rank


def flag(expr: Expr | None, what: str) -> bool:
    return expr is not None and static_int(expr, what) != 0


def size_of(expr: Expr) -> Poly:
    """A size: an integer expression over dims, not negative for sure.

    Raises:
        Mistake: it is not.
    """
    poly = polynomial(expr)
    if poly is None:
        raise mistake("SHP514", "a size must be a whole number, built from dims with `+ - *`", expr.span, "not a size")
    if poly.constant is not None and poly.constant < 0:
        raise mistake("SHP514", f"a size cannot be negative: {poly}", expr.span, str(poly))
    return poly


def sizes_of(args: Sequence[Expr]) -> Shape:
    """Sizes given one by one or as one list: ``ones(m, n)``, ``reshape(x, [m, n])``."""
    flat: list[Expr] = []
    for arg in args:
        match arg:
            case Apply(op="stack", args=parts):
                flat.extend(parts)
            case Const(value=tuple() as values):
                return tuple(Poly.const(_whole(v, arg)) for v in values)
            case _:
                flat.append(arg)
    return tuple(size_of(a) for a in flat)


def _whole(value: object, arg: Expr) -> int:
    if not isinstance(value, float) or not value.is_integer() or value < 0:
        raise mistake("SHP514", "a size must be a whole number", arg.span, "not a size")
    return int(value)


def reduced(shape: Shape, axis: int | None, keepdims: bool) -> Shape:
    """Shape after reducing one axis, or all."""
    one = Poly.const(1)
    if keepdims:
        return tuple(one if axis in (None, i) else s for i, s in enumerate(shape))
    return () if axis is None else shape[:axis] + shape[axis + 1 :]
