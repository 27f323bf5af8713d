"""The signature of an atom's record: formals as symbols, the atom's own dims, what its kind asks for."""

from __future__ import annotations

from dataclasses import dataclass

from dpplang.lattice.dims import Poly, Shape
from dpplang.semantics.build import constant
from dpplang.semantics.report import mistake
from dpplang.semantics.tree import Expr, Role, Symbol, TypedAttribute, TypedFormal
from dpplang.syntax import ast
from dpplang.syntax.atoms import KINDS


@dataclass(frozen=True, slots=True)
class Signature:
    formals: tuple[TypedFormal, ...]
    dims: tuple[str, ...]
    shape: Shape

    def symbol(self, name: str) -> Symbol | None:
        return next((f.symbol for f in self.formals if f.symbol.name == name), None)


def read_signature(item: ast.AtomItem) -> Signature:
    """Formals and dims of a record.

    Raises:
        Mistake: ATM416, the signature does not fit the atom's kind.
    """
    _check_kind(item)
    dims: dict[str, None] = {}
    formals = tuple(_formal(formal, dims) for formal in item.formals)
    names = [f.symbol.name for f in formals]
    for position, formal in enumerate(formals):
        if formal.symbol.name in names[:position] or formal.symbol.name in dims:
            message = f"`{formal.symbol.name}` stands for two things in this signature"
            raise mistake("ATM416", message, formal.symbol.span)
    shape = tuple(_extent(e, dims, closed=True) for e in item.shape)
    return Signature(formals, tuple(dims), shape)


def _check_kind(item: ast.AtomItem) -> None:
    name, span = item.name.name, item.name.span
    if item.kind not in KINDS:
        help_ = ("elementwise, reduction, plain or set",)
        raise mistake("ATM416", f"`{item.kind}` is no kind of atom", span, help=help_)
    if not item.formals:
        raise mistake("ATM416", f"atom `{name}` has no arguments", span)
    shaped = [f for f in item.formals if f.shape or f.any_shape]
    if item.kind == "elementwise" and shaped:
        raise mistake(
            "ATM416",
            f"`{name}` is elementwise, so its arguments are scalars",
            shaped[0].span,
            help=("it is mapped over the entries of what it is called with",),
        )
    if item.kind == "elementwise" and item.shape:
        raise mistake("ATM416", f"`{name}` is elementwise: its shape is that of its arguments", span)
    first = item.formals[0]
    if item.kind == "reduction" and (len(first.shape) != 1 or first.any_shape):
        raise mistake("ATM416", f"`{name}` is a reduction, so its first argument is a vector, as `x[n]`", first.span)
    if item.kind == "set":
        _check_set(item)
    if item.variadic and (len(item.formals) != 2 or item.formals[0].mode is not item.formals[1].mode):
        raise mistake("ATM416", f"`{name}` is variadic, so it has two arguments of one mode, which are folded", span)


def _check_set(item: ast.AtomItem) -> None:
    modes = [bool(f.mode.value) for f in item.formals]
    name, span = item.name.name, item.name.span
    if all(modes):
        help_ = ("an argument without `param` or `const` is the element: `atom ball(x[n], param radius nonneg)`",)
        raise mistake("ATM416", f"set `{name}` has no element", span, help=help_)
    if modes != sorted(modes):
        first = item.formals[modes.index(True)]
        help_ = ("`(t, x) in c(a)` has the parts of its element in front",)
        raise mistake("ATM416", "the parts of a set's element stand before its other arguments", first.span, help=help_)
    if item.variadic:
        raise mistake("ATM416", "a set is not variadic", span)


def _formal(formal: ast.Formal, dims: dict[str, None]) -> TypedFormal:
    for attribute in formal.attributes:
        if attribute.name not in ast.PLAIN_ATTRIBUTES or attribute.arguments:
            known = ", ".join(sorted(ast.PLAIN_ATTRIBUTES))
            message = f"`{attribute.name}` is no attribute of an argument"
            raise mistake("ATM416", message, attribute.span, help=(f"there are {known}",))
    shape = tuple(_extent(e, dims, closed=False) for e in formal.shape)
    if formal.any_shape:
        entries = f"entries of {formal.name.name}"
        dims.setdefault(entries)
        shape = (Poly.var(entries),)
    attributes = tuple(TypedAttribute(a.name, (), a.span) for a in formal.attributes)
    symbol = Symbol(formal.name.name, Role.FORMAL, shape, formal.span, attributes)
    return TypedFormal(symbol, formal.mode.value, formal.any_shape, _default(formal))


def _extent(expr: ast.Expr, dims: dict[str, None], closed: bool) -> Poly:
    """A size in a signature: a name (a dim of the atom) or a whole number; in ``shape:`` polynomials of the dims."""
    match expr:
        case ast.Name(name=name) if not closed or name in dims:
            dims.setdefault(name)
            return Poly.var(name)
        case ast.Number() if expr.is_integer:
            return Poly.const(int(expr.value))
        case ast.Binary(op="+" | "-" | "*" as op, left=left, right=right) if closed:
            a, b = _extent(left, dims, closed), _extent(right, dims, closed)
            return a + b if op == "+" else a - b if op == "-" else a * b
        case _:
            allowed = "made of the sizes in the signature" if closed else "a name or a whole number"
            raise mistake("ATM416", f"a size here is {allowed}", expr.span)


def _default(formal: ast.Formal) -> Expr | None:
    match formal.default:
        case None:
            return None
        case ast.Number(value=value):
            return constant(value, formal.default.span)
        case ast.Unary(op="-", operand=ast.Number(value=value)):
            return constant(-value, formal.default.span)
        case other:
            raise mistake("ATM416", "the default of an argument is a number", other.span)
