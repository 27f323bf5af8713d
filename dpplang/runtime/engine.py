"""A program and how to run it: parameters in, solutions out, derivatives either way, over a batch.

Runs a :class:`~dpplang.asa.program.Program` alone; knows nothing of the language. Everything that depends only on the
program is prepared once, when it is first needed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.program import Program
from dpplang.core.errors import InternalError
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.cones.product import Product
from dpplang.runtime.conic import Conic
from dpplang.runtime.data_map import PARTS, DataMap
from dpplang.runtime.derivative import Derivative, Point
from dpplang.runtime.detail import Detail
from dpplang.runtime.differentiate import Remarks, adjoint, tangent
from dpplang.runtime.found import Found, Refused
from dpplang.runtime.methods import Methods
from dpplang.runtime.options import Options, say
from dpplang.runtime.quadratic.dense import Planned
from dpplang.runtime.second import Second
from dpplang.runtime.sensitivity import make_sensitivity
from dpplang.runtime.solved import Solved
from dpplang.runtime.solvers.protocol import Structure
from dpplang.runtime.threads import at_most, quiet
from dpplang.runtime.warn import warn_inaccurate
from dpplang.runtime.workspace import Workspace

__all__ = ["Detail", "Engine", "Solved"]


class Engine:
    """A program, ready to be solved and differentiated. It keeps no state between calls but
    what it has warned of.

    Args:
        program: the program. options: the solver, its tolerance, how to differentiate.

    Raises:
        BindError: options that do not go with the program (SOL802).
    """

    def __init__(self, program: Program, options: Options | None = None) -> None:
        self.program = program
        self.options = options or Options()
        self._cone = Product.of(program.cones)
        if self._cone.size != program.m:
            raise InternalError(f"cones have {self._cone.size} rows, the program {program.m}")
        self._structure = Structure.of(program)
        self._planned = Planned(self._structure, program)
        self._methods = Methods(program, self._planned, self.options)
        self._sensitivity = make_sensitivity(program, self._structure, self._cone, self.options)
        self._remarks = Remarks(program)
        self._sign = -1.0 if program.sense == "maximize" else 1.0

    @property
    def _map(self) -> DataMap:
        return self._planned.map

    @cached_property
    def _moving(self) -> tuple[tuple[str, tuple[int, ...], bool], ...]:
        """Parts of the data that may hold what is no number, the parameters each depends on, and whether it can only
        come from them."""
        parts = ((name, self._map.touched(name), _is_finite(self._map, name)) for name in PARTS)
        return tuple((name, by, finite) for name, by, finite in parts if by or not finite)

    @cached_property
    def _conic(self) -> Conic:
        return Conic(self._structure, self._cone, self.options, self._map.touched("P"), self.program.P.values.constant)

    @cached_property
    def _derivative(self) -> Derivative:
        return Derivative(self._map, self._structure)

    @cached_property
    def _second(self) -> Second:
        return Second(self._derivative, self._cone)

    def __reduce__(self) -> tuple[object, ...]:
        return Engine, (self.program, self.options)

    def solve(self, theta: Sequence[Array]) -> Solved:
        """Solve a batch.

        Args:
            theta: one array ``[1 or B, size]`` per program parameter, derived ones included; float64.

        Returns:
            Solutions; elements without one are NaN, with their status. Nothing is raised for them.
        """
        with self._quiet():
            return self._solve(tuple(theta))

    def _quiet(self) -> AbstractContextManager[object]:
        calm = quiet(self.program.n, self.program.m)
        if self.options.threads is None:
            return calm
        both = ExitStack()
        both.enter_context(at_most(self.options.threads))
        both.enter_context(calm)
        return both

    def _solve(self, theta: tuple[Array, ...]) -> Solved:
        work = Workspace(self._batch(theta), self.program.n, self.program.m)
        data = self._map.at(theta)
        for name, parameters, constant in self._moving:
            if data.pending(name) is None or not (constant and _tame(theta, parameters)):
                work.refuse_nonfinite(name, getattr(data, name), parameters)
        founds: list[Found] = []
        methods = iter(self._methods)
        while (elements := work.open()).size and (method := next(methods, None)) is not None:
            start = time.perf_counter()
            for found in method.solve(data, elements):
                if isinstance(found, Refused):
                    work.refuse(found.element, found.status, found.detail)
                else:
                    work.take(found)
                    founds.append(found)
            say(self.options, method, elements.size, elements.size - work.open().size, start)
        if (elements := work.open()).size:
            start = time.perf_counter()
            self._conic.solve(data, work, elements)
            say(self.options, self._conic, elements.size, int(work.ok[elements].sum()), start)
        value = self._sign * (work.objective + data.d[:, 0])
        outcome = work.x, work.y, work.s, value, work.status, work.ok
        solved = Solved(*outcome, theta, data, work.details, tuple(founds), self._sensitivity)
        warn_inaccurate(work.status, work.details, self.program.name)
        return solved

    def adjoint(
        self,
        solved: Solved,
        dx: Array | None,
        dy: Array | None,
        dvalue: Array | None,
        wanted: Sequence[bool],
    ) -> tuple[Array | None, ...]:
        """Gradients with respect to θ.

        Args:
            solved: what :meth:`solve` returned.
            dx, dy, dvalue: upstream gradients ``[B, n]``, ``[B, m]``, ``[B]``, or None for zero.
            wanted: for each parameter, whether its gradient is.

        Returns:
            A tuple like θ: ``[1 or B, size]``, summed over the batch where a parameter is shared; None where not
            wanted. Elements that failed contribute nothing.
        """
        if not solved.is_whole:
            dx, dy, dvalue = (None if d is None else np.where(_wide(solved.ok, d), d, 0.0) for d in (dx, dy, dvalue))
        with self._quiet():
            return adjoint(self._derivative, self._point(solved), solved, dx, dy, dvalue, tuple(wanted), self._remarks)

    def tangent(self, solved: Solved, dtheta: Sequence[Array | None]) -> tuple[Array, Array, Array]:
        """Directional derivatives (dx ``[B, n]``, dy ``[B, m]``, dvalue ``[B]``) in a direction dθ like θ (None: zero).

        Elements that failed get 0.
        """
        with self._quiet():
            out = tangent(self._derivative, self._point(solved), solved, tuple(dtheta), self._remarks)
        if solved.is_whole:
            return out
        dx, dy, dvalue = (np.where(_wide(solved.ok, d), d, 0.0) for d in out)
        return dx, dy, dvalue

    def second_adjoint(
        self,
        solved: Solved,
        dx: Array | None,
        dy: Array | None,
        dvalue: Array | None,
        dtheta: Sequence[Array | None],
        wanted: Sequence[bool],
    ) -> tuple[Array | None, ...]:
        """How :meth:`adjoint` of (dx, dy, dvalue) changes in a direction dθ like θ, ``[1 or B, size]`` each: a product
        with the Hessian of ⟨dx, x⟩ + ⟨dy, y⟩ + dvalue·value, which is symmetric.

        Raises:
            DppError: derivatives over a finite distance (``smoothed``) have none of their own.
        """
        if not solved.is_whole:
            dx, dy, dvalue = (None if d is None else np.where(_wide(solved.ok, d), d, 0.0) for d in (dx, dy, dvalue))
        with self._quiet():
            return self._second.adjoint(self._point(solved), solved, (dx, dy, dvalue), dtheta, tuple(wanted))

    def second_tangent(
        self, solved: Solved, one: Sequence[Array | None], other: Sequence[Array | None]
    ) -> tuple[Array, Array, Array]:
        """How :meth:`tangent` in one direction changes in another: (ddx ``[B, n]``, ddy ``[B, m]``, ddvalue ``[B]``),
        0 for elements that failed; symmetric in the two.

        Raises:
            DppError: as :meth:`second_adjoint` does.
        """
        with self._quiet():
            out = self._second.tangent(self._point(solved), solved, one, other)
        if solved.is_whole:
            return out
        ddx, ddy, ddvalue = (np.where(_wide(solved.ok, d), d, 0.0) for d in out)
        return ddx, ddy, ddvalue

    def _point(self, solved: Solved) -> Point:
        x, y = solved.x, solved.y
        if not solved.is_whole:
            x, y = np.where(solved.ok[:, None], x, 0.0), np.where(solved.ok[:, None], y, 0.0)
        return Point(x, y, self._sign, tuple(t.shape[0] for t in solved.theta))

    def _batch(self, theta: tuple[Array, ...]) -> int:
        parameters = self.program.parameters
        if len(theta) != len(parameters):
            raise InternalError(f"{len(theta)} values for {len(parameters)} parameters")
        extents = {t.shape[0] for t in theta}
        batch = 0 if 0 in extents else max(extents, default=1)
        if not extents <= {1, batch} or any(
            t.shape != (len(t), p.size) for t, p in zip(theta, parameters, strict=True)
        ):
            raise InternalError(f"parameters of shapes {[t.shape for t in theta]} do not make one batch")
        return batch


def _wide(mask: NDArray[np.bool_], like: Array) -> NDArray[np.bool_]:
    return mask.reshape(-1, *(1,) * (like.ndim - 1))


def _tame(theta: Sequence[Array], parameters: Sequence[int]) -> bool:
    """Whether no entry of these parameters is NaN, infinite, or so large that a multiple of it might be."""
    with np.errstate(all="ignore"):
        return all(bool(np.isfinite(np.vdot(theta[k], theta[k]))) for k in parameters)


def _is_finite(map_: DataMap, name: str) -> bool:
    return bool(np.isfinite(map_.part(name).constant).all())
