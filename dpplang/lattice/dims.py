"""Symbolic sizes and indices: integer polynomials in named dims and index variables, in normal form.

A :class:`Poly` is a sum of monomials; a monomial is a sorted tuple of names (``("n", "n")`` is n²). Two polynomials are
equal iff their normal forms are, so ``(n + 1) * n == n*n + n`` needs no simplifier.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Monomial: TypeAlias = tuple[str, ...]


MAX_TERMS = 4096
MAX_DEGREE = 64


class TooLarge(Exception):
    """A size that no program needs: as an expression it grows beyond bounds."""


@dataclass(frozen=True, slots=True)
class Poly:
    """Integer polynomial. ``terms`` is sorted by monomial and holds no zero coefficient."""

    terms: tuple[tuple[Monomial, int], ...] = ()

    @staticmethod
    def const(value: int) -> Poly:
        return Poly((((), value),)) if value else Poly()

    @staticmethod
    def var(name: str) -> Poly:
        return Poly((((name,), 1),))

    @staticmethod
    def of(value: Poly | int) -> Poly:
        return value if isinstance(value, Poly) else Poly.const(value)

    @property
    def constant(self) -> int | None:
        """The value if no name occurs, else None."""
        if not self.terms:
            return 0
        return self.terms[0][1] if len(self.terms) == 1 and not self.terms[0][0] else None

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name for monomial, _ in self.terms for name in monomial)

    @property
    def degree(self) -> int:
        return max((len(m) for m, _ in self.terms), default=0)

    def coefficient(self, *monomial: str) -> int:
        return dict(self.terms).get(tuple(sorted(monomial)), 0)

    def __add__(self, other: Poly | int) -> Poly:
        return _normal([*self.terms, *Poly.of(other).terms])

    __radd__ = __add__

    def __neg__(self) -> Poly:
        return Poly(tuple((m, -c) for m, c in self.terms))

    def __sub__(self, other: Poly | int) -> Poly:
        return self + -Poly.of(other)

    def __rsub__(self, other: Poly | int) -> Poly:
        return Poly.of(other) + -self

    def __mul__(self, other: Poly | int) -> Poly:
        """Raises:
        TooLarge: the product would have too many terms, or too high a degree.
        """
        right = Poly.of(other)
        if len(self.terms) * len(right.terms) > MAX_TERMS or self.degree + right.degree > MAX_DEGREE:
            raise TooLarge
        pairs = ((a, b) for a in self.terms for b in right.terms)
        return _normal([(tuple(sorted((*m, *k))), c * d) for (m, c), (k, d) in pairs])

    __rmul__ = __mul__

    def substitute(self, values: Mapping[str, Poly | int]) -> Poly:
        """Replace names by polynomials; names that are absent stay."""
        result = Poly()
        for monomial, coefficient in self.terms:
            product = Poly.const(coefficient)
            for name in monomial:
                factor = name.substitute(values) if isinstance(name, Minimum) else values.get(name, Poly.var(name))
                product = product * Poly.of(factor)
            result = result + product
        return result

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """Value where every name has one: ints in, int out; integer arrays broadcast.

        Raises:
            KeyError: a name has no value.
        """
        total: Any = 0
        for monomial, coefficient in self.terms:
            product: Any = coefficient
            for name in monomial:
                product = product * (name.evaluate(values) if isinstance(name, Minimum) else values[name])
            total = total + product
        return total

    def __str__(self) -> str:
        """As it is written: the second index variable `t` of a program, ``t.1``, is a `t` like the first."""
        return self.written(shown)

    def written(self, name: Callable[[str], str]) -> str:
        """The polynomial as text, every name given by ``name``."""
        text = ""
        for monomial, coefficient in sorted(self.terms, key=lambda t: (-len(t[0]), t[0])):
            factor = "*".join(map(name, monomial))
            size = abs(coefficient)
            body = factor if factor and size == 1 else f"{size}*{factor}" if factor else str(size)
            sign = "-" if coefficient < 0 else "+"
            text = f"{text} {sign} {body}" if text else body if coefficient > 0 else f"-{body}"
        return text or "0"


def shown(name: str) -> str:
    """What a name was written as."""
    return f"min({name.left}, {name.right})" if isinstance(name, Minimum) else name.partition(".")[0]


class Minimum(str):
    """The smaller of two sizes as an opaque name ``min(m, n)``: equal to itself alone, but with a value where
    they have."""

    __slots__ = ("left", "right")
    left: Poly
    right: Poly

    def __new__(cls, left: Poly, right: Poly) -> Minimum:
        made = super().__new__(cls, f"min({left.written(str)}, {right.written(str)})")
        made.left, made.right = left, right
        return made

    def substitute(self, values: Mapping[str, Poly | int]) -> Poly:
        return smaller(self.left.substitute(values), self.right.substitute(values))

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        return min(self.left.evaluate(values), self.right.evaluate(values))


def smaller(left: Poly, right: Poly) -> Poly:
    """The smaller of two sizes; opaque unless they differ by a constant."""
    gap = (left - right).constant
    if gap is not None:
        return left if gap <= 0 else right
    return Poly.var(Minimum(left, right))


def _normal(terms: list[tuple[Monomial, int]]) -> Poly:
    collected: dict[Monomial, int] = {}
    for monomial, coefficient in terms:
        collected[monomial] = collected.get(monomial, 0) + coefficient
    return Poly(tuple(sorted((m, c) for m, c in collected.items() if c)))


Shape: TypeAlias = tuple[Poly, ...]
"""Sizes of the axes, outermost first; ``()`` is a scalar."""


def size(shape: Shape) -> Poly:
    """Number of entries."""
    total = Poly.const(1)
    for axis in shape:
        total = total * axis
    return total


def show_shape(shape: Shape) -> str:
    return "scalar" if not shape else "[" + ", ".join(map(str, shape)) + "]"
