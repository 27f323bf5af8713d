"""A program and how to run it: parameters in, solutions out, derivatives either way, over a batch.

Runs a :class:`~dpplang.asa.program.Program` alone; knows nothing of the language. Everything that depends only on the
program is prepared once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.program import Program
from dpplang.core.errors import InternalError
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.cones.product import Product
from dpplang.runtime.convexity import ConvexityTest
from dpplang.runtime.data_map import PARTS, Data, DataMap
from dpplang.runtime.derivative import Derivative, Point
from dpplang.runtime.differentiate import adjoint, tangent
from dpplang.runtime.found import Found
from dpplang.runtime.methods import methods_for
from dpplang.runtime.options import Options
from dpplang.runtime.proof import proves_infeasible, proves_unbounded
from dpplang.runtime.refine import Refinement
from dpplang.runtime.residuals import residuals
from dpplang.runtime.sensitivity import make_sensitivity
from dpplang.runtime.solved import Detail, Solved
from dpplang.runtime.solvers.make import make_solver
from dpplang.runtime.solvers.protocol import Answer, Solver, Structure
from dpplang.runtime.status import Status
from dpplang.runtime.threads import cores
from dpplang.runtime.warn import warn_inaccurate

__all__ = ["Detail", "Engine", "Solved"]

# Seconds that an element, and the rest of the batch, must take before threads save more than they cost: around each
# solve stands some Python that holds the interpreter lock.
_LONG_ELEMENT, _LONG_BATCH = 1e-4, 2e-3


class Engine:
    """A program, ready to be solved and differentiated. It keeps no state between calls.

    Args:
        program: the program. options: the solver, its tolerance, how to differentiate.

    Raises:
        BindError: options that do not go with the program (SOL802).
    """

    def __init__(self, program: Program, options: Options | None = None) -> None:
        self.program = program
        self.options = options or Options()
        structure = Structure.of(program)
        self._structure = structure
        self._cone = Product.of(program.cones)
        if self._cone.size != program.m:
            raise InternalError(f"cones have {self._cone.size} rows, the program {program.m}")
        self._map = DataMap.of(program)
        self._solver = make_solver(structure, self.options)
        self._methods = methods_for(program, structure, self._map, self.options)
        self._sensitivity = make_sensitivity(structure, self._cone, self.options)
        self._convexity = ConvexityTest(structure.P)
        self._P_is_constant = not self._map.touched("P")
        self._sign = -1.0 if program.sense == "maximize" else 1.0

    @cached_property
    def _derivative(self) -> Derivative:
        return Derivative(self._map, self._structure)

    def __reduce__(self) -> tuple[object, ...]:
        return Engine, (self.program, self.options)

    def solve(self, theta: Sequence[Array]) -> Solved:
        """Solve a batch.

        Args:
            theta: one array ``[1 or B, size]`` per program parameter, derived ones included; float64.

        Returns:
            Solutions; elements without one are NaN, with their status. Nothing is raised for them.
        """
        theta = tuple(theta)
        batch = self._batch(theta)
        data = self._map.at(theta)
        n, m = self.program.n, self.program.m
        x, y, s = np.full((batch, n), np.nan), np.full((batch, m), np.nan), np.full((batch, m), np.nan)
        value = np.full(batch, np.nan)
        status = np.full(batch, Status.SOLVED, dtype=object)
        details: dict[int, Detail] = {}
        self._refuse_nonfinite(data, status, details)
        founds = self._found(data, _sound(status))
        for part in founds:
            rows = part.elements
            x[rows], y[rows], s[rows] = part.x, part.y, part.s
            d = data.d if data.d.shape[0] == 1 else data.d[rows]
            value[rows] = self._sign * (part.objective + d[:, 0])
        rest = np.isnan(value) & _sound(status)
        if rest.any():
            self._solve_rest(data, rest, x, y, s, value, status, details)
        ok = np.isfinite(value)
        solved = Solved(x, y, s, value, status, ok, theta, data, details, founds, self._sensitivity)
        warn_inaccurate(solved.status, details, self.program.name)
        return solved

    def _found(self, data: Data, sound: NDArray[np.bool_]) -> tuple[Found, ...]:
        """What special methods solve."""
        founds: list[Found] = []
        for method in self._methods:
            elements = np.flatnonzero(sound)
            if elements.size:
                founds += method.solve(data, elements)
                for part in founds:
                    sound[part.elements] = False
        return tuple(founds)

    def _solve_rest(
        self,
        data: Data,
        rest: NDArray[np.bool_],
        x: Array,
        y: Array,
        s: Array,
        value: Array,
        status: NDArray[np.object_],
        details: dict[int, Detail],
    ) -> None:
        """Solve elements by the conic solver, in place."""
        self._refuse_nonconvex(data, np.flatnonzero(rest), status, details)
        rest &= _sound(status)
        pending = np.flatnonzero(rest).tolist()
        for i, answer in zip(pending, self._answers(data, pending), strict=True):
            outcome = answer.status
            if outcome is not Status.SOLVED:
                outcome, details[i] = self._judge(_element(data, i), answer)
                status[i] = outcome
            if outcome.ok:
                x[i], y[i], s[i] = answer.x, answer.y, answer.s
                value[i] = self._sign * (answer.objective + data.d[i if data.d.shape[0] > 1 else 0, 0])
        rest &= np.isfinite(value)
        if self.options.refine and rest.any():
            self._refine(data, rest, x, y, s, value)

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
        if not solved.ok.all():
            dx, dy, dvalue = (None if d is None else np.where(_wide(solved.ok, d), d, 0.0) for d in (dx, dy, dvalue))
        names = [parameter.name for parameter in self.program.parameters]
        return adjoint(self._derivative, self._point(solved), solved, dx, dy, dvalue, tuple(wanted), names)

    def tangent(self, solved: Solved, dtheta: Sequence[Array | None]) -> tuple[Array, Array, Array]:
        """Directional derivatives (dx ``[B, n]``, dy ``[B, m]``, dvalue ``[B]``) in a direction dθ like θ (None: zero).

        Elements that failed get 0.
        """
        out = tangent(self._derivative, self._point(solved), solved, tuple(dtheta))
        if solved.ok.all():
            return out
        dx, dy, dvalue = (np.where(_wide(solved.ok, d), d, 0.0) for d in out)
        return dx, dy, dvalue

    def _point(self, solved: Solved) -> Point:
        x, y = solved.x, solved.y
        if not solved.ok.all():
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

    def _refine(self, data: Data, ok: NDArray[np.bool_], x: Array, y: Array, s: Array, value: Array) -> None:
        """Refine the solutions in place."""
        sound = Data(*(e if e.shape[0] == 1 else e[ok] for e in (data.P, data.q, data.A, data.b, data.d)))

        def sharper(elements: NDArray[np.intp]) -> tuple[Array, Array, Array]:
            answers = [self._sharp.solve(*_element(sound, int(i))) for i in elements]
            return np.array([a.x for a in answers]), np.array([a.y for a in answers]), np.array([a.s for a in answers])

        more = sharper if self.options.solver != "scs" and self.program.m else None
        found = self._refinement.best(sound, x[ok], y[ok], s[ok], self.options.refine, self.options.tolerance, more)
        x[ok], y[ok], s[ok] = found[:3]
        value[ok] = self._sign * (found[3] + sound.d[:, 0])

    @cached_property
    def _refinement(self) -> Refinement:
        return Refinement(self._structure, self._cone)

    @cached_property
    def _sharp(self) -> Solver:
        """The solver, asked for as much as double precision has."""
        return make_solver(self._structure, replace(self.options, tolerance=max(1e-4 * self.options.tolerance, 1e-14)))

    def _refuse_nonfinite(self, data: Data, status: NDArray[np.object_], details: dict[int, Detail]) -> None:
        """Mark elements whose data hold NaN or infinity: no solver may see them."""
        for name in PARTS:
            values: Array = getattr(data, name)
            with np.errstate(all="ignore"):
                if np.isfinite(values.sum()):
                    continue
            for row in np.flatnonzero(~np.isfinite(values).all(axis=1)):
                for i in range(status.size) if values.shape[0] == 1 else (int(row),):
                    status[i] = Status.INVALID
                    details[i] = Detail(parameters=self._map.touched(name), note=f"{name} holds NaN or infinity")

    def _refuse_nonconvex(
        self, data: Data, elements: NDArray[np.intp], status: NDArray[np.object_], details: dict[int, Detail]
    ) -> None:
        """Mark those of some elements whose P is indefinite: solvers answer garbage."""
        shared = data.P.shape[0] == 1
        if self._P_is_constant:
            negative = self._constant_negative
        else:
            negative = self._convexity.negative(data.P if shared else data.P[elements])
        for row, least in negative.items():
            for i in elements if shared else elements[row : row + 1]:
                status[i] = Status.NONCONVEX
                note = f"its quadratic part has the eigenvalue {least:.3g}"
                details[int(i)] = Detail(parameters=self._map.touched("P"), note=note)

    @cached_property
    def _constant_negative(self) -> dict[int, float]:
        return self._convexity.negative(self.program.P.values.constant[None])

    def _answers(self, data: Data, pending: list[int]) -> list[Answer]:
        """Solve the elements, over threads if there is enough to do (the solvers let go of the interpreter lock)."""

        def one(i: int) -> Answer:
            element = _element(data, i)
            answer = self._solver.solve(*element)
            return answer if self._is_sound(element, answer) else self._doubted(element, answer)

        if not pending:
            return []
        start = time.perf_counter()
        first = one(pending[0])
        took = time.perf_counter() - start
        threads = min(self.options.threads or cores(), len(pending) - 1)
        if threads <= 1 or took < _LONG_ELEMENT or took * (len(pending) - 1) < _LONG_BATCH:
            return [first, *map(one, pending[1:])]
        with ThreadPoolExecutor(threads) as pool:
            return [first, *pool.map(one, pending[1:])]

    def _is_sound(self, element: tuple[Array, Array, Array, Array], answer: Answer) -> bool:
        """Whether a certificate proves what is claimed."""
        P, q, A, b = element
        match answer.status:
            case Status.INFEASIBLE:
                return proves_infeasible(answer.y, self._structure.A.matrix(A), b, self._cone)
            case Status.UNBOUNDED:
                matrices = self._structure.P.matrix(P), self._structure.A.matrix(A)
                return proves_unbounded(answer.x, matrices[0], q, matrices[1], self._cone)
            case _:
                return True

    def _doubted(self, element: tuple[Array, Array, Array, Array], answer: Answer) -> Answer:
        """A second answer where the certificate of the first proves nothing; no verdict if that is no better."""
        again = self._sceptic.solve(*element)
        if self._is_sound(element, again):
            return again
        note = f"the solver takes it for {answer.status.value}, and what it gives as a proof is none"
        return replace(again, status=Status.NUMERICAL, note=note)

    @cached_property
    def _sceptic(self) -> Solver:
        return make_solver(self._structure, self.options, sceptical=True)

    def _judge(self, element: tuple[Array, Array, Array, Array], answer: Answer) -> tuple[Status, Detail]:
        """An answer other than "solved": a certificate, or a point that our own residuals accept or refuse."""
        if answer.status is Status.INFEASIBLE:
            return answer.status, Detail(certificate=answer.y, iterations=answer.iterations)
        if answer.status is Status.UNBOUNDED:
            return answer.status, Detail(certificate=answer.x, iterations=answer.iterations)
        P, q, A, b = element
        matrices = self._structure.P.matrix(P), self._structure.A.matrix(A)
        found = residuals(matrices[0], q, matrices[1], b, self._cone, answer.x, answer.y, answer.s)
        detail = Detail(residuals=found, iterations=answer.iterations, note=answer.note)
        if found.worst <= 10 * self.options.tolerance:
            return Status.SOLVED, detail
        if found.worst <= self.options.accept_inaccurate:
            return Status.INACCURATE, detail
        return answer.status, detail


def _element(data: Data, i: int) -> tuple[Array, Array, Array, Array]:
    """(P, q, A, b) of one element; what the batch shares has one row."""
    P, q, A, b = data.P, data.q, data.A, data.b
    return (
        P[i if P.shape[0] > 1 else 0],
        q[i if q.shape[0] > 1 else 0],
        A[i if A.shape[0] > 1 else 0],
        b[i if b.shape[0] > 1 else 0],
    )


def _wide(mask: NDArray[np.bool_], like: Array) -> NDArray[np.bool_]:
    return mask.reshape(-1, *(1,) * (like.ndim - 1))


def _sound(status: NDArray[np.object_]) -> NDArray[np.bool_]:
    return np.fromiter((s is Status.SOLVED for s in status), np.bool_, status.size)
