"""Typed expressions without variables as numeric ones: sizes are numbers, index sets written out, atoms their value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from itertools import product
from typing import assert_never

from dpplang.asa.numeric import Numeric, Option
from dpplang.core.errors import InternalError
from dpplang.lattice.dims import Poly
from dpplang.lowering.indices import Dependence
from dpplang.semantics.tree import (
    Apply,
    AtomCall,
    Condition,
    Const,
    DualRef,
    Expr,
    Logic,
    OptimalValue,
    Range,
    Reduce,
    Ref,
    Size,
    Symbol,
    Take,
    Test,
    TypedBinder,
)


def to_numeric(expr: Expr, sizes: Mapping[str, int], formals: Mapping[Symbol, Numeric] | None = None) -> Numeric:
    """A numeric expression over references to parameters and data by name.

    Args:
        sizes: values of the dims (and of index variables, where there are any).
        formals: what stands for an atom's arguments.
    """
    return _Conversion(dict(sizes), dict(formals or {})).convert(expr)


@dataclass(slots=True)
class _Conversion:
    sizes: dict[str, int]
    formals: dict[Symbol, Numeric]
    lift: tuple[int, ...] = ()
    memo: dict[tuple[Expr, tuple[tuple[str, int], ...]], Numeric] = field(default_factory=dict)
    names: Dependence = field(default_factory=Dependence)

    def convert(self, expr: Expr) -> Numeric:
        """Once for the values of the names it depends on: what does not depend on an index is one shared node."""
        key = (expr, tuple((name, self.sizes[name]) for name in sorted(self.names.free(expr) & self.sizes.keys())))
        if key not in self.memo:
            self.memo[key] = self._convert(expr)
        return self.memo[key]

    def _convert(self, expr: Expr) -> Numeric:
        match expr:
            case Const(value):
                return _node("const", (), self.shape(expr), value=_plain(value))
            case Size(poly):
                return _node("const", (), (), value=float(self.number(poly)))
            case Ref(symbol):
                if symbol in self.formals:
                    return self.formals[symbol]
                return _node("ref", (), self.shape(expr), name=symbol.name)
            case Take(operand, items):
                return _node("take", (self.convert(operand),), self.shape(expr), items=tuple(map(self.item, items)))
            case Apply():
                return self._apply(expr)
            case AtomCall():
                return self._atom(expr)
            case Reduce():
                return self._reduce(expr)
            case DualRef() | OptimalValue():
                raise InternalError("duals and the optimal value are no numeric expressions")
            case _:
                assert_never(expr)

    def _apply(self, expr: Apply) -> Numeric:
        args = tuple(self.convert(a) for a in expr.args)
        options = tuple((k, self.option(v)) for k, v in expr.options)
        shape = self.shape(expr)
        if self.lift and not shape and any(a.shape == self.lift for a in args):
            shape = self.lift  # an elementwise atom's scalar value, on all entries at once
        return Numeric(expr.op, args, shape, options)

    def _atom(self, call: AtomCall) -> Numeric:
        if call.atom.value is None:
            raise InternalError(f"the atom `{call.atom.name}` has no value")
        args = [self.convert(a) for a in call.args]
        sizes = {name: self.number(poly) for name, poly in call.sizes}
        if call.axis is not None:
            return self._along_axis(call, args, sizes)
        formals: dict[Symbol, Numeric] = {}
        for formal, arg in zip(call.atom.formals, args, strict=True):
            first = call.atom.kind == "reduction" and formal is call.atom.formals[0]
            flat = (first or formal.any_shape) and len(arg.shape) != 1
            formals[formal.symbol] = _node("reshape", (arg,), (_count(arg.shape),)) if flat else arg
        lift = self.shape(call) if call.atom.kind == "elementwise" else ()
        result = _Conversion(sizes, formals, lift).convert(call.atom.value)
        return _node("spread", (result,), lift) if lift and not result.shape else result

    def _along_axis(self, call: AtomCall, args: list[Numeric], sizes: dict[str, int]) -> Numeric:
        """One value per position of the other axes, stacked."""
        first, *others = args
        axis = call.axis or 0
        if call.atom.value is None:
            raise InternalError(f"the atom `{call.atom.name}` has no value")
        length = first.shape[axis]
        rest = first.shape[:axis] + first.shape[axis + 1 :]
        parts: list[Numeric] = []
        for place in product(*(range(k) for k in rest)):
            items: list[Option] = [*place[:axis], (0, length), *place[axis:]]
            vector = _node("take", (first,), (length,), items=tuple(items))
            symbols = [f.symbol for f in call.atom.formals]
            bound = dict(zip(symbols, [vector, *others], strict=True))
            parts.append(_Conversion(sizes, bound).convert(call.atom.value))
        stacked = _node("stack", tuple(parts), (len(parts), *parts[0].shape))
        if not parts[0].shape:
            return _node("reshape", (stacked,), rest)
        if len(rest) != 1:
            raise InternalError(f"`{call.atom.name}` along an axis of an array of rank {len(first.shape)}")
        return stacked if axis == 1 else _node("transpose", (stacked,), stacked.shape[::-1])

    def _reduce(self, expr: Reduce) -> Numeric:
        shape = self.shape(expr)
        members = [
            _Conversion({**self.sizes, **index}, self.formals, self.lift, self.memo, self.names).convert(expr.body)
            for index in self.members(expr.binders, expr.condition)
        ]
        if not members:
            return _node("full", (), shape, value=0.0)
        if expr.op in ("hstack", "vstack"):
            return _node(expr.op, tuple(members), shape)
        if expr.op == "sum":
            stacked = _node("stack", tuple(members), (len(members), *members[0].shape))
            return _node("sum", (stacked,), shape, axis=0)
        op = "maximum" if expr.op == "max" else "minimum"
        return reduce(lambda a, b: _node(op, (a, b), shape), members)

    def members(self, binders: tuple[TypedBinder, ...], condition: Condition | None) -> list[dict[str, int]]:
        found: list[dict[str, int]] = [{}]
        for binder in binders:
            found = [
                {**index, binder.name: value}
                for index in found
                for value in range(self.number(binder.start, index), self.number(binder.stop, index))
            ]
        return [i for i in found if condition is None or self.holds(condition, i)]

    def holds(self, condition: Condition, index: Mapping[str, int]) -> bool:
        match condition:
            case Test(op, left, right):
                a, b = self.number(left, index), self.number(right, index)
                return {"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]
            case Logic(op, parts):
                values = [self.holds(p, index) for p in parts]
                return not values[0] if op == "not" else all(values) if op == "and" else any(values)
            case _:
                assert_never(condition)

    def number(self, poly: Poly, index: Mapping[str, int] | None = None) -> int:
        return int(poly.evaluate({**self.sizes, **(index or {})}))

    def shape(self, expr: Expr) -> tuple[int, ...]:
        return tuple(self.number(axis) for axis in expr.shape)

    def item(self, item: Poly | Range) -> Option:
        return (self.number(item.start), self.number(item.stop)) if isinstance(item, Range) else self.number(item)

    def option(self, value: object) -> Option:
        if isinstance(value, Poly):
            return self.number(value)
        if isinstance(value, tuple):
            return tuple(self.option(v) for v in value)
        return _plain(value)


def _plain(value: object) -> Option:
    if isinstance(value, tuple):
        return tuple(_plain(v) for v in value)
    if value is None or isinstance(value, int | float | bool | str):
        return value
    raise InternalError(f"{value!r} is no static option")


def _count(shape: tuple[int, ...]) -> int:
    total = 1
    for axis in shape:
        total *= axis
    return total


def _node(op: str, args: tuple[Numeric, ...], shape: tuple[int, ...], **options: Option) -> Numeric:
    return Numeric(op, args, shape, tuple(options.items()))
