"""Constraints as values: what two that say the same have in common."""

from __future__ import annotations

from collections.abc import Callable

from dpplang.lattice.dims import Poly
from dpplang.semantics.tree import (
    Apply,
    AtomCall,
    Condition,
    Const,
    Constraint,
    DualRef,
    Expr,
    Kind,
    Logic,
    OptimalValue,
    Range,
    Reduce,
    Ref,
    Size,
    Take,
    Test,
    TypedBinder,
)

Key = tuple[object, ...]


def key_of(constraint: Constraint, numbers: dict[Key, int]) -> Key:
    """Equal for two constraints iff they say the same of the same members; sides of `==` in either order.

    ``numbers`` is filled with the expressions that were seen, and shared by the constraints that are compared.
    """
    return _key_of(constraint, lambda key: numbers.setdefault(key, len(numbers)))


def fingerprint(constraint: Constraint) -> int:
    """Equal for two constraints whose keys are equal, as long as the symbols and atoms in them live."""
    return hash(_key_of(constraint, hash))


def _key_of(constraint: Constraint, number: Callable[[Key], int]) -> Key:
    names = {b.name: f"#{i}" for i, b in enumerate(constraint.binders)}
    keys = _Keys(names, number)
    binders = tuple((keys.poly(b.start), keys.poly(b.stop)) for b in constraint.binders)
    parts = tuple(keys.expr(p) for p in (*constraint.parts, *constraint.cone_args))
    if constraint.kind is Kind.ZERO:
        parts = tuple(sorted(parts, key=repr))
    return (constraint.kind, constraint.cone, binders, keys.condition(constraint.condition), parts)


class _Keys:
    """Expressions as values that are equal iff the expressions say the same; index variables count from the outside."""

    def __init__(self, names: dict[str, str], number: Callable[[Key], int]) -> None:
        self.names = names
        self.known: dict[int, int] = {}
        self.number = number

    def poly(self, poly: Poly) -> Key:
        renamed = ((tuple(sorted(self.names.get(n, n) for n in monomial)), c) for monomial, c in poly.terms)
        return tuple(sorted(renamed))

    def condition(self, condition: Condition | None) -> Key:
        match condition:
            case None:
                return ()
            case Test(op, left, right):
                return (op, self.poly(left), self.poly(right))
            case Logic(op, parts):
                return (op, *(self.condition(p) for p in parts))

    def binders(self, binders: tuple[TypedBinder, ...]) -> Key:
        for binder in binders:
            self.names.setdefault(binder.name, f"#{len(self.names)}")
        return tuple((self.poly(b.start), self.poly(b.stop)) for b in binders)

    def item(self, item: Poly | Range) -> Key:
        return (self.poly(item.start), self.poly(item.stop)) if isinstance(item, Range) else self.poly(item)

    def expr(self, expr: Expr) -> int:
        """A number for each expression, shared parts looked at once."""
        if id(expr) not in self.known:
            self.known[id(expr)] = self.number(self._expr(expr))
        return self.known[id(expr)]

    def _expr(self, expr: Expr) -> Key:
        match expr:
            case Const(value=value):
                return ("const", value, expr.shape)
            case Size(poly=poly):
                return ("size", self.poly(poly))
            case Ref(symbol=symbol):
                return ("ref", id(symbol))
            case Take(operand=operand, items=items):
                ranges = (
                    (self.poly(i.start), self.poly(i.stop)) if isinstance(i, Range) else self.poly(i) for i in items
                )
                return ("take", self.expr(operand), *ranges)
            case Apply(op=op, args=args, options=options):
                return ("apply", op, repr(options), expr.shape, *map(self.expr, args))
            case AtomCall(atom=atom, args=args, axis=axis):
                return ("atom", id(atom), axis, *map(self.expr, args))
            case Reduce(op=op, body=body, binders=binders, condition=condition):
                return ("reduce", op, self.binders(binders), self.condition(condition), self.expr(body))
            case DualRef(constraint=name):
                return ("dual", name)
            case OptimalValue():
                return ("value",)
