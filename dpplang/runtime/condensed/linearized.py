"""S of :mod:`dpplang.runtime.kkt` for a whole batch, by the condensed system.

With D = DΠ(v), an element's (r, t) = S(g, h) solves

    P r + Aᵀt = g,      (I − D)(A r − h) = D t.

Eigenvalues of D near 0 are raised a little, so that E = D⁻¹ − I is finite, and refinement against the equations above
takes that out again. Where refinement does not converge, the system is singular or nearly so.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.condensed.layout import Layout, dot
from dpplang.runtime.condensed.matrix import largest
from dpplang.runtime.condensed.stiffness import Stiffness
from dpplang.runtime.condensed.systems import Matrices
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.kkt_factor import probe_of

Elements = NDArray[np.intp]

_RAISED = 1e-8  # what takes the place of smaller eigenvalues of D, relative to the square of the row's entries
_PASSES = 6  # of refinement
_EXACT, _STEP = 1e-14, 1e-11  # residuals, relative to their terms, that need no more of it: of S, of a Newton step
_LOOSE = 10.0  # times those are good enough


class Projection:
    """DΠ at v ``[rows, B]``."""

    def __init__(self, layout: Layout, v: Array) -> None:
        self._layout = layout
        self._on = (v[layout.bounds] > 0).astype(np.float64)
        part = layout.soc(v)
        head, tail = part[:, 0], part[:, 1:]
        size = np.sqrt(dot(tail, tail))
        inside, polar = size <= head, size <= -head
        safe = np.where(size > 0, size, 1.0)
        share = np.where(inside, 1.0, np.where(polar, 0.0, 0.5 * (1 + head / safe)))
        self._share, self._curved = share, np.where(inside | polar, 0.0, 0.5)
        self._unit = tail / safe[:, None]

    def times(self, w: Array) -> Array:
        """On the curved part of a second-order cone 1 along (1, u), 0 along (1, −u), ½(1 + t/‖x‖) elsewhere."""
        layout, out = self._layout, np.zeros_like(w)
        np.multiply(self._on, w[layout.bounds], out=out[layout.bounds])
        if layout.count:
            part, soc = layout.soc(w), layout.soc(out)
            head, along = part[:, 0], dot(self._unit, part[:, 1:])
            ahead = self._curved * (1 - self._share) * (head + along)
            back = self._curved * self._share * (head - along)
            np.multiply(self._share[:, None], part, out=soc)
            soc[:, 0] += ahead - back
            soc[:, 1:] += (ahead + back)[:, None] * self._unit
        return out


class Exact(Protocol):
    """S of :class:`dpplang.runtime.kkt.Linearized`."""

    @property
    def singular(self) -> NDArray[np.bool_]: ...

    def solve(self, g: Array, h: Array) -> tuple[Array, Array]: ...

    def newton(self, f: Array, g: Array, times_A: Callable[[Array], Array]) -> tuple[Array, Array]: ...

    def free(self) -> tuple[Array, Array]: ...


class Linearized:
    """S at v ``[B, m]``."""

    def __init__(self, matrices: Matrices, v: Array, exactly: Callable[[Elements], Exact]) -> None:
        """``exactly``: S of some elements by factors that know what to do where it is singular."""
        layout = matrices.plan.layout
        self._matrices, self._layout, self._exactly, self._batch = matrices, layout, exactly, v.shape[0]
        self._D = Projection(layout, layout.spread(v))
        stiffness = Stiffness.at_solution(layout, layout.spread(v), _RAISED * matrices.strength)
        with np.errstate(all="ignore"):
            self._step = matrices.factorize(stiffness)

    @property
    def singular(self) -> NDArray[np.bool_]:
        """``[B]``, where the system is singular and the solution of least norm is taken."""
        out = np.zeros(self._batch, dtype=bool)
        if self._left.size:
            out[self._left] = self._instead.singular
        return out

    def solve(self, g: Array, h: Array) -> tuple[Array, Array]:
        """(r ``[B, n]``, t ``[B, m]``) for g ``[B, n]``, h ``[B, m]``; S is symmetric."""
        left = self._left
        r, t, good = self._refined(g, h)
        if left.size:
            r[left], t[left] = self._instead.solve(g[left], h[left])
            good[left] = True
        rest = np.flatnonzero(~good)
        if rest.size:
            r[rest], t[rest] = self._exactly(rest).solve(g[rest], h[rest])
        return r, t

    def newton(self, f: Array, g: Array, times_A: Callable[[Array], Array]) -> tuple[Array, Array]:
        """(dx ``[B, n]``, dv ``[B, m]``) with J (dx, dv) = −(f, g). ``times_A`` is dx ↦ A dx."""
        dx, dy, good = self._refined(-f, -g, _STEP)
        bad = np.flatnonzero(~good)
        if bad.size:
            dx[bad] = 0.0
        dv = -(g + times_A(dx)) - dy  # D dv, and (I − D) dv
        if bad.size:

            def some(d: Array) -> Array:
                wide = np.zeros_like(dx)
                wide[bad] = d
                return times_A(wide)[bad]

            dx[bad], dv[bad] = self._exactly(bad).newton(f[bad], g[bad], some)
        return dx, dv

    def free(self) -> tuple[Array, Array]:
        """A direction (r ``[B, n]``, t ``[B, m]``) that each system leaves undetermined, 0 where it is regular."""
        batch, left, shared = self._batch, self._left, self._matrices.plan
        r, t = np.zeros((batch, shared.n)), np.zeros((batch, shared.m))
        if left.size:
            r[left], t[left] = self._instead.free()
        return r, t

    @cached_property
    def _left(self) -> Elements:
        """Elements whose system is singular, or not so far from it: a right-hand side without structure tells."""
        n, m, batch = self._matrices.plan.n, self._matrices.plan.m, self._batch
        probe = probe_of(n + m)
        _, _, good = self._refined(np.tile(probe[:n], (batch, 1)), np.tile(probe[n:], (batch, 1)))
        return np.flatnonzero(~good)

    @cached_property
    def _instead(self) -> Exact:
        return self._exactly(self._left)

    def _refined(self, g: Array, h: Array, enough: float = _EXACT) -> tuple[Array, Array, NDArray[np.bool_]]:
        """(r, t), and where it is right ``[B]``; residuals below ``enough`` are not made smaller."""
        layout, matrices, step, D = self._layout, self._matrices, self._step, self._D
        G, H = np.ascontiguousarray(g.T), layout.spread(h)
        r, t = np.zeros_like(G), np.zeros_like(H)
        missed, rest = G, H - D.times(H)
        size = largest(G) + largest(rest)
        error = last = np.full(size.shape, np.inf)
        with np.errstate(all="ignore"):
            for _ in range(_PASSES):
                # D⁻¹ = I + E
                force = rest + step.stiffness.times(rest)
                dr, dt = step.solve(missed, rest, force)
                r, t = r + dr, t + dt
                Pr, Att, w = matrices.P.times(r), matrices.A.transposed_times(t), H - matrices.A.times(r)
                missed, rest = G - Pr - Att, w - D.times(w - t)
                error = np.maximum(largest(missed), largest(rest))
                error /= size + np.maximum(np.maximum(largest(Pr), largest(Att)), np.maximum(largest(w), largest(t)))
                if ((error <= enough) | ~(error < 0.5 * last)).all():
                    break
                last = np.minimum(error, last)
            good = np.less_equal(error, _LOOSE * enough)
        return r.T, layout.gathered(t), good
