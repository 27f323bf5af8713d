"""The conic solver over a batch, element by element: what is asked of it, and what is believed of what it says."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.condensed.interior import Interior
from dpplang.runtime.condensed.pays import fits, interior_pays
from dpplang.runtime.condensed.systems import Systems
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.cones.product import Product
from dpplang.runtime.convexity import ConvexityTest
from dpplang.runtime.data_map import Data
from dpplang.runtime.detail import Detail
from dpplang.runtime.options import Options, say
from dpplang.runtime.proof import proves_infeasible, proves_unbounded
from dpplang.runtime.refine import Refinement
from dpplang.runtime.residuals import residuals
from dpplang.runtime.solvers.make import make_solver
from dpplang.runtime.solvers.protocol import Answer, Solver, Structure
from dpplang.runtime.status import Status
from dpplang.runtime.threads import cores, each
from dpplang.runtime.workspace import Workspace

# Seconds that an element, and the rest of the batch, must take before threads save more than they cost: around each
# solve stands some Python that holds the interpreter lock.
_LONG_ELEMENT, _LONG_BATCH = 1e-4, 2e-3

# Solvers measure their residuals in other norms than we do: what they call solved may be so many tolerances by ours.
_LOOSE = 100.0

# Newton steps from an interior point, and the part of the tolerance that they must reach, or it is solved again.
_NEWTON = 3
_CLEAN = 1e-3

Element = tuple[Array, Array, Array, Array]
"""(P, q, A, b) of one element; P and A as entries."""


class Conic:
    """Prepared for one program."""

    def __init__(
        self, structure: Structure, cone: Product, options: Options, movers: tuple[int, ...], P: Array
    ) -> None:
        """``movers``: the parameters that P depends on. P: its entries ``[nnz]`` where there are none."""
        self.options = options
        self._structure, self._cone, self._movers, self._P = structure, cone, movers, P
        self._solver = make_solver(structure, options)
        self._convexity = ConvexityTest(structure.P)
        self._takes_batches = options.solver == "auto" and options.refine > 0 and fits(structure)

    def solve(self, data: Data, work: Workspace, elements: NDArray[np.intp]) -> None:
        """Solve or refuse elements of a batch."""
        pending = self._convex(data, work, elements)
        if self._takes_batches and len(pending) > 1:
            pending = self._together(data, work, pending)
        solved: list[tuple[int, Answer]] = []
        for i, answer in zip(pending, self._answers(data, pending), strict=True):
            if answer.status is Status.NUMERICAL:
                answer = self._recovered(data.rows(np.array([i])), answer)
            outcome = answer.status
            if outcome is not Status.SOLVED:
                outcome, detail = self._judge(_element(data, i), answer)
                if not outcome.ok:
                    work.refuse(i, outcome, detail)
                    continue
                work.status[i], work.details[i] = outcome, detail
            solved.append((i, answer))
        if not solved:
            return
        rows = np.array([i for i, _ in solved])
        x, y, s = (np.array([getattr(answer, name) for _, answer in solved]) for name in ("x", "y", "s"))
        objective = np.array([answer.objective for _, answer in solved])
        if self.options.refine:
            x, y, s, objective, worst = self._refined(data.rows(rows), x, y, s)
        else:
            worst = self._refinement.worst(data.rows(rows), x, y, s)
        good = self._verified(data, work, rows, x, y, s, worst)
        work.put(rows[good], x[good], y[good], s[good], objective[good])

    def _verified(
        self, data: Data, work: Workspace, rows: NDArray[np.intp], x: Array, y: Array, s: Array, worst: Array
    ) -> NDArray[np.bool_]:
        """Which solutions are ones by our own residuals, whatever the solver says of them; the others are refused."""
        good = worst <= max(self.options.accept_inaccurate, _LOOSE * self.options.tolerance)
        for k in np.flatnonzero((worst > _LOOSE * self.options.tolerance) | ~good):
            i = int(rows[k])
            P, q, A, b = _element(data, i)
            matrices = self._structure.P.matrix(P), self._structure.A.matrix(A)
            found = residuals(matrices[0], q, matrices[1], b, self._cone, x[k], y[k], s[k])
            if good[k]:
                work.status[i], work.details[i] = Status.INACCURATE, Detail(residuals=found)
            else:
                work.refuse(i, Status.NUMERICAL, Detail(residuals=found))
        return good

    def _convex(self, data: Data, work: Workspace, elements: NDArray[np.intp]) -> list[int]:
        """Refuse those of some elements whose P is indefinite, for solvers answer garbage; the others."""
        shared = data.P.shape[0] == 1
        if not self._movers:
            negative = self._constant_negative
        else:
            negative = self._convexity.negative(data.P if shared else data.P[elements])
        refused: set[int] = set()
        for row, least in negative.items():
            for i in elements if shared else elements[row : row + 1]:
                note = f"its quadratic part has the eigenvalue {least:.3g}"
                work.refuse(int(i), Status.NONCONVEX, Detail(parameters=self._movers, note=note))
                refused.add(int(i))
        return [i for i in elements.tolist() if i not in refused]

    @cached_property
    def _constant_negative(self) -> dict[int, float]:
        return self._convexity.negative(self._P[None])

    def _together(self, data: Data, work: Workspace, pending: list[int]) -> list[int]:
        """Solve what an interior-point method for the whole batch can; the others. It stops early, and counts only
        where refinement then arrives: what is left at a kink of the cones is safer with a solver that goes further."""
        if not interior_pays(self._systems.plan, len(pending), self.options.threads or cores()):
            return pending
        start = time.perf_counter()
        elements = np.array(pending)
        x, y, s, converged = self._interior.solve(data, elements, self.options)
        rows = elements[converged]
        if rows.size:
            near, count, enough = data.rows(rows), max(self.options.refine, _NEWTON), _CLEAN * self.options.tolerance
            x, y, s, objective, worst = self._refinement.best(
                near, x[converged], y[converged], s[converged], count, enough, None
            )
            good = worst <= enough
            work.put(rows[good], x[good], y[good], s[good], objective[good])
        say(self.options, self._interior, elements.size, int(work.ok[elements].sum()), start)
        return elements[~work.ok[elements]].tolist()

    @cached_property
    def _systems(self) -> Systems:
        return Systems(self._structure)

    @cached_property
    def _interior(self) -> Interior:
        return Interior(self._systems)

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
        return [first, *each(one, pending[1:], threads)]

    def _is_sound(self, element: Element, answer: Answer) -> bool:
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

    def _doubted(self, element: Element, answer: Answer) -> Answer:
        """A second answer where the certificate of the first proves nothing; no verdict if that is no better."""
        again = _solve_scaled(self._sceptic, element)
        if self._is_sound(element, again):
            return again
        note = f"the solver takes it for {answer.status.value}, and what it gives as a proof is none"
        return replace(again, status=Status.NUMERICAL, note=note)

    @cached_property
    def _sceptic(self) -> Solver:
        return make_solver(self._structure, self.options, sceptical=True)

    def _recovered(self, data: Data, answer: Answer) -> Answer:
        """Where the solver got stuck: Newton steps from there, which often arrive. What comes of it is judged."""
        point = answer.x[None], answer.y[None], answer.s[None]
        if not self.options.refine or not all(np.isfinite(part).all() for part in point):
            return answer
        x, y, s, objective, _ = self._refinement.best(data, *point, self.options.refine, self.options.tolerance, None)
        return replace(answer, x=x[0], y=y[0], s=s[0], objective=float(objective[0]))

    def _judge(self, element: Element, answer: Answer) -> tuple[Status, Detail]:
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

    def _refined(self, data: Data, x: Array, y: Array, s: Array) -> tuple[Array, Array, Array, Array, Array]:
        """(x, y, s, objective, largest relative residual) after refinement."""

        def sharper(elements: NDArray[np.intp]) -> tuple[Array, Array, Array]:
            answers = [_solve_scaled(self._sharp, _element(data, int(i))) for i in elements]
            return np.array([a.x for a in answers]), np.array([a.y for a in answers]), np.array([a.s for a in answers])

        more = sharper if self.options.solver != "scs" and self._structure.A.shape[0] else None
        return self._refinement.best(data, x, y, s, self.options.refine, self.options.tolerance, more)

    @cached_property
    def _refinement(self) -> Refinement:
        return Refinement(self._structure, self._cone)

    @cached_property
    def _sharp(self) -> Solver:
        """The solver, asked for as much as double precision has."""
        return make_solver(self._structure, replace(self.options, tolerance=max(1e-4 * self.options.tolerance, 1e-14)))


def _solve_scaled(solver: Solver, element: Element) -> Answer:
    """Solve with A, b and the objective scaled to sizes about 1, so that what is absolute in a solver's tests fits.

    With A/a, b/(a·c), P/p, q/(p·c) for their data, solutions are x/c, s/(a·c), y·a/(p·c).
    """
    P, q, A, b = element
    a = float(np.abs(A).max(initial=0.0)) or 1.0
    c = float(np.abs(b).max(initial=0.0)) / a or 1.0
    p = max(float(np.abs(P).max(initial=0.0)), float(np.abs(q).max(initial=0.0)) / c) or 1.0
    found = solver.solve(P / p, q / (p * c), A / a, b / (a * c))
    return replace(
        found, x=found.x * c, s=found.s * (a * c), y=found.y * (p * c / a), objective=found.objective * (p * c * c)
    )


def _element(data: Data, i: int) -> Element:
    """One element; what the batch shares has one row."""
    P, q, A, b = data.P, data.q, data.A, data.b
    return (
        P[i if P.shape[0] > 1 else 0],
        q[i if q.shape[0] > 1 else 0],
        A[i if A.shape[0] > 1 else 0],
        b[i if b.shape[0] > 1 else 0],
    )
