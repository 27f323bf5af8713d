"""Whether an index leaves its range: a search for a member of the index sets that refutes ``0 <= index < size``.

An error is reported when, for every choice of generic sizes that was tried, some member violates the bound:
``x[t - 1]``
over ``t in T`` does at t = 0 however large T is. A bound that hangs on the values of the dims alone (``x[2]`` on
``x[n]``) is left to lowering, which knows them and checks every index it makes.

The index expressions are polynomials; affine ones attain their extremes at the corners of the index sets, so
the corners and the
places where a condition switches are what is tried. Sizes are taken beyond every constant that occurs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from dpplang.lattice.dims import Poly
from dpplang.lattice.sign import Sign
from dpplang.semantics.tree import Condition, Logic, Test, TypedBinder

MAX_MEMBERS = 2000
MAX_STEPS = 20_000
"""Ends of index sets looked at, members or not: a condition may leave none of many."""
MAX_ALL_STEPS = 200_000
"""The same, of all searches in one check."""
MAX_DIMS = 6
Witness = dict[str, Poly]


class Exhausted(Exception):
    """A search that would take too long. Never leaves this module."""


def refute(
    nonneg: Poly, binders: tuple[TypedBinder, ...], conditions: tuple[Condition, ...], budget: Iterator[int]
) -> Witness | None:
    """A member at which ``nonneg`` is negative, index variable by index variable; None if there is none in general,
    or if it takes too long to find out.

    The witness is empty where no index variable is concerned.

    Args:
        budget: of which every step of the search takes one; shared by all searches of a check.
    """
    try:
        return _refute(nonneg, binders, conditions, budget)
    except Exhausted:
        return None


def _refute(
    nonneg: Poly, binders: tuple[TypedBinder, ...], conditions: tuple[Condition, ...], budget: Iterator[int]
) -> Witness | None:
    relevant = _relevant(nonneg, binders, conditions)
    found: Witness | None = None
    for sizes in _generic_sizes(nonneg, binders, conditions):
        any_member = False
        for member, values in islice(_members(binders, conditions, sizes, budget), MAX_MEMBERS):
            any_member = True
            if nonneg.evaluate(values) < 0:
                found = {name: member[name] for name in relevant}
                break
        else:
            if any_member:
                return None
    return found


def sign_of(poly: Poly, binders: tuple[TypedBinder, ...] = ()) -> Sign:
    """Sign of an integer expression for dims ≥ 1 and index variables in their ranges; UNKNOWN if not evident."""
    if not poly.terms:
        return Sign.ZERO
    if _evidently_nonneg(poly, binders):
        return Sign.NONNEG
    return Sign.NONPOS if _evidently_nonneg(-poly, binders) else Sign.UNKNOWN


def holds(condition: Condition, values: Mapping[str, int]) -> bool:
    """Whether a condition holds for values of every name in it."""
    match condition:
        case Test(op, left, right):
            gap = left.evaluate(values) - right.evaluate(values)
            outcome = {
                "==": gap == 0, "!=": gap != 0, "<": gap < 0, "<=": gap <= 0, ">": gap > 0, ">=": gap >= 0
            }  # fmt: skip
            return bool(outcome[op])
        case Logic("and", parts):
            return all(holds(p, values) for p in parts)
        case Logic("or", parts):
            return any(holds(p, values) for p in parts)
        case Logic(_, parts):
            return not holds(parts[0], values)


def tests_of(condition: Condition) -> Iterator[Test]:
    """The comparisons a condition is made of."""
    if isinstance(condition, Test):
        yield condition
    else:
        for part in condition.parts:
            yield from tests_of(part)


def _polys(nonneg: Poly, binders: tuple[TypedBinder, ...], conditions: tuple[Condition, ...]) -> list[Poly]:
    polys = [nonneg]
    for binder in binders:
        polys += [binder.start, binder.stop]
    for condition in conditions:
        for test in tests_of(condition):
            polys += [test.left, test.right]
    return polys


def _relevant(nonneg: Poly, binders: tuple[TypedBinder, ...], conditions: tuple[Condition, ...]) -> list[str]:
    """Index variables the verdict hangs on: those in the expression and in the ranges of these."""
    names = set(nonneg.names)
    for binder in reversed(binders):
        if binder.name in names:
            names |= binder.start.names | binder.stop.names
    return [b.name for b in binders if b.name in names]


def _generic_sizes(
    nonneg: Poly, binders: tuple[TypedBinder, ...], conditions: tuple[Condition, ...]
) -> Iterator[dict[str, int]]:
    polys = _polys(nonneg, binders, conditions)
    indices = {b.name for b in binders}
    dims = sorted({name for p in polys for name in p.names} - indices)
    base = 4 + sum(abs(c) for p in polys for m, c in p.terms if not m)
    yield dict.fromkeys(dims, base)
    for dim in dims[:MAX_DIMS]:
        yield {**dict.fromkeys(dims, base), dim: 3 * base + 1}
        yield {**dict.fromkeys(dims, 3 * base + 1), dim: base}


def _members(
    binders: tuple[TypedBinder, ...], conditions: tuple[Condition, ...], sizes: dict[str, int], budget: Iterator[int]
) -> Iterator[tuple[Witness, dict[str, int]]]:
    """Corners of the index sets (and the places where conditions switch) that satisfy the conditions.

    Raises:
        Exhausted: the search takes too many steps.
    """
    steps = iter(range(MAX_STEPS))
    candidates = [_candidates(binder, conditions) for binder in binders]
    decided = _decided(binders, conditions)

    def extend(position: int, member: Witness, values: dict[str, int]) -> Iterator[tuple[Witness, dict[str, int]]]:
        if next(steps, None) is None or next(budget, None) is None:
            raise Exhausted
        if not all(holds(c, values) for c in decided[position]):
            return
        if position == len(binders):
            yield member, values
            return
        binder = binders[position]
        start, stop = binder.start.evaluate(values), binder.stop.evaluate(values)
        tried: set[int] = set()
        for candidate in candidates[position]:
            if not candidate.names <= values.keys():
                continue
            value = candidate.evaluate(values)
            if start <= value < stop and value not in tried:
                tried.add(value)
                yield from extend(position + 1, {**member, binder.name: candidate}, {**values, binder.name: value})

    yield from extend(0, {}, dict(sizes))


def _decided(binders: tuple[TypedBinder, ...], conditions: tuple[Condition, ...]) -> list[list[Condition]]:
    """The conditions by how many index variables, outermost first, must have values before they can be decided."""
    position = {binder.name: at for at, binder in enumerate(binders, 1)}
    found: list[list[Condition]] = [[] for _ in range(len(binders) + 1)]
    for condition in conditions:
        names = {n for test in tests_of(condition) for n in test.left.names | test.right.names}
        found[max((position.get(n, 0) for n in names), default=0)].append(condition)
    return found


def _candidates(binder: TypedBinder, conditions: tuple[Condition, ...]) -> list[Poly]:
    found = [binder.start, binder.stop - 1, binder.start + 1, binder.stop - 2]
    for condition in conditions:
        for test in tests_of(condition):
            if binder.name in (test.left - test.right).names:
                own = Poly.var(binder.name)
                gap = test.left - test.right
                at = own - gap if gap.coefficient(binder.name) == 1 else own + gap
                found += [at, at - 1, at + 1]
    return found


def _evidently_nonneg(poly: Poly, binders: tuple[TypedBinder, ...]) -> bool:
    """Substitute each name by its lower (or upper) end plus (minus) something nonnegative, and look at the
    coefficients."""
    indices = {b.name for b in binders}
    for binder in reversed(binders):
        if binder.name in poly.names:
            rising = all(c > 0 for m, c in poly.terms if binder.name in m)
            slack = Poly.var(f"{binder.name}'")
            end = binder.start + slack if rising else binder.stop - 1 - slack
            poly = poly.substitute({binder.name: end})
    dims = {n for n in poly.names if n not in indices and not n.endswith("'")}
    shifted = poly.substitute({d: Poly.var(d) + 1 for d in dims})
    return all(c > 0 for _, c in shifted.terms)
