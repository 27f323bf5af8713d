"""What a solve gives back: values by name, and gradients with respect to the parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.evaluate import references
from dpplang.asa.evaluate_jvp import evaluate_jvp
from dpplang.asa.evaluate_vjp import evaluate_vjp
from dpplang.asa.program import Program
from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError, DppError
from dpplang.runtime.bind import Bound, flatten, unflatten
from dpplang.runtime.derive import symmetrize
from dpplang.runtime.named import NamedOutputs
from dpplang.runtime.names import declared, show_shape, suggestions
from dpplang.runtime.outputs import (
    Cotangents,
    Readouts,
    Sources,
    bend,
    pull_back,
    pull_back_along,
    push_forward,
    read,
)

if TYPE_CHECKING:
    from dpplang.runtime.engine import Engine, Solved

Floats = NDArray[np.float64]


class Solution(NamedOutputs):
    """Solutions of a batch of problems, on NumPy.

    Every variable and every dual is there: ``solution["x"]`` or ``solution.x``, ``solution["dual.ineq"]`` or
    ``solution.dual.ineq``. Arrays are ``[*batch, *shape]``. Iterating gives what ``return`` names, in its order. An
    element that failed is NaN throughout.

    Attributes:
        names: what ``return`` names, in order.
        value: optimal value ``[*batch]``, in the user's sense.
        status: of each element ``[*batch]`` a :class:`dpplang.runtime.status.Status`; without a batch, one.
    """

    def __init__(self, engine: Engine, readouts: Readouts, bound: Bound, solved: Solved) -> None:
        self._engine = engine
        self._readouts = readouts
        self._bound = bound
        self._solved = solved
        self._sources = Sources(solved.x, solved.y, solved.value, bound.theta)
        self._arrays: dict[str, Any] = {}

    @property
    def value(self) -> Any:
        return self._solved.value.reshape(self._bound.batch)[()]

    @property
    def status(self) -> Any:
        return self._solved.status.reshape(self._bound.batch)[()]

    @property
    def codes(self) -> NDArray[np.int64]:
        """The statuses as numbers ``[*batch]``: places in :data:`dpplang.runtime.status.CODES`."""
        return self._solved.codes.reshape(self._bound.batch)

    @property
    def weight(self) -> int:
        """How many numbers it holds, about: parameters, the data made of them, a factorization, the solutions."""
        return 3 * sum(t.size for t in self._bound.theta) + 4 * (self._solved.x.size + self._solved.y.size)

    def _named(self, name: str) -> Any:
        if name not in self._arrays:
            readout = self._readouts[name]
            values = read(readout, self._sources)
            self._arrays[name] = values.reshape((*self._bound.batch, *readout.shape))[()]
        return self._arrays[name]

    def __repr__(self) -> str:
        batch, words = self._bound.batch, Counter(s.value for s in self._solved.status)
        if batch:
            counted = ", ".join(f"{k} {word}" for word, k in words.items()) or "none"
            head = f"batch {list(batch)}: {counted}"
        else:
            head = f"{next(iter(words))}, value {float(self.value):.6g}"
        shown = ", ".join(f"{n} {list(self._readouts[n].shape)}" for n in self.names)
        return f"Solution({head}; {shown})"

    def backward(
        self,
        gradients: Mapping[str, Any],
        wanted: tuple[str, ...] | None = None,
        along: Mapping[str, Any] | None = None,
    ) -> dict[str, Floats]:
        """Gradients of Σ ⟨gradients[name], solution[name]⟩ with respect to the parameters, through derived ones.

        Args:
            gradients: per output name (any that ``solution[name]`` knows) an array of its shape.
            wanted: names of the parameters to differentiate for; None for all.
            along: directions as for :meth:`tangent`: how the gradients change in them, a product with the Hessian.

        Returns:
            Per wanted parameter an array of the shape of its value: summed over the batch dims that it shares,
            symmetric for a symmetric parameter, zero for elements that failed.

        Raises:
            BindError: an output (BND720) or a parameter (BND710) that does not exist, or a gradient of another shape
                (BND721). DppError: ``along`` moves a derived parameter, or the derivative is ``smoothed``.
        """
        program = self._engine.program
        needed = _needed(program, wanted)
        into, change = (Cotangents(None, None, None, [None] * len(program.parameters)) for _ in range(2))
        flags = tuple(p.name in needed for p in program.parameters)
        for name, gradient in gradients.items():
            pull_back(self._readouts[name], self._flat(name, gradient), self._sources, into)
        if along is None:
            solved, direct = self._engine.adjoint(self._solved, into.x, into.y, into.value, flags), into.theta
        else:
            refuse_bent(program, along)
            dtheta = self._dtheta(along)
            moved = self._moved(dtheta)
            for name, gradient in gradients.items():
                pull_back_along(self._readouts[name], self._flat(name, gradient), self._sources, moved, change)
            bent = self._engine.second_adjoint(self._solved, into.x, into.y, into.value, dtheta, flags)
            turned = self._engine.adjoint(self._solved, change.x, change.y, change.value, flags)
            solved = tuple(None if a is None or b is None else a + b for a, b in zip(bent, turned, strict=True))
            direct = change.theta
        totals: dict[str, Floats] = {}
        for k, parameter in enumerate(program.parameters):
            if flags[k]:
                parts = [part for part in (solved[k], direct[k]) if part is not None]
                total = sum(parts, np.zeros_like(self._bound.theta[k]))
                totals[parameter.name] = unflatten(parameter, total, self._bound)
        self._through_derived(program, totals)
        names = [p.name for p in declared(program)] if wanted is None else wanted
        return {name: totals[name] for name in names}

    def tangent(self, directions: Mapping[str, Any], along: Mapping[str, Any] | None = None) -> Tangent:
        """How the solution moves when the parameters do: forward mode, through derived parameters.

        Args:
            directions: per parameter name that moves, an array of the shape of its value (or of its own shape, the same
                for the whole batch).
            along: another direction: how the derivative in the first changes in it.

        Returns:
            The derivative of every variable, dual and output, by the same names; zero for elements that failed.

        Raises:
            BindError: a parameter that does not exist (BND710), or a direction of another shape (BND721). DppError: as
                :meth:`backward` does.
        """
        dtheta = self._dtheta(directions)
        if along is None:
            return Tangent(self._readouts, self._sources, self._moved(dtheta), self._bound.batch, self._solved.ok)
        refuse_bent(self._engine.program, along)
        other = self._dtheta(along)
        twice = Sources(*self._engine.second_tangent(self._solved, dtheta, other), self._still)
        bends = self._moved(dtheta), self._moved(other)
        return Tangent(self._readouts, self._sources, twice, self._bound.batch, self._solved.ok, bends)

    @property
    def _still(self) -> list[Floats]:
        """θ that does not move."""
        return [np.zeros_like(t) for t in self._bound.theta]

    def _dtheta(self, directions: Mapping[str, Any]) -> tuple[Floats | None, ...]:
        """How θ moves when the parameters do, through derived ones."""
        program = self._engine.program
        _needed(program, tuple(directions))
        moved: dict[str, Floats] = {}
        for parameter in declared(program):
            if parameter.name in directions:
                moved[parameter.name] = symmetrize(parameter, self._direction(parameter.name, directions), np)
        known = {**dict(program.constants), **self._bound.values}
        for parameter in program.parameters:
            if parameter.value is not None and not moved.keys().isdisjoint(references(parameter.value)):
                moved[parameter.name] = symmetrize(parameter, evaluate_jvp(parameter.value, known, moved), np)
        return tuple(
            flatten(p, moved[p.name], self._bound.batch) if p.name in moved else None for p in program.parameters
        )

    def _moved(self, dtheta: tuple[Floats | None, ...]) -> Sources:
        """What outputs read, as it moves with θ."""
        dx, dy, dvalue = self._engine.tangent(self._solved, dtheta)
        return Sources(dx, dy, dvalue, [s if d is None else d for s, d in zip(self._still, dtheta, strict=True)])

    def _direction(self, name: str, directions: Mapping[str, Any]) -> Floats:
        value, array = self._bound.values[name], np.asarray(directions[name], dtype=np.float64)
        rank = len(next(p.shape for p in declared(self._engine.program) if p.name == name))
        own = value.shape[value.ndim - rank :]
        if array.shape not in (value.shape, own):
            shapes = show_shape(array.shape), show_shape(value.shape)
            message = f"the direction for `{name}` has shape {shapes[0]}, and `{name}` {shapes[1]}"
            raise BindError([Diagnostic("BND721", message)])
        return np.broadcast_to(array, value.shape)

    def _flat(self, name: str, gradient: Any) -> Floats:
        """A gradient as ``[B, *shape]``, zero where the element failed."""
        shape = self._readouts[name].shape
        array = np.asarray(gradient, dtype=np.float64)
        full = (*self._bound.batch, *shape)
        if array.shape != full:
            message = f"the gradient for `{name}` has shape {show_shape(array.shape)}, and `{name}` {show_shape(full)}"
            raise BindError([Diagnostic("BND721", message)])
        flat = array.reshape(self._bound.size, *shape)
        ok = self._solved.ok
        return flat if ok.all() else np.where(ok.reshape(-1, *(1,) * len(shape)), flat, 0.0)

    def _through_derived(self, program: Program, totals: dict[str, Floats]) -> None:
        """Move the gradients of derived parameters on to what they are computed from, the last derived one first."""
        known = {**dict(program.constants), **self._bound.values}
        for parameter in reversed(program.parameters):
            if parameter.name not in totals:
                continue
            gradient = symmetrize(parameter, totals[parameter.name], np)
            totals[parameter.name] = gradient
            if parameter.value is not None:
                for name, part in evaluate_vjp(parameter.value, known, gradient).items():
                    if name in totals:
                        totals[name] = totals[name] + part


class Tangent(NamedOutputs):
    """Derivatives of a solution in one direction, or second ones in two, by the same names: ``tangent.x``,
    ``tangent.dual.ineq``.

    Args:
        moved: how what outputs read moves, or does so the second time. bends: how it moves in each of two directions.
    """

    def __init__(
        self,
        readouts: Readouts,
        sources: Sources,
        moved: Sources,
        batch: tuple[int, ...],
        ok: NDArray[np.bool_],
        bends: tuple[Sources, Sources] | None = None,
    ) -> None:
        self._readouts, self._sources, self._moved, self._batch, self._ok = readouts, sources, moved, batch, ok
        self._bends = bends

    @property
    def value(self) -> Any:
        return self["value"]

    def _named(self, name: str) -> Any:
        readout = self._readouts[name]
        found = push_forward(readout, self._sources, self._moved)
        if self._bends is not None:
            found = found + bend(readout, *self._bends)
        if not self._ok.all():
            found = np.where(self._ok.reshape(-1, *(1,) * len(readout.shape)), found, 0.0)
        return found.reshape((*self._batch, *readout.shape))[()]

    def __repr__(self) -> str:
        return f"Tangent({', '.join(self.names)})"


def refuse_bent(program: Program, names: Iterable[str]) -> None:
    """Second derivatives go in no direction that moves a derived parameter, which has first ones.

    Raises:
        DppError: one of these parameters does.
    """
    moved = set(names)
    for parameter in program.parameters:
        if parameter.value is not None and not moved.isdisjoint(references(parameter.value)):
            by = next(name for name in names if name in references(parameter.value))
            raise DppError(
                f"the second derivative with respect to `{by}` goes through the derived parameter `{parameter.name}`, "
                "which has first derivatives here: declare it as `param`, and compute it where the program is called"
            )


def _needed(program: Program, wanted: tuple[str, ...] | None) -> frozenset[str]:
    """The wanted parameters and the derived ones that depend on them."""
    names = [p.name for p in declared(program)]
    if wanted is None:
        return frozenset(p.name for p in program.parameters)
    unknown = [n for n in wanted if n not in names]
    if unknown:
        raise BindError(
            [
                Diagnostic("BND710", f"there is no parameter `{n}`", help=suggestions(n, names, "parameters"))
                for n in unknown
            ]
        )
    needed = set(wanted)
    for parameter in program.parameters:
        if parameter.value is not None and not needed.isdisjoint(references(parameter.value)):
            needed.add(parameter.name)
    return frozenset(needed)
