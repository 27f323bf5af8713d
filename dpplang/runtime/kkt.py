"""The linear system behind adjoint and tangent, reduced and symmetric.

With v = s − y and Π the projection onto K, a solution is a zero of F(x, v) = [Px + Aᵀ(Πv − v) + q ; Ax + Πv − b], whose
Jacobian is J = [P, Aᵀ(D − I) ; A, D] with D = DΠ(v). Write D = U Λ Uᵀ and W = U(I − Λ)^½. Directions with λ = 1
(inactive constraints) decouple and are dropped; on the others, substituting dv = −U(I − Λ)^(−½) τ gives

    [ P    AᵀW ] [ r ]   [ g ]
    [ WᵀA   −Λ ] [ τ ] = [ Wᵀh ],      t = Wτ,

which is symmetric, bounded, and smaller than J by the inactive directions. Where a cone is curved most λ are between 0
and 1, and a dense system is rid of those directions, too: P + Σ (1−λ)/λ (Aᵀu)(Aᵀu)ᵀ takes P's place. Batches of
second-order cones have systems that are smaller still (:mod:`dpplang.runtime.condensed`). Call S the map
(g, h) ↦ (r, t). Then

    tangent:  (dx, dy) = S(−(dP x + dAᵀy + dq), −(dA x − db))
    adjoint:  (r, t) = S(dx, dy); gradients −r for q, t for b, −(y rᵀ + t xᵀ) for A, −½(r xᵀ + x rᵀ) for P.

Sources: Busseti, Moursi, Boyd 2019, "Solution refinement at regular points of conic problems"; Amos, Kolter 2017,
"OptNet", for polyhedral cones; Healey, Nobel, Boyd 2025, "Differentiating through a quadratic cone program".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from dpplang.runtime.condensed.linearized import Linearized as CondensedSystem
from dpplang.runtime.condensed.pays import fits, system_pays
from dpplang.runtime.condensed.systems import Systems
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.cones.linear import Nonneg, Zero
from dpplang.runtime.cones.product import Product, ProductSpectrum
from dpplang.runtime.entries import Entries
from dpplang.runtime.kkt_alone import Alone, AlonePlan
from dpplang.runtime.kkt_factor import Factor, factorize, null_component
from dpplang.runtime.kkt_sparse import factorize_sparse
from dpplang.runtime.solvers.protocol import Structure

_INACTIVE = 1e-12  # directions with 1 − λ below this are dropped
_STIFF = 0.1  # directions of curvature with a larger λ are eliminated from a dense system
_SMALL = 250  # up to this order dense elimination wins whatever the pattern
_LARGE = 4000  # beyond it a dense matrix no longer fits
_FILLED = 0.15  # share of nonzeros from which dense elimination wins in between
_ALIKE = 1.15  # ratio of orders up to which systems are padded to one


@dataclass(frozen=True, slots=True, eq=False)
class Linearized:
    """S for the elements of a batch, factorized.

    Attributes:
        order: n. spectrum: of DΠ at v, for all elements. weight: (1 − λ)^½ ``[B, m]``, 0 where dropped or eliminated.
        factors: (elements, kept directions ``[len(elements), k]``, factor) for each group that was factorized together.
        eliminated: the directions that are; None where there are none.
    """

    order: int
    spectrum: ProductSpectrum
    weight: Array
    factors: tuple[tuple[NDArray[np.intp], NDArray[np.intp], Factor], ...]
    eliminated: Eliminated | None = None

    @property
    def singular(self) -> NDArray[np.bool_]:
        """``[B]``, where the system is singular and the solution of least norm is taken."""
        out = np.zeros(self.weight.shape[0], dtype=bool)
        for elements, _, factor in self.factors:
            out[elements] = factor.singular
        return out

    def solve(self, g: Array, h: Array) -> tuple[Array, Array]:
        """(r ``[B, n]``, t ``[B, m]``) for g ``[B, n]``, h ``[B, m]``; S is symmetric."""
        spectrum, eliminated = self.spectrum, self.eliminated
        inward = spectrum.inward(h)
        if eliminated is not None:
            g = g + eliminated.pull(spectrum.outward(eliminated.stiffness * inward))
        r, tau = self._reduced(g, self.weight * inward)
        t = self.weight * tau
        if eliminated is not None:
            t += eliminated.stiffness * (spectrum.inward(eliminated.push(r)) - inward)
        return r, spectrum.outward(t)

    def newton(self, f: Array, g: Array, times_A: Callable[[Array], Array]) -> tuple[Array, Array]:
        """(dx ``[B, n]``, dv ``[B, m]``) with J (dx, dv) = −(f, g). ``times_A`` is dx ↦ A dx."""
        dx, dy = self.solve(-f, -g)
        return dx, -(g + times_A(dx)) - dy  # D dv, and (I − D) dv

    def free(self) -> tuple[Array, Array]:
        """A direction (r ``[B, n]``, t ``[B, m]``) that each system leaves undetermined, 0 where it is regular."""
        n = self.order
        r, tau = np.zeros((self.weight.shape[0], n)), np.zeros_like(self.weight)
        for elements, kept, factor in self.factors:
            if factor.singular.any():
                z = null_component(factor, n + kept.shape[1])
                r[elements], tau[elements[:, None], kept] = z[:, :n], z[:, n:]
        t, eliminated = self.weight * tau, self.eliminated
        if eliminated is not None:
            t += eliminated.stiffness * self.spectrum.inward(eliminated.push(r))
        return r, self.spectrum.outward(t)

    def _reduced(self, g: Array, rhs: Array) -> tuple[Array, Array]:
        """(r, τ) for the right-hand sides of the kept directions; τ ``[B, m]`` is 0 elsewhere."""
        n = g.shape[1]
        r, tau = np.zeros_like(g), np.zeros_like(rhs)
        for elements, kept, factor in self.factors:
            here = elements[:, None]
            z = factor.solve(np.concatenate((g[elements], rhs[here, kept]), axis=1))
            r[elements] = z[:, :n]
            tau[here, kept] = z[:, n:]
        return r, tau


@dataclass(frozen=True, slots=True, eq=False)
class Eliminated:
    """Directions of curvature that the system is rid of: τ there is (1 − λ)^½/λ · (uᵀAr − uᵀh).

    Attributes:
        stiffness: (1 − λ)/λ ``[B, m]``, 0 where not eliminated. push, pull: r ↦ A r and t ↦ Aᵀt.
    """

    stiffness: Array
    push: Callable[[Array], Array]
    pull: Callable[[Array], Array]


Linear: TypeAlias = "Linearized | CondensedSystem | Alone"


class KktPlan:
    """What the systems of one program share."""

    def __init__(self, structure: Structure, cone: Product, any_solution: bool = False) -> None:
        """``any_solution``: where a system is singular, any solution serves, not the one of least norm alone."""
        P, A = structure.P, structure.A
        self._any_solution = any_solution
        self._structure, self._cone = structure, cone
        self.n, self.m = P.shape[0], A.shape[0]
        self._P_at, self._A_at = (P.indices, P.columns), (A.indices, A.columns)
        order = self.n + self.m
        blocks = sum(g.rows.shape[0] * g.rows.shape[1] ** 2 for g in cone.groups)
        filled = (2 * P.indices.size + 2 * A.indices.size + blocks) / max(order, 1) ** 2
        self._dense = order <= _SMALL or (order <= _LARGE and filled >= _FILLED)

    def linearize(self, P: Array, A: Array, v: Array) -> Linear:
        """Factorize at P, A (entries, ``[1 or B, nnz]``) and v = s − y ``[B, m]``."""
        if v.shape[0] == 1 and self._alone is not None:
            alone = Alone(self._alone, P, A, v)
            if alone.fits:
                return alone
        if system_pays(self._structure, v.shape[0]) and self._condensed is not None:
            return CondensedSystem(self._condensed.at(P, A), v, partial(self._some, P, A, v))
        return self._linearize(P, A, v)

    def _some(self, P: Array, A: Array, v: Array, elements: NDArray[np.intp]) -> Linearized:
        return self._linearize(_rows(P, elements), _rows(A, elements), v[elements])

    @cached_property
    def _alone(self) -> AlonePlan | None:
        return AlonePlan.of(self._structure)

    @cached_property
    def _condensed(self) -> Systems | None:
        return Systems(self._structure) if fits(self._structure) else None

    def _linearize(self, P: Array, A: Array, v: Array) -> Linearized:
        spectrum = self._cone.spectrum(v)
        room = 1 - spectrum.values
        active = room > _INACTIVE
        eliminated = None
        if self._dense and self._curved.size:
            stiff = active & (spectrum.values > _STIFF)
            if stiff.any():
                active &= ~stiff
                stiffness = np.where(stiff, room / np.where(stiff, spectrum.values, 1.0), 0.0)
                A_of = self._entries
                eliminated = Eliminated(stiffness, partial(A_of.times, A), partial(A_of.transposed_times, A))
        weight = np.sqrt(np.where(active, room, 0.0))
        if self._dense:
            factors = self._dense_factors(P, A, spectrum, weight, active, eliminated)
        else:
            factors = self._sparse_factors(P, A, spectrum, weight, active)
        return Linearized(self.n, spectrum, weight, factors, eliminated)

    @cached_property
    def _entries(self) -> Entries:
        return Entries(self._structure.A)

    @cached_property
    def _curved(self) -> NDArray[np.intp]:
        """The rows of cones that have curvature."""
        bent = [g.rows.reshape(-1) for g in self._cone.groups if not isinstance(g.cone, Zero | Nonneg)]
        return np.concatenate([np.empty(0, np.intp), *bent])

    def _dense_factors(
        self,
        P: Array,
        A: Array,
        spectrum: ProductSpectrum,
        weight: Array,
        active: NDArray[np.bool_],
        eliminated: Eliminated | None,
    ):
        """Elements with about equally many active directions are stacked, padded by others of weight 0.

        The order of the system is n + the largest number of them.
        """
        made = []
        counts = active.sum(axis=1)
        for members in self._alike(counts):
            count = int(counts[members].max())
            order = self.n + count
            kept = np.argsort(~active[members], axis=1, kind="stable")[:, :count]
            make = partial(self._matrices, P, A, spectrum, weight, eliminated, members, kept)
            made.append((members, kept, factorize(make, members.size, order)))
        return tuple(made)

    def _matrices(
        self,
        P: Array,
        A: Array,
        spectrum: ProductSpectrum,
        weight: Array,
        eliminated: Eliminated | None,
        members: NDArray[np.intp],
        kept: NDArray[np.intp],
        part: slice,
    ) -> Array:
        """The systems of some of ``members``, ``[k, order, order]``."""
        elements, kept = members[part], kept[part]
        order = self.n + kept.shape[1]
        matrices = np.zeros((elements.size, order, order))
        self._write_P(matrices, _rows(P, elements))
        dense = self._rotated(_rows(A, elements), spectrum, elements)
        if eliminated is not None:
            bent = dense[:, self._curved]
            stiff = eliminated.stiffness[elements[:, None], self._curved]
            matrices[:, : self.n, : self.n] += np.swapaxes(bent * stiff[:, :, None], 1, 2) @ bent
        taken = dense[0][kept] if dense.shape[0] == 1 else dense[np.arange(elements.size)[:, None], kept]
        rows = taken * weight[elements[:, None], kept][:, :, None]
        matrices[:, self.n :, : self.n] = rows
        matrices[:, : self.n, self.n :] = np.swapaxes(rows, 1, 2)
        tail = np.arange(self.n, order)
        matrices[:, tail, tail] = -spectrum.values[elements[:, None], kept]
        return matrices

    def _alike(self, counts: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
        """Elements in groups whose systems are of about the same order, each group in increasing order."""
        if counts.size == 1:
            yield np.zeros(1, np.intp)
            return
        sorted_elements = np.argsort(counts, kind="stable")
        start = 0
        while start < counts.size:
            limit = _ALIKE * (self.n + counts[sorted_elements[start]])
            stop = int(np.searchsorted(self.n + counts[sorted_elements], limit, side="right"))
            yield np.sort(sorted_elements[start:stop])
            start = stop

    def _write_P(self, matrices: Array, P: Array) -> None:
        i, j = self._P_at
        if i.size:
            matrices[:, i, j] = P
            matrices[:, j, i] = P

    def _rotated(self, A: Array, spectrum: ProductSpectrum, elements: NDArray[np.intp]) -> Array:
        """UᵀA, ``[1 or len(elements), m, n]``."""
        dense = np.zeros((A.shape[0], self.m, self.n))
        dense[:, self._A_at[0], self._A_at[1]] = A
        parts = zip(spectrum.groups, spectrum.parts, strict=True)
        rotated = [(group, part.vectors) for group, part in parts if part.vectors is not None]
        if rotated and dense.shape[0] != elements.size:
            dense = np.repeat(dense, elements.size, axis=0)
        for group, vectors in rotated:
            flat = group.rows.reshape(-1) if group.span is None else group.span
            blocks = dense[:, flat].reshape(elements.size, *group.rows.shape, self.n)
            turned = np.swapaxes(vectors[elements], -1, -2) @ blocks
            dense[:, flat] = turned.reshape(elements.size, group.rows.size, self.n)
        return dense

    def _sparse_factors(self, P: Array, A: Array, spectrum: ProductSpectrum, weight: Array, active: NDArray[np.bool_]):
        made = []
        for element in range(active.shape[0]):
            kept = np.flatnonzero(active[element])
            alone = np.array([element])
            upper = self._structure.P.matrix(_rows(P, alone)[0])
            rows = sp.csr_array(self._structure.A.matrix(_rows(A, alone)[0]))
            turn = self._turn(spectrum, element)
            reduced = sp.csr_array(turn.T @ rows if turn is not None else rows)[kept]
            matrix = upper + sp.triu(upper, 1).T
            if kept.size:
                reduced = sp.diags_array(weight[element, kept]) @ reduced
                corner = -sp.diags_array(spectrum.values[element, kept])
                matrix = sp.block_array([[matrix, reduced.T], [reduced, corner]])
            made.append((alone, kept[None], factorize_sparse(sp.csc_matrix(matrix), self.n, self._any_solution)))
        return tuple(made)

    def _turn(self, spectrum: ProductSpectrum, element: int) -> sp.csr_array | None:
        """U of one element as a sparse matrix; None for the identity."""
        if all(part.vectors is None for part in spectrum.parts):
            return None
        rows, columns, values = [], [], []
        for group, part in zip(spectrum.groups, spectrum.parts, strict=True):
            count, size = group.rows.shape
            plain = np.broadcast_to(np.eye(size), (count, size, size))
            vectors = plain if part.vectors is None else part.vectors[element]
            rows.append(np.broadcast_to(group.rows[:, :, None], vectors.shape).reshape(-1))
            columns.append(np.broadcast_to(group.rows[:, None, :], vectors.shape).reshape(-1))
            values.append(vectors.reshape(-1))
        where = (np.concatenate(rows), np.concatenate(columns))
        turn = sp.csr_array((np.concatenate(values), where), shape=(self.m, self.m))
        turn.eliminate_zeros()
        return turn


def _rows(entries: Array, elements: NDArray[np.intp]) -> Array:
    """Entries of some elements; shared ones keep leading extent 1."""
    return entries if entries.shape[0] == 1 else entries[elements]
