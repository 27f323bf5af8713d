"""S of :mod:`dpplang.runtime.kkt` for one element with second-order cones: the same dense system in fewer calls.

One small element is all overhead: what the batched code does in four calls of NumPy for each line of mathematics takes
longer than the factorization. Here u of each cone stands for its whole eigenbasis: on (0, w), w ⟂ u, a cone's
(1 − λ)/λ AᵀA is the same for all directions, so that it comes from one Gram matrix, made once, less that of u.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import get_lapack_funcs

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.kkt_factor import SINGULAR, probe_of
from dpplang.runtime.solvers.protocol import Structure

_CONES, _ORDER = 4, 200  # most cones, and largest n + m
_FLAT = 0.01  # a smaller λ makes its directions too stiff to be eliminated
_HALF = math.sqrt(0.5)

_getrf, _getrs = get_lapack_funcs(("getrf", "getrs"), dtype=np.float64)


class AlonePlan:
    """What the systems of one structure share."""

    def __init__(self, structure: Structure) -> None:
        self._structure = structure
        cones = structure.cones
        self.zero, self.linear = cones.zero, cones.zero + cones.nonneg
        ends = self.linear + np.cumsum([0, *cones.soc])
        self.cones = list(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))
        self.n, self.m = structure.P.shape[0], structure.A.shape[0]
        self._known: tuple[Array, Array, tuple[Array, Array, list[Array]]] | None = None

    @staticmethod
    def of(structure: Structure) -> AlonePlan | None:
        """None where a program has other cones, or too many."""
        cones = structure.cones
        plain = cones.rows == cones.zero + cones.nonneg + sum(cones.soc)
        fits = plain and 0 < len(cones.soc) <= _CONES and 0 < structure.A.shape[1] <= _ORDER - structure.A.shape[0]
        return AlonePlan(structure) if fits else None

    def matrices(self, P: Array, A: Array) -> tuple[Array, Array, list[Array]]:
        """P, A and AᵀA of each cone's tail; made once where the entries are the same arrays as before."""
        known = self._known
        if known is None or known[0] is not P or known[1] is not A:
            at_P, at_A = self._structure.P, self._structure.A
            whole, rows = np.zeros((self.n, self.n)), np.zeros((self.m, self.n))
            whole[at_P.indices, at_P.columns] = whole[at_P.columns, at_P.indices] = P[0]
            rows[at_A.indices, at_A.columns] = A[0]
            grams = [rows[start + 1 : stop].T @ rows[start + 1 : stop] for start, stop in self.cones]
            known = self._known = P, A, (whole, rows, grams)
        return known[2]


class Alone:
    """S at v ``[1, m]``.

    Attributes:
        fits: whether this is S: the system is regular, and no cone is too flat. If not, all else is undefined.
    """

    singular = np.zeros(1, dtype=bool)

    def __init__(self, plan: AlonePlan, P: Array, A: Array, v: Array) -> None:
        whole, rows, grams = plan.matrices(P, A)
        self._n, self._rows = plan.n, rows
        point = v[0]
        held = plan.zero + np.flatnonzero(point[plan.zero : plan.linear] <= 0)
        self._held = np.concatenate((np.arange(plan.zero), held))
        H = whole.copy()
        self._curved: list[tuple[int, int, float, Array]] = []
        border = []
        polar: list[NDArray[np.intp]] = [self._held]
        self.fits = False
        for (start, stop), gram in zip(plan.cones, grams, strict=True):
            head, tail = float(point[start]), point[start + 1 : stop]
            size = math.sqrt(tail @ tail)
            if size <= head:
                continue
            if size <= -head:
                polar.append(np.arange(start, stop))
                continue
            share = 0.5 * (1 + head / size)
            if share < _FLAT:
                return
            kappa, unit = (1 - share) / share, tail / size
            along = unit @ rows[start + 1 : stop]
            H += kappa * gram
            H -= np.multiply.outer(kappa * along, along)
            border.append(_HALF * (rows[start] - along))
            self._curved.append((start, stop, kappa, unit))
        if len(polar) > 1:
            self._held = np.concatenate(polar)
        n, self._first = plan.n, plan.n + self._held.size
        order = self._first + len(border)
        K = np.zeros((order, order))
        K[:n, :n] = H
        K[n : self._first, :n] = rows[self._held]
        if border:
            K[self._first :, :n] = border
        K[:n, n:] = K[n:, :n].T
        magnitude = np.abs(K)
        largest = magnitude.max(axis=1)
        self._scale = scale = 1 / np.sqrt(np.where(largest > 0, largest, 1.0))
        K *= scale
        K *= scale[:, None]
        norm = float((scale * (magnitude @ scale)).max())
        self._lu, self._pivots, _ = _getrf(K.T, overwrite_a=1)
        probe = probe_of(order)
        grown = np.abs(_getrs(self._lu, self._pivots, probe)[0]).sum() / np.abs(probe).sum()
        self.fits = bool(grown * norm * SINGULAR < 1)

    def solve(self, g: Array, h: Array) -> tuple[Array, Array]:
        """(r ``[1, n]``, t ``[1, m]``) for g ``[1, n]``, h ``[1, m]``; S is symmetric."""
        n, first, rows, side = self._n, self._first, self._rows, h[0]
        rhs = np.empty(self._scale.size)
        rhs[:n], rhs[n:first] = g[0], side[self._held]
        for k, (start, stop, kappa, unit) in enumerate(self._curved):
            tail = side[start + 1 : stop]
            along = unit @ tail
            rhs[:n] += (kappa * (tail - along * unit)) @ rows[start + 1 : stop]
            rhs[first + k] = _HALF * (side[start] - along)
        rhs *= self._scale
        z = self._scale * _getrs(self._lu, self._pivots, rhs)[0]
        r, t = z[:n], np.zeros((1, side.size))
        t[0, self._held] = z[n:first]
        for k, (start, stop, kappa, unit) in enumerate(self._curved):
            moved = rows[start + 1 : stop] @ r - side[start + 1 : stop]
            tau = _HALF * z[first + k]
            t[0, start] = tau
            t[0, start + 1 : stop] = kappa * moved - (kappa * (unit @ moved) + tau) * unit
        return r[None], t

    def newton(self, f: Array, g: Array, times_A: Callable[[Array], Array]) -> tuple[Array, Array]:
        """(dx ``[1, n]``, dv ``[1, m]``) with J (dx, dv) = −(f, g)."""
        dx, dy = self.solve(-f, -g)
        return dx, -(g + dx @ self._rows.T) - dy

    def free(self) -> tuple[Array, Array]:
        """Nothing is undetermined."""
        return np.zeros((1, self._n)), np.zeros((1, self._rows.shape[0]))
