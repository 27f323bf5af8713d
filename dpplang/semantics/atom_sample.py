"""What structure does not decide of a contract is sampled: points at which the ``value:`` of an atom belies what
is declared.

Points are drawn with a fixed seed over every region of signs, small sizes standing for the dims. A contract that
survives is not proved; one that does not is refuted by the point shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import prod
from random import Random

from dpplang.core.diagnostics import Diagnostic, Label, Severity
from dpplang.core.source import Span
from dpplang.lattice.curvature import Curvature, Monotonicity
from dpplang.lattice.sign import Sign
from dpplang.semantics.atom_matrices import multiply, transpose
from dpplang.semantics.atom_requires import Known, holds, implied
from dpplang.semantics.atom_scalar import MAX_ENTRIES, Unsupported, evaluate, satisfied
from dpplang.semantics.atom_tensor import Tensor, of_rows, scalar
from dpplang.semantics.atom_walk import walk
from dpplang.semantics.tree import Apply, Atom, FactClause, Kind, Ref, Symbol, TypedFormal

DRAWS = 200
MAX_NODES = 500
TOLERANCE = 1e-7
REACH = 3.0
REGIONS = ((-REACH, REACH), (0.0, REACH), (-REACH, 0.0))
Point = dict[str, Tensor]


def refute(atom: Atom, undecided: Sequence[FactClause]) -> Iterator[Diagnostic]:
    """Counterexamples to the signs, the curvature and the ``undecided`` monotonicity clauses, at most one of each.

    A clause that cannot be sampled either (the value is too large for plain Python) is a warning.
    """
    if atom.value is None:
        return
    try:
        if sum(1 for _ in walk(atom.value)) > MAX_NODES:
            raise Unsupported("its value is too long")
        points = list(sample(atom))
        yield from _signs(atom, points)
        yield from _curvature(atom, points)
        for clause in undecided:
            yield from _monotone(atom, clause, points)
    except Unsupported as reason:
        for clause in undecided:
            yield Diagnostic(
                "ATM423",
                f"`{atom.name}` is declared {_words(clause)}: its graph does not show it",
                Label(_place(atom, clause), "taken on trust"),
                notes=(f"nor could it be sampled: {reason}",),
                severity=Severity.WARNING,
            )


def _place(atom: Atom, clause: FactClause) -> Span:
    return clause.span or atom.span


def sample(atom: Atom) -> Iterator[Point]:
    """Arguments inside the domain, by name: every region of signs, and small whole numbers (where functions have their
    corners).

    Raises:
        Unsupported: the arguments are too large for plain Python.
    """
    random = Random(0)
    sizes = {dim: 3 - position % 2 for position, dim in enumerate(atom.dims)}
    known, structures = implied(atom.requires), _structures(atom)
    for draw in range(DRAWS):
        point: Point = {}
        for position, formal in enumerate(atom.formals):
            symbol = formal.symbol
            region = _region(symbol, draw // 3**position % 3)
            if formal.mode == "const" and symbol.name in known and not symbol.shape:
                point[symbol.name] = scalar(_constant(random, known[symbol.name], region))
            else:
                point[symbol.name] = _draw(random, formal, sizes, region, draw % 5 == 0, structures)
        if _allowed(atom, point):
            yield point


def _structures(atom: Atom) -> dict[str, str]:
    """What matrices a formal stands for, by its attributes or its domain: ``X >> 0`` or ``X == X'``."""
    found: dict[str, str] = {}
    for relation in atom.domain:
        match relation.kind, relation.parts:
            case Kind.PSD, (Ref(symbol=symbol), _):
                found[symbol.name] = "psd"
            case Kind.ZERO, (Ref(symbol=symbol), Apply(op="transpose")):
                found.setdefault(symbol.name, "symmetric")
            case _:
                pass
    for formal in atom.formals:
        for word in ("diagonal", "symmetric", "nsd", "psd"):
            if formal.symbol.has(word) and found.get(formal.symbol.name) != "psd":
                found[formal.symbol.name] = word
    return found


def _region(symbol: Symbol, choice: int) -> tuple[float, float]:
    if symbol.has("nonneg") or symbol.has("pos"):
        return REGIONS[1]
    return REGIONS[2] if symbol.has("nonpos") or symbol.has("neg") else REGIONS[choice]


def _constant(random: Random, known: Known, region: tuple[float, float]) -> float:
    """A constant within the range that ``requires:`` gives it."""
    if known.value is not None:
        return known.value
    bounded = math.isfinite(known.low) or math.isfinite(known.high)
    low = known.low if math.isfinite(known.low) else known.high - REACH if bounded else region[0]
    high = known.high if math.isfinite(known.high) else low + REACH
    value = low + (high - low) * random.random()
    return float(round(value)) if random.random() < 0.3 and low < round(value) < high else value


def _draw(
    random: Random,
    formal: TypedFormal,
    sizes: dict[str, int],
    region: tuple[float, float],
    whole: bool,
    structures: dict[str, str],
) -> Tensor:
    symbol = formal.symbol
    shape = tuple(int(p.evaluate(sizes)) for p in symbol.shape)
    if prod(shape) > MAX_ENTRIES:
        raise Unsupported("its arguments are too large")
    values = [random.uniform(*region) for _ in range(prod(shape))]
    drawn = Tensor(shape, tuple(float(round(v)) for v in values) if whole else tuple(values))
    return _matrix(drawn, structures[symbol.name]) if len(shape) == 2 and symbol.name in structures else drawn


def _matrix(drawn: Tensor, structure: str) -> Tensor:
    """The nearest thing to what was drawn that the structure allows: XXᵀ, −XXᵀ, X + Xᵀ, or the diagonal."""
    rows = drawn.rows
    match structure:
        case "psd":
            return of_rows(multiply(rows, transpose(rows)), drawn.shape)
        case "nsd":
            return of_rows(([-v for v in row] for row in multiply(rows, transpose(rows))), drawn.shape)
        case "symmetric":
            return of_rows(
                ([a + b for a, b in zip(*pair, strict=True)] for pair in zip(rows, transpose(rows), strict=True)),
                drawn.shape,
            )
        case _:
            return of_rows(
                ([v if i == j else 0.0 for j, v in enumerate(row)] for i, row in enumerate(rows)), drawn.shape
            )


def _allowed(atom: Atom, point: Point) -> bool:
    for formal in atom.formals:
        for attribute in formal.symbol.attributes:
            if not _has(attribute.name, point[formal.symbol.name]):
                return False
    known = {name: Known.exactly(t.entries[0]) for name, t in point.items() if not t.shape}
    if atom.requires is not None and not holds(atom.requires, known):
        return False
    return all(satisfied(relation, point, _sizes(atom, point)) for relation in atom.domain)


def _has(attribute: str, tensor: Tensor) -> bool:
    match attribute:
        case "nonneg":
            return all(v >= 0 for v in tensor.entries)
        case "nonpos":
            return all(v <= 0 for v in tensor.entries)
        case "pos":
            return all(v > 0 for v in tensor.entries)
        case "neg":
            return all(v < 0 for v in tensor.entries)
        case _:
            return True  # of a matrix: so it was drawn


def _sizes(atom: Atom, point: Point) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for formal in atom.formals:
        for poly, extent in zip(formal.symbol.shape, point[formal.symbol.name].shape, strict=True):
            sizes.update({name: extent for name in poly.names if name not in sizes})
    return sizes


def _value(atom: Atom, point: Point) -> tuple[float, ...] | None:
    """Entries of the value; None where it is not a number."""
    assert atom.value is not None
    entries = evaluate(atom.value, point, _sizes(atom, point))
    return None if entries is None or any(v != v for v in entries.entries) else entries.entries


def _in_region(clause: FactClause, point: Point) -> bool:
    for name, sign in clause.where:
        word = "nonneg" if sign is Sign.NONNEG else "nonpos"
        if not _has(word, point[name]) or (sign is Sign.ZERO and not _has("nonneg", point[name])):
            return False
    return True


def _signs(atom: Atom, points: list[Point]) -> Iterator[Diagnostic]:
    for clause in atom.sign:
        if not isinstance(clause.word, Sign) or clause.word is Sign.UNKNOWN:
            continue
        for point in points:
            value = _value(atom, point) if _in_region(clause, point) else None
            if value is not None and not _fits(clause.word, value):
                declared = clause.word.value + _condition(clause)
                message = f"`{atom.name}` is declared {declared}, but is {_numbers(value)} at {_show(point)}"
                yield Diagnostic("ATM424", message, Label(_place(atom, clause)))
                break


def _fits(sign: Sign, value: tuple[float, ...]) -> bool:
    low, high = (-TOLERANCE if sign.is_nonneg else -float("inf")), (TOLERANCE if sign.is_nonpos else float("inf"))
    return all(low <= v <= high for v in value)


def _curvature(atom: Atom, points: list[Point]) -> Iterator[Diagnostic]:
    """Midpoints between successive points that share everything but the convex arguments."""
    convex = [f.symbol.name for f in atom.formals if not f.mode]
    for first, other in pairwise(points):
        second = {**first, **{name: other[name] for name in convex}}
        middle = {**first, **{name: _middle(first[name], second[name]) for name in convex}}
        values = [_value(atom, p) if _allowed(atom, p) else None for p in (first, second, middle)]
        if any(v is None for v in values):
            continue
        a, b, m = (v for v in values if v is not None)
        for left, right, mid in zip(a, b, m, strict=True):
            mean, slack = (left + right) / 2, TOLERANCE * (1 + abs(left) + abs(right))
            above = mid > mean + slack and atom.curvature is not Curvature.CONCAVE
            below = mid < mean - slack and atom.curvature is not Curvature.CONVEX
            if above or below:
                message = (
                    f"the value of `{atom.name}` is not {atom.curvature.value}: between {_show(first)} and "
                    f"{_show(second)} it is {mid:.4g} in the middle, where the mean of the ends is {mean:.4g}"
                )
                yield Diagnostic("ATM421", message, Label(atom.value.span if atom.value else atom.span))
                return


def _middle(left: Tensor, right: Tensor) -> Tensor:
    return Tensor(left.shape, tuple((a + b) / 2 for a, b in zip(left.entries, right.entries, strict=True)))


def _monotone(atom: Atom, clause: FactClause, points: list[Point]) -> Iterator[Diagnostic]:
    random = Random(1)
    if any(f.symbol.name == clause.argument and len(f.symbol.shape) == 2 and f.symbol.attributes for f in atom.formals):
        raise Unsupported(f"`{clause.argument}` cannot grow entry by entry")
    for point in points:
        old = point[clause.argument]
        raised = tuple(v + random.choice((0.0, 0.01, 1.0)) * random.random() for v in old.entries)
        higher = {**point, clause.argument: Tensor(old.shape, raised)}
        if not (_in_region(clause, point) and _in_region(clause, higher) and _allowed(atom, higher)):
            continue
        before, after = _value(atom, point), _value(atom, higher)
        if before is not None and after is not None and not _moves(clause.word, before, after):
            message = (
                f"`{atom.name}` is not {_words(clause)}: it is {_numbers(before)} at {_show(point)} "
                f"and {_numbers(after)} at {_show(higher)}"
            )
            yield Diagnostic("ATM423", message, Label(_place(atom, clause)))
            return


def _moves(word: Sign | Monotonicity, before: tuple[float, ...], after: tuple[float, ...]) -> bool:
    for old, new in zip(before, after, strict=True):
        slack = TOLERANCE * (1 + abs(old) + abs(new))
        falls, rises = new < old - slack, new > old + slack
        if (falls and word is not Monotonicity.DECREASING) or (rises and word is not Monotonicity.INCREASING):
            return False
    return True


def _condition(clause: FactClause) -> str:
    symbol = {Sign.NONNEG: ">=", Sign.NONPOS: "<=", Sign.ZERO: "=="}
    conditions = " and ".join(f"{name} {symbol[sign]} 0" for name, sign in clause.where)
    return f" where {conditions}" if conditions else ""


def _words(clause: FactClause) -> str:
    return f"{clause.word.value} in `{clause.argument}`{_condition(clause)}"


def _show(point: Point) -> str:
    return ", ".join(f"{name} = {_numbers(tensor.entries)}" for name, tensor in point.items())


def _numbers(entries: tuple[float, ...]) -> str:
    shown = ", ".join(f"{v:.4g}" for v in entries)
    return shown if len(entries) == 1 else f"[{shown}]"
