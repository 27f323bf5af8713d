"""Which engine computes the symmetric map S of :mod:`dpplang.runtime.kkt` for a solved batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.program import Program
from dpplang.core.errors import InternalError
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.cones.product import Product
from dpplang.runtime.derivative import Sensitivity
from dpplang.runtime.found import Found
from dpplang.runtime.kkt import KktPlan, Linear
from dpplang.runtime.options import Options, Smoothed
from dpplang.runtime.solvers.protocol import Structure
from dpplang.runtime.threads import cores, each

if TYPE_CHECKING:
    from dpplang.runtime.solved import Solved


def make_sensitivity(
    program: Program, structure: Structure, cone: Product, options: Options
) -> Callable[[Any], Sensitivity]:
    """The engine that ``options.derivative`` names: from a solved batch to its S.

    Raises:
        BindError: an engine that does not know one of the program's cones (SOL802).
    """
    match options.derivative:
        case "exact":
            return Exact(structure, cone)
        case "least_squares":
            return LeastSquares(structure, cone)
        case "smoothed" | Smoothed():
            from dpplang.runtime.derivative_smoothed import SmoothedDerivative

            chosen = options.derivative
            return SmoothedDerivative(program, options, chosen if isinstance(chosen, Smoothed) else Smoothed())
        case "diffcp":
            from dpplang.runtime.derivative_diffcp import Diffcp

            return Diffcp(structure, options)
        case other:
            raise InternalError(f"no derivative {other!r}")


class Exact:
    """Direct factorization of the reduced optimality system."""

    def __init__(self, structure: Structure, cone: Product) -> None:
        self._structure, self._cone = structure, cone
        self._plan: KktPlan | None = None

    def __call__(self, solved: Solved) -> Sensitivity:
        founds = solved.founds
        if len(founds) == 1 and founds[0].elements.size == solved.batch and not founds[0].weak.any():
            return _Whole(founds[0])
        parts = tuple(part for part in founds if not part.weak.all())
        ok = solved.ok.copy()
        for part in parts:
            ok[part.elements[~part.weak]] = False
        direct = self._direct(solved, ok) if ok.any() or not parts else None
        return direct if direct is not None and not parts else Combined(parts, direct, solved.batch)

    def _direct(self, solved: Solved, ok: NDArray[np.bool_]) -> _Direct:
        if self._plan is None:
            self._plan = KktPlan(self._structure, self._cone)
        data, v = solved.data, solved.s - solved.y
        if ok.all():
            return _Direct(self._plan.linearize(data.P, data.A, v), None)
        P, A = (e if e.shape[0] == 1 else e[ok] for e in (data.P, data.A))
        return _Direct(self._plan.linearize(P, A, v[ok]), ok)


class LeastSquares(Exact):
    """The same, for those who take the derivative of least norm wherever there is a choice: nothing is said of it."""

    def __call__(self, solved: Solved) -> Sensitivity:
        return _Unremarked(super().__call__(solved))


class _Unremarked:
    free = None

    def __init__(self, inner: Sensitivity) -> None:
        self._inner = inner

    def __call__(self, g: Array, h: Array) -> tuple[Array, Array]:
        return self._inner(g, h)


class _Whole:
    """S where one method has solved the whole batch."""

    def __init__(self, found: Found) -> None:
        self._found = found

    def __call__(self, g: Array, h: Array) -> tuple[Array, Array]:
        return self._found.sensitivity(g, h)

    @property
    def free(self) -> tuple[Array, Array] | None:
        return self._found.free()


class Combined:
    """S of the elements that special methods solved, by their own factors, and of the rest by ``direct``."""

    def __init__(self, parts: tuple[Found, ...], direct: _Direct | None, batch: int) -> None:
        self._parts, self._direct, self._batch = parts, direct, batch

    def __call__(self, g: Array, h: Array) -> tuple[Array, Array]:
        parts = self._parts
        r, t = (np.zeros_like(g), np.zeros_like(h)) if self._direct is None else self._direct(g, h)

        def solve(part: Found) -> None:
            rows, strong = part.elements, ~part.weak
            own = part.sensitivity(g[rows], h[rows])
            r[rows[strong]], t[rows[strong]] = own[0][strong], own[1][strong]

        each(solve, parts, cores() if len(parts) > 1 else 1)
        return r, t

    @property
    def free(self) -> tuple[Array, Array] | None:
        found = None if self._direct is None else self._direct.free
        for part in self._parts:
            if (own := part.free()) is None:
                continue
            if found is None:
                found = np.zeros((self._batch, own[0].shape[1])), np.zeros((self._batch, own[1].shape[1]))
            strong = part.elements[~part.weak]
            found[0][strong], found[1][strong] = own[0][~part.weak], own[1][~part.weak]
        return found


class _Direct:
    """S of the elements that ``ok`` marks (None: all of them), 0 for the rest."""

    def __init__(self, linear: Linear, ok: NDArray[np.bool_] | None) -> None:
        self._linear, self._ok = linear, ok

    def __call__(self, g: Array, h: Array) -> tuple[Array, Array]:
        if self._ok is None:
            return self._linear.solve(g, h)
        return self._spread(*self._linear.solve(g[self._ok], h[self._ok]))

    @property
    def free(self) -> tuple[Array, Array] | None:
        if not self._linear.singular.any():
            return None
        free = self._linear.free()
        return free if self._ok is None else self._spread(*free)

    def _spread(self, r: Array, t: Array) -> tuple[Array, Array]:
        assert self._ok is not None
        wide = np.zeros((self._ok.size, r.shape[1])), np.zeros((self._ok.size, t.shape[1]))
        wide[0][self._ok], wide[1][self._ok] = r, t
        return wide
