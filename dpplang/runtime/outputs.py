"""Named read-outs of solutions, and their reverse.

An output is Σ coefficient(θ)·z over z = (x, y, value, 1). :func:`prepare` splits it by the part of z it reads, once
per program; most outputs are then one gather. The same preparation serves NumPy (here) and torch
(``dpplang.torch.outputs``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.program import AffineMap, OutputMap, Program
from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError
from dpplang.runtime.names import suggestions

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Touch:
    """Coefficients that a parameter moves: coefficient[entries] += factors · θ_parameter[positions]."""

    parameter: int
    entries: Indices
    positions: Indices
    factors: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """Σ coefficient·source[column] added to ``rows`` of an output, flat.

    Attributes:
        source: 0 for x, 1 for y, 2 for the optimal value, 3 for the constant 1.
        rows, columns: per entry. in_order: whether rows are 0, 1, …, size − 1, so that the term is one gather.
        constant: coefficients ``[entries]`` at θ = 0, or None if all are 1 whatever θ is.
        touches: what θ adds to them.
    """

    source: int
    rows: Indices
    columns: Indices
    in_order: bool
    constant: Floats | None
    touches: tuple[Touch, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Readout:
    """An output, prepared. ``size`` is the product of ``shape``."""

    name: str
    shape: tuple[int, ...]
    size: int
    terms: tuple[Term, ...]

    @property
    def touched(self) -> frozenset[int]:
        """Places of the parameters its coefficients depend on."""
        return frozenset(t.parameter for term in self.terms for t in term.touches)


def prepare(program: Program, output: OutputMap) -> Readout:
    """Split an output by source and its coefficients by parameter."""
    starts = np.array([0, program.n, program.n + program.m, program.n + program.m + 1])
    sources = np.searchsorted(starts, output.columns, side="right") - 1
    # With m = 0 (or n = 0) two starts coincide; "right" then picks the later one, which is the one that has columns.
    size = prod(output.shape)
    terms = []
    for source in np.unique(sources):
        at = np.flatnonzero(sources == source)
        rows, columns = output.rows[at], output.columns[at] - starts[source]
        constant = output.values.constant[at]
        touches = _touches(program, output, at)
        plain = not touches and bool((constant == 1).all())
        in_order = rows.shape[0] == size and bool((rows == np.arange(size)).all())
        terms.append(Term(int(source), rows, columns, in_order, None if plain else constant, touches))
    return Readout(output.name, output.shape, size, tuple(terms))


def _touches(program: Program, output: OutputMap, at: Indices) -> tuple[Touch, ...]:
    matrix = output.values.matrix[at].tocoo()
    if matrix.nnz == 0:
        return ()
    entries, theta = (np.asarray(c, dtype=np.int64) for c in matrix.coords)
    found = []
    for k, parameter in enumerate(program.parameters):
        mine = (theta >= parameter.offset) & (theta < parameter.offset + parameter.size)
        if mine.any():
            found.append(Touch(k, entries[mine], theta[mine] - parameter.offset, matrix.data[mine]))
    return tuple(found)


class Readouts:
    """All read-outs of a program by name, each prepared when it is first asked for.

    Attributes:
        names: what ``return`` names, in order.
        known: those and every variable, every dual (``dual.NAME``) and ``value``.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.names = tuple(o.name for o in program.outputs)
        at_value = np.array([program.n + program.m])
        value = OutputMap("value", (), np.array([0]), at_value, AffineMap.fixed(np.ones(1), program.n_theta))
        maps = (value, *program.duals, *program.variables, *program.outputs)
        self._maps = {o.name: o for o in maps}
        self._prepared: dict[str, Readout] = {}

    @property
    def known(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.names, *self._maps)))

    def __contains__(self, name: str) -> bool:
        return name in self._maps

    def __getitem__(self, name: str) -> Readout:
        """Raises:
        BindError: BND720, there is no such output.
        """
        if name not in self._maps:
            hint = suggestions(name, [n for n in self.known if n], "outputs")
            raise BindError([Diagnostic("BND720", f"the solution has no `{name}`", help=hint)])
        if name not in self._prepared:
            self._prepared[name] = prepare(self.program, self._maps[name])
        return self._prepared[name]


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """What outputs read: x ``[B, n]``, y ``[B, m]``, value ``[B]``, and θ as the engine takes it."""

    x: Floats
    y: Floats
    value: Floats
    theta: Sequence[Floats]

    def part(self, source: int) -> Floats:
        match source:
            case 0:
                return self.x
            case 1:
                return self.y
            case 2:
                return self.value[:, None]
            case _:
                return np.ones((self.x.shape[0], 1))


@dataclass(slots=True, eq=False)
class Cotangents:
    """Gradients with respect to :class:`Sources`, summed up output by output; None where nothing came."""

    x: Floats | None
    y: Floats | None
    value: Floats | None
    theta: list[Floats | None]


def read(readout: Readout, sources: Sources) -> Floats:
    """Values ``[B, *shape]``."""
    batch = sources.x.shape[0]
    total = np.zeros((batch, readout.size))
    for term in readout.terms:
        entries = sources.part(term.source)[:, term.columns]
        if term.constant is not None:
            entries = entries * _coefficients(term, term.constant, sources.theta)
        if term.in_order:
            total = entries if len(readout.terms) == 1 else total + entries
        else:
            np.add.at(total.T, term.rows, entries.T)
    return total.reshape(batch, *readout.shape)


def push_forward(readout: Readout, sources: Sources, moved: Sources) -> Floats:
    """The derivative of :func:`read` ``[B, *shape]`` where the sources move by ``moved``."""
    batch = sources.x.shape[0]
    total = np.zeros((batch, readout.size))
    for term in readout.terms:
        entries = np.zeros((batch, term.rows.shape[0]))
        if term.source < 3:
            steps = moved.part(term.source)[:, term.columns]
            entries += steps if term.constant is None else steps * _coefficients(term, term.constant, sources.theta)
        if term.touches:
            turned = _coefficients(term, np.zeros(term.rows.shape[0]), moved.theta)
            entries += turned * sources.part(term.source)[:, term.columns]
        np.add.at(total.T, term.rows, entries.T)
    return total.reshape(batch, *readout.shape)


def pull_back(readout: Readout, gradient: Floats, sources: Sources, into: Cotangents) -> None:
    """Add the transpose of :func:`read` at ``gradient`` ``[B, *shape]`` to ``into``.

    Failed elements, whose sources are NaN, must have a zero gradient and add nothing.
    """
    flat = gradient.reshape(gradient.shape[0], readout.size)
    for term in readout.terms:
        entries = flat[:, term.rows]
        if term.touches:
            part = sources.part(term.source)[:, term.columns]
            _pull_coefficients(term, np.where(entries == 0, 0.0, entries * part), sources.theta, into)
        if term.constant is not None:
            entries = entries * _coefficients(term, term.constant, sources.theta)
        _pull_source(term, entries, sources, into)


def bend(readout: Readout, one: Sources, other: Sources) -> Floats:
    """The second derivative of :func:`read` ``[B, *shape]`` in two directions in which the sources move: θ moves the
    coefficients of what moves."""
    total = np.zeros((one.x.shape[0], readout.size))
    for term in _bilinear(readout):
        still = np.zeros(term.rows.shape[0])
        for a, b in ((one, other), (other, one)):
            np.add.at(
                total.T,
                term.rows,
                (_coefficients(term, still, a.theta) * b.part(term.source)[:, term.columns]).T,
            )
    return total.reshape(-1, *readout.shape)


def pull_back_along(readout: Readout, gradient: Floats, sources: Sources, moved: Sources, into: Cotangents) -> None:
    """Add to ``into`` how :func:`pull_back` changes where the sources move by ``moved``."""
    flat = gradient.reshape(gradient.shape[0], readout.size)
    for term in _bilinear(readout):
        entries = flat[:, term.rows]
        _pull_coefficients(term, entries * moved.part(term.source)[:, term.columns], sources.theta, into)
        turned = _coefficients(term, np.zeros(term.rows.shape[0]), moved.theta)
        _pull_source(term, entries * turned, sources, into)


def _bilinear(readout: Readout) -> list[Term]:
    """Terms whose coefficients θ moves, of sources that it moves too."""
    return [term for term in readout.terms if term.touches and term.source < 3]


def _pull_source(term: Term, entries: Floats, sources: Sources, into: Cotangents) -> None:
    if term.source < 3:
        part = np.zeros_like(sources.part(term.source))
        np.add.at(part.T, term.columns, entries.T)
        _accumulate(into, term.source, part)


def _coefficients(term: Term, constant: Floats, theta: Sequence[Floats]) -> Floats:
    """``[B or 1, entries]``"""
    if not term.touches:
        return constant[None]
    rows = max(theta[t.parameter].shape[0] for t in term.touches)
    rows = 0 if any(theta[t.parameter].shape[0] == 0 for t in term.touches) else rows
    total = np.tile(constant, (rows, 1))
    for touch in term.touches:
        np.add.at(
            total.T,
            touch.entries,
            np.broadcast_to(
                theta[touch.parameter][:, touch.positions] * touch.factors, (rows, touch.entries.shape[0])
            ).T,
        )
    return total


def _pull_coefficients(term: Term, gradient: Floats, theta: Sequence[Floats], into: Cotangents) -> None:
    for touch in term.touches:
        block = theta[touch.parameter]
        moved = gradient[:, touch.entries] * touch.factors
        moved = moved.sum(axis=0, keepdims=True) if block.shape[0] == 1 else moved
        part = np.zeros_like(block)
        np.add.at(part.T, touch.positions, moved.T)
        known = into.theta[touch.parameter]
        into.theta[touch.parameter] = part if known is None else known + part


def _accumulate(into: Cotangents, source: int, part: Floats) -> None:
    match source:
        case 0:
            into.x = part if into.x is None else into.x + part
        case 1:
            into.y = part if into.y is None else into.y + part
        case _:
            into.value = part[:, 0] if into.value is None else into.value + part[:, 0]
