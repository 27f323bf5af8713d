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
TRIES = 50
SCALES = ((0.1, 30), (4.0, 30))
"""Scales of the points beyond the first, and how many of each."""
MAX_NODES = 500
TOLERANCE = 1e-7
REACH = 3.0
REGIONS = ((-REACH, REACH), (0.0, REACH), (-REACH, 0.0))
Point = dict[str, Tensor]


def refute(atom: Atom, undecided: Sequence[FactClause], points: Sequence[Point]) -> Iterator[Diagnostic]:
    """Counterexamples to the signs, the curvature and the ``undecided`` monotonicity clauses, at most one of each.

    A clause that cannot be sampled either (the value is too large for plain Python) is a warning.
    """
    if atom.value is None:
        return
    try:
        if sum(1 for _ in walk(atom.value)) > MAX_NODES:
            raise Unsupported("its value is too long")
        yield from _signs(atom, points)
        yield from _curvature(atom, points)
        for clause in undecided:
            yield from _monotone(atom, clause, points)
    except Unsupported as reason:
        yield from on_trust(atom, undecided, reason)


def on_trust(atom: Atom, undecided: Sequence[FactClause], reason: Unsupported) -> Iterator[Diagnostic]:
    """Warnings of clauses that neither structure nor samples decide."""
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
    return (point for point in draws(atom) if inside(atom, point))


def sample_wide(atom: Atom) -> Iterator[Point]:
    """The points of :func:`sample`, some closer to zero and some farther from it: logarithms change
    their sign there, and splines their piece."""
    return (p for scale, count in ((1.0, DRAWS), *SCALES) for p in draws(atom, scale, count) if inside(atom, p))


def draws(atom: Atom, scale: float = 1.0, count: int = DRAWS) -> Iterator[Point]:
    """Arguments that the signature and ``requires:`` allow, inside the domain or not.

    Raises:
        Unsupported: the arguments are too large for plain Python.
    """
    random = Random(0)
    sizes = {dim: 3 - position % 2 for position, dim in enumerate(atom.dims)}
    known, structures = implied(atom.requires), _structures(atom)
    for draw in range(count):
        point: Point = {}
        regions = {f.symbol.name: _region(f.symbol, draw // 3**position % 3) for position, f in enumerate(atom.formals)}
        constants = _constants(atom, random, known, regions)
        for formal in atom.formals:
            name, (low, high) = formal.symbol.name, regions[formal.symbol.name]
            if name in constants:
                point[name] = constants[name]
            else:
                wide = (low, high) if formal.mode else (low * scale, high * scale)
                point[name] = _draw(random, formal, sizes, wide, draw % 5 == 0 and scale >= 1, structures)
        if _permitted(atom, point):
            yield point


def _constants(
    atom: Atom, random: Random, known: dict[str, Known], regions: dict[str, tuple[float, float]]
) -> dict[str, Tensor]:
    """The constants that ``requires:`` bounds, such that it holds, if a few tries find them."""
    names = [f.symbol.name for f in atom.formals if f.mode == "const" and not f.symbol.shape and f.symbol.name in known]
    found: dict[str, Tensor] = {}
    for _ in range(TRIES if names else 0):
        found = {name: scalar(_constant(random, known[name], regions[name])) for name in names}
        values = {name: Known.exactly(t.entries[0]) for name, t in found.items()}
        if atom.requires is None or holds(atom.requires, values) is not False:
            break
    return found


def _structures(atom: Atom) -> dict[str, str]:
    """What matrices a formal stands for, by its attributes or its domain: ``X >> 0`` or ``X == X'``."""
    found: dict[str, str] = {}
    even = {f.symbol.name for f in atom.formals if f.symbol.has("symmetric") or f.symbol.has("psd")} | {
        part.symbol.name
        for relation in atom.domain
        if relation.kind is Kind.ZERO
        for part in relation.parts
        if isinstance(part, Ref)
    }
    for relation in atom.domain:
        match relation.kind, relation.parts:
            case Kind.PSD, (Ref(symbol=symbol), _):
                found[symbol.name] = "psd" if symbol.name in even else "definite"
            case Kind.ZERO, (Ref(symbol=symbol), Apply(op="transpose")):
                found.setdefault(symbol.name, "symmetric")
            case _:
                pass
    for formal in atom.formals:
        for word in ("diagonal", "symmetric", "nsd", "psd"):
            if formal.symbol.has(word) and found.get(formal.symbol.name) not in ("psd", "definite"):
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
        case "definite":  # X + X' ⪰ 0, with a part that is not symmetric
            square, turned = multiply(rows, transpose(rows)), transpose(rows)
            entries = ([s + a - b for s, a, b in zip(*r, strict=True)] for r in zip(square, rows, turned, strict=True))
            return of_rows(entries, drawn.shape)
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
    return _permitted(atom, point) and inside(atom, point)


def _permitted(atom: Atom, point: Point) -> bool:
    for formal in atom.formals:
        for attribute in formal.symbol.attributes:
            if not _has(attribute.name, point[formal.symbol.name]):
                return False
    known = {name: Known.exactly(t.entries[0]) for name, t in point.items() if not t.shape}
    return atom.requires is None or bool(holds(atom.requires, known))


def inside(atom: Atom, point: Point) -> bool:
    """Whether a point is in the domain."""
    return all(satisfied(relation, point, sizes_at(atom, point)) for relation in atom.domain)


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


def sizes_at(atom: Atom, point: Point) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for formal in atom.formals:
        for poly, extent in zip(formal.symbol.shape, point[formal.symbol.name].shape, strict=True):
            sizes.update({name: extent for name in poly.names if name not in sizes})
    return sizes


def value_at(atom: Atom, point: Point) -> tuple[float, ...] | None:
    """Entries of the value; None where it is not a number."""
    assert atom.value is not None
    entries = evaluate(atom.value, point, sizes_at(atom, point))
    return None if entries is None or any(v != v for v in entries.entries) else entries.entries


def _in_region(clause: FactClause, point: Point) -> bool:
    for name, sign in clause.where:
        word = "nonneg" if sign is Sign.NONNEG else "nonpos"
        if not _has(word, point[name]) or (sign is Sign.ZERO and not _has("nonneg", point[name])):
            return False
    return True


def _signs(atom: Atom, points: Sequence[Point]) -> Iterator[Diagnostic]:
    for clause in atom.sign:
        if not isinstance(clause.word, Sign) or clause.word is Sign.UNKNOWN:
            continue
        for point in points:
            value = value_at(atom, point) if _in_region(clause, point) else None
            if value is not None and not _fits(clause.word, value):
                declared = clause.word.value + _condition(clause)
                message = f"`{atom.name}` is declared {declared}, but is {show_numbers(value)} at {show_point(point)}"
                yield Diagnostic("ATM424", message, Label(_place(atom, clause)))
                break


def _fits(sign: Sign, value: tuple[float, ...]) -> bool:
    low, high = (-TOLERANCE if sign.is_nonneg else -float("inf")), (TOLERANCE if sign.is_nonpos else float("inf"))
    return all(low <= v <= high for v in value)


def _curvature(atom: Atom, points: Sequence[Point]) -> Iterator[Diagnostic]:
    """Midpoints between successive points that share everything but the convex arguments."""
    convex = [f.symbol.name for f in atom.formals if not f.mode]
    for first, other in pairwise(points):
        second = {**first, **{name: other[name] for name in convex}}
        middle = {**first, **{name: _middle(first[name], second[name]) for name in convex}}
        values = [value_at(atom, p) if _allowed(atom, p) else None for p in (first, second, middle)]
        if any(v is None for v in values):
            continue
        a, b, m = (v for v in values if v is not None)
        for left, right, mid in zip(a, b, m, strict=True):
            mean, slack = (left + right) / 2, TOLERANCE * (1 + abs(left) + abs(right))
            above = mid > mean + slack and atom.curvature is not Curvature.CONCAVE
            below = mid < mean - slack and atom.curvature is not Curvature.CONVEX
            if above or below:
                message = (
                    f"the value of `{atom.name}` is not {atom.curvature.value}: between {show_point(first)} and "
                    f"{show_point(second)} it is {mid:.4g} in the middle, where the mean of the ends is {mean:.4g}"
                )
                yield Diagnostic("ATM421", message, Label(atom.value.span if atom.value else atom.span))
                return


def _middle(left: Tensor, right: Tensor) -> Tensor:
    return Tensor(left.shape, tuple((a + b) / 2 for a, b in zip(left.entries, right.entries, strict=True)))


def _monotone(atom: Atom, clause: FactClause, points: Sequence[Point]) -> Iterator[Diagnostic]:
    random = Random(1)
    if any(f.symbol.name == clause.argument and len(f.symbol.shape) == 2 and f.symbol.attributes for f in atom.formals):
        raise Unsupported(f"`{clause.argument}` cannot grow entry by entry")
    for point in points:
        old = point[clause.argument]
        raised = tuple(v + random.choice((0.0, 0.01, 1.0)) * random.random() for v in old.entries)
        higher = {**point, clause.argument: Tensor(old.shape, raised)}
        if not (_in_region(clause, point) and _in_region(clause, higher) and _allowed(atom, higher)):
            continue
        before, after = value_at(atom, point), value_at(atom, higher)
        if before is not None and after is not None and not _moves(clause.word, before, after):
            message = (
                f"`{atom.name}` is not {_words(clause)}: it is {show_numbers(before)} at {show_point(point)} "
                f"and {show_numbers(after)} at {show_point(higher)}"
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


def show_point(point: Point) -> str:
    return ", ".join(f"{name} = {show_numbers(tensor.entries)}" for name, tensor in point.items())


def show_numbers(entries: tuple[float, ...]) -> str:
    shown = ", ".join(f"{v:.4g}" for v in entries)
    return shown if len(entries) == 1 else f"[{shown}]"
