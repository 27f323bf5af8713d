"""The optimality conditions linearized at a solution: the system of :mod:`dpplang.runtime.kkt`, condensed.

With v = s − λ and DΠ(v) = U diag(Λ) Uᵀ for the cones of s, the directions u of U whose Λ is not small are eliminated,
τ = (uᵀGr − uᵀh)/Λ·√(1 − Λ), and only those that the solution cannot leave border the Hessian,

    [ H + Σ (1−Λ)/Λ (Gᵀu)(Gᵀu)ᵀ   Eᵀ   √(1−Λ) Gᵀu ]
    [ E                            0    0          ]
    [ √(1−Λ) uᵀG                   0    −Λ         ],      H = P + Mᵀ∇²f M.

For a linear bound Λ is 1 where it is slack, and 0 where it holds with equality.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.cones.product import ProductSpectrum
from dpplang.runtime.smooth.jets import Jet
from dpplang.runtime.smooth.newton import solve
from dpplang.runtime.smooth.numbers import Numbers, times, transposed_times

_HELD = 0.1  # Λ up to which a direction borders the system
_SINGULAR = 1e-12  # reciprocal condition number from which a system counts as singular


class Face:
    """The system at z and v ``[B, rows of G]``."""

    def __init__(self, numbers: Numbers, jet: Jet, v: Array) -> None:
        self._numbers = numbers
        H = numbers.P + jet.hessian(numbers.M)
        n, p = H.shape[1], numbers.E.shape[2]
        self._n, self._p = n, p
        self._spectrum = numbers.form.barrier.product.spectrum(v) if v.shape[1] else None
        if self._spectrum is None:
            self.matrix = H if p == 0 else _bordered(H, numbers.E)
            return
        share = self._spectrum.values
        held = share <= _HELD
        rotated = _rotated(self._spectrum, numbers.G)
        self._rotated = rotated
        self._stiff = np.where(held, 0.0, (1 - share) / np.where(held, 1.0, share))
        if self._spectrum.groups and any(part.vectors is not None for part in self._spectrum.parts):
            H = H + (rotated * self._stiff[:, None]) @ np.swapaxes(rotated, 1, 2)
        width = int(held.sum(axis=1).max(initial=0))
        self._at = np.argsort(~held, axis=1, kind="stable")[:, :width]
        taken = np.take_along_axis(held, self._at, axis=1)
        room = np.sqrt(1 - np.take_along_axis(share, self._at, axis=1))
        self._room = np.where(taken, room, 0.0)
        border = np.take_along_axis(np.broadcast_to(rotated, (v.shape[0], n, v.shape[1])), self._at[:, None], axis=2)
        border = border * self._room[:, None]
        E = np.broadcast_to(numbers.E, (v.shape[0], n, p))
        self.matrix = _bordered(H, np.concatenate((E, border), axis=2))
        corner = np.arange(n + p, n + p + width)
        self.matrix[:, corner, corner] = np.where(taken, -np.take_along_axis(share, self._at, axis=1), -1.0)

    def solve(self, g: Array, h_e: Array, h_s: Array) -> tuple[Array, Array, Array]:
        """(r ``[B, n]``, t on the rows of E, t on those of G) for right-hand sides in that order."""
        n, p, spectrum = self._n, self._p, self._spectrum
        if spectrum is None:
            solved = solve(self.matrix, np.concatenate((g, h_e), axis=1))
            return solved[:, :n], solved[:, n:], np.zeros_like(h_s)
        inward = spectrum.inward(h_s)
        g = g + transposed_times(self._rotated, self._stiff * inward)
        held = self._room * np.take_along_axis(inward, self._at, axis=1)
        solved = solve(self.matrix, np.concatenate((g, h_e, held), axis=1))
        r = solved[:, :n]
        t = self._stiff * (times(self._rotated, r) - inward)
        moved = np.take_along_axis(t, self._at, axis=1)
        np.put_along_axis(t, self._at, np.where(self._room > 0, self._room * solved[:, n + p :], moved), axis=1)
        return r, solved[:, n : n + p], spectrum.outward(t)

    def newton(self, f: Array, e: Array, s: Array) -> tuple[Array, Array, Array]:
        """(dx, dy, dv) that make the residuals f of stationarity, e of Ex = e and s of Gx + Πv = h vanish."""
        dx, dy, t = self.solve(-f, -e, -s)
        spectrum = self._spectrum
        if spectrum is None:
            return dx, dy, np.zeros_like(s)
        share = spectrum.values
        moved = -(spectrum.inward(s) + times(self._rotated, dx))
        near = share > 0.5
        along = -spectrum.inward(t) / np.where(near, 1.0, 1 - share)
        return dx, dy, spectrum.outward(np.where(near, moved / np.where(near, share, 1.0), along))

    @property
    def regular(self) -> NDArray[np.bool_]:
        """``[B]``, where the system has one solution, by its growth on a vector without structure."""
        matrix = self.matrix
        size = np.abs(matrix).sum(axis=2).max(axis=1, initial=0.0)
        probe = np.random.default_rng(0).normal(size=matrix.shape[1])
        grown = solve(matrix, np.broadcast_to(probe, matrix.shape[:2]))
        growth = np.abs(grown).sum(axis=1) / max(np.abs(probe).sum(), 1e-300)
        return np.isfinite(growth) & (growth * size * _SINGULAR < 1)


def _bordered(H: Array, Kt: Array) -> Array:
    """[H, Kᵀ; K, 0]."""
    n, rows = H.shape[1], Kt.shape[2]
    out = np.zeros((H.shape[0], n + rows, n + rows))
    out[:, :n, :n] = H
    out[:, :n, n:], out[:, n:, :n] = Kt, np.swapaxes(Kt, 1, 2)
    return out


def _rotated(spectrum: ProductSpectrum, Gt: Array) -> Array:
    """UᵀG, transposed ``[1 or B, n, rows]``."""
    if all(part.vectors is None for part in spectrum.parts):
        return Gt
    out = np.empty((spectrum.values.shape[0], *Gt.shape[1:]))
    for group, part in zip(spectrum.groups, spectrum.parts, strict=True):
        rows = group.take(Gt)
        if part.vectors is None:
            group.put(out, np.broadcast_to(rows, (out.shape[0], *rows.shape[1:])))
        else:
            turned = np.swapaxes(rows, 1, 2) @ part.vectors
            group.put(out, np.swapaxes(turned, 1, 2))
    return out
